"""Pictures inside of files: kept from when they are decoded until these files are put together."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from bitswap_cli.archive.format.names import member_name
from bitswap_cli.archive.format.segments import UNFOLDED, ByteSegment
from bitswap_cli.archive.format.values.pieces import Pieces, joined_crc, unpack_pieces
from bitswap_cli.archive.format.values.streams import Folded, folded, unpack_streams
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.opened import not_as_it_was
from bitswap_cli.atomic import Scratch, cannot
from bitswap_cli.errors import ArchiveError, display

_PART = 1 << 20


class _Kept(NamedTuple):
    """A picture that is there."""

    told: Told
    place: int
    """Where it begins in the spool."""


class Members:
    """The pictures that are there.

    Parameters
    ----------
    spool : callable
        Returns a file to keep them in, asked for when there is a first one; None if nobody will
        read them, as it is enough to know their lengths and CRC-32.
    """

    def __init__(self, spool: Callable[[], Scratch | None]) -> None:
        self._open = spool
        self._spool: Scratch | None = None
        self._end = 0
        self._kept: dict[bytes, _Kept] = {}

    def keep(self, name: bytes, data: bytes | memoryview) -> None:
        """Keep a picture that was decoded and checked.

        Raises
        ------
        ArchiveError
            If there is one of this name.
        InputError
            If there is no room for it.
        """
        if name in self._kept:
            raise ArchiveError(f"the archive holds {display(name)} twice")
        told = Told(len(data), crc32(data))
        try:
            self._spool = self._spool or self._open()
            if self._spool:
                self._spool.file.seek(self._end)
                self._spool.file.write(data)
        except OSError as error:
            raise cannot("write", name, error) from error
        self._kept[name] = _Kept(told, self._end)
        self._end += len(data)

    def joined(
        self, host: ByteSegment, data: memoryview, content: Callable[[bytes], bytes]
    ) -> Iterable[bytes | memoryview]:
        """Return the parts of a file, given what is stored of it, and what tells the name of the
        entry that a picture's bytes are those of.

        Raises
        ------
        ArchiveError
            If one of its pictures is not there, or it would not come back as it was: here, or while
            parts are taken.
        InputError
            While parts are taken, if these cannot be read.
        """
        stored = unpack_host(host, data)
        inside = list[_Kept]()
        for number in stored.pieces.numbers:
            own = self._kept.get(content(member_name(host.name, number)))
            if own is None:
                raise lost_inside(host.name, number)
            inside.append(own)
        parts = self._parts(stored.pieces, inside)
        return stored.checked(host, [own.told for own in inside], parts)

    def close(self) -> None:
        """Let go of all."""
        if self._spool:
            self._spool.close()

    def _parts(self, pieces: Pieces, inside: list[_Kept]) -> Iterator[bytes | memoryview]:
        for literal, own in zip(pieces.between(), [*inside, None], strict=True):
            yield literal
            if own:
                yield from self._read(own)

    def _read(self, own: _Kept) -> Iterator[bytes]:
        place, left = own.place, own.told.size
        try:
            while self._spool and left:
                self._spool.file.seek(place)
                part = self._spool.file.read(min(left, _PART))
                if not part:
                    raise ArchiveError("a temporary file became shorter")
                place, left = place + len(part), left - len(part)
                yield part
        except OSError as error:
            raise cannot("read", b"a temporary file", error) from error


class Stored(NamedTuple):
    """What is stored of a host."""

    streams: list[Folded]
    pieces: Pieces

    def checked(
        self, host: ByteSegment, inside: list[Told], parts: Iterable[bytes | memoryview]
    ) -> Iterable[bytes | memoryview]:
        """Return the parts of the host, given those of its pieces and of the pictures between them.

        Raises
        ------
        ArchiveError
            If they are not the file that the archive tells: here, or, where there are deflate
            streams to be made first, while parts are taken.
        """
        if self.streams:
            return _checked(host, folded(parts, self.streams))
        check_pieces(host, self.pieces, inside)
        return parts


def unpack_host(host: ByteSegment, data: memoryview) -> Stored:
    """Read what is stored of a host; raise `ArchiveError` if malformed."""
    if host.kind != UNFOLDED:
        return Stored([], unpack_pieces(data))
    streams, rest = unpack_streams(data)
    return Stored(streams, unpack_pieces(rest, least=0))


def _checked(
    host: ByteSegment, parts: Iterable[bytes | memoryview]
) -> Iterator[bytes | memoryview]:
    """Yield parts of a file; raise `ArchiveError` as soon as they are not what the archive tells of
    it."""
    size = crc = 0
    for part in parts:
        size, crc = size + len(part), crc32(part, crc)
        if size > host.size:
            break
        yield part
    if (size, crc) != (host.size, host.crc):
        raise not_as_it_was(host.name)


def check_pieces(host: ByteSegment, pieces: Pieces, inside: list[Told]) -> None:
    """Raise `ArchiveError` if pieces and the pictures between them, of which length and CRC-32 are
    known, are not the file that the archive tells."""
    size = crc = 0
    for literal, told in zip(pieces.between(), [*inside, Told(0, 0)], strict=True):
        crc = joined_crc(crc32(literal, crc), told.crc, told.size)
        size += len(literal) + told.size
    if (size, crc) != (host.size, host.crc):
        raise not_as_it_was(host.name)


def lost_inside(host: bytes, number: int) -> ArchiveError:
    """Return the error to raise for a file of which a picture inside is not there."""
    return ArchiveError(f"{display(host)} lacks picture {number + 1} inside of it, which is lost")
