"""What is on its way into one chunk of files."""

from bitswap_cli.archive.format.names import host_of
from bitswap_cli.archive.format.sections import MAX_SEGMENTS
from bitswap_cli.archive.format.segments import ByteSegment

_NAMES = 1 << 22  # bytes of names and attributes in a chunk


class Block:
    """Segments, and the bytes of all of them."""

    def __init__(self) -> None:
        self.segments: list[ByteSegment] = []
        self.data = bytearray()
        self.names = 0
        self.members = 0
        """How many of them lie inside of files, and are no copies of others."""
        self.sources = 0
        """Bytes of the files that it holds, as they lie in folders."""
        self._told = 0

    def add(self, segment: ByteSegment, sources: int = 0) -> None:
        """Let a segment end with the data at hand; it stands for so many bytes of files."""
        self.segments.append(segment)
        self.names += _weight(segment)
        self.members += _is_member(segment)
        self.sources += sources

    def cut(self, segments: int, length: int, sources: int) -> None:
        """Let go of all but so many segments, and bytes."""
        del self.segments[segments:], self.data[length:]
        self.names = sum(map(_weight, self.segments))
        self.members = sum(map(_is_member, self.segments))
        self.sources, self._told = sources, 0

    def full(self) -> bool:
        """Tell whether it has as many entries as it may."""
        return len(self.segments) >= MAX_SEGMENTS or self.names > _NAMES

    def done(self, part: float) -> int:
        """Return the bytes of files that are done since the last time, if such a part of all is."""
        before, self._told = self._told, int(self.sources * part)
        return self._told - before


def _weight(segment: ByteSegment) -> int:
    """Return about how many bytes names and attributes take in the table."""
    return len(segment.name) + len(segment.original) + segment.attributes.weight


def _is_member(segment: ByteSegment) -> bool:
    return segment.length > 0 and host_of(segment.name) is not None
