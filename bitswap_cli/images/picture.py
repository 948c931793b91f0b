"""What a picture is here: pixels, and all else that its file holds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Larger pictures are kept byte for byte: pixels, file and decoder's copy would not fit in memory
# beside a network.
MAX_PIXELS = 1 << 25
MAX_RECIPE = 1 << 23

KINDS = ("png", "bmp", "pnm")
"""Kinds of pictures: PNG, BMP, and PGM or PPM."""


class Recipe(NamedTuple):
    """What a file holds besides its pixels."""

    kind: str
    """One of `KINDS`."""
    prefix: bytes
    """What stands before the pixels, verbatim."""
    suffix: bytes
    """What stands after them, verbatim."""


class Picture(NamedTuple):
    """A file split into pixels and recipe."""

    pixels: NDArray[np.uint8]
    """Shape (H, W, C), C = 1 (gray) or 3 (RGB)."""
    recipe: Recipe


def is_exact(kind: str) -> bool:
    """Tell whether a kind comes back byte for byte (else: pixel for pixel, metadata verbatim)."""
    return kind != "png"
