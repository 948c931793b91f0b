"""A host, a file that pictures lie in: its bytes between these, and the CRC-32 of all together."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.errors import ArchiveError

_COUNT = struct.Struct("<I")
_POLYNOMIAL = 0xEDB88320  # of CRC-32, its bits mirrored
_ONE = 1 << 31


class Pieces(NamedTuple):
    """What a host has besides its pictures, and which these are."""

    numbers: list[int]
    """Of its pictures: those of their names, in ascending order."""
    gaps: list[int]
    """How many bytes lie before each picture, behind the one before it."""
    literal: memoryview
    """All these bytes, and those behind the last picture."""

    def between(self) -> Iterator[memoryview]:
        """Yield the bytes between pictures: one piece more than there are pictures."""
        place = 0
        for gap in self.gaps:
            yield self.literal[place : place + gap]
            place += gap
        yield self.literal[place:]


def pack_pieces(numbers: Sequence[int], gaps: Sequence[int], literal: Buffer) -> bytes:
    """Serialise what a host has besides its pictures, and which these are."""
    steps = np.diff(numbers, prepend=-1) - 1
    told = np.array([steps, gaps], "<u4").tobytes()
    return b"".join([_COUNT.pack(len(gaps)), told, literal])


def size_of_pieces(count: int, literal: int) -> int:
    """Return how many bytes they are, serialised, with so many pictures and other bytes."""
    return _COUNT.size + 8 * count + literal


def unpack_pieces(data: bytes | memoryview, least: int = 1) -> Pieces:
    """Invert `pack_pieces`, of so many pictures at `least`; raise `ArchiveError` if malformed."""
    data = memoryview(data)
    count = _COUNT.unpack_from(data)[0] if len(data) >= _COUNT.size else -1
    start = size_of_pieces(count, 0)
    if count >= least and start <= len(data):
        steps, gaps = np.frombuffer(data[_COUNT.size : start], "<u4").reshape(2, count)
        if gaps.sum(dtype=np.uint64) <= len(data) - start:
            numbers = np.cumsum(steps.astype(np.int64) + 1) - 1
            return Pieces(numbers.tolist(), gaps.tolist(), data[start:])
    raise ArchiveError("the archive's pieces of a file are malformed")


def joined_crc(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of some bytes and `length` others behind them, from those of both.

    CRC-32 is linear, and zeros behind some bytes multiply their remainder by a power of x, as in
    zlib's crc32_combine.
    """
    for place, power in enumerate(_POWERS):
        if length >> place & 1:
            first = _times(power, first)
    return first ^ second


def _times(a: int, b: int) -> int:
    """Multiply two remainders modulo the polynomial; the highest bit stands for 1."""
    product, bit = 0, _ONE
    while a:
        if a & bit:
            product, a = product ^ b, a ^ bit
        bit >>= 1
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return product


def _powers() -> Iterator[int]:
    """Yield x to the 8, 16, 32, ...: what 1, 2, 4, ... zero bytes multiply by."""
    power = _ONE >> 8
    for _ in range(64):
        yield power
        power = _times(power, power)


_POWERS = tuple(_powers())
