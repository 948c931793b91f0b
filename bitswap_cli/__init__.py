"""Lossless compression of image folders with hierarchical VAEs, Bit-Swap and vectorized rANS."""

__version__ = "0.7.0"
