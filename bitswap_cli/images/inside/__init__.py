"""What lies inside of files, whatever they are: pictures, and deflate streams.

No directory of a container is read: what is looked for is found by how it begins, or by the header
before it, and walked through to its end.
"""
