"""Samples of 16 bits, as two channels of bytes each.

High bytes go from pixel to pixel like an 8-bit picture; low ones are little more than noise.
"""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError


def high_first(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Order the bytes of big-endian 16-bit samples: all high bytes, then all low ones.

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


def whole(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the samples (H, W, samples) of bytes that `high_first` has ordered; raise
    `ArchiveError` if some sample has one only."""
    if pixels.shape[2] % 2:
        raise ArchiveError("the archive holds a picture of 16 bits a sample that is malformed")
    high, low = np.split(pixels, 2, axis=2)
    found = high.astype(np.uint16)
    found <<= np.uint16(8)
    found |= low
    return found
