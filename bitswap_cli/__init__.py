"""Lossless compression of image folders: hierarchical VAEs, Bit-Swap and a vectorized rANS stack."""

__version__ = "0.1.0"
