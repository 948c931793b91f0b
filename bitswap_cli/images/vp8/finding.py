"""Frames in bytes: chunks `VP8 ` of WebP files, wherever these lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bitswap_cli.images.vp8 import engine
from bitswap_cli.images.vp8.reference import HEAD, START

MARK = b"VP8 "
_SIZE = struct.Struct("<I")
BEFORE = len(MARK) + _SIZE.size  # bytes before a frame that tell of it


class Span(NamedTuple):
    """Where a frame lies."""

    start: int
    end: int
    carried: int
    """How many of its bytes no decisions tell."""


def likely(data: bytes) -> int:
    """Return how many bytes seem to be frames, of which hardly more than the beginning is seen."""
    return sum(end - start for start, end in places(data))


def found(data: bytes) -> list[Span]:
    """Return the frames that come back from their decisions, in order: each has its size in four
    bytes before it, least byte first, and `MARK` before these. Raises as `engine.carried` does."""
    spans = list[Span]()
    for start, end in places(data):
        if carried := engine.carried(data[start:end]):
            spans.append(Span(start, end, carried))
    return spans


def rest(data: bytes, spans: Sequence[Span]) -> bytes:
    """Return what no decisions tell, in order: what lies around frames, and of each what is
    carried: its first bytes, and the sizes of its partitions."""
    parts, at = list[bytes](), 0
    for start, end, carried in spans:
        second = start + HEAD + (int.from_bytes(data[start : start + 3], "little") >> 5)
        parts += [data[at : start + HEAD], data[second : second + carried - HEAD]]
        at = end
    return b"".join([*parts, data[at:]])


def places(data: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where frames seem to begin and to end, one behind the other."""
    at = 0
    while (mark := data.find(MARK, at)) >= 0:
        start = mark + len(MARK) + _SIZE.size
        at = mark + 1
        if data[start + 3 : start + HEAD - 4] == START:
            end = start + _SIZE.unpack_from(data, mark + len(MARK))[0]
            if start + HEAD < end <= len(data):
                yield start, end
                at = end
