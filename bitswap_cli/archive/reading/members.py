"""What lies inside of files: kept from when it is decoded until these files are put together."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from bitswap_cli.archive.format.names import member_name
from bitswap_cli.archive.format.segments import HOST, LARGE_UNFOLDED, TEXT, ByteSegment
from bitswap_cli.archive.format.values.pieces import Pieces, joined_crc, unpack_pieces
from bitswap_cli.archive.format.values.streams import Folded, folded, unpack_streams
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.opened import not_as_it_was
from bitswap_cli.archive.reading.sink import Output
from bitswap_cli.atomic import Scratch, cannot
from bitswap_cli.errors import ArchiveError, display

_PART = 1 << 20


class _Kept(NamedTuple):
    """A picture, or a file, that is there."""

    told: Told
    runs: list[range]
    """Where it lies in the spool: in one place, unless others came between its parts."""


class Members:
    """What is there of what lies inside of files.

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
        """Keep a picture that was decoded and checked; errors are those of `Kept`."""
        kept = self.begin(name)
        kept.write(data)
        kept.end()

    def begin(self, name: bytes, output: Output | None = None) -> "Kept":
        """Begin to keep what comes in parts, and let an output have it as well."""
        if name in self._kept:
            raise ArchiveError(f"the archive holds {display(name)} twice")
        return Kept(name, output, self._write, self._kept)

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

    def _write(self, name: bytes, part: bytes | memoryview) -> range:
        try:
            self._spool = self._spool or self._open()
            if self._spool:
                self._spool.file.seek(self._end)
                self._spool.file.write(part)
        except OSError as error:
            raise cannot("write", name, error) from error
        self._end += len(part)
        return range(self._end - len(part), self._end)

    def _parts(self, pieces: Pieces, inside: list[_Kept]) -> Iterator[bytes | memoryview]:
        for literal, own in zip(pieces.between(), [*inside, None], strict=True):
            yield literal
            if own:
                for run in own.runs:
                    yield from self._read(run.start, len(run))

    def _read(self, place: int, left: int) -> Iterator[bytes]:
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


class Kept:
    """What is being kept.

    Parameters
    ----------
    name : bytes
    output : Output, optional
        Has it as well.
    write : callable
        Writes some of it to the spool, and returns where.
    kept : dict
        Has it when it is whole.

    Raises
    ------
    ArchiveError
        If there is one of this name.
    InputError
        If there is no room for it.
    """

    def __init__(
        self,
        name: bytes,
        output: Output | None,
        write: Callable[[bytes, bytes | memoryview], range],
        kept: dict[bytes, _Kept],
    ) -> None:
        self.output = output
        self._name, self._write, self._kept = name, write, kept
        self._told, self._runs = Told(0, 0), list[range]()

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        run = self._write(self._name, data)
        if self._runs and self._runs[-1].stop == run.start:
            run = range(self._runs.pop().start, run.stop)
        self._runs.append(run)
        self._told = Told(self._told.size + len(data), crc32(data, self._told.crc))
        if self.output:
            self.output.write(data)

    def discard(self) -> None:
        """Give up."""
        if self.output:
            self.output.discard()

    def end(self) -> Output | None:
        """Note that it is whole; return what else has it."""
        self._kept[self._name] = _Kept(self._told, self._runs)
        return self.output


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
    if host.kind == HOST:
        return Stored([], unpack_pieces(data))
    streams, rest = unpack_streams(
        data, pieces=host.kind == LARGE_UNFOLDED, texts=host.kind == TEXT
    )
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
