"""Where pixels differ from what a decoder or a map makes, and by what.

Columns of bytes (columns.py) are what lattices have, and what archives had before 0.21.0; decisions
under a mixture (engine.py, by reference.py), in luma and chroma and then in colours (layers.py),
what pictures that were JPEGs have.
"""
