"""Packings of bytes: LZW as GIF and TIFF have it, runs of equal pixels, QOI; and PNG's filters.

What is unpacked is packed again to the very same bytes, by what is told of the choices that its
packer made. This room knows nothing of files.
"""
