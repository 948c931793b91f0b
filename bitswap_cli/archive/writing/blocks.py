"""Files that are kept byte for byte, in blocks that zstd looks back through as a whole."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import LONG, MIXED, MIXED_3, REPEATS, VP8
from bitswap_cli.archive.format.names import host_of
from bitswap_cli.archive.format.pictures import Stored
from bitswap_cli.archive.format.sections import BYTE, MAX_BLOCK, MAX_CHUNK_BYTES
from bitswap_cli.archive.format.segments import FOLDER_KINDS, PICTURE, ByteSegment
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.inside.parts import Part
from bitswap_cli.archive.sources.source import Source, SourceError, read_parts
from bitswap_cli.archive.writing import frames, mixed
from bitswap_cli.archive.writing.block import Block
from bitswap_cli.archive.writing.coders.coder import Submit
from bitswap_cli.archive.writing.hosted import Inside, members_of, stored_host, stored_size
from bitswap_cli.archive.writing.squeezing import (
    DENSE,
    DENSE_LEVEL,
    QUICK_SIZE,
    is_dense,
    level_of,
    share_of,
    squeezer,
)
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.mixing import octets

_PART = 1 << 23  # bytes that are read at a time
# Of its size, what zstd leaves of a block that mixing is tried on: of more nothing can be had, and
# of less hardly a byte for the time that it takes.
_TRIED_FROM, _TRIED_TO = 1 / 256, 0.95
_MIXED = 0.97  # of what zstd leaves, and less, is worth the time that mixing takes a reader


class Keeping(NamedTuple):
    """How files are kept: large blocks and high levels take less room and more time, and more has
    to be read for one file of many."""

    block: int = MAX_BLOCK
    """Bytes of files that are compressed together, at most."""
    level: int = 19
    """Of zstd."""
    haste: float = 1.1
    """How many times fewer bytes a coder has to promise that takes much longer than another."""
    mixed: bool = True
    """Whether blocks are coded by context mixing where that pays."""


THOROUGH, QUICK = Keeping(), Keeping(1 << 23, 3, 1.3, mixed=False)
PATIENT = Keeping(haste=1.0)


def order(source: Source) -> tuple[int, bytes, bytes]:
    """Return the place of a source among those that are kept: files of one kind lie together, as
    their suffixes tell; then come links and folders."""
    base = source.name.rpartition(b"/")[2] if source.kind == "file" else b""
    suffix = base.rpartition(b".")[2].lower() if b"." in base else b""
    return ("file", "link", *FOLDER_KINDS).index(source.kind), suffix, source.name


class Blocks:
    """Files, links, folders and copies on their way into BYTE chunks.

    Parameters
    ----------
    writer : ArchiveWriter
        Takes the chunks.
    keeping : Keeping
    threads : int
        Of zstd; the bytes do not depend on it.
    submit : callable
        Lets a function be called in another thread: this one hears meanwhile that it is to end.
    done : callable
        Told of bytes of files that are in the archive now.
    """

    def __init__(
        self,
        writer: ArchiveWriter,
        keeping: Keeping,
        threads: int,
        submit: Submit,
        done: Callable[[int], None],
    ) -> None:
        self._writer = writer
        self._threads = threads
        self._submit, self._done = submit, done
        self._level = keeping.level
        self._mixing = keeping.mixed and writer.header.features >= {MIXED, MIXED_3}
        self._repeating = REPEATS in writer.header.features
        most = MAX_BLOCK if LONG in writer.header.features else MAX_CHUNK_BYTES
        self._most, self._longest = min(keeping.block, most), most
        self._framing = keeping.mixed and VP8 in writer.header.features
        self._framed, self._dense, self._plain = self._all = Block(), Block(), Block()

    def add(self, source: Source, stored: Stored | None = None) -> str:
        """Read a source and put it into a block; only files larger than one are split, and no
        pictures inside of others.

        What is stored of a picture takes the place of its file, if a block has room for it. Returns
        the kind of the entry that it has become.

        Raises
        ------
        SourceError
            If it cannot be read, or changes on the way: then nothing of it is left here.
        """
        if stored and len(stored.data) <= self._most:
            return self._add_picture(source, stored)
        most = self._most if host_of(source.name) is None else self._longest
        parts = read_parts(source, min(_PART, source.size + 1))
        first = next(parts, b"")
        block = self._block_of(first) if source.kind == "file" else self._last()
        if source.size > most - len(block.data) or block.full():
            self._flush(block)
        before = len(block.segments), len(block.data), block.sources
        mark = self._writer.mark()
        begin = length = crc = 0
        try:
            for part in chain((first,), parts):
                rest = memoryview(part)
                while rest:
                    if len(block.data) == most:
                        block.add(_segment(source, begin, length, crc), _share(source, length))
                        self._flush(block)
                        begin, length = begin + length, 0
                    piece = rest[: most - len(block.data)]
                    block.data += piece
                    crc = zlib.crc32(piece, crc)
                    length += len(piece)
                    rest = rest[len(piece) :]
        except SourceError:
            self._writer.rewind(mark)
            block.cut(*before)
            raise
        block.add(_segment(source, begin, length, crc), _share(source, length))
        if begin:  # its parts have to stand in consecutive chunks
            self._flush(block)
        return source.kind

    def _add_picture(self, source: Source, stored: Stored) -> str:
        """Put in a file as its picture."""
        if len(stored.data) > self._most - len(self._plain.data) or self._plain.full():
            self._flush(self._plain)
        self._plain.data += stored.data
        own = _segment(source, 0, len(stored.data), stored.crc)
        self._plain.add(own._replace(kind=PICTURE), _share(source, source.size))
        return PICTURE

    def add_host(
        self,
        source: Source,
        inside: Inside,
        copies: Mapping[bytes, Copy],
    ) -> str:
        """Put in a file by what lies in it: its streams, inflated, and the pictures that are in the
        archive, some of them as copies; if a chunk has no room for the rest, the others are kept as
        files, too.

        Returns the kind of the entry that it has become: itself, if there is no room even so, as
        what tells of its streams takes more than was left.

        Raises
        ------
        SourceError
            If it cannot be read, or has changed.
        """
        parts, others = inside.taken, list[Source]()
        if not self._has_room(source, parts):
            parts, others = inside.all, inside.others
            if not self._has_room(source, parts):
                return self.add(source)
            for one in others:
                self.add(one)
        kind, own, crc = stored_host(source, parts)
        if len(own) > self._longest:
            return self.add(source)
        block = self._block_of(own)
        for other in self._all:
            if other is not block and other.members:  # which have to stand before it
                self._flush(other)
        if len(own) > self._most - len(block.data) or block.full():
            self._flush(block)
        block.data += own
        told = _segment(source, 0, len(own), crc)._replace(kind=kind)
        block.add(told, _share(source, source.size))
        for member in members_of(inside.taken):
            if copy := copies.get(member.name):
                self.add_copy(member, copy)
        return kind

    def _has_room(self, host: Source, parts: Sequence[Part]) -> bool:
        """Tell whether a chunk has room for what is stored of a file by some of its parts."""
        return stored_size(host, parts) <= self._longest

    def add_copy(self, source: Source, copy: Copy) -> None:
        """Put in what equals an entry that was put in before, or is in the archive; of pictures
        inside of files, readers look for that before they need it."""
        block = self._last()
        if host_of(source.name) is None:
            self._flush(self._framed)
            if block is self._plain:
                self._flush(self._dense)
        if block.full():
            self._flush(block)
        told = source.mtime, 0, source.attributes, copy.original
        own = ByteSegment(source.name, copy.kind, 0, 0, 0, *told)
        block.add(own, _share(source, source.size))

    def _last(self) -> Block:
        """Return the block for what has hardly any bytes, which needs no chunk of its own."""
        return self._dense if self._dense.segments and not self._plain.segments else self._plain

    def flush(self) -> None:
        """Write what is left."""
        for block in self._all:
            self._flush(block)

    def _block_of(self, first: bytes) -> Block:
        """Return the block for a file that begins so."""
        if self._framing and octets.quick() and frames.holds_frames(first):
            return self._framed
        return self._dense if is_dense(first) else self._plain

    def _flush(self, block: Block) -> None:
        """Write a block, if there is anything in it."""
        if block.segments and block is self._framed:
            size = len(block.data)
            for own, count in frames.encode(
                block.segments, block.data, self._submit, lambda n: self._done(block.done(n / size))
            ):
                self._writer.add(BYTE, own, count)
        elif block.segments:
            self._write(block)
            self._done(block.done(1))
        block.cut(0, 0, 0)

    def _write(self, block: Block) -> None:
        """Write a block in the way that takes the least; zstd is not asked where the block is large
        and mixing promises much."""
        size = len(block.data)
        if size > QUICK_SIZE and block is self._plain and self._mixes(share_of(block.data)):
            bodies = self._mix(block)
        else:
            squeezed = self._squeezed(block)
            if block is self._dense and len(squeezed) > DENSE * size:
                return self._write_apart(block)
            body = encode_bytes(block.segments, block.data, lambda _: squeezed)
            bodies = self._mix(block) if size and self._mixes(len(squeezed) / size) else []
            if not bodies or sum(len(own) for own, _ in bodies) >= _MIXED * len(body):
                bodies = [(body, len(block.segments))]
        for own, count in bodies:
            self._writer.add(BYTE, own, count)

    def _squeezed(self, block: Block) -> bytes:
        """Return the bytes of a block under zstd, whose tables, of hundreds of megabytes, are let
        go of before others are had for mixing."""
        level = level_of(block.data, self._level, dense=block is self._dense)
        squeeze = squeezer(level, len(block.data), self._threads)
        squeezed: bytes = self._submit(squeeze, block.data).result()
        return squeezed

    def _mixes(self, share: float) -> bool:
        """Tell whether mixing is tried on a block of which zstd leaves such a share."""
        return self._mixing and _TRIED_FROM <= share <= _TRIED_TO and octets.quick()

    def _mix(self, block: Block) -> list[tuple[bytes, int]]:
        """Return bodies by context mixing, and how many segments each has."""
        size = len(block.data)

        def done(count: int) -> None:
            self._done(block.done(count / size))

        return mixed.encode(block.segments, block.data, self._submit, done, self._repeating)

    def _write_apart(self, block: Block) -> None:
        """Write a block of which nothing is gained, in small chunks: less is lost with one."""
        start = 0
        while block.segments:
            count, length = 0, 0
            for segment in block.segments:
                if count and length + segment.length > MAX_CHUNK_BYTES:
                    break
                count, length = count + 1, length + segment.length
            part = bytes(memoryview(block.data)[start : start + length])
            body = encode_bytes(
                block.segments[:count], part, squeezer(DENSE_LEVEL, length, self._threads)
            )
            self._writer.add(BYTE, body, count)
            del block.segments[:count]
            start += length


def _share(source: Source, size: int) -> int:
    """How many bytes of files some of a source are: none, if it lies in another one."""
    return size if host_of(source.name) is None else 0


def _segment(source: Source, offset: int, length: int, crc: int) -> ByteSegment:
    name, kind, size, mtime = source.name, source.kind, source.size, source.mtime
    told = NONE if offset else source.attributes
    return ByteSegment(name, kind, size, offset, length, mtime, crc, told)
