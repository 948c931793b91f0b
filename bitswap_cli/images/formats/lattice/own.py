"""Maps that recipes tell: what none of those makes that programs are known to have.

Each of the five tables is a line, in whole units or in parts of these, and its entries are rounded
down as a program does that rounds each product by itself.
"""

import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.lattice.maps import Chroma, Map, Sums

OWN = "own-map"
SHIFT = 16  # tables are in 1 / 2^16
_TABLES, _LEVELS = 5, 256
_LINES = struct.Struct("<10iB")  # first entries and steps, and how many bits of entries are zero
_LARGEST = 1 << 28  # entry: the sum of three has 32 bits
SIZE = _LINES.size
"""Bytes of a map."""
_WAYS = (Chroma.REPEATED, Chroma.SMOOTH, Chroma.ACROSS)
BLANK = Map(OWN, Sums(np.zeros((_TABLES, _LEVELS), np.int32), SHIFT), _WAYS)
"""Any of them, before a recipe tells which."""


def pack(lines: NDArray[np.int64], zeros: int) -> bytes:
    """Return lines, (5, 2), a first entry and a step each, and how many bits at the end of entries
    are zero, as bytes."""
    return _LINES.pack(*lines.ravel().tolist(), zeros)


def own_map(told: bytes) -> Map:
    """Return the map of some bytes, `SIZE` of them; raise `ArchiveError` if there is none."""
    *lines, zeros = _LINES.unpack(told)
    first, step = np.array(lines, np.int64).reshape(_TABLES, 2, 1).swapaxes(0, 1)
    tables = first + step * np.arange(_LEVELS)
    if zeros > SHIFT or np.abs(tables).max() > _LARGEST:
        raise ArchiveError("the archive holds a map of colours that is malformed")
    tables = tables >> zeros << zeros
    return BLANK._replace(sums=Sums(tables.astype(np.int32), SHIFT), told=told)


def as_told(used: Map) -> Map | None:
    """Return a map as one that recipes tell; None if its tables are no lines in such parts."""
    if used.told or used.sums.shift > SHIFT:
        return used if used.told else None
    tables = used.sums.tables.astype(np.int64) << SHIFT - used.sums.shift
    first, step = tables[:, :1], tables[:, 1:2] - tables[:, :1]
    if not np.array_equal(first + step * np.arange(_LEVELS), tables):
        return None
    return own_map(pack(np.hstack([first, step]), 0))


def _webp() -> bytes:
    """Tell libwebp's, in 1 / 2^6 of products in 1 / 2^14, two of which are taken off."""
    less = (1 << 10) - 1
    first = np.array([0, -17685 << 10, -14234 << 10, (8708 << 10) + less, less])
    step = np.array([19077, 33050, 26149, -6419, -13320]) << 2
    return pack(np.stack([first, step], 1), 10)


def _libyuv() -> bytes:
    """Tell libyuv's of the full range by BT.601, in 1 / 2^6, luma being a bit less."""
    step = np.array([(1 << 16) - 1, 113 << 10, 90 << 10, -22 << 10, -46 << 10])
    first = -128 * step
    first[0] = 1 << 15
    return pack(np.stack([first, step], 1), 10)


def _products(luma: int, factors: tuple[int, int, int, int], black: int) -> bytes:
    """Tell one of FFmpeg's, which rounds each product down, in 1 / 2^13."""
    step = np.array([luma, *factors]) << 3
    return pack(np.stack([-step * np.array([black, 128, 128, 128, 128]), step], 1), SHIFT)


_BT2020 = 17545, 13752, -1535, -5328
_SMPTE240 = 17029, 14697, -2113, -4445
_FULL_2020 = 15412, 12080, -1348, -4680
_FULL_240 = 14959, 12911, -1856, -3904

LIKELY = (
    _webp(),
    _products(9539, _BT2020, 16),
    _products(9539, _SMPTE240, 16),
    _products(8192, _FULL_2020, 0),
    _products(8192, _FULL_240, 0),
    _libyuv(),
)
"""What some programs are known to do, that came after `MAPS`."""


@cache
def likely_maps() -> tuple[Map, ...]:
    """Return the maps of `LIKELY`."""
    return tuple(own_map(told) for told in LIKELY)
