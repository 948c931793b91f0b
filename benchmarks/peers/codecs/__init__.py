"""Other lossless codecs, in whatever build this machine has: the program, or a Python package.

A codec is one file and one line in `register`. Programs are handed PNM files and write PNM files,
so that no other codec is timed with them; none uses more than one thread. Of JPEG XL and WebP, the
newest build of the library is taken that can do what is asked of it. What is not here is left out,
and tables say so.
"""
