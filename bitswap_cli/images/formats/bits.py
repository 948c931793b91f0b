"""Samples of fewer than 8 bits, several in a byte: the first in its highest bits."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]


def packed(values: Rows, depth: int) -> Rows:
    """Return rows of values of some bits as rows of bytes, unused bits being zero.

    Parameters
    ----------
    values : uint8 array (H, W)
        Below 2^depth.
    depth : int
        1, 2 or 4.

    Returns
    -------
    uint8 array (H, bytes that W values take)
    """
    height, width = values.shape
    each = 8 // depth
    length = -(-width // each)
    whole = np.zeros((height, length * each), np.uint8)
    whole[:, :width] = values
    shifted = whole.reshape(height, length, each) << _shifts(depth)
    found: Rows = np.bitwise_or.reduce(shifted, axis=2)
    return found


def unpacked(rows: Rows, depth: int) -> Rows:
    """Return the values (H, 8 / depth values a byte) of rows of bytes (inverse of `packed`)."""
    values = rows[..., None] >> _shifts(depth) & np.uint8((1 << depth) - 1)
    return values.reshape(len(rows), -1)


def _shifts(depth: int) -> Rows:
    return np.arange(8 - depth, -1, -depth, dtype=np.uint8)
