"""What gives a file back besides the coefficients of its pictures, and its bytes in an archive.

A file is a stream of pieces: pictures, and bytes between and behind them. A picture is a skeleton
(frame.py), what its scans have besides coefficients, and streams that stand in segments of it, as
thumbnails do. docs/format.md says how this is written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.jpeg.frame import (
    MOST_VISITS,
    Frame,
    NotJpeg,
    Parsed,
    Scan,
    parse,
)
from bitswap_cli.images.formats.jpeg.notes import MOST_RUN, Notes

MOST_DEPTH = 3  # pictures within pictures
MOST_PICTURES = 64  # of a file
MOST_SIZE = 220_000_000  # coefficients of a file, and its bytes
MOST_CUT = 2  # bytes that a scan is written with and had not


class Told(NamedTuple):
    """What a scan has besides coefficients."""

    notes: Notes
    cut: int
    """How many bytes of what is written are dropped."""
    rest: bytes
    """What then follows."""


class Part(NamedTuple):
    """A picture without its coefficients."""

    parsed: Parsed
    """Of the skeleton."""
    skeleton: bytes
    told: list[Told | None]
    """Of each scan; None if it is whole and has nothing of its own."""
    inserted: list[tuple[int, Stream]]
    """Streams, and where they stand in the skeleton."""


Stream = list["bytes | Part"]


def parts(stream: Stream) -> Iterator[Part]:
    """Yield the pictures of a stream, each before those within it."""
    for piece in stream:
        if isinstance(piece, Part):
            yield piece
            for _, within in piece.inserted:
                yield from parts(within)


def plain(frame: Frame, scan: Scan) -> Notes:
    """What is noted of a scan that is whole and has nothing of its own."""
    units = scan.units(frame)
    return Notes(units, (units - 1) // scan.restart if scan.restart else 0)


# ---- writing -------------------------------------------------------------------------------------
def pack(stream: Stream) -> bytes:
    """Write a recipe."""
    packed: bytes = msgpack.packb(_packed(stream), use_bin_type=True)
    return packed


def _packed(stream: Stream) -> list[Any]:
    return [
        piece
        if isinstance(piece, bytes)
        else [
            piece.skeleton,
            [None if told is None else _packed_told(told) for told in piece.told],
            [[at, _packed(within)] for at, within in piece.inserted],
        ]
        for piece in stream
    ]


def _packed_told(told: Told) -> list[Any]:
    notes = told.notes
    runs = None if notes.runs is None else notes.runs.astype("<u2").tobytes()
    steps = (
        notes.odd
        - np.append(np.zeros(1, np.uint32), notes.odd[:-1] & ~np.uint32(7))[: notes.odd.size]
    )
    return [
        notes.units, notes.restarts, notes.padding, runs, steps.astype("<u4").tobytes(),
        told.cut, told.rest,
    ]  # fmt: skip


# ---- reading -------------------------------------------------------------------------------------
class _Malformed(Exception):
    """It is no recipe."""


def unpack(recipe: bytes) -> Stream:
    """Read a recipe, and check all of it.

    Raises
    ------
    ArchiveError
        If it is malformed, or of more than a file can hold.
    """
    try:
        stream = _stream(msgpack.unpackb(recipe, raw=False), 0)
        found = [part.parsed for part in parts(stream)]
        size, visits = sum(one.samples for one in found), sum(one.visits for one in found)
        if len(found) <= MOST_PICTURES and size <= MOST_SIZE and visits <= MOST_VISITS:
            return stream
    except (ValueError, msgpack.UnpackException, NotJpeg, _Malformed):
        pass
    raise ArchiveError("the archive holds a JPEG whose recipe is malformed")


def _stream(packed: object, depth: int) -> Stream:
    if not isinstance(packed, list) or depth > MOST_DEPTH:
        raise _Malformed
    return [piece if isinstance(piece, bytes) else _part(piece, depth) for piece in packed]


def _part(packed: object, depth: int) -> Part:
    match packed:
        case [bytes(skeleton), list(told), list(inserted)]:
            parsed = parse(skeleton)
            if len(told) == len(parsed.scans) and parsed.end == len(skeleton):
                return Part(
                    parsed,
                    skeleton,
                    [
                        None if own is None else _told(parsed.frame, scan, own)
                        for scan, own in zip(parsed.scans, told, strict=True)
                    ],
                    [_inserted(entry, len(skeleton), depth) for entry in inserted],
                )
    raise _Malformed


def _inserted(packed: object, size: int, depth: int) -> tuple[int, Stream]:
    match packed:
        case [int(at), within] if 0 <= at <= size:
            return at, _stream(within, depth + 1)
    raise _Malformed


def _told(frame: Frame, scan: Scan, packed: object) -> Told:
    match packed:
        case [int(units), int(restarts), padding, runs, bytes(odd), int(cut), bytes(rest)]:
            total = scan.units(frame)
            most = total // scan.restart if scan.restart else 0
            sound = 0 <= units <= total and 0 <= restarts <= most and 0 <= cut <= MOST_CUT
            if sound:
                padding = _padding(padding, restarts)
                notes = Notes(units, restarts, 0, 0, padding, _runs(runs), _odd(odd))
                return Told(notes, cut, rest)
    raise _Malformed


def _padding(packed: object, restarts: int) -> bytes | None:
    if packed is None or isinstance(packed, bytes) and len(packed) == restarts:
        return packed
    raise _Malformed


def _runs(packed: object) -> NDArray[np.uint16] | None:
    if packed is None:
        return None
    if not isinstance(packed, bytes):
        raise _Malformed
    runs = np.frombuffer(packed, "<u2").astype(np.uint16)
    if runs.size and not 1 <= runs.min() <= runs.max() <= MOST_RUN:
        raise _Malformed
    return runs


def _odd(packed: bytes) -> NDArray[np.uint32]:
    steps = np.frombuffer(packed, "<u4").astype(np.int64)
    odd: NDArray[np.int64] = np.cumsum(steps & ~7) + (steps & 7)
    if odd.size and not (1 <= (odd & 7).min() <= (odd & 7).max() <= 4 and odd[-1] < 1 << 32):
        raise _Malformed
    return odd.astype(np.uint32)
