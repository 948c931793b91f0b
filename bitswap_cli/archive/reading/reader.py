"""Reading an archive: header, index, tables and bodies, each checked before it is believed."""

import os
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bitswap_cli.archive.format import register
from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.header import (
    COPIES,
    MAX_MODELS,
    Header,
    Tiled,
    known_features,
)
from bitswap_cli.archive.format.index import ChunkInfo, Chunks, Totals, unpack_index
from bitswap_cli.archive.format.sections import (
    BYTE,
    CHUNKS,
    CRC,
    END_MAGIC,
    HEAD,
    ID,
    INDX,
    LENGTH,
    MAGIC,
    MODL,
    NAMED_VERSION,
    PREAMBLE,
    SECTION,
    TILE,
    TRAILER,
    VERSION,
    framing,
    max_body,
)
from bitswap_cli.archive.format.segments import (
    Table,
    TileTable,
)
from bitswap_cli.archive.format.values.columns import malformed
from bitswap_cli.archive.reading import scan
from bitswap_cli.archive.reading.entries import Entry, entries_of, told_once
from bitswap_cli.atomic import cannot
from bitswap_cli.errors import ArchiveError, InputError, ModelError, display

# of an archive whose header is lost: it may hold anything
_ANY = Tiled("", "", "", 1, (0, 0, 0))
_UNKNOWN = Header((_ANY,) * MAX_MODELS, frozenset(known_features()))
_GAPS = 100  # between whole sections, that are named: a hostile file may have millions


class ArchiveReader:
    """An open archive (a context manager).

    Parameters
    ----------
    path : path
        The archive.
    recover : bool
        If header or index are damaged, find the chunks that are whole by scanning the file, and
        say so in `damage`.

    Attributes
    ----------
    path : str
        The archive's name, printable.
    version : int
        Of the format.
    header : Header
    chunks : Chunks
        In the order of the file.
    totals : Totals or None
        None after recovery.
    size : int
        Bytes of the archive.
    damage : list of str
        What recovery found wrong, one line each.
    lost : list of bytes
        Names in damaged chunks that recovery could read all the same.

    Raises
    ------
    InputError
        If the file cannot be read.
    ArchiveError
        If it is not an archive or is damaged.
    ModelError
        If its format version is not one that this program reads.
    """

    def __init__(self, path: str | os.PathLike[str], *, recover: bool = False) -> None:
        self.path = display(path)
        self.totals: Totals | None = None
        self.damage: list[str] = []
        self.lost: list[bytes] = []
        try:
            self._file = open(path, "rb")  # noqa: SIM115 (outlives this call)
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise cannot("read", os.fsencode(path), error) from error
        try:
            self._read_preamble()
            try:
                self._read_index()
            except ArchiveError as error:
                if not recover:
                    raise self.located(error) from error
                self._recover(error)
        except BaseException:
            self.close()
            raise

    def table(self, chunk: ChunkInfo) -> Table:
        """Read and check the table of a chunk, and nothing else of it."""
        try:
            start = chunk.offset + SECTION.size + len(self._id)
            length = LENGTH.unpack(self._at(start, LENGTH.size))[0]
            framed = LENGTH.size + length + CRC.size
            if framed > chunk.length:
                raise ArchiveError("the archive holds a chunk that is too short")
            table = register.read_table(chunk.tag, self._at(start, framed), self.version)
            self._check_announced(chunk.tag, table)
            return table
        except ArchiveError as error:
            raise self.located(error, chunk) from error

    def body(self, chunk: ChunkInfo) -> bytes:
        """Read the body of a chunk, checked against its CRC-32."""
        try:
            return self._section(chunk.tag, chunk.offset, chunk.length)
        except ArchiveError as error:
            raise self.located(error, chunk) from error

    def tables(self) -> Iterator[Table]:
        """Yield the tables of all chunks, which tell of no entry twice."""
        try:
            yield from told_once(self.table(chunk) for chunk in self.chunks)
        except ArchiveError as error:
            raise self.located(error) from error

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in the order stored, reading only the tables."""
        return entries_of(self.tables(), copies=COPIES in self.header.features)

    def located(self, error: ArchiveError, chunk: ChunkInfo | None = None) -> ArchiveError:
        """Return an error that names the archive and the chunk it arose in."""
        text = str(error)
        if not text.startswith(self.path):
            where = f" chunk at byte {chunk.offset}:" if chunk else ""
            text = f"{self.path}:{where} {text}"
        return ArchiveError(text)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read_preamble(self) -> None:
        magic, self.version, self._id = b"", 0, b""
        if self.size >= PREAMBLE.size:
            magic, self.version = PREAMBLE.unpack(self._at(0, PREAMBLE.size))
        if magic != MAGIC:
            raise ArchiveError(f"{self.path} is not a bitswap archive (or its start is damaged)")
        if not VERSION <= self.version <= NAMED_VERSION:
            raise ModelError(
                f"{self.path} has format version {self.version}, this program reads versions"
                f" {VERSION} to {NAMED_VERSION}: use the program's version that wrote it or a"
                " newer one"
            )
        self._start = PREAMBLE.size
        if self.version >= NAMED_VERSION:
            self._id = self._at(PREAMBLE.size, ID)
            self._start += ID

    def _read_index(self) -> None:
        index, magic = 0, b""
        if self.size >= PREAMBLE.size + TRAILER.size:
            index, magic = TRAILER.unpack(self._at(self.size - TRAILER.size, TRAILER.size))
        if magic != END_MAGIC:
            raise ArchiveError(f"{self.path} is truncated or its end is damaged")
        extra = framing(self._id)
        head = self._section(HEAD, self._start)
        length = self.size - TRAILER.size - extra - index
        most = index // extra
        listed, self.totals = unpack_index(self._section(INDX, index, length), most)
        header, counts = Header.from_bytes(head, self.version)
        offset = self._start + len(head) + extra
        bodies = []
        for _ in range(sum(counts)):
            bodies.append(self._section(MODL, offset))
            offset += len(bodies[-1]) + extra
        self.header = header.with_fitted(bodies, counts, self.version)
        self.chunks, offset = listed.laid(offset, extra)
        # Every byte of an archive is checked by something: there is no room for others.
        if offset != index and (
            index - offset != len(head) + extra or self._section(HEAD, offset) != head
        ):
            raise ArchiveError(f"{self.path}: the index does not fit the archive")

    def _recover(self, error: ArchiveError) -> None:
        """Take what is whole in the file, whatever its index says."""
        self.totals, self.chunks = None, Chunks()
        self._believe_header()
        header, counts = None, list[int]()
        bodies: list[bytes] = []
        gaps: list[tuple[int, int]] = []
        expected = self._start
        for tag, offset, length in scan.sections(self._file, self.size, expected, self._id):
            if tag == HEAD and header is None:
                header, counts = Header.from_bytes(
                    self._section(HEAD, offset, length), self.version
                )
            elif tag == MODL:
                bodies.append(self._section(MODL, offset, length))
            elif tag not in (HEAD, INDX):
                self.chunks.add(ChunkInfo(tag, offset, length, 0))
            if offset > expected and len(gaps) < _GAPS:
                gaps.append((expected, offset))
            expected = offset + length + framing(self._id)
        if self.size - expected > TRAILER.size:
            gaps.append((expected, self.size))
        self.damage.insert(0, f"{error}; found {len(self.chunks)} whole chunks by scanning")
        lacking = "header" if header is None else "model"
        bodies = bodies[: sum(counts)]  # a damaged file of the archive may hold others
        whole = header is not None and len(bodies) == sum(counts)
        if not whole:
            if not self.chunks:
                raise error
            # of models, fitted or not, bytes have no need; the others none of fitted ones
            kept = self.chunks.only([BYTE] if header is None else set(CHUNKS) - {TILE})
            self.damage.append(
                f"without the {lacking}, {len(self.chunks) - len(kept)} chunks of pictures are lost"
            )
            self.chunks = kept
        self.header = header or _UNKNOWN
        if whole:
            self.header = self.header.with_fitted(bodies, counts, self.version)
        for start, end in gaps:
            start = self._read_names(start, end)
            if start < end:
                text = f"{end - start} bytes from {start} on are damaged: no names could be read"
                self.damage.append(text)

    def _believe_header(self) -> None:
        """Take the id that the first section carries, if that is whole: it stands twice."""
        told = self._id
        try:
            self._id = self._at(self._start + SECTION.size, len(told))
            self._section(HEAD, self._start)
        except ArchiveError:
            self._id = told

    def _check_announced(self, tag: bytes, table: Table) -> None:
        """Raise `ArchiveError` if a table tells what no feature of the archive allows."""
        if isinstance(table, TileTable) and table.model >= len(self.header.models):
            raise ArchiveError("the archive holds pictures by a model its header does not name")
        features = self.header.features
        if lacking := register.told(tag, table, features) - features:
            what = ", ".join(sorted(lacking))
            raise ArchiveError(f"the archive tells {what} though its header does not announce it")
        if any(not one.begins and one.attributes != NONE for one in table.segments):
            raise malformed()

    def _read_names(self, start: int, end: int) -> int:
        """Note the names in damaged chunks from a place on whose tables are whole; return where
        the last of them ends."""
        while start + SECTION.size <= end:
            tag, length = SECTION.unpack(self._at(start, SECTION.size))
            if tag not in CHUNKS or length > max_body(tag):
                break
            try:
                table = self.table(ChunkInfo(tag, start, length, 0))
            except (ArchiveError, ModelError):
                break
            self.lost += [segment.name for segment in table.segments]
            start += length + framing(self._id)
        return min(start, end)

    def _section(self, tag: bytes, offset: int, length: int | None = None) -> bytes:
        """Return the body of the section at an offset, checked."""
        head = self._at(offset, SECTION.size)
        found, size = SECTION.unpack(head)
        if found != tag or size > max_body(tag) or length not in (None, size):
            raise ArchiveError(f"{self.path}: damaged at byte {offset}: no {tag.decode()} section")
        start = offset + SECTION.size
        own = self._at(start, len(self._id))
        # a body may be large: no copy is made of it
        body = self._at(start + len(own), size)
        (crc,) = CRC.unpack(self._at(start + len(own) + size, CRC.size))
        if own != self._id or crc != zlib.crc32(body, zlib.crc32(head + own)):
            raise ArchiveError(f"{self.path}: damaged between bytes {offset} and {offset + size}")
        return body

    def _at(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= self.size - length:
            raise ArchiveError(f"{self.path} is truncated or damaged")
        try:
            if hasattr(os, "pread"):  # moves no place in the file, which forked processes share
                data = os.pread(self._file.fileno(), length, offset)
            else:
                self._file.seek(offset)
                data = self._file.read(length)
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}") from error
        if len(data) != length:
            raise ArchiveError(f"{self.path} became shorter while it was read")
        return data
