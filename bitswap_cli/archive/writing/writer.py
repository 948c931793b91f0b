"""Writing an archive: header, chunks as they come, index, trailer."""

import hashlib
import os
import shutil
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bitswap_cli.archive.format import register
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import ChunkInfo, Chunks, Totals, pack_index
from bitswap_cli.archive.format.sections import (
    CHUNKS,
    END_MAGIC,
    HEAD,
    HEAD_COPY_FROM,
    ID,
    INDX,
    MAGIC,
    MODL,
    NAMED_VERSION,
    PREAMBLE,
    TRAILER,
    framing,
    section,
)
from bitswap_cli.archive.format.segments import Table, TileTable, needed
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.atomic import NewFile, cannot, sync_folder

_PIECE = 1 << 20  # bytes that move at a time


def archive_id(header: Header, sources: Sequence[Source]) -> bytes:
    """Return what tells the sections of an archive from those of others that it may hold.

    It depends on what the header may name, and on names, kinds, sizes, times and attributes of what
    is archived, and on nothing else: equal input gives equal bytes.
    """
    digest = hashlib.sha256(pack_object([header.to_bytes(), header.fitted_models()]))
    for source in sources:
        digest.update(
            pack_object([source.name, source.kind, source.size, source.mtime, source.attributes])
        )
    return digest.digest()[:ID]


class ArchiveWriter:
    """An archive being written (a context manager).

    It is complete when `finish` returns, and appears under its name by `commit`; leaving the
    context earlier removes every trace of it.

    Parameters
    ----------
    path : path
        The archive.
    header : Header
        Its header, to which the features are added that the sources need.
    sources : sequence of Source
        What it will hold; its id depends on that.
    force : bool
        Replace what is there.
    narrows : bool
        Whether the header is to name, in the end, only what chunks have need of.

    Raises
    ------
    InputError
        Here and in every method, if the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        header: Header,
        sources: Sequence[Source] = (),
        *,
        force: bool = False,
        narrows: bool = False,
    ) -> None:
        self._path = os.path.abspath(os.fsencode(path))
        self._file = NewFile(self._path, force=force)
        self.header = header = header.using(needed(sources))
        self._chunks = Chunks()
        self._narrows = narrows
        # by feature or number of a model of tiles, the first chunk that has need of it
        self._first: dict[str | int, int] = {}
        self.size = 0
        """Bytes written so far."""
        self._id = archive_id(header, sources)
        self._write(self._beginning())

    def add(self, tag: bytes, body: bytes, segments: int) -> int:
        """Append a chunk of so many segments; return the bytes it takes."""
        if tag not in CHUNKS:
            raise ValueError(f"no tag of a chunk: {tag!r}")
        if self._narrows:
            self._tell(tag, register.read_table(tag, body, NAMED_VERSION))
        self._chunks.add(ChunkInfo(tag, self.size, len(body), segments))
        self._section(tag, body)
        return len(body) + framing(self._id)

    def mark(self) -> tuple[int, int]:
        """Return where `rewind` can come back to."""
        return self.size, len(self._chunks)

    def rewind(self, mark: tuple[int, int]) -> None:
        """Take back all chunks since a mark."""
        if mark != self.mark():
            self.size, chunks = mark
            self._file.truncate(self.size)
            self._chunks.cut(chunks)
            self._first = {one: place for one, place in self._first.items() if place < chunks}

    @property
    def temporary(self) -> bytes:
        """Where the archive is until it appears."""
        return self._file.temporary

    def finish(self, totals: Totals) -> None:
        """Write the index: the archive is complete, and can be read at `temporary`.

        A header that narrows no longer names what no chunk has need of.
        """
        if self._narrows:
            self._narrow()
        if self.size >= HEAD_COPY_FROM:
            self._section(HEAD, self.header.to_bytes())
        index = self.size
        self._section(INDX, pack_index(self._chunks, totals))
        self._write(TRAILER.pack(index, END_MAGIC))
        self._file.finish()

    def commit(self) -> None:
        """Let the archive appear."""
        self._file.commit()
        sync_folder(os.path.dirname(self._path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.discard()

    def _beginning(self) -> bytes:
        """Return all that is before the chunks."""
        bodies = [(HEAD, self.header.to_bytes())]
        bodies += [(MODL, body) for body in self.header.fitted_models()]
        preamble = PREAMBLE.pack(MAGIC, NAMED_VERSION) + self._id
        return preamble + b"".join(section(*one, self._id) for one in bodies)

    def _tell(self, tag: bytes, table: Table) -> None:
        """Note what the next chunk has need of."""
        needs: set[str | int] = {*register.told(tag, table, self.header.features)}
        if isinstance(table, TileTable):
            needs.add(table.model)
        for one in needs:
            self._first.setdefault(one, len(self._chunks))

    def _narrow(self) -> None:
        """Name only what chunks have need of; these move towards the beginning."""
        features = {one for one in self._first if isinstance(one, str)}
        models = 1 + max((one for one in self._first if isinstance(one, int)), default=-1)
        before = len(self._beginning())
        self.header = self.header.narrowed(features, models)
        beginning = self._beginning()
        if len(beginning) < before:
            self._chunks, self.size = self._chunks.laid(len(beginning), framing(self._id))
            self._shorten(before, beginning)

    def _shorten(self, length: int, beginning: bytes) -> None:
        """Let the first bytes of the file become fewer ones; what is behind them moves forward."""
        new = self._file.file
        try:
            new.flush()
            with open(self.temporary, "rb") as old:
                old.seek(length)
                new.seek(0)
                new.write(beginning)
                shutil.copyfileobj(old, new, _PIECE)
            new.truncate()
        except OSError as error:
            self._file.discard()
            raise cannot("write", self._path, error) from error

    def _section(self, tag: bytes, body: bytes) -> None:
        self._write(section(tag, body, self._id))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
