"""Reading an archive: header, index, tables and bodies, each checked before it is believed."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from bitswap_cli.archive.format import Header


class ChunkInfo(NamedTuple):
    """Where a chunk lies."""

    tag: bytes
    """``b'TILE'`` or ``b'BYTE'``."""
    offset: int
    """Of the section, from the start of the file."""
    length: int
    """Of the section's body."""
    segments: int
    """Entries, or parts of entries, in it."""


class Totals(NamedTuple):
    """Sums over the archive, from its index."""

    entries: int
    bytes_before: int
    samples: int
    net_bits: int


class Entry(NamedTuple):
    """One file, link or empty folder, as `list` shows it."""

    name: bytes
    """Relative path, '/'-separated."""
    kind: str
    """'png', 'bmp', 'pnm', 'file', 'dir' or 'link'."""
    exact: bool
    """True: comes back byte for byte; False: pixel for pixel, with its metadata."""
    size: int
    """Bytes of the original file."""
    shape: tuple[int, int, int] | None
    """Height, width and channels of a picture that the model coded."""


class ArchiveReader:
    """An open archive (a context manager).

    Parameters
    ----------
    path : path
        The archive.
    recover : bool
        If the index is damaged, find the chunks that are whole by scanning the file.

    Raises
    ------
    InputError
        If the file cannot be read.
    ArchiveError
        If it is not an archive or is damaged.
    ModelError
        If its format version is newer than this program.
    """

    path: str
    header: Header
    chunks: list[ChunkInfo]
    totals: Totals | None
    """None after recovery."""
    size: int
    """Bytes of the archive."""

    def __init__(self, path: str | os.PathLike[str], *, recover: bool = False) -> None:
        raise NotImplementedError

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in the order stored, reading only the tables."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
