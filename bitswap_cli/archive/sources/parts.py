"""What lies in a file: pictures, and deflate streams, with pictures in these."""

from collections.abc import Callable
from typing import NamedTuple

from bitswap_cli.archive.sources.source import Source
from bitswap_cli.images.inside.scanning import Stream


class Member(NamedTuple):
    """A picture in a part of a file."""

    place: int
    """Where it begins in what that part is, or inflates to."""
    source: Source


class Part(NamedTuple):
    """A picture, or a deflate stream."""

    start: int
    """Where it begins in its file."""
    length: int
    """How many bytes of the file it has."""
    crc: int
    """CRC-32 of these."""
    members: tuple[Member, ...]
    """The picture itself, or those in what a stream inflates to."""
    stream: Stream | None = None
    description: bytes = b""
    """Of a stream."""
    pays: bool = False
    """Whether a stream had better be inflated even if no coder takes any of its members."""

    @property
    def literal(self) -> int:
        """How many bytes it has beside its members."""
        size = self.stream.size if self.stream else self.length
        return size - sum(member.source.size for member in self.members)

    def with_those(self, taken: Callable[[Source], bool]) -> "Part | None":
        """Return it with the members that are taken only; None if it is nothing more than other
        bytes then."""
        members = tuple(member for member in self.members if taken(member.source))
        return self._replace(members=members) if members or self.pays else None
