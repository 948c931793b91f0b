"""An archive back into files."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from bitswap_cli.archive.format.chunks import decode_bytes, decode_tiles
from bitswap_cli.archive.format.names import display
from bitswap_cli.archive.format.sections import SECTION_EXTRA, TILE, Header
from bitswap_cli.archive.format.tables import ByteTable, Extra, TileTable
from bitswap_cli.archive.reading.assembly import Assembler
from bitswap_cli.archive.reading.reader import ArchiveReader, ChunkInfo
from bitswap_cli.archive.reading.restore import Folder, Nowhere, Sink
from bitswap_cli.archive.report import Progress, UnpackReport
from bitswap_cli.contract import Samples, TileCodec
from bitswap_cli.errors import ArchiveError, InputError, PartialError

CodecFor = Callable[[Header], TileCodec]
_Decoded = tuple[Samples, list[Extra]] | bytes
_NAMED = 20  # lost entries named in a message


def unpack(
    reader: ArchiveReader,
    codec_for: CodecFor,
    directory: str | os.PathLike[str],
    *,
    force: bool = False,
    keep_going: bool = False,
    threads: int = 1,
    select: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> UnpackReport:
    """Restore the entries of an archive below a folder.

    Parameters
    ----------
    reader : ArchiveReader
        The archive; opened with ``recover=True`` to make the most of `keep_going`.
    codec_for : callable
        Gives the decoder that a header asks for; called at most once, and only if some entry needs
        it. What it raises (`ModelError`) is passed on.
    directory : path
        Output folder, created if missing. Nothing is written outside of it.
    force : bool
        Replace existing files.
    keep_going : bool
        Restore what is undamaged, then raise `PartialError` naming what is lost.
    threads : int
        Chunks decoded at the same time.
    select : sequence of str, optional
        Restore only these entries (names as listed, or folders of them).
    progress : callable, optional
        Called with the archive bytes done and the archive bytes in all.

    Raises
    ------
    InputError
        If the folder cannot be written, an output exists, or a selected entry does not.
    ArchiveError
        If the archive is damaged, or holds a name that would leave the output folder.
    PartialError
        With `keep_going`, if something was lost; always, if a link was refused because it points
        outside of the output folder (everything else is restored first).
    """
    wanted = _Selection(select)
    folder = Folder(directory, force=force)
    needs_codec = False
    try:
        # Before the first byte is written: every name is safe and free, and there is a decoder.
        for chunk in reader.chunks:
            try:
                for segment in reader.table(chunk).segments:
                    if wanted(segment.name):
                        folder.check(segment.name)
                        needs_codec = needs_codec or chunk.tag == TILE
            except ArchiveError:
                if not keep_going:
                    raise
        if missing := wanted.missing():
            raise InputError(f"{reader.path} holds no entry {', '.join(map(display, missing))}")
        codec = _find_codec(reader, codec_for) if needs_codec else None
        return _run(reader, codec, folder, wanted, keep_going, threads, progress)
    finally:
        folder.close()


def verify(
    reader: ArchiveReader,
    codec_for: CodecFor,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> UnpackReport:
    """Decode and check everything in an archive; write nothing.

    Parameters and errors are those of `unpack`.
    """
    needs_codec = any(chunk.tag == TILE for chunk in reader.chunks)
    codec = _find_codec(reader, codec_for) if needs_codec else None
    report = _run(reader, codec, Nowhere(), _Selection(None), False, threads, progress)
    totals = reader.totals
    if totals and (report.entries, report.samples) != (totals.entries, totals.samples):
        raise ArchiveError(f"{reader.path}: the totals in its index are wrong")
    return report


def _find_codec(reader: ArchiveReader, codec_for: CodecFor) -> TileCodec:
    if reader.header.model is None:
        raise ArchiveError(f"{reader.path} holds pictures but names no model")
    codec = codec_for(reader.header)
    if reader.header.tile != (codec.tile_height, codec.tile_width, codec.channels):
        raise ArchiveError(f"{reader.path}: the tiles in its header are not those of its model")
    return codec


class _Selection:
    """Which names are wanted: all, or some and what is in folders of these names."""

    def __init__(self, select: Sequence[str] | None) -> None:
        self._names = None if select is None else {os.fsencode(n).rstrip(b"/") for n in select}
        self._seen: set[bytes] = set()

    def __call__(self, name: bytes) -> bool:
        if self._names is None:
            return True
        parts = name.split(b"/")
        heads = {b"/".join(parts[: k + 1]) for k in range(len(parts))}
        found = heads & self._names
        self._seen |= found
        return bool(found)

    def missing(self) -> list[bytes]:
        """Return the selected names that no entry had so far."""
        return sorted((self._names or set()) - self._seen)


class _Pending(NamedTuple):
    """A chunk being decoded."""

    chunk: ChunkInfo
    table: TileTable | ByteTable
    result: Future[_Decoded]


def _run(
    reader: ArchiveReader,
    codec: TileCodec | None,
    sink: Sink,
    wanted: _Selection,
    keep_going: bool,
    threads: int,
    progress: Progress | None,
) -> UnpackReport:
    """Decode chunks at the same time, put entries together in order."""
    assembler = Assembler(sink, wanted, keep_going=keep_going)
    report = assembler.report
    report.lost += reader.damage
    pending: deque[_Pending] = deque()
    done = 0
    pool = ThreadPoolExecutor(threads)

    def take() -> None:
        nonlocal done
        chunk, table, result = pending.popleft()
        try:
            decoded = result.result()
            if isinstance(table, TileTable) and not isinstance(decoded, bytes):
                assembler.add_tiles(table, *decoded)
            elif isinstance(table, ByteTable) and isinstance(decoded, bytes):
                assembler.add_bytes(table, decoded)
        except ArchiveError as error:
            if not keep_going:
                raise reader.located(error, chunk) from error
            assembler.lose(segment.name for segment in table.segments)
        done += chunk.length + SECTION_EXTRA
        if progress:
            progress(done, reader.size)

    try:
        for chunk in reader.chunks:
            table: TileTable | ByteTable | None = None
            try:
                table = reader.table(chunk)
                if not any(wanted(segment.name) for segment in table.segments):
                    done += chunk.length + SECTION_EXTRA
                    continue
                body = reader.body(chunk)
            except ArchiveError:
                if not keep_going:
                    raise
                if table is None:
                    parts = f" with {chunk.segments} entries or parts" if chunk.segments else ""
                    report.lost.append(f"the chunk at byte {chunk.offset}{parts}")
                else:
                    assembler.lose(segment.name for segment in table.segments)
                continue
            pending.append(_Pending(chunk, table, pool.submit(_decode, codec, table, body)))
            if len(pending) > threads:
                take()
        while pending:
            take()
        assembler.finish()
        refused = sink.finish()
    finally:
        assembler.discard()
        pool.shutdown(cancel_futures=True)
    report.lost += refused
    if report.lost:
        more = len(report.lost) - _NAMED
        named = "; ".join(report.lost[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
        raise PartialError(f"{reader.path}: not restored: {named}")
    if progress:
        progress(reader.size, reader.size)
    return report


def _decode(codec: TileCodec | None, table: TileTable | ByteTable, body: bytes) -> _Decoded:
    if isinstance(table, ByteTable):
        return decode_bytes(table, body)
    if codec is None:
        raise ArchiveError("the archive holds pictures that its index does not announce")
    return decode_tiles(codec, table, body)
