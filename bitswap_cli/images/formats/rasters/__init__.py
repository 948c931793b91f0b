"""Formats of a header and rows, plain or packed, behind it."""
