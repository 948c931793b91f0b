"""Formats of files that pictures are found in: one file or folder each, and a register."""
