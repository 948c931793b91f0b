"""What lies inside of files, whatever they are: pictures, and deflate streams.

No container is parsed: what is looked for is found by how it begins, and walked through to its end.
"""
