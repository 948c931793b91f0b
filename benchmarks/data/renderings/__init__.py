"""Pictures of kinds that no embedded model was trained on: plots, maps, sprites, scans.

One file a set, each a function from a random generator to names and images, as many as one likes to
take. ``python -m benchmarks.data.renderings OUT`` writes them.
"""
