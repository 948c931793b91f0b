"""What tables tell of entries, without a look at their bytes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from bitswap_cli.archive.format.names import file_of, host_of
from bitswap_cli.archive.format.segments import (
    HOST_KINDS,
    PARENT,
    ByteSegment,
    Segment,
    Table,
    TileSegment,
    equals,
    no_original,
)
from bitswap_cli.archive.format.values.columns import malformed
from bitswap_cli.errors import ArchiveError, display


class Entry(NamedTuple):
    """One file, link or empty folder, as `list` shows it."""

    name: bytes
    """Relative path, '/'-separated."""
    kind: str
    """'png-exact', 'bmp', .. (coded by a model), 'file', 'dir', 'link', 'copy', 'hard link'."""
    exact: bool
    """True: comes back byte for byte; False: pixel for pixel, with its metadata."""
    size: int | None
    """Bytes of the original file; None: not told, as of pictures since version 0.7.0."""
    shape: tuple[int, int, int] | None
    """Height, width and channels of a picture that the model coded."""
    crc: int | None
    """CRC-32 of the original file, or of a link's target; None: not told."""
    mode: int | None
    """Twelve bits of permission; None: not told."""
    original: bytes | None = None
    """Name of the entry that a copy or hard link equals: all else is as it is there."""
    twin: bytes | None = None
    """Name of the entry whose pixels a picture has, and is coded by."""
    inside: int = 0
    """How many pictures inside of the file are entries of their own; told by api/describe.py."""


class EntryInfo(NamedTuple):
    """What an archive says of an entry; nothing is decoded for it."""

    kind: str
    """'png-exact', 'bmp', .. (coded by a model), 'file', 'dir', 'link', 'copy', 'hard link'."""
    exact: bool
    """True: comes back byte for byte; False: pixel for pixel, with its metadata."""
    size: int | None
    """Bytes of the original file; None where the archive does not tell."""
    shape: tuple[int, int, int] | None
    """Height, width and channels of a picture that the model coded."""
    mtime: int | None
    """Nanoseconds since 1970; None of a picture that the model coded: see `Archive.mtime`."""
    chunk: int
    """Number of the chunk that it is in, or starts in."""
    crc: int | None
    """CRC-32 of the original file, or of a link's target; None where the archive does not tell."""
    mode: int | None
    """Twelve bits of permission of the original file or folder; None where the archive does not
    tell, as of links."""
    original: str | None = None
    """Name of the entry that a copy or hard link equals: all but the time is as it is there."""
    twin: str | None = None
    """Name of the entry whose pixels a picture has, and is coded by."""
    inside: int = 0
    """How many pictures inside of the file are coded as files of their own."""


class Place(NamedTuple):
    """Where an entry, or a part of it, lies."""

    chunk: int
    segment: Segment
    start: int
    """Its first tile, file or byte, of those in the chunk."""
    extra: int
    """Of a picture that the chunk's extras tell of: which of them is its own."""
    twin: bytes | None
    """Name of the entry whose tiles or coefficients these are, too."""


def told_once(tables: Iterable[Table]) -> Iterator[Table]:
    """Yield tables; raise `ArchiveError` if they tell of an entry twice.

    Few bytes can stand for millions of equal rows, so whoever keeps what tables tell asks here.
    """
    names: set[bytes] = set()
    for table in tables:
        for row, (segment, twin) in enumerate(rows_of(table)):
            if segment.begins:
                if segment.name in names:
                    raise ArchiveError(f"the archive holds {display(segment.name)} twice")
                names.add(segment.name)
            elif row and twin is None:
                # what goes on from the chunk before comes before all else, but for its twins
                raise malformed()
        yield table


def rows_of(table: Table) -> Iterator[tuple[Segment, bytes | None]]:
    """Yield the segments of a table, each with the name of the picture whose tiles or coefficients
    it has, if they are those of another."""
    segments: Sequence[Segment] = table.segments
    for row, segment in enumerate(segments):
        twin = 0 if isinstance(segment, ByteSegment) else segment.twin
        yield segment, segments[row - twin].name if twin else None


def places_of(chunk: int, table: Table) -> Iterator[Place]:
    """Yield what lies in a chunk."""
    extra = 0
    for (segment, twin), start in zip(rows_of(table), table.starts, strict=True):
        yield Place(chunk, segment, start, extra, twin)
        extra += isinstance(segment, TileSegment) and segment.tells


def inside_of(segments: Iterable[Segment]) -> Counter[bytes]:
    """Return how many pictures inside of files are entries of their own, by the names of these
    files: what is no host itself, nor kept as a file. Segments begin entries."""
    kinds = (*HOST_KINDS, "file")
    inside = (one.name for one in segments if host_of(one.name) and one.kind not in kinds)
    return Counter(map(file_of, inside))


def entries_of(tables: Iterable[Table], *, copies: bool) -> Iterator[Entry]:
    """Yield the entries that tables tell of; there may be `copies` among them."""
    files: dict[bytes, Entry] = {}  # that others may equal
    mode: int | None = None  # which is told where an entry begins, as its CRC-32 where it ends
    for segment, twin in chain.from_iterable(map(rows_of, tables)):
        mode = segment.attributes.mode if segment.begins else mode
        tells = segment.ends if isinstance(segment, ByteSegment) else segment.begins
        if not tells or segment.kind == PARENT or host_of(segment.name) is not None:
            continue
        entry = Entry(segment.name, segment.kind, *segment.summary, mode, twin=twin)
        if isinstance(segment, ByteSegment) and segment.original:
            like = files.get(segment.original)
            if like is None or not equals(segment.kind, like.kind):
                raise no_original(segment)
            own = like._replace(name=segment.name, kind=segment.kind, mode=mode)
            entry = own._replace(original=segment.original, twin=None)
        if copies:
            files[entry.name] = entry
        yield entry
