"""Deflate streams in files, described, and which of them had better be inflated."""

import io
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

import zstandard

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.archive.sources.inside.parts import Member, Part
from bitswap_cli.archive.sources.inside.spans import ALL, within
from bitswap_cli.archive.sources.source import Source, read_parts, sought
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.errors import InputError
from bitswap_cli.images.formats import register
from bitswap_cli.images.inside.pictures import SMALLEST
from bitswap_cli.images.inside.scanning import Span, Stream, find
from bitswap_cli.images.inside.streams import Unfolded, in_pieces, inflate, unfold, unfold_pieces
from bitswap_cli.images.inspection import inspect_exact, looks_like_picture

_LITTLE = 1 << 6  # part of a stream that its description may be if it is inflated for those in it
_DENSE = 0.98  # of its size, and more, is what zstd leaves of what had better stay deflated
_PAYS = 0.98  # of the bytes of streams, and less, is what has to be left of them
_ROW = 8  # bytes that tell of a stream, about, beside its description
_WINDOW = 23  # logarithm of how far zstd looks back where it is estimated what it leaves
_SAMPLE, _SAMPLES = 1 << 18, 1 << 20  # bytes of a stream, of a file, that are tried at more length
_QUICK, LEVEL = 3, 19
"""Levels of zstd: one that takes hardly any time, and the one by which files are kept."""
_PART = 1 << 20  # bytes that are read at a time
_GAIN = 0.7  # of the room that the quick one leaves, and hardly ever less, is what others leave


class Task(NamedTuple):
    """A stream to be described."""

    host: Source
    span: Span

    @property
    def size(self) -> int:
        """Bytes that it inflates to."""
        return self.span.stream.size if self.span.stream else 0


class Looked(NamedTuple):
    """A stream that was described."""

    part: Part
    """Its members have no names yet."""
    unfolded: Unfolded
    dense: bool
    """Whether zstd makes hardly anything of what it inflates to."""


def look(spool: Spool, task: Task) -> Looked | None:
    """Describe a stream, and keep the pictures in what it inflates to; None if it is not worth it,
    or its file has changed."""
    host, span = task
    if span.stream and in_pieces(span.stream):
        return _look_at_pieces(host, span, span.stream)
    with suppress(OSError, InputError):  # of which one tells that there is no room for it
        own, packed = within(host, span)
        inflated = inflate(packed, span.stream) if span.stream else None
        if inflated is None:
            return None
        inside, dense = _inside(inflated), squeezed(inflated) > _DENSE * len(inflated)
        unfolded = unfold(packed, span.stream) if span.stream and (inside or not dense) else None
        if unfolded is None:
            return None
        kept = any(one.stream for one in inside)
        if kept and dense and len(unfolded.description) * _LITTLE > span.length:
            return None
        members = list[Member]()
        for start, length, _ in [Span(0, len(inflated))] if kept else inside:
            data = inflated[start : start + length]
            told = zlib.crc32(data), spool.add(data), spool
            member = Source(host.name, host.path, "file", length, host.mtime, NONE, None, *told)
            members.append(Member(start, member, kept))
        part = Part(*span[:2], own.crc or 0, tuple(members), span.stream, unfolded.description)
        return Looked(part, unfolded, dense)
    return None


def _look_at_pieces(host: Source, span: Span, stream: Stream) -> Looked | None:
    """Describe a large stream in pieces, and keep all that it inflates to; None if its file has
    changed, or there is no room for that."""
    text, size, left, quick = Spool(), 0, 0, _quick()
    own = host.within(span.start, span.length, host.name)

    def keep(data: bytes) -> None:
        nonlocal size, left
        text.add(data)
        size, left = size + len(data), left + len(quick.compress(data))

    with suppress(OSError, InputError):
        crc = 0
        for data in read_parts(own, _PART):
            crc = zlib.crc32(data, crc)
        with sought(own) as file:
            found = unfold_pieces(file, stream, keep)
        if found is None or size != stream.size:
            return None
        pieces, makers = found
        told = sum(_ROW + len(piece.description) for piece in pieces)
        if told * _LITTLE > span.length:
            return None
        whole = Source(host.name, host.path, "file", size, host.mtime, offset=0, spool=text)
        part = Part(*span[:2], crc, (Member(0, whole, kept=True),), stream, pieces=tuple(pieces))
        pays = left + len(quick.flush()) + told <= _PAYS * span.length
        return Looked(part._replace(pays=pays), Unfolded(b"", b"", makers), dense=True)
    return None


def _inside(inflated: bytes) -> list[Span]:
    """Return where pictures and streams lie in what a stream inflates to: in its parts, or it is a
    picture, of any format."""
    if len(inflated) < SMALLEST:
        return []
    found = find(io.BytesIO(inflated), len(inflated), ALL)
    headed = looks_like_picture(inflated[: register.START])
    alone = all(one.stream for one in found) if headed else not found
    if alone and ((headed and not found) or any(inspect_exact(inflated, None))):
        return [Span(0, len(inflated))]
    return found


class Worth:
    """Tells which streams had better be inflated: by what zstd leaves of all that was so far, under
    a level that is quick, and of a sample under the `level` that is to come."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._zstd = _quick()

    def chosen(self, looked: Iterable[Looked]) -> tuple[list[Part], set[str]]:
        """Return those of a file that are, or might be if coders take their members; and the makers
        that they name."""
        parts, makers = list[tuple[Part, bool]](), set[str]()
        packed = told = left = 0
        sample = bytearray()
        for part, (inflated, description, own), dense in looked:
            parts.append((part, dense))
            makers |= own
            if dense:
                continue
            packed += part.length
            told += _ROW + len(description)
            left += len(self._zstd.compress(inflated))
            if len(sample) < _SAMPLES:
                sample += inflated[:_SAMPLE]
        left += len(self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        most = _PAYS * packed - told
        if most < left < most / _GAIN and self._level > _QUICK:
            low, usual = (len(zstandard.compress(bytes(sample), k)) for k in (_QUICK, self._level))
            left = left * usual // low
        pays = packed > 0 and left <= most
        chosen = [
            part if part.pieces else part._replace(pays=pays and not dense) for part, dense in parts
        ]
        return [part for part in chosen if part.pays or part.members], makers


def _quick() -> "zstandard.ZstdCompressionObj":
    parameters = zstandard.ZstdCompressionParameters.from_level(_QUICK, window_log=_WINDOW)
    return zstandard.ZstdCompressor(compression_params=parameters).compressobj()
