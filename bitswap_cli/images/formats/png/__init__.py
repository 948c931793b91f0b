"""PNG: pixels taken from IDAT, every other chunk verbatim."""
