"""An archive back into files."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from typing import NamedTuple, cast

from bitswap_cli.archive.codecs import Codecs, CodecsFor, Need
from bitswap_cli.archive.format.header import FOLDERS, MODES, SPOOLED
from bitswap_cli.archive.format.index import ChunkInfo
from bitswap_cli.archive.format.jpeg import become_jpegs
from bitswap_cli.archive.format.names import above, jpeg_name
from bitswap_cli.archive.format.register import Decoded, decode_chunk, need_of
from bitswap_cli.archive.format.sections import BYTE, MAX_BLOCK, TILE
from bitswap_cli.archive.format.segments import (
    DECODED_KINDS,
    FOLDER_KINDS,
    ByteTable,
    Extra,
    Table,
    TileTable,
    WholeTable,
)
from bitswap_cli.archive.reading.assembly import Assembler
from bitswap_cli.archive.reading.copies import Copies, Selection
from bitswap_cli.archive.reading.opened import Part
from bitswap_cli.archive.reading.places import Places
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.restore import Folder
from bitswap_cli.archive.reading.sink import Nowhere, Sink
from bitswap_cli.archive.report import Progress, UnpackReport
from bitswap_cli.archive.system.giving import Giver
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, InputError, PartialError
from bitswap_cli.images.formats.register import is_described, is_inexact
from bitswap_cli.images.inspection import Sooner, never
from bitswap_cli.threads import Threads

_NAMED = 20  # lost entries named in a message


def unpack(
    reader: ArchiveReader,
    codecs_for: CodecsFor,
    directory: str | os.PathLike[str],
    *,
    force: bool = False,
    keep_going: bool = False,
    pixels: bool = False,
    as_jpeg: bool = False,
    threads: int = 1,
    select: Sequence[str] | None = None,
    giver: Giver | None = None,
    progress: Progress | None = None,
) -> UnpackReport:
    """Restore the entries of an archive below a folder.

    Parameters
    ----------
    reader : ArchiveReader
        The archive; opened with ``recover=True`` to make the most of `keep_going`.
    codecs_for, directory : callable, path
        Gives the decoders that a header asks for; called at most once, and only for chunks that are
        needed (its `ModelError` is passed on). Output folder, created if missing: nothing is
        written outside of it.
    force, keep_going, pixels, as_jpeg : bool
        Replace existing files; restore what is whole, then raise `PartialError` naming the rest; be
        content with PNG files of the right pixels and metadata, which are made sooner; write
        pictures that were JPEGs as JPEGs again, where these decode to the same pixels.
    threads : int
        Chunks decoded at the same time.
    select : sequence of str, optional
        Restore only these entries (names as listed, or folders of them).
    giver, progress : Giver, callable, optional
        Gives entries their attributes; is called with the archive bytes done, and those in all.

    Raises
    ------
    InputError
        If the folder cannot be written, an output exists, or a selected entry does not.
    ArchiveError
        If the archive is damaged, or holds a name that would leave the output folder.
    PartialError
        If something was lost, or a link points out of the folder; everything else is restored.
    """
    wanted, giver = Selection(select), giver or Giver()
    private = reader.header.features >= {FOLDERS, MODES}
    folder = Folder(directory, giver, force=force, keep_going=keep_going, private=private)
    try:
        # Before the first byte is written: every name is safe and free, and there is a decoder.
        copies = Copies(reader, wanted, keep_going=keep_going)
        sooner = is_described if pixels else never
        how = _How(keep_going, sooner, _names(reader) if as_jpeg else None)
        needs = _check(reader, folder, copies, how)
        wanted.check(reader.path)
        codecs = find_codecs(reader, codecs_for, needs)
        report = _Unpacking(reader, codecs, folder, copies, how, threads, progress).run()
        report.notes += giver.notes(reader.header.features)
        return whole(reader.path, "restored", report)
    finally:
        folder.close()


def verify(
    reader: ArchiveReader,
    codecs_for: CodecsFor,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> UnpackReport:
    """Decode and check everything in an archive; write nothing, and deflate nothing that comes back
    by its pixels only.

    Parameters and errors are those of `unpack`, but for `PartialError`: `lost` of the report names
    what could not be restored on this system.
    """
    needs = {_need(reader, chunk) for chunk in reader.chunks}
    codecs = find_codecs(reader, codecs_for, needs)
    everything = Copies(reader, Selection(None), keep_going=False)
    how = _How(sooner=is_inexact)
    nowhere = Nowhere(spooling=not reader.header.features.isdisjoint(SPOOLED))
    report = _Unpacking(reader, codecs, nowhere, everything, how, threads, progress).run()
    report.entries += len(report.lost)  # they were checked all the same
    totals = reader.totals
    if totals and (report.entries, report.samples) != (totals.entries, totals.samples):
        raise ArchiveError(f"{reader.path}: the totals in its index are wrong")
    return report


def whole(path: str, done: str, report: UnpackReport) -> UnpackReport:
    """Return a report of an archive; raise `PartialError` if something in it was not `done`."""
    if report.lost:
        more = len(report.lost) - _NAMED
        named = "; ".join(report.lost[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
        raise PartialError(f"{path}: not {done}: {named}")
    return report


def _check(reader: ArchiveReader, folder: Folder, copies: Copies, how: "_How") -> set[Need]:
    """Refuse names that cannot be restored; return what the chunks that are needed have need of."""
    needs, places = set[Need](), Places()
    for chunk in reader.chunks:
        try:
            table = reader.table(chunk)
        except ArchiveError:
            if not how.keep_going:
                raise
            continue
        for segment in table.segments:
            if copies.needed(segment.name):
                needs.add(need_of(chunk.tag, table))
            if not copies.wanted(segment.name):
                continue
            if not segment.begins:
                continue
            try:
                places.take(segment.name, folder=segment.kind in FOLDER_KINDS)
            except (ArchiveError, InputError) as error:
                if not how.keep_going:
                    raise type(error)(f"{reader.path}: {error}") from error
                continue
            folder.check(segment.name)
        for name in _jpegs(reader, chunk, table, copies, how):
            folder.check(name)
    return needs


def _jpegs(
    reader: ArchiveReader, chunk: ChunkInfo, table: Table, copies: Copies, how: "_How"
) -> list[bytes]:
    """Return the names of the JPEGs that pictures of a chunk may become, see `Assembler`."""
    if how.taken is None or not isinstance(table, WholeTable):
        return []
    if not any(segment.kind in DECODED_KINDS for segment in table.segments):
        return []
    try:
        told = become_jpegs(table, reader.body(chunk))
    except ArchiveError as error:
        if not how.keep_going:
            raise reader.located(error, chunk) from error
        return []
    mine = (name for name in told if copies.wanted(name) and not copies.copied(name))
    return [name for name in map(jpeg_name, mine) if name not in how.taken]


def _need(reader: ArchiveReader, chunk: ChunkInfo) -> Need:
    """Return of which codec a chunk has need; its table is read only if it tells that."""
    tells = chunk.tag == TILE and len(reader.header.models) != 1
    return need_of(chunk.tag, reader.table(chunk)) if tells else Need(chunk.tag)


def find_codecs(reader: ArchiveReader, codecs_for: CodecsFor, needs: Set[Need]) -> Codecs:
    """Return the decoders that chunks need; raise `ArchiveError` if they do not fit the archive."""
    if not any(need.tag != BYTE for need in needs):
        return Codecs()
    try:
        codecs = codecs_for(reader.header, needs)
    except ArchiveError as error:
        raise reader.located(error) from error
    for number in (need.model for need in needs if need.tag == TILE):
        codec = codecs.tiles[number]
        own = codec.tile_height, codec.tile_width, codec.channels
        if reader.header.models[number].tile != own:
            raise ArchiveError(f"{reader.path}: the tiles in its header are not those of its model")
    return codecs


class _How(NamedTuple):
    """How files are restored, see `unpack`."""

    keep_going: bool = False
    sooner: Sooner = never
    taken: Set[bytes] | None = None
    """Names that pictures that were JPEGs must not have as such; None: they do not become any."""


def _names(reader: ArchiveReader) -> set[bytes]:
    """Return the names of all entries, and of the folders that they are in."""
    names = set[bytes]()
    for chunk in reader.chunks:
        with contextlib.suppress(ArchiveError):  # which comes again when the chunk is read
            for segment in reader.table(chunk).segments:
                names.update([segment.name, *above(segment.name)])
    return names


_Found = Decoded | Iterator[Part]
"""What a chunk holds."""
_Tiles = Callable[[], tuple[Samples, list[Extra]]]


class _Pending(NamedTuple):
    """A chunk being decoded."""

    length: int
    """Bytes of files in it."""
    chunk: ChunkInfo
    table: Table
    result: Callable[[], _Found]


class _Unpacking:
    """The way of chunks into files: decoded at the same time, put together in order."""

    def __init__(
        self,
        reader: ArchiveReader,
        codecs: Codecs,
        sink: Sink,
        copies: Copies,
        how: _How,
        threads: int,
        progress: Progress | None,
    ) -> None:
        self._reader = reader
        self._codecs = codecs
        self._sink = sink
        self._copies = copies
        self._keep_going = how.keep_going
        self._threads = threads
        self._progress = progress
        self._assembler = Assembler(sink, copies, **how._asdict())
        self._pool = Threads(threads)
        self._pending: deque[_Pending] = deque()
        self._done = 0
        self._unreadable = 0

    def run(self) -> UnpackReport:
        """Restore what is wanted; the report says what is lost."""
        report = self._assembler.report
        report.lost += self._reader.damage
        self._assembler.lose(self._reader.lost)
        try:
            for chunk in self._reader.chunks:
                self._begin(chunk)
                if len(self._pending) > self._threads:
                    self._take()
            while self._pending:
                self._take()
            self._assembler.finish()
            if self._unreadable > _NAMED:
                report.lost.append(f"{self._unreadable - _NAMED} more chunks")
            refused = self._sink.finish()
            report.lost += refused
            report.entries -= len(refused)
        finally:
            self._assembler.discard()
            self._pool.end()
        if self._progress and not report.lost:
            self._progress(self._reader.size, self._reader.size)
        return report

    def _begin(self, chunk: ChunkInfo) -> None:
        """Let a chunk be decoded, if there is anything wanted in it."""
        table: Table | None = None
        try:
            table = self._reader.table(chunk)
            if not any(self._copies.needed(segment.name) for segment in table.segments):
                self._done = chunk.offset + chunk.length
                return
            length = table.length if isinstance(table, ByteTable) else 0
            while self._pending and sum(one.length for one in self._pending) + length > MAX_BLOCK:
                self._take()
            body = self._reader.body(chunk)
            result = self._decoded(chunk, table, body)
        except ArchiveError as error:
            if not self._keep_going:
                raise self._reader.located(error, chunk) from error
            if table is None:
                self._miss(chunk)
            else:
                self._assembler.lose(segment.name for segment in table.segments)
            return
        self._pending.append(_Pending(length, chunk, table, result))

    def _decoded(self, chunk: ChunkInfo, table: Table, body: bytes) -> Callable[[], _Found]:
        """Begin to decode a chunk; return what waits for it."""
        if not isinstance(table, TileTable):
            return decode_chunk(chunk.tag, self._codecs, table, body, self._pool.map)
        decode = cast(_Tiles, decode_chunk(chunk.tag, self._codecs, table, body))
        found = self._pool.each(lambda: self._assembler.parts(table, decode))
        return lambda: found

    def _miss(self, chunk: ChunkInfo) -> None:
        """Note a chunk whose names are not known; a damaged file may hold millions."""
        self._unreadable += 1
        if self._unreadable <= _NAMED:
            parts = f" with {chunk.segments} entries or parts" if chunk.segments else ""
            self._assembler.report.lost.append(f"the chunk at byte {chunk.offset}{parts}")

    def _take(self) -> None:
        """Wait for the first chunk that is being decoded, and put its entries together."""
        _, chunk, table, result = self._pending.popleft()
        try:
            self._assembler.add(table, result())
        except ArchiveError as error:
            if not self._keep_going:
                raise self._reader.located(error, chunk) from error
            self._assembler.lose(segment.name for segment in table.segments)
        self._done = chunk.offset + chunk.length
        if self._progress:
            self._progress(self._done, self._reader.size)
