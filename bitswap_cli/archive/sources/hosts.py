"""Files that others lie in: hosts, their pictures as sources of their own, members, and their
deflate streams, which are described."""

import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import groupby
from typing import NamedTuple

import zstandard

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.header import STREAMS as FEATURE
from bitswap_cli.archive.format.names import member_name
from bitswap_cli.archive.format.sections import MAX_BLOCK
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.archive.format.values.pieces import size_of_pieces
from bitswap_cli.archive.sources import copies as equal
from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.ahead import ahead
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.parts import Member, Part
from bitswap_cli.archive.sources.source import Source, SourceError, opened, read_pieces
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.images.formats import register
from bitswap_cli.images.inside.files import FILES
from bitswap_cli.images.inside.pictures import PICTURES, SMALLEST, begins_as_one
from bitswap_cli.images.inside.scanning import TOLD, Sort, Span, find
from bitswap_cli.images.inside.streams import STREAMS, Unfolded, inflate, unfold
from bitswap_cli.images.inspection import looks_like_picture
from bitswap_cli.images.strips import begin

LARGEST = 1 << 36
"""Bytes of the largest file that is looked into."""
_PICTURES = FILES, PICTURES
_DENSE = 0.98  # of its size, and more, is what zstd leaves of what had better stay deflated
_PAYS = 0.98  # of the bytes of streams, and less, is what has to be left of them
_ROW = 8  # bytes that tell of a stream, about, beside its description
_WINDOW = 23  # logarithm of how far zstd looks back where it is estimated what it leaves
_SAMPLE, _SAMPLES = 1 << 18, 1 << 20  # bytes of a stream, of a file, that are tried at more length
_QUICK, LEVEL = 3, 19
"""Levels of zstd: one that takes hardly any time, and the one by which files are kept."""
_GAIN = 0.7  # of the room that the quick one leaves, and hardly ever less, is what others leave


class Hosted(NamedTuple):
    """What is to be archived, when it is known what lies in it."""

    sources: list[Source]
    """With all members, behind their hosts."""
    copies: dict[bytes, Copy]
    """Those of members among them."""
    hosts: dict[bytes, list[Part]]
    """What lies in files, by the names of these, in its order."""
    features: frozenset[str]
    """What an archive of them needs for that."""

    @property
    def any(self) -> bool:
        """Whether there are members."""
        return any(part.members for parts in self.hosts.values() for part in parts)

    @property
    def longest(self) -> int:
        """Bytes that a host takes in a chunk, at most, even if no coder takes a member."""
        sizes = {one.name: one.size for one in self.sources if one.name in self.hosts}
        return max((_unfolded_size(sizes[own], self.hosts[own]) for own in sizes), default=0)


class _Task(NamedTuple):
    """A stream to be described."""

    host: Source
    span: Span

    @property
    def size(self) -> int:
        """Bytes that it inflates to."""
        return self.span.stream.size if self.span.stream else 0


class _Looked(NamedTuple):
    """A stream that was described."""

    part: Part
    """Its members have no names yet."""
    unfolded: Unfolded
    dense: bool
    """Whether zstd makes hardly anything of what it inflates to."""


def look_into(
    sources: Sequence[Source],
    copies: dict[bytes, Copy],
    *,
    pixels: bool,
    threads: int = 1,
    level: int = LEVEL,
) -> Hosted:
    """Look for pictures and deflate streams in all files that are no pictures themselves.

    A member may be a copy of another one, or of a file that comes back byte for byte.

    Parameters
    ----------
    sources : sequence of Source
        In the order of their names.
    copies : dict of bytes to Copy
        Which of them equal others; these are not looked into.
    pixels : bool
        Whether it is enough that pictures come back pixel for pixel; members do byte for byte.
    threads : int
        Streams that are described at the same time.
    level : int
        Of zstd, by which files are kept that no coder takes.
    """
    own = [one for one in sources if one.name not in copies]
    found, features = _parts(own, threads, level)
    if not found:
        return Hosted([*sources], copies, {}, frozenset())
    members = [
        member.source for parts in found.values() for part in parts for member in part.members
    ]
    # The first of equal ones is the original: a file, if it is one.
    _, more = equal.find(members if pixels else [*own, *members])
    return Hosted(sorted([*sources, *members]), copies | more, found, features)


def _parts(
    sources: Iterable[Source], threads: int, level: int
) -> tuple[dict[bytes, list[Part]], frozenset[str]]:
    """Return what lies in files, and the features that it needs."""
    hosts, spans = dict[bytes, Source](), dict[bytes, list[Span]]()

    def tasks() -> Iterator[_Task]:
        for source in sources:
            if inside := _spans(source, (*_PICTURES, STREAMS)):
                hosts[source.name], spans[source.name] = source, inside
                yield from (_Task(source, span) for span in inside if span.stream)

    spool, worth, features = Spool(), _Worth(level), set[str]()
    streams = dict[bytes, list[Part]]()
    with closing(ahead(tasks(), partial(_look, spool), _settle, threads)) as looks:
        for name, group in groupby(looks, lambda look: look[0].host.name):
            parts, makers = worth.chosen(looked for _, looked in group if looked)
            if parts:
                streams[name] = parts
                features |= makers | {FEATURE}
    found = dict[bytes, list[Part]]()
    for name, host in hosts.items():
        inside = spans[name]
        if name not in streams and any(span.stream for span in inside):
            inside = _spans(host, _PICTURES)
        with suppress(SourceError):
            pictures = [_picture(host, span) for span in inside if not span.stream]
            if parts := _named(host, [*pictures, *streams.get(name, [])]):
                found[name] = parts
    return found, frozenset(features)


def _spans(source: Source, sorts: Sequence[Sort]) -> list[Span]:
    """Return what lies in a file that is no picture itself; in one that cannot be read is
    nothing."""
    if source.kind != "file" or not SMALLEST < source.size <= LARGEST:
        return []
    with suppress(OSError, SourceError):
        with opened(source) as file:
            head = file.read(register.HEAD)
            if begins_as_one(head) or begin(head, source.size):
                return []
            found = find(file, source.size, sorts, MAX_BLOCK - source.size - TOLD)
        literal = source.size - sum(span.length for span in found if not span.stream)
        literal += sum(span.stream.size - span.length for span in found if span.stream)
        fits = size_of_pieces(len(found), literal) <= MAX_BLOCK
        if found and not fits and STREAMS in sorts:
            return _spans(source, _PICTURES)
        if found and fits and not (looks_like_picture(head) and _is_one(source)):
            return found
    return []


def _is_one(source: Source) -> bool:
    return bool(seen.look(source, wide=True, pixels=False).kinds)


def _within(host: Source, span: Span) -> tuple[Source, bytes]:
    """Return what lies in a file as a source, without a name of its own, and its bytes."""
    own = Source(host.name, host.path, "file", span.length, host.mtime, NONE, offset=span.start)
    (data,) = read_pieces(own, [span.length])
    return own._replace(crc=zlib.crc32(data)), data


def _picture(host: Source, span: Span) -> Part:
    own, _ = _within(host, span)
    return Part(span.start, span.length, own.crc or 0, (Member(0, own),))


def _look(spool: Spool, task: _Task) -> _Looked | None:
    """Describe a stream, and keep the pictures in what it inflates to; None if it is not worth it,
    or its file has changed."""
    host, span = task
    with suppress(OSError, SourceError):
        own, data = _within(host, span)
        inflated = inflate(data, span.stream) if span.stream else None
        if inflated is None:
            return None
        pictures, dense = _pictures_in(inflated), squeezed(inflated) > _DENSE * len(inflated)
        unfolded = unfold(data, span.stream) if span.stream and (pictures or not dense) else None
        if unfolded is None:
            return None
        members = list[Member]()
        for start, length, _ in pictures:
            picture = inflated[start : start + length]
            told = zlib.crc32(picture), spool.add(picture), spool
            member = Source(host.name, host.path, "file", length, host.mtime, NONE, None, *told)
            members.append(Member(start, member))
        part = Part(*span[:2], own.crc or 0, tuple(members), span.stream, unfolded.description)
        return _Looked(part, unfolded, dense)
    return None


def _settle(_: _Task, looked: Callable[[], _Looked | None]) -> _Looked | None:
    return looked()


def _pictures_in(inflated: bytes) -> list[Span]:
    """Return where pictures lie in what a stream inflates to: in its parts, or it is one, of any
    format."""
    if len(inflated) < SMALLEST:
        return []
    found = find(io.BytesIO(inflated), len(inflated), _PICTURES)
    if not found and looks_like_picture(inflated[: register.START]):
        return [Span(0, len(inflated))]
    return found


def _named(host: Source, parts: Iterable[Part]) -> list[Part]:
    """Return parts in the order of their file, their members with names."""
    named, number = list[Part](), 0
    for part in sorted(parts, key=lambda part: part.start):
        members = list[Member]()
        for place, source in part.members:
            name = member_name(host.name, number)
            members.append(Member(place, source._replace(name=name)))
            number += 1
        named.append(part._replace(members=tuple(members)))
    return named


class _Worth:
    """Tells which streams had better be inflated: by what zstd leaves of all that was so far, under
    a level that is quick, and of a sample under the `level` that is to come."""

    def __init__(self, level: int) -> None:
        self._level = level
        parameters = zstandard.ZstdCompressionParameters.from_level(_QUICK, window_log=_WINDOW)
        self._zstd = zstandard.ZstdCompressor(compression_params=parameters).compressobj()

    def chosen(self, looked: Iterable[_Looked]) -> tuple[list[Part], set[str]]:
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
        chosen = [part._replace(pays=pays and not dense) for part, dense in parts]
        return [part for part in chosen if part.pays or part.members], makers


def _unfolded_size(size: int, parts: Iterable[Part]) -> int:
    """Return how many bytes a file of some size has with its streams inflated."""
    return size + sum(part.stream.size - part.length for part in parts if part.stream)
