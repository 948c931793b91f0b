"""Blocks of files by context mixing, in pieces, but for what is told to repeat something: a reader
takes a second for each megabyte of them."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import encode_bytes, encode_mixed, encode_repeats
from bitswap_cli.archive.format.names import host_of
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.archive.format.values.repeats import pack_part, spans
from bitswap_cli.archive.writing.coders.coder import Submit
from bitswap_cli.mixing import octets, repeats

PIECE = 1 << 22  # bytes, but for entries that cannot be split
# Repeats of such a share of a block, and more, are worth it that all of it has to be read for one
# of its files.
_REPEATED = 1 / 64

Cut = Callable[[int, int], Iterable[int]]


class Piece(NamedTuple):
    """A part of a block: its segments, and where its bytes are."""

    segments: list[ByteSegment]
    start: int
    end: int


def encode(
    segments: Sequence[ByteSegment],
    data: Buffer,
    submit: Submit,
    done: Callable[[int], None],
    repeating: bool = False,
) -> list[tuple[bytes, int]]:
    """Return the bodies of BYTE chunks that hold a block, and how many segments each has: a single
    one, if it may be `repeating` and much of it repeats something.

    What is too large for mixing, or gains nothing by it, is under zstd. Pieces are coded by what
    `submit` calls in other threads; `done` is told how many bytes are, in all.
    """
    if repeating:
        found: NDArray[np.int64] = submit(repeats.find, data).result()
        if len(found) and found[:, 1].sum() >= _REPEATED * len(data):
            return [(_rest(segments, data, found, submit, done), len(segments))]

    def body(piece: Piece) -> bytes:
        own = view[piece.start : piece.end]
        mixed = encode_mixed(piece.segments, own) if len(own) <= octets.MOST else None
        return mixed or encode_bytes(piece.segments, bytes(own))

    bodies = []
    with memoryview(data) as view:  # a thread may know `body` for a while when it is done
        for piece, own in [(piece, submit(body, piece)) for piece in pieces(segments, data)]:
            bodies.append((own.result(), len(piece.segments)))
            done(piece.end)
    return bodies


def _rest(
    segments: Sequence[ByteSegment],
    data: Buffer,
    found: NDArray[np.int64],
    submit: Submit,
    done: Callable[[int], None],
) -> bytes:
    """Return the body of a chunk of a block some of which repeats something."""

    def packed(part: list[tuple[int, int]]) -> bytes:
        return pack_part(b"".join(view[begin:end] for begin, end in part))

    parts = []
    with memoryview(data) as view:
        cut = spans(found, len(data), PIECE)
        for part, own in [(part, submit(packed, part)) for part in cut]:
            parts.append(own.result())
            done(part[-1][1])
    return encode_repeats(list(segments), data, found, parts)


def pieces(
    segments: Sequence[ByteSegment], data: Buffer, most: int = 0, cut: Cut | None = None
) -> list[Piece]:
    """Cut a block in pieces of `most` bytes, else `PIECE`, between segments where that can be, else
    in files: these into what `cut`, told where one begins and ends, says, or evenly."""
    most = most or PIECE
    found = [Piece([], 0, 0)]
    for segment in segments:
        last = found[-1]
        if last.segments and last.end - last.start + segment.length > most:
            found.append(last := Piece([], last.end, last.end))
        if segment.length > most and _is_divisible(segment):
            found.pop()
            end = last.start + segment.length
            ends = cut(last.start, end) if cut else [*range(last.start + most, end, most), end]
            found += _split(segment, data, last.start, ends)
            found.append(Piece([], end, end))
        else:
            last.segments.append(segment)
            found[-1] = last._replace(end=last.end + segment.length)
    return found if found[-1].segments else found[:-1]


def _is_divisible(segment: ByteSegment) -> bool:
    """Tell whether a segment may be that of a file in parts: one inside of another would make the
    archive need more than it said before."""
    whole_or_begins = segment.kind == "file" and not segment.offset
    return whole_or_begins and host_of(segment.name) is None


def _split(segment: ByteSegment, data: Buffer, start: int, ends: Iterable[int]) -> list[Piece]:
    """The pieces of a large file, or of the beginning of one."""
    found, crc, first = list[Piece](), 0, start
    for end in ends:
        crc = zlib.crc32(memoryview(data)[first:end], crc)
        told = NONE if found else segment.attributes
        own = segment._replace(offset=first - start, length=end - first, crc=crc, attributes=told)
        found.append(Piece([own], first, end))
        first = end
    return found
