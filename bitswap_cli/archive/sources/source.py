"""What is to be archived, and its bytes: files, links and folders."""

import io
import os
import stat
import zlib
from collections.abc import Callable, Generator, Iterable
from itertools import repeat
from typing import BinaryIO, NamedTuple

from bitswap_cli.archive.format.attributes import NONE, Attributes
from bitswap_cli.archive.sources.spool import Slice, Spool
from bitswap_cli.errors import InputError, display

_MAX_TIME = 1 << 62  # nanoseconds from 1970, either way: the years 1823 to 2116
# A pipe that took a file's place is not waited for.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class SourceError(InputError):
    """Something cannot be archived; all else can."""

    def __init__(self, path: bytes, why: str) -> None:
        super().__init__(f"cannot archive {display(path)}: {why}")
        self.why = why


class Source(NamedTuple):
    """Something to archive."""

    name: bytes
    """Of the entry: relative, '/'-separated."""
    path: bytes
    """Where it lies."""
    kind: str
    """'file', 'link', 'dir' (an empty folder) or 'parent' (another one)."""
    size: int
    """Bytes of a file, or of a link's target."""
    mtime: int
    """Nanoseconds since 1970."""
    attributes: Attributes = NONE
    inode: tuple[int, int] | None = None
    """Device and number of a file that has several names."""
    crc: int | None = None
    """CRC-32 of a file that was read before; it is checked when it is read again."""
    offset: int | None = None
    """Of a picture inside of a file: where it begins in what lies at `path`, or in `spool`."""
    spool: Spool | bytes | None = None
    """Of a picture in a deflate stream: what has it; for another process, its bytes."""

    def within(self, start: int, length: int, name: bytes) -> "Source":
        """Return some of a file's bytes as a source of another name."""
        place = self.offset or 0, self.spool
        own = Source(name, self.path, self.kind, length, self.mtime, NONE)
        return own._replace(offset=start + place[0], spool=place[1])

    @property
    def weight(self) -> int:
        """About how many bytes it and its attributes take in memory."""
        return self.size + self.attributes.weight

    @property
    def most(self) -> int:
        """How many bytes may be read of it: of a whole file one more than it has, to see whether it
        has grown."""
        return self.size + (self.offset is None)


def modified(status: os.stat_result) -> int:
    """Return a time of modification that an archive can hold."""
    return max(-_MAX_TIME, min(status.st_mtime_ns, _MAX_TIME))


def read_parts(source: Source, length: int) -> Generator[bytes]:
    """Yield a source's bytes in parts of `length`, the last one shorter, none empty; see
    `read_pieces`."""
    return read_pieces(source, repeat(length))


def read_pieces(source: Source, lengths: Iterable[int]) -> Generator[bytes]:
    """Yield a source's bytes in parts of these lengths, the last one shorter, none empty.

    They are `source.size` bytes, or fewer before an error.

    Raises
    ------
    SourceError
        If the source cannot be read, or has changed.
    """
    total = crc = 0
    try:
        if source.kind == "link":
            target = os.readlink(source.path)
            total = len(target)
            if total == source.size:
                yield target
        elif source.kind == "file":
            with opened(source) as file:
                for length in lengths:
                    part = file.read(min(length, source.most - total))
                    if not part:
                        break
                    total += len(part)
                    if total > source.size:
                        break
                    crc = zlib.crc32(part, crc) if source.crc is not None else 0
                    yield part
                _check(source, file)
    except OSError as error:
        raise SourceError(source.path, error.strerror or str(error)) from error
    if total != source.size or source.crc not in (None, crc):
        raise changed(source)


def read(source: Source) -> bytes:
    """Return a source's bytes: a file's content, a link's target, or nothing."""
    return b"".join(read_parts(source, source.size + 1))


def read_if(source: Source, wanted: Callable[[bytes], bool], length: int) -> bytes | None:
    """Return a file's bytes if its first ones, `length` at most, are wanted, else None.

    Raises
    ------
    SourceError
        If the file cannot be read or has changed.
    """
    try:
        with opened(source) as file:
            start = file.read(min(length, source.most))
            if not wanted(start):
                return None
            data = start + file.read(source.most - len(start))
            _check(source, file)
    except OSError as error:
        raise SourceError(source.path, error.strerror or str(error)) from error
    if len(data) != source.size or source.crc not in (None, zlib.crc32(data)):
        raise changed(source)
    return data


def read_some(source: Source, start: int, length: int) -> bytes:
    """Return some of a file's bytes, from number `start` on; none of one that cannot be read."""
    try:
        with sought(source) as file:
            file.seek(start)
            return file.read(length)
    except OSError:
        return b""


def beginning(source: Source, length: int) -> bytes:
    """Return the first bytes of a file; none of one that cannot be read."""
    try:
        with opened(source) as file:
            return file.read(min(length, source.most))
    except OSError:
        return b""


def changed(source: Source) -> SourceError:
    """Return the error to raise for a source that is no longer what it was."""
    return SourceError(source.path, "it changed while it was read")


def opened(source: Source) -> BinaryIO:
    """Open a file, where it begins; raise OSError if it cannot be."""
    if isinstance(source.spool, Spool):
        return source.spool.opened(source.offset or 0, source.size)
    if source.spool:
        return io.BytesIO(source.spool)
    file = os.fdopen(os.open(source.path, _FLAGS), "rb")
    if source.offset:
        file.seek(source.offset)
    return file


def sought(source: Source) -> BinaryIO:
    """Open a file in which can be sought, its first byte being at 0; raise OSError likewise."""
    if source.spool or not source.offset:
        return opened(source)
    file = opened(source)

    def read(place: int, length: int) -> bytes:
        file.seek(place)
        return file.read(length)

    return io.BufferedReader(Slice(read, source.offset, source.size, file.close))


def _check(source: Source, file: BinaryIO) -> None:
    """Raise if a file is not what it was when it was found."""
    if source.spool:
        return
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or modified(status) != source.mtime:
        raise changed(source)
