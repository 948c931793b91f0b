"""The streams of a file that is kept with what they inflate to, or stand for, in their place."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from typing import NamedTuple

from bitswap_cli.archive.format.values.columns import pack_column, unpack_column
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.inside.scanning import BASE64, MOST
from bitswap_cli.images.inside.streams import LARGEST_PIECE, Joiner, Piece, fold

_LENGTH = struct.Struct("<I")
_WHAT = "list of deflate streams"
_CUT = "the archive tells of a deflate stream that does not end"
_LARGEST = 1 << 26  # bytes that a stream inflates to, where none is in pieces


class Folded(NamedTuple):
    """A stream, by what it inflates to."""

    gap: int
    """How many bytes lie before that, behind what the stream before inflates to."""
    length: int
    """How many bytes it inflates to."""
    packing: int
    """How it is packed (see images/inside/scanning.py)."""
    description: bytes
    """What else it is made of."""
    last: int | None = None
    """Of a piece of a large stream: how many bits its last block has, 0 if that is the last of the
    stream."""


def pack_streams(streams: Sequence[Folded]) -> bytes:
    """Serialise the streams of a file, one at least."""
    gaps, lengths, packings, descriptions, last = zip(*streams, strict=True)
    sizes = [len(description) for description in descriptions]
    columns = [gaps, lengths, packings, sizes]
    if BASE64 in packings or any(bits is not None for bits in last):
        columns.append([0 if bits is None else bits + 1 for bits in last])
    packed = pack_object([len(streams), *map(pack_column, columns), b"".join(descriptions)])
    return _LENGTH.pack(len(packed)) + packed


def unpack_streams(
    data: memoryview, *, pieces: bool = False, texts: bool = False
) -> tuple[list[Folded], memoryview]:
    """Invert `pack_streams`, of streams of which there may be `pieces` and `texts` in base64, which
    have a column for the former, too; return what lies behind it, too. Raise `ArchiveError` if
    malformed."""
    pieces = pieces or texts
    length = _LENGTH.unpack_from(data)[0] if len(data) >= _LENGTH.size else 0
    end = _LENGTH.size + length
    if length and end <= len(data):
        match unpack_object(bytes(data[_LENGTH.size : end]), _WHAT):
            case [int(count), gaps, lengths, packings, sizes, *last, bytes(joined)] if (
                0 < count <= MOST and len(last) == pieces
            ):
                ends = list(accumulate(unpack_column(sizes, count, len(joined) + 1), initial=0))
                rows = zip(
                    unpack_column(gaps, count),
                    unpack_column(lengths, count, (LARGEST_PIECE if pieces else _LARGEST) + 1),
                    unpack_column(packings, count, BASE64 + texts),
                    (joined[start:stop] for start, stop in pairwise(ends)),
                    (bits - 1 if bits else None for bits in unpack_column(last[0], count))
                    if pieces
                    else repeat(None, count),
                    strict=True,
                )
                if ends[-1] == len(joined):
                    return [Folded(*row) for row in rows], data[end:]
    raise ArchiveError(f"the archive's {_WHAT} is malformed")


def folded(
    parts: Iterable[bytes | memoryview], streams: Sequence[Folded]
) -> Iterator[bytes | memoryview]:
    """Yield the parts of a file, given those of what it is kept as.

    Raises
    ------
    ArchiveError
        While parts are taken: if streams do not lie in them, or their descriptions are damaged.
    """
    left, joiner = _Parts(parts), None
    for gap, length, packing, description, last in streams:
        if joiner and (gap or last is None):
            raise ArchiveError(_CUT)
        yield from left.take(gap)
        inflated = b"".join(left.take(length))
        if last is None:
            yield fold(inflated, description, packing)
            continue
        joiner = joiner or Joiner()
        yield joiner.join(inflated, Piece(length, last, description))
        joiner = joiner if last else None
    if joiner:
        raise ArchiveError(_CUT)
    yield from left.rest()


class _Parts:
    """Bytes that come in parts, and are taken in others."""

    def __init__(self, parts: Iterable[bytes | memoryview]) -> None:
        self._parts = iter(parts)
        self._part = memoryview(b"")

    def take(self, length: int) -> Iterator[memoryview]:
        """Yield the next bytes, so many."""
        while length:
            if not self._part:
                following = next(self._parts, None)
                if following is None:
                    raise ArchiveError("the archive tells of a deflate stream behind its file")
                self._part = memoryview(following)
                continue
            yield self._part[:length]
            taken = min(length, len(self._part))
            self._part, length = self._part[taken:], length - taken

    def rest(self) -> Iterator[bytes | memoryview]:
        """Yield all that is left."""
        yield self._part
        yield from self._parts
