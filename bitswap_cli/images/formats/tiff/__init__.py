"""TIFF: the samples of its pages, from strips or tiles; everything else verbatim."""
