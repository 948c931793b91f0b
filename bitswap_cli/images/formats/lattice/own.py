"""Maps that recipes tell: what none of those makes that programs are known to have.

Each of the five tables is a line, in whole units or in parts of these, and its entries are rounded
down as a program does that rounds each product by itself.
"""

import struct

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
_WAYS = (Chroma.REPEATED, Chroma.ACROSS)
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
