"""The causal window of a pixel: which earlier pixels it sees, and the borders it is near to.

. . . . . . .
. . . . . . .          radius 3: 24 taps
. . . . . . .
. . . x
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 128  # what the first pixel sees
Places = NDArray[np.int64]


@cache
def taps(radius: int) -> tuple[tuple[int, int], ...]:
    """Rows and columns from a pixel to its causal window, in the order of the network's inputs."""
    square = range(-radius, radius + 1)
    return tuple((y, x) for y in range(-radius, 1) for x in square if y < 0 or x < 0)


def places(y: Places, x: Places, width: int | Places, radius: int) -> tuple[Places, Places]:
    """Rows and columns that the taps of pixels read, (N, taps) each; y, x (N,), `width` the tile's.

    Taps outside of the tile read the nearest pixel inside; where that is not known yet, the west
    neighbour, and in the first column the north one. The first pixel knows none: row -1.
    """
    dy, dx = np.array(taps(radius)).T
    y, x = y[:, None], x[:, None]
    last = np.reshape(width, (-1, 1)) - 1
    rows, columns = np.maximum(y + dy, 0), np.clip(x + dx, 0, last)
    # what the rows above hold is known in the order of `lockstep.steps`, not just in raster order
    known = (rows < y) | (columns < x)
    rows = np.where(known, rows, np.where(x > 0, y, y - 1))
    return rows, np.where(known, columns, np.maximum(x - 1, 0))


def borders(y: Places, x: Places, width: int | Places, radius: int) -> Places:
    """1 where a pixel is within 1 .. radius of the top, left and right border: (N, 3 radius)."""
    near = np.arange(radius)
    right = np.reshape(width, (-1, 1)) - 1 - x[:, None]
    return np.concatenate((y[:, None] <= near, x[:, None] <= near, right <= near), 1).astype(int)
