"""The header of NumPy's .npy (NumPy's documentation, numpy.lib.format)."""

import re
import struct
from typing import NamedTuple

MAGIC = b"\x93NUMPY"
MOST = 1 << 16
"""Bytes of a header."""

_HEADER = re.compile(
    rb"\{'descr': '(\|u1|\|b1|<u2|>u2)', 'fortran_order': (False|True),"
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
    other: bool
    """Whether it is in Fortran's order, or of booleans."""


def read(data: bytes) -> Header | None:
    """Return what the header tells of an array of integers in C order; None if it is none of
    pictures, or damaged."""
    told = read_any(data)
    return told if told and not told.other else None


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
    return Header(at + size, match[1], own, backwards or match[1] == _BOOLS)
