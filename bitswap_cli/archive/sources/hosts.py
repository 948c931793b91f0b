"""Files that others lie in: hosts, their pictures as sources of their own, members, and their
deflate streams, which are described."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
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
from bitswap_cli.images.formats import register
from bitswap_cli.images.inside.pictures import PICTURES, SMALLEST, begins_as_one
from bitswap_cli.images.inside.scanning import Sort, Span, find
from bitswap_cli.images.inside.streams import STREAMS, Unfolded, inflate, unfold
from bitswap_cli.images.inspection import looks_like_picture
from bitswap_cli.images.strips import begin

LARGEST = 1 << 36
"""Bytes of the largest file that is looked into."""
_DENSE = 0.98  # of its size, and more, is what zstd leaves of what had better stay deflated
_PAYS = 0.98  # of the bytes of streams, and less, is what has to be left of them
_ROW = 8  # bytes that tell of a stream, about, beside its description
_WINDOW = 23  # logarithm of how far zstd looks back where it is estimated what it leaves
_SAMPLE, _SAMPLES = 1 << 18, 1 << 20  # bytes of a stream, of a file, that are tried at more length
_LEVELS = 3, 19


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
    unfolded: Unfolded


def look_into(
    sources: Sequence[Source], copies: dict[bytes, Copy], *, pixels: bool, threads: int = 1
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
    """
    own = [one for one in sources if one.name not in copies]
    found, features = _parts(own, threads)
    if not found:
        return Hosted([*sources], copies, {}, frozenset())
    members = [
        member.source for parts in found.values() for part in parts for member in part.members
    ]
    # The first of equal ones is the original: a file, if it is one.
    _, more = equal.find(members if pixels else [*own, *members])
    return Hosted(sorted([*sources, *members]), copies | more, found, features)


def _parts(
    sources: Iterable[Source], threads: int
) -> tuple[dict[bytes, list[Part]], frozenset[str]]:
    """Return what lies in files, and the features that it needs."""
    spans, features = dict[bytes, list[Span]](), set[str]()
    hosts, streams = dict[bytes, Source](), dict[bytes, list[Part]]()

    def tasks() -> Iterator[_Task]:
        for source in sources:
            if inside := _spans(source, (PICTURES, STREAMS)):
                hosts[source.name], spans[source.name] = source, inside
                yield from (_Task(source, span) for span in inside if span.stream)

    worth = _Worth()
    with closing(ahead(tasks(), _look, lambda _, looked: looked(), threads)) as looks:
        for name, group in groupby(looks, lambda look: look[0].host.name):
            looked = [one for _, one in group if one]
            if pays := worth.pays(looked):
                streams[name] = [one.part for one in pays]
                features |= {FEATURE}.union(*(one.unfolded.makers for one in pays))
    found = dict[bytes, list[Part]]()
    for name, host in hosts.items():
        inside = spans[name]
        if any(span.stream for span in inside) and name not in streams:
            inside = _spans(host, (PICTURES,))
        with suppress(SourceError):
            pictures = _pictures(host, [span for span in inside if not span.stream])
            if parts := sorted([*pictures, *streams.get(name, [])]):
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
            found = find(file, source.size, sorts, MAX_BLOCK - source.size)
        literal = source.size - sum(span.length for span in found if not span.stream)
        literal += sum(span.stream.size - span.length for span in found if span.stream)
        fits = size_of_pieces(len(found), literal) <= MAX_BLOCK
        if found and fits and not (looks_like_picture(head) and _is_one(source)):
            return found
    return []


def _is_one(source: Source) -> bool:
    return bool(seen.look(source, wide=True, pixels=False).kinds)


def _within(host: Source, name: bytes, span: Span) -> tuple[Source, bytes]:
    """Return what lies in a file as a source, and its bytes."""
    own = Source(name, host.path, "file", span.length, host.mtime, NONE, offset=span.start)
    (data,) = read_pieces(own, [span.length])
    return own._replace(crc=zlib.crc32(data)), data


def _pictures(host: Source, spans: Sequence[Span]) -> Iterator[Part]:
    for number, span in enumerate(spans):
        own, _ = _within(host, member_name(host.name, number), span)
        yield Part(span.start, span.length, own.crc or 0, (Member(0, own),))


def _look(task: _Task) -> _Looked | None:
    """Describe a stream; None if it is not worth it, or its file has changed."""
    stream = task.span.stream
    with suppress(OSError, SourceError):
        own, data = _within(task.host, task.host.name, task.span)
        inflated = inflate(data, stream) if stream else None
        if inflated is None or squeezed(inflated) > _DENSE * len(inflated):
            return None
        unfolded = unfold(data, stream) if stream else None
        if unfolded:
            part = Part(*task.span[:2], own.crc or 0, (), stream, unfolded.description, pays=True)
            return _Looked(part, unfolded)
    return None


class _Worth:
    """Tells which streams had better be inflated: by what zstd leaves of all that was so far."""

    def __init__(self) -> None:
        parameters = zstandard.ZstdCompressionParameters.from_level(_LEVELS[0], window_log=_WINDOW)
        self._zstd = zstandard.ZstdCompressor(compression_params=parameters).compressobj()

    def pays(self, looked: Sequence[_Looked]) -> list[_Looked]:
        """Return those of a file that had."""
        packed = told = left = 0
        sample = bytearray()
        for part, unfolded in looked:
            packed += part.length
            told += _ROW + len(part.description)
            left += len(self._zstd.compress(unfolded.inflated))
            if len(sample) < _SAMPLES:
                sample += unfolded.inflated[:_SAMPLE]
        left += len(self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        most = _PAYS * packed - told
        if left > most > 0:
            low, usual = (len(zstandard.compress(bytes(sample), level)) for level in _LEVELS)
            left = left * usual // low
        return [*looked] if left <= most else []


def _unfolded_size(size: int, parts: Iterable[Part]) -> int:
    """Return how many bytes a file of some size has with its streams inflated."""
    return size + sum(part.stream.size - part.length for part in parts if part.stream)
