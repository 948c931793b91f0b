"""The eight ways in which a picture can lie: turned and mirrored by the symmetries of a square.

A network codes a picture in raster order, and some pictures better in one way than in another.
An orientation is three bits, from the highest: rows and columns change places; then rows come in
reverse order; then columns do.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

ORIENTATIONS = 8
UPSIDE_DOWN = 2
_TRANSPOSED, _MIRRORED = 4, 1


def turn(pixels: NDArray[T], orientation: int) -> NDArray[T]:
    """Lay a picture as the orientation says: a view (H, W, C), or (W, H, C) if transposed."""
    if orientation & _TRANSPOSED:
        pixels = pixels.swapaxes(0, 1)
    return _reversed(pixels, orientation)


def turn_back(pixels: NDArray[T], orientation: int) -> NDArray[T]:
    """Invert `turn`."""
    pixels = _reversed(pixels, orientation)
    return pixels.swapaxes(0, 1) if orientation & _TRANSPOSED else pixels


def turned_shape(shape: tuple[int, int, int], orientation: int) -> tuple[int, int, int]:
    """Return the shape of what `turn` gives for a picture of a shape (H, W, C)."""
    height, width, channels = shape
    return (width, height, channels) if orientation & _TRANSPOSED else shape


def _reversed(pixels: NDArray[T], orientation: int) -> NDArray[T]:
    rows = slice(None, None, -1 if orientation & UPSIDE_DOWN else 1)
    columns = slice(None, None, -1 if orientation & _MIRRORED else 1)
    return pixels[rows, columns]
