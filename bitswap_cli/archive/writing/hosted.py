"""Files by what lies in them: pictures that are in the archive, and deflate streams, inflated."""

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bitswap_cli.archive.format.names import number_of
from bitswap_cli.archive.format.segments import HOST, LARGE_UNFOLDED, TEXT, UNFOLDED
from bitswap_cli.archive.format.values.pieces import pack_pieces, size_of_pieces
from bitswap_cli.archive.format.values.streams import Folded, pack_streams
from bitswap_cli.archive.sources.inside.parts import Part
from bitswap_cli.archive.sources.source import Source, changed, read_pieces
from bitswap_cli.images.inside.scanning import BASE64, RAW
from bitswap_cli.images.inside.streams import inflate

_STEP = 1 << 20  # bytes that are read at a time of what need not be held


class Inside(NamedTuple):
    """What lies in a file, when it is known what coders took."""

    taken: list[Part]
    """Streams that are to be inflated, and pictures that are in the archive."""
    all: list[Part]
    """And those that no coder took."""

    @property
    def others(self) -> list[Source]:
        """The pictures that no coder took."""
        coded = {one.name for one in members_of(self.taken)}
        return [one for one in members_of(self.all) if one.name not in coded]


def members_of(parts: Sequence[Part]) -> list[Source]:
    """Return what lies in some parts of a file and is a source of its own."""
    return [member.source for part in parts for member in part.members]


def stored_size(host: Source, parts: Sequence[Part]) -> int:
    """Return how many bytes a file takes by some of its parts, at least; but for what tells of its
    streams, so many."""
    literal = host.size + sum(part.literal - part.length for part in parts)
    return size_of_pieces(len(members_of(parts)), literal)


def stored_host(source: Source, parts: Sequence[Part]) -> tuple[str, bytes, int]:
    """Return the kind of a file by some of its parts, what is stored of it, and its CRC-32.

    Raises
    ------
    SourceError
        If it cannot be read, or has changed.
    """
    text, crc, part_crc = _Text(), 0, 0
    spans = [span for span in _spans(source.size, parts) if span.length]
    data = read_pieces(source, (span.length for span in spans))
    for own, (_, inside, ends) in zip(data, spans, strict=False):
        crc = zlib.crc32(own, crc)
        if inside is None:
            text.literal += own
            continue
        part_crc = zlib.crc32(own, part_crc)
        if not ends:
            continue
        whole: bytes | None = b""
        if not inside.kept:
            whole = inflate(own, inside.stream) if inside.stream else own
        if inside.crc != part_crc or whole is None:
            raise changed(source)
        text.add(whole, inside)
        part_crc = 0
    return *text.packed(), crc


class _Span(NamedTuple):
    """What is read of a file at a time."""

    length: int
    part: Part | None = None
    ends: bool = False
    """Whether the part ends here."""


def _spans(size: int, parts: Sequence[Part]) -> Iterator[_Span]:
    """Yield what is read of a file of some size: parts, those that are members as a whole in some
    steps, and what lies between them."""
    end = 0
    for part in parts:
        yield _Span(part.start - end)
        steps = range(_STEP, part.length, _STEP) if part.kept else ()
        yield from (_Span(_STEP, part) for _ in steps)
        yield _Span(part.length - _STEP * len(steps), part, ends=True)
        end = part.start + part.length
    yield _Span(size + 1 - end)


class _Text:
    """The bytes of a file with its streams inflated, and without the pictures that are in the
    archive."""

    def __init__(self) -> None:
        self.literal = bytearray()
        self._members = 0  # bytes of those so far
        self._numbers = list[int]()
        self._gaps = list[int]()
        self._end = 0  # of the last member, in what is literal
        self._streams = list[Folded]()
        self._inflated = 0  # end of the last stream, in literal and members

    def add(self, whole: bytes, part: Part) -> None:
        """Add a part, and what it is, or what it inflates to if it is a stream."""
        if part.stream:
            gap = len(self.literal) + self._members - self._inflated
            self._inflated += gap + part.stream.size
            if not part.pieces:
                told = part.stream.size, part.stream.packing, part.description
                self._streams.append(Folded(gap, *told))
            for size, last, description in part.pieces:
                self._streams.append(Folded(gap, size, RAW, description, last))
                gap = 0
        place = 0
        for begin, source, _ in part.members:
            self.literal += whole[place:begin]
            place = begin + source.size
            self._numbers.append(number_of(source.name))
            self._gaps.append(len(self.literal) - self._end)
            self._end = len(self.literal)
            self._members += source.size
        self.literal += whole[place:]

    def packed(self) -> tuple[str, bytes]:
        """Return the kind of the file, and all that is stored of it."""
        pieces = pack_pieces(self._numbers, self._gaps, self.literal)
        if not self._streams:
            return HOST, pieces
        kind = UNFOLDED
        if any(one.packing == BASE64 for one in self._streams):
            kind = TEXT
        elif any(one.last is not None for one in self._streams):
            kind = LARGE_UNFOLDED
        return kind, pack_streams(self._streams) + pieces
