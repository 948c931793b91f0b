"""The header of NumPy's .npy (NumPy's documentation, numpy.lib.format)."""

import re
import struct
from typing import NamedTuple

MAGIC = b"\x93NUMPY"
MOST = 1 << 16
"""Bytes of a header."""

_HEADER = re.compile(
    rb"\{'descr': '(\|u1|<u2|>u2)', 'fortran_order': False,"
    rb" 'shape': \((\d{1,9}(?:, \d{1,9}){1,3})\), \}\s*"
)


class Header(NamedTuple):
    """What a header tells of an array in C order."""

    size: int
    """Its own bytes."""
    type: bytes
    """Of elements, as NumPy spells it."""
    shape: list[int]


def read(data: bytes) -> Header | None:
    """Return what the header tells of an array; None if it is none of pictures, or damaged."""
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
    shape = [int(length) for length in match[2].split(b", ")]
    return Header(at + size, match[1], shape)
