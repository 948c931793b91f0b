"""Files that others lie in: hosts, their pictures as sources of their own, members, and their
deflate streams, which are described. What lies in these, and sections of large files, are hosts
themselves."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import chain, groupby
from typing import NamedTuple

from bitswap_cli.archive.format.header import NESTED, PIECES, TEXTS
from bitswap_cli.archive.format.header import STREAMS as FEATURE
from bitswap_cli.archive.format.names import depth_of, file_of, member_name
from bitswap_cli.archive.sources import copies as equal
from bitswap_cli.archive.sources.ahead import ahead, each
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.inside.parts import Member, Part
from bitswap_cli.archive.sources.inside.spans import ONES, hosts_in, spans_in, within
from bitswap_cli.archive.sources.inside.streams import LEVEL, Looked, Task, Worth, look
from bitswap_cli.archive.sources.source import Source, SourceError
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.images.inside.scanning import BASE64, Span

_DEEP = 4  # how many times what streams inflate to is looked into for others
_MOST_TIMES = 1 << 8  # as many bytes as a file has are those of all streams in it, at most,
_FREE = 1 << 26  # beside so many


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
        kept = (one.size for name, one in self.kept.items() if name not in sizes)
        own = (_unfolded_size(size, self.hosts[name]) for name, size in sizes.items())
        return max(chain(own, kept), default=0)

    @property
    def kept(self) -> dict[bytes, Source]:
        """By their names: members that are in the archive in any case."""
        parts = (part for parts in self.hosts.values() for part in parts)
        return {own.name: own for part in parts if (own := part.kept)}


def look_into(
    sources: Sequence[Source],
    copies: dict[bytes, Copy],
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
    looking = _Looking(threads, level)
    looking.into(own)
    found = looking.found
    if not found:
        return Hosted([*sources], copies, {}, frozenset())
    members = [one for parts in found.values() for part in parts for one in part.members]
    pictures = [one.source for one in members if not one.kept]
    # The first of equal ones is the original: a file, if it is one.
    _, more = equal.find(pictures if pixels else [*own, *pictures])
    every = sorted([*sources, *(one.source for one in members)])
    features = looking.makers | {FEATURE} if any(_streams(found)) else set[str]()
    features |= {PIECES} if any(part.pieces for part in _streams(found)) else set()
    texts = any(part.stream and part.stream.packing == BASE64 for part in _streams(found))
    features |= {TEXTS} if texts else set()
    features |= {NESTED} if len(pictures) < len(members) else set()
    return Hosted(every, copies | looking.copies | more, found, frozenset(features))


class _Looking:
    """What is found in files, in what their streams inflate to, and so on.

    Parameters
    ----------
    threads, level
        See `look_into`.
    """

    def __init__(self, threads: int, level: int) -> None:
        self._threads = threads
        self._spool, self._worth = Spool(), Worth(level)
        self._left = dict[bytes, int]()  # bytes that streams may still inflate to, by their file
        self.found = dict[bytes, list[Part]]()
        self.copies = dict[bytes, Copy]()
        """Of what streams inflate to, by its names."""
        self.makers = set[str]()

    def into(self, sources: Iterable[Source]) -> None:
        """Look into files, and into what lies in them."""
        for _ in range(_DEEP):
            found = self._parts(sources)
            self.found |= found
            if not (sources := self._inflated(found)):
                break
        self._leave_out()

    def _inflated(self, found: dict[bytes, list[Part]]) -> list[Source]:
        """Return what streams inflate to and others lie in, equal ones once."""
        kept = [own for one in _streams(found) if (own := one.kept)]
        every, copies = list[Source](), dict[bytes, Copy]()
        # A copy's original has to be written before what the copy lies in: those that lie deep are.
        for _, alike in groupby(sorted(kept, key=_depth), _depth):
            some, more = equal.find(sorted(alike))
            every += some
            copies |= more
        self.copies |= copies
        return [one for one in every if one.name not in copies]

    def _leave_out(self) -> None:
        """Leave out what would be kept for what lies in it, where nothing does."""
        for name in sorted(self.found, key=depth_of, reverse=True):
            parts = [own for one in self.found[name] if (own := self._with_others(one))]
            cut = [part.kept for part in parts if part.kept and not part.stream]
            if not parts or (cut and not any(one.name in self.found for one in cut)):
                del self.found[name]
            else:
                self.found[name] = parts
        every = (part.kept for parts in self.found.values() for part in parts)
        kept = {one.name for one in every if one}
        self.copies = {
            name: copy for name, copy in self.copies.items() if {name, copy.original} <= kept
        }

    def _with_others(self, part: Part) -> Part | None:
        """Return a part without what it inflates to, if nothing lies in that; None if it is not
        worth it then."""
        own = part.kept if part.stream else None
        if own is None:
            return part
        copy = self.copies.get(own.name)
        if (copy.original if copy else own.name) in self.found:
            return part
        if part.pays:
            return part if part.pieces else part._replace(members=())
        return None

    def _may(self, task: Task) -> bool:
        """Tell whether a stream may be inflated, however deep it lies in its file."""
        file = file_of(task.host.name)
        left = self._left[file] - task.size
        if left >= 0:
            self._left[file] = left
        return left >= 0

    def _parts(self, sources: Iterable[Source]) -> dict[bytes, list[Part]]:
        """Return what lies in files."""
        hosts, spans = dict[bytes, Source](), dict[bytes, list[Span]]()
        found = dict[bytes, list[Part]]()

        def tasks() -> Iterator[Task]:
            for source in sources:
                most = _MOST_TIMES * source.size + _FREE
                self._left.setdefault(file_of(source.name), most)
                cut, own = hosts_in(source)
                found.update({source.name: cut} if cut else {})
                for host, inside in own:
                    hosts[host.name], spans[host.name] = host, inside
                    every = (Task(host, span) for span in inside if span.stream)
                    yield from filter(self._may, every)

        streams = dict[bytes, list[Part]]()
        find = each(partial(look, self._spool))
        with closing(ahead(tasks(), find, _settle, self._threads)) as looks:
            for name, group in groupby(looks, lambda one: one[0].host.name):
                parts, makers = self._worth.chosen(looked for _, looked in group if looked)
                if parts:
                    streams[name] = parts
                    self.makers |= makers
        for name, host in hosts.items():
            inside = spans[name]
            if name not in streams and any(span.stream for span in inside):
                inside = spans_in(host, ONES)
            with suppress(SourceError):
                pictures = [_picture(host, span) for span in inside if not span.stream]
                if parts := _named(host, [*pictures, *streams.get(name, [])]):
                    found[name] = parts
        return found


def _depth(source: Source) -> int:
    return depth_of(source.name)


def _streams(found: dict[bytes, list[Part]]) -> Iterator[Part]:
    return (part for parts in found.values() for part in parts if part.stream)


def _settle(_: Task, looked: Callable[[], Looked | None]) -> Looked | None:
    return looked()


def _picture(host: Source, span: Span) -> Part:
    own, _ = within(host, span)
    return Part(span.start, span.length, own.crc or 0, (Member(0, own),))


def _named(host: Source, parts: Iterable[Part]) -> list[Part]:
    """Return parts in the order of their file, their members with names."""
    named, number = list[Part](), 0
    for part in sorted(parts, key=lambda part: part.start):
        members = list[Member]()
        for member in part.members:
            source = member.source._replace(name=member_name(host.name, number))
            members.append(member._replace(source=source))
            number += 1
        named.append(part._replace(members=tuple(members)))
    return named


def _unfolded_size(size: int, parts: Iterable[Part]) -> int:
    """Return how many bytes a file of some size has with its streams inflated."""
    kept = sum(own.size for part in parts if (own := part.kept))
    return size - kept + sum(part.stream.size - part.length for part in parts if part.stream)
