"""What a picture is here: pixels, and all else that its file holds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Larger pictures are kept byte for byte: pixels, file and decoder's copy would not fit in memory
# beside a network.
MAX_PIXELS = 1 << 25
MAX_RECIPE = 1 << 23
MAX_SAMPLES = 3 * MAX_PIXELS
CHANNELS = (1, 2, 3, 4, 6, 8)  # bytes of a pixel, in all kinds of pictures

KINDS = ("png", "bmp", "pnm", "png-samples", "png-colours", "pnm-16")
"""Kinds of pictures: 8-bit gray or RGB in PNG, BMP, PGM or PPM; then the wide ones."""
PLAIN = KINDS[:3]
"""Kinds that `inspect` finds and every archive can hold; the rest are wide, of newer archives."""


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
    """Shape (H, W, C), C = 1, 2, 3, 4, 6 or 8: the bytes of a pixel."""
    recipe: Recipe


def is_exact(kind: str) -> bool:
    """Tell whether a kind comes back byte for byte (else: pixel for pixel, metadata verbatim)."""
    return not kind.startswith("png")


def high_first(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Order the bytes of big-endian 16-bit samples: all high bytes, then all low ones.

    High bytes go from pixel to pixel like an 8-bit picture; low ones are little more than noise.

    Parameters
    ----------
    stored : uint8 array (H, W, 2 * samples)
        High and low byte of each sample in turn.

    Returns
    -------
    uint8 array (H, W, 2 * samples)
    """
    height, width, count = stored.shape
    pairs = stored.reshape(height, width, count // 2, 2)
    return pairs.swapaxes(2, 3).reshape(stored.shape)


def big_endian(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Order bytes as they are stored (inverse of `high_first`, shapes as there)."""
    height, width, count = pixels.shape
    halves = pixels.reshape(height, width, 2, count // 2)
    return halves.swapaxes(2, 3).reshape(pixels.shape)
