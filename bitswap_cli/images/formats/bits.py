"""Samples of fewer than 8 bits: several in a byte, the first in its highest bits; or those of a
pixel in a number of 16 bits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]

_WORD = 16


class Field(NamedTuple):
    """Where a sample is in a number of 16 bits."""

    start: int
    """Its lowest bit."""
    bits: int
    """Up to 8."""

    @property
    def highest(self) -> int:
        """What the sample is at most."""
        return (1 << self.bits) - 1


def fields_of(masks: Sequence[int]) -> tuple[Field, ...]:
    """Return where the samples are that some masks tell, and what is in none of them; nothing if
    bits of one lie apart, or in another one, or are too many or none."""
    rest = (1 << _WORD) - 1 - sum(masks)
    every = [*masks, rest] if rest else masks
    found = [Field((m & -m).bit_length() - 1, m.bit_count()) for m in every if m > 0]
    whole = [field.highest << field.start for field in found] == list(every)
    apart = sum(field.bits for field in found) == _WORD
    return tuple(found) if whole and apart and all(field.bits <= 8 for field in found) else ()


def taken(rows: Rows, fields: Sequence[Field]) -> Rows:
    """Return the samples (H, W, fields) of rows (H, 2 W) of numbers, their low bytes first."""
    words = np.ascontiguousarray(rows).view("<u2")
    return np.stack([(words >> f.start & f.highest).astype(np.uint8) for f in fields], axis=2)


def put(pixels: Rows, fields: Sequence[Field]) -> Rows | None:
    """Invert `taken`; None if samples have more bits."""
    words = np.zeros(pixels.shape[:2], "<u2")
    for channel, field in enumerate(fields):
        if int(pixels[..., channel].max()) > field.highest:
            return None
        words |= pixels[..., channel].astype("<u2") << np.uint16(field.start)
    return words.view(np.uint8)


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
