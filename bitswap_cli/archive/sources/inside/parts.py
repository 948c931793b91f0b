"""What lies in a file: pictures, deflate streams, with pictures in these, and sections."""

from collections.abc import Callable
from typing import NamedTuple

from bitswap_cli.archive.sources.source import Source
from bitswap_cli.images.inside.scanning import Stream
from bitswap_cli.images.inside.streams import Piece


class Member(NamedTuple):
    """A picture in a part of a file, or what is a file with something inside again."""

    place: int
    """Where it begins in what that part is, or inflates to."""
    source: Source
    kept: bool = False
    """Whether it is in the archive in any case: not a picture, but a section of a file, or all that
    a stream inflates to in which others lie."""


class Part(NamedTuple):
    """A picture, a deflate stream, or a section."""

    start: int
    """Where it begins in its file."""
    length: int
    """How many bytes of the file it has."""
    crc: int
    """CRC-32 of these."""
    members: tuple[Member, ...]
    """The picture or section itself, or those in what a stream inflates to."""
    stream: Stream | None = None
    description: bytes = b""
    """Of a stream that is held as a whole."""
    pieces: tuple[Piece, ...] = ()
    """Of another one; what these inflate to is its member."""
    pays: bool = False
    """Whether a stream had better be inflated even if no coder takes any of its members."""

    @property
    def kept(self) -> Source | None:
        """The member that it is, or inflates to, if that is kept in any case."""
        return self.members[0].source if self.members and self.members[0].kept else None

    @property
    def literal(self) -> int:
        """How many bytes it has beside its members."""
        size = self.stream.size if self.stream else self.length
        return size - sum(member.source.size for member in self.members)

    def with_those(self, taken: Callable[[Source], bool]) -> "Part | None":
        """Return it with the members that are taken only; None if it is nothing more than other
        bytes then."""
        members = tuple(one for one in self.members if one.kept or taken(one.source))
        return self._replace(members=members) if members or self.pays else None
