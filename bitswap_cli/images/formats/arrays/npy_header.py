"""The header of NumPy's .npy (NumPy's documentation, numpy.lib.format)."""

import re
import struct
from typing import NamedTuple

MAGIC = b"\x93NUMPY"
MOST = 1 << 16
"""Bytes of a header."""

_HEADER = re.compile(
    rb"\{'descr': '(\|u1|\|b1|\|i1|<u2|>u2|<i2|>i2)', 'fortran_order': (False|True),"
    rb" 'shape': \((\d{1,9}(?:, \d{1,9}){1,3})\), \}\s*"
)
_BOOLS = b"|b1"


class Header(NamedTuple):
    """What a header tells of an array."""

    size: int
    """Its own bytes."""
    type: bytes
    """Of elements, as NumPy spells it."""
    shape: list[int]
    """Of the same bytes in C order: of an array in Fortran's, the axes backwards."""
    backwards: bool
    """Whether it is in Fortran's order."""

    @property
    def other(self) -> bool:
        """Whether it is in Fortran's order, or of booleans."""
        return self.backwards or self.type == _BOOLS

    @property
    def signed(self) -> bool:
        """Whether its elements may be negative."""
        return self.type[1:2] == b"i"


def read(data: bytes) -> Header | None:
    """Return what the header tells of an array of unsigned integers in C order; None if it is none
    of pictures, or damaged."""
    told = read_any(data)
    return None if told is None or told.other or told.signed else told


def read_any(data: bytes) -> Header | None:
    """Return the same of any array of bytes, or of integers of 16 bits."""
    if len(data) < 12 or not data.startswith(MAGIC) or data[7]:
        return None
    size: int
    if data[6] == 1:
        (size,), at = struct.unpack_from("<H", data, 8), 10
    else:
        (size,), at = struct.unpack_from("<I", data, 8), 12
    if data[6] not in (1, 2, 3) or size > MOST:
        return None
    match = _HEADER.fullmatch(data, at, at + size)
    if match is None:
        return None
    shape = [int(length) for length in match[3].split(b", ")]
    backwards = match[2] == b"True"
    own = shape[::-1] if backwards else shape
    return Header(at + size, match[1], own, backwards)
