"""Bytes some of which repeat others: that is told, and the rest comes in parts."""

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.sections import MAX_BLOCK
from bitswap_cli.archive.format.values.blobs import (
    Buffer,
    pack_blob,
    pack_mixed,
    squeezed,
    unpack_blob,
    unpack_mixed,
)
from bitswap_cli.archive.format.values.columns import malformed, pack_column, unpack_array
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.mixing import octets

LEAST = 1 << 6
"""Bytes of the shortest repeat that may be told."""
MAX_REPEATS = MAX_BLOCK // LEAST
MAX_PARTS = 1 << 12
"""Of a chunk: what a reader has to remember of each takes far more than the shortest part."""
_MIXED = bytes([2])  # a method beside those of blobs
_PAYS = 0.9  # of what zstd leaves at once: where mixing leaves more, zstd has time to do better
_HEAD = Struct("<II")  # of a part: its bytes, and those it takes
_ROWS = 1 << 12  # of a table that are held as Python's numbers


class Part(NamedTuple):
    """Bytes that are coded together."""

    size: int
    coded: memoryview


def pack_repeats(found: NDArray[np.int64]) -> bytes:
    """Serialise repeats, an int64 array (N, 3), N > 0, as `mixing.repeats.find` returns it."""
    starts, lengths, sources = found.T
    gaps = np.diff(starts, prepend=0)
    gaps[1:] -= lengths[:-1]
    columns = gaps, lengths, starts - sources
    return pack_object([pack_column(column.tolist()) for column in columns])


def unpack_repeats(data: bytes, count: int, size: int) -> NDArray[np.int64]:
    """Invert `pack_repeats`, of so many repeats in so many bytes; raise `ArchiveError` if they are
    malformed."""
    match unpack_object(data, "chunk"):
        case [gaps, lengths, distances]:
            long = unpack_array(lengths, count, limit=size + 1)
            ends = np.cumsum(unpack_array(gaps, count, limit=size + 1) + long)
            starts, far = ends - long, unpack_array(distances, count, limit=size + 1)
            fits = long.min() >= LEAST and ends[-1] <= size and (long <= far).all()
            if fits and (far <= starts).all():
                return np.stack([starts, long, starts - far], axis=1)
    raise malformed()


def spans(found: NDArray[np.int64], size: int, most: int) -> list[list[tuple[int, int]]]:
    """Cut what of so many bytes repeats nothing in parts, of at most so many bytes and about as
    many each: where their spans begin and end."""
    starts, lengths, _ = found.T
    begins, ends = np.append(0, starts + lengths), np.append(starts, size)
    left = int((ends - begins).sum())
    parts = list[list[tuple[int, int]]]()
    room = 0
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        while begin < end:
            if not room:
                room = -(-left // -(-left // most))
                parts.append([])
            taken = min(room, end - begin)
            parts[-1].append((begin, begin + taken))
            begin, room, left = begin + taken, room - taken, left - taken
    return parts


def joined(found: NDArray[np.int64], parts: Iterator[bytes], size: int) -> bytearray:
    """Put bytes together from repeats and the parts of the rest; raise `ArchiveError` if these are
    not as many bytes as are missing."""
    out = bytearray(size)
    view, have, at = memoryview(out), memoryview(b""), 0
    rows = [*range(0, len(found), _ROWS), len(found)]
    for first, end in pairwise(rows):
        for start, length, source in found[first:end].tolist():
            have, at = _filled(view, at, start, have, parts), start + length
            view[start:at] = view[source : source + length]
    if _filled(view, at, size, have, parts) or next(parts, None) is not None:
        raise malformed()
    return out


def _filled(
    view: memoryview, at: int, end: int, have: memoryview, parts: Iterator[bytes]
) -> memoryview:
    """Put what comes next of the parts in place, and return what is left of the last one."""
    while at < end:
        if not have:
            have = memoryview(next(parts, b""))
            if not have:
                raise malformed()
        taken = min(end - at, len(have))
        view[at : at + taken] = have[:taken]
        at, have = at + taken, have[taken:]
    return have


def pack_part(data: Buffer) -> bytes:
    """Return how many bytes a part has, how many it takes, and these: by context mixing, under
    zstd or as they are, whatever takes less."""
    mixed = pack_mixed(data)
    coded = _MIXED + mixed if mixed else None
    if coded is None or len(coded) > _PAYS * squeezed(data):
        plain = pack_blob(data)
        coded = plain if coded is None else min(coded, plain, key=len)
    return _HEAD.pack(len(data), len(coded)) + coded


def parts_of(body: memoryview, most: int) -> list[Part]:
    """Return the parts that bytes consist of, `MAX_PARTS` at most, which have at most so many bytes
    in all; raise `ArchiveError` if malformed."""
    found, at = list[Part](), 0
    while at < len(body):
        if len(body) < at + _HEAD.size:
            raise malformed()
        size, length = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if not 0 < size <= octets.MOST or not 0 < length <= len(body) - at:
            raise malformed()
        found.append(Part(size, body[at : at + length]))
        at, most = at + length, most - size
        if most < 0 or len(found) > MAX_PARTS:
            raise malformed()
    return found


def unpack_part(part: Part, version: int) -> bytes:
    """Return the bytes of a part, by a version of context mixing; raise `ArchiveError` if
    malformed."""
    if part.coded[:1] == _MIXED:
        data = unpack_mixed(bytes(part.coded[1:]), part.size, "chunk", version)
    else:
        data = unpack_blob(part.coded, part.size, "chunk")
    if len(data) != part.size:
        raise malformed()
    return data
