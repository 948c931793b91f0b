"""Deflate streams (RFC 1951) that lie in a file, and what they inflate to.

They are found in ZIP files (PKWARE, APPNOTE.TXT, 4.3.7), as gzip files (RFC 1952) and as zlib
streams (RFC 1950), wherever these lie: the first by their local headers, the others by how they
begin. What does not inflate up to its end is none.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from bitswap_cli.images import deflate
from bitswap_cli.images.deflate.makers import noting
from bitswap_cli.images.deflate.pieces import MOST as LARGEST_PIECE
from bitswap_cli.images.deflate.pieces import Joiner, Piece, describe_pieces
from bitswap_cli.images.inside.scanning import (
    BASE64,
    OWN,
    RAW,
    Sort,
    Span,
    Stream,
    View,
    places_of,
)
from bitswap_cli.images.inside.texts import decode, encode

__all__ = [
    "LARGEST_PIECE",
    "STREAMS",
    "Joiner",
    "Piece",
    "Unfolded",
    "fold",
    "in_pieces",
    "inflate",
    "unfold",
    "unfold_pieces",
]

SMALLEST = 1 << 6
"""Bytes of the smallest stream that is looked for."""
WHOLE = 1 << 24
"""Bytes that one inflates to that is described as a whole, at most: it takes some 10 times as much
memory. Larger ones are described in pieces."""
LARGEST_INFLATED = 1 << 36
"""Bytes that the largest one inflates to."""
_MOST_TIMES = 1 << 8  # as many bytes as a stream has are those that it inflates to, at most,
_FREE = 1 << 16  # beside so many
_WALK = 1 << 8  # bytes that a trial counts as, if it is in vain
_INFLATED = 1 << 3  # how many bytes take as long to inflate to as one to walk through
_TRIAL, _STEP = 1 << 9, 1 << 14  # bytes that are inflated first, and then at a time

_ZIP, _GZIP, _PDF = b"PK\3\4", b"\x1f\x8b\x08", b"\nH\x89"
_LOCAL = struct.Struct("<4xHHH16xHH")  # version, flags, method, lengths of name and extra field
_ENCRYPTED, _DEFLATED = 1, 8  # flag, method
_GZIP_HEADER = struct.Struct("<3xB4xBx")  # flags, extra flags
_EXTRA, _NAME, _COMMENT, _CHECKED, _KNOWN = 4, 8, 16, 2, 32  # flags
_TEXT = 1 << 10  # bytes of a gzip file's name or comment, at most
_HEADS = b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"
_BY_SPEED = {0: 2, 1: 3, 2: 1, 3: 0}  # of ZIP's flags for deflate, as a place in _HEADS
_CHECKSUM = 4  # bytes of Adler-32


def _first_bytes() -> bytes:
    """Return the bytes that a deflate stream may begin with: one of a stored block without padding,
    one of fixed codes, one of as many codes as there may be."""
    kinds = ((byte, byte >> 1 & 3) for byte in range(256))
    return bytes(b for b, kind in kinds if b < 2 or kind == 1 or (kind == 2 and b >> 3 < 30))


# How most zlib streams begin; those of other windows are looked for in PDF files only, in which
# they follow the end of a line: machine code has such bytes too often.
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda][%s]" % re.escape(_first_bytes()), re.DOTALL)


class Unfolded(NamedTuple):
    """A stream, taken apart."""

    inflated: bytes
    description: bytes
    """What `fold` needs besides."""
    makers: frozenset[str]
    """Those that it names (see deflate/makers.py)."""


def unfold(data: bytes, stream: Stream) -> Unfolded | None:
    """Take a stream apart, proved to come back; None if it is none, or not the one that was found.

    Parameters
    ----------
    data : bytes
        The stream as it lies in its file.
    stream : Stream
    """
    if stream.packing == BASE64:
        found = decode(data)
        return found and Unfolded(*found, frozenset())
    with noting() as makers:
        whole = data if stream.own else stream.head + data
        described = deflate.describe(whole, stream.size)
    if described is None or len(described.inflated) != stream.size:
        return None
    return Unfolded(described.inflated, described.description, frozenset(makers))


def unfold_pieces(
    file: BinaryIO, stream: Stream, keep: Callable[[bytes], None]
) -> tuple[list[Piece], frozenset[str]] | None:
    """Take a large stream apart, piece by piece: return these, and the makers that they name; None
    if that cannot be.

    Parameters
    ----------
    file : BinaryIO
        All of it, and nothing else.
    stream : Stream
    keep : callable
        Called with what each piece inflates to.
    """
    with noting() as makers:
        pieces = describe_pieces(file, stream.head, keep)
    return None if pieces is None else (pieces, frozenset(makers))


def fold(inflated: bytes, description: bytes, packing: int) -> bytes:
    """Return a stream as it lay in its file, given what it inflates to, its description and how it
    was packed.

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to these bytes.
    """
    if packing == BASE64:
        return encode(inflated, description)
    whole = deflate.restore(inflated, description)
    return whole if packing == OWN else whole[len(_HEADS[0]) :]


def inflate(data: bytes, stream: Stream) -> bytes | None:
    """Return what a stream that was found inflates to; None if it is no longer the same."""
    if stream.packing == BASE64:
        found = decode(data)
        return found[0] if found and len(found[0]) == stream.size else None
    inflater = zlib.decompressobj(zlib.MAX_WBITS if stream.own else -zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, stream.size + 1)
    except zlib.error:
        return None
    whole = inflater.eof and not inflater.unused_data and len(inflated) == stream.size
    return inflated if whole else None


def in_pieces(stream: Stream) -> bool:
    """Tell whether a stream is described in pieces, and what it inflates to is never held."""
    return stream.size > WHOLE


def _places(data: bytes) -> Iterator[int]:
    """Yield where a stream, or what comes before it, may begin."""
    for beginning, rare in ((_ZIP, b"\3"), (_GZIP, b"\x1f"), (_PDF, b"\x89")):
        yield from places_of(beginning, rare, data)
    yield from (found.start() for found in _ZLIB.finditer(data))


def _walk(view: View, start: int) -> Span | None:
    """Return where a stream lies; None if it is none, or too large."""
    first = view.at(start, _LOCAL.size)
    begun = _begun(view, start, first)
    if begun is None:
        return None
    place, head, own = begun
    found = _inflated(view, place, own=own)
    if found is None:
        return None
    size, length = found
    if own and size > WHOLE:  # in pieces it lies between its first bytes and its checksum
        return Span(place + len(head), length - len(head) - _CHECKSUM, Stream(size, head, RAW))
    return Span(place, length, Stream(size, head, OWN if own else RAW))


def _begun(view: View, start: int, first: bytes) -> tuple[int, bytes, bool] | None:
    """Return where a stream begins, its `head` and whether that is its `own`."""
    if first.startswith(_ZIP):
        return _in_zip(start, first)
    if first.startswith(_GZIP):
        return _in_gzip(view, start, first)
    start, head = (start + 1, first[1:3]) if first.startswith(_PDF) else (start, first[:2])
    return start, head, True


def _in_zip(start: int, first: bytes) -> tuple[int, bytes, bool] | None:
    if len(first) < _LOCAL.size:
        return None
    _, flags, method, name, extra = _LOCAL.unpack(first)
    if method != _DEFLATED or flags & _ENCRYPTED:
        return None
    return start + _LOCAL.size + name + extra, _HEADS[_BY_SPEED[flags >> 1 & 3]], False


def _in_gzip(view: View, start: int, first: bytes) -> tuple[int, bytes, bool] | None:
    if len(first) < _GZIP_HEADER.size:
        return None
    flags, speed = _GZIP_HEADER.unpack_from(first)
    place = start + _GZIP_HEADER.size
    if flags >= _KNOWN:
        return None
    if flags & _EXTRA:
        place += 2 + int.from_bytes(view.at(place, 2), "little")
    for text in (_NAME, _COMMENT):
        if flags & text:
            length = view.at(place, _TEXT).find(b"\0")
            if length < 0:
                return None
            place += length + 1
    place += 2 if flags & _CHECKED else 0
    return place, _HEADS[{2: 3, 4: 0}.get(speed, 2)], False


def _inflated(view: View, start: int, *, own: bool) -> tuple[int, int] | None:
    """Return how many bytes a stream inflates to, and its own; None if it does not, or to too
    many."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS if own else -zlib.MAX_WBITS)
    place, size, step = start, 0, _TRIAL
    try:
        while not inflater.eof:
            data = view.at(place, step)
            if not data:
                return None
            inflated = len(inflater.decompress(data))
            place, size, step = place + len(data), size + inflated, _STEP
            view.cost += len(data) + inflated // _INFLATED
            length = place - start - len(inflater.unused_data)
            most = min(LARGEST_INFLATED, _MOST_TIMES * length + _FREE)
            if size > most:
                return None
    except zlib.error:
        return None
    return size, place - start - len(inflater.unused_data)


STREAMS = Sort(_places, _walk, _WALK, SMALLEST)
