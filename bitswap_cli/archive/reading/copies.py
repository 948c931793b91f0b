"""Which entries are wanted, which of these equal others, and where what they equal is restored.

A file is decoded once. It becomes the first entry that is wanted of all that equal it, which is the
file itself if that is wanted; the others are copied from this one, or linked to it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bitswap_cli.archive.format.attributes import NONE, Attributes
from bitswap_cli.archive.format.header import COPIES, NESTED
from bitswap_cli.archive.format.names import above, host_of
from bitswap_cli.archive.format.segments import (
    COPY,
    COPY_KINDS,
    ByteSegment,
    ByteTable,
    no_original,
)
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.errors import ArchiveError, InputError, display


class Place(NamedTuple):
    """The entry that a file becomes."""

    name: bytes
    mtime: int
    attributes: Attributes


class Selection:
    """Which names are wanted: all, or some, what is in folders of these names, and the folders that
    they are in.

    Parameters
    ----------
    select : sequence of str, optional
        Names as listed; all by default.
    """

    def __init__(self, select: Sequence[str] | None) -> None:
        self._names = None if select is None else {os.fsencode(n).rstrip(b"/") for n in select}
        self._above = {folder for name in self._names or () for folder in above(name)}
        self._seen: set[bytes] = set()

    def __call__(self, name: bytes) -> bool:
        """Tell whether an entry of a name is wanted; none inside of others is by itself."""
        if self._names is None or host_of(name) is not None:
            return host_of(name) is None
        found = {name, *above(name)} & self._names
        self._seen |= found
        return bool(found) or name in self._above

    def check(self, path: str) -> None:
        """Raise `InputError` if no entry of an archive had one of the selected names so far."""
        if missing := sorted((self._names or set()) - self._seen):
            raise InputError(f"{path} holds no entry {', '.join(map(display, missing))}")


class Copies:
    """The copies and hard links of an archive, as far as they are wanted.

    An archive that holds any is looked through once for them.

    Parameters
    ----------
    reader : ArchiveReader
    wanted : callable
        Tells whether an entry of a name is wanted.
    keep_going : bool
        Pass over tables that cannot be read.

    Raises
    ------
    ArchiveError
        If a table cannot be read.
    """

    def __init__(
        self, reader: ArchiveReader, wanted: Callable[[bytes], bool], *, keep_going: bool
    ) -> None:
        self.wanted = wanted
        self.nested = NESTED in reader.header.features
        """Whether hosts may lie inside of files."""
        self._equals: dict[bytes, bytes] = {}  # copies, and what they equal
        self._places: dict[bytes, Place] = {}  # by what is decoded
        self._linked: dict[bytes, bytes] = {}  # first that is wanted of those that are one file
        self._restored: dict[bytes, Told] = {}  # what is decoded and has copies
        self._there: set[bytes] = set()  # what may be linked to
        self._holders: dict[bytes, set[bytes]] = {}  # files in which lies what equals something
        if COPIES in reader.header.features:
            for segment in _segments(reader, keep_going):
                self._note(segment)

    def _note(self, segment: ByteSegment) -> None:
        host = host_of(segment.name)
        if host is None and host_of(segment.original) is not None:
            return  # it will have no original: pictures inside of files are none
        if segment.kind == COPY:
            self._equals[segment.name] = segment.original
        if host is not None:
            self._holders.setdefault(segment.original, set()).add(host)
        if not self.wanted(segment.name):
            return
        file, content = self._file(segment), self._content(segment)
        first = file if self.wanted(file) else segment.name
        first = self._linked.setdefault(file, first)
        own = content if self.wanted(content) else first
        self._places.setdefault(content, Place(own, segment.mtime, segment.attributes))

    def needed(self, name: bytes) -> bool:
        """Tell whether an entry has to be decoded: it is wanted, or what equals it or holds it."""
        return self.becomes(name) or self.inside(name)

    def becomes(self, name: bytes) -> bool:
        """Tell whether an entry becomes a file when it is decoded: it is wanted, or what equals
        it."""
        return self.wanted(name) or name in self._places

    def copied(self, name: bytes) -> bool:
        """Tell whether something that is wanted equals an entry, or holds it."""
        return name in self._places or self.inside(name)

    def inside(self, name: bytes) -> bool:
        """Tell whether an entry lies inside of a file that is wanted, however deep, or what equals
        it does."""
        left, seen = [name], {name}
        while left:
            one = left.pop()
            hosts, own = self._holders.get(one, set()), host_of(one)
            hosts = (hosts if own is None else hosts | {own}) - seen
            if any(self.becomes(host) for host in hosts):
                return True
            left += hosts
            seen |= hosts
        return False

    def content(self, name: bytes) -> bytes:
        """Return the name of the entry whose bytes a picture inside of a file has."""
        return self._equals.get(name, name)

    def place(self, name: bytes, mtime: int = 0, attributes: Attributes = NONE) -> Place:
        """Return what a file becomes that is decoded: itself as a rule, of this time and these
        attributes."""
        own = self._places.get(name)
        return own if own and own.name != name else Place(name, mtime, attributes)

    def restored(self, name: bytes, told: Callable[[], Told]) -> None:
        """Note that a file was decoded and checked; `told` is asked if anything equals it."""
        if name in self._places:
            self._restored[name] = told()
            self._there.add(self.place(name).name)

    def source(self, segment: ByteSegment) -> tuple[bytes, Told, bool]:
        """Return what a wanted copy or hard link is made from: the name of a file that is restored,
        and what is known of it; and whether to link to it.

        The name is the segment's own if nothing is left to be done.

        Raises
        ------
        ArchiveError
            If what it equals is not there before it, or is no file.
        """
        content = self._content(segment)
        first = self._linked.get(self._file(segment), segment.name)
        told = self._restored.get(content)
        link = first != segment.name
        if told is None or (link and first not in self._there):
            raise no_original(segment)
        self._there.add(segment.name)
        return first if link else self.place(content).name, told, link

    def _file(self, segment: ByteSegment) -> bytes:
        """Return the name of what is the same file."""
        return segment.name if segment.kind == COPY else segment.original

    def _content(self, segment: ByteSegment) -> bytes:
        """Return the name of what is decoded for it: one step from the file, and no further."""
        file = self._file(segment)
        return self._equals.get(file, file)


def _segments(reader: ArchiveReader, keep_going: bool) -> Iterator[ByteSegment]:
    for chunk in reader.chunks:
        try:
            table = reader.table(chunk)
        except ArchiveError:
            if not keep_going:
                raise
            continue
        if isinstance(table, ByteTable):
            yield from (segment for segment in table.segments if segment.kind in COPY_KINDS)
