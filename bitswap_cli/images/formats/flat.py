"""A last channel that is the same everywhere, such as alpha that nobody used.

It is left out of the samples: what is left are those of gray or RGB, which more models code.
"""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError


def without_flat(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bytes]:
    """Leave out the last of 2 or 4 channels if it is the same everywhere.

    Parameters
    ----------
    pixels : uint8 array (H, W, C)

    Returns
    -------
    uint8 array (H, W, C or C - 1), bytes
        A view, and its value: one byte, or none where all channels stay.
    """
    last = pixels[..., -1]
    value = last[:1, :1].tobytes()
    if pixels.shape[2] in (2, 4) and np.all(last == value[0]):
        return pixels[..., :-1], value
    return pixels, b""


def with_flat(pixels: NDArray[np.uint8], value: bytes) -> NDArray[np.uint8]:
    """Invert `without_flat`; raise `ArchiveError` if the value is none."""
    if not value:
        return pixels
    if len(value) > 1:
        raise ArchiveError("the archive holds a damaged description of a picture")
    last = np.full((*pixels.shape[:2], 1), value[0], np.uint8)
    return np.concatenate([pixels, last], axis=2)
