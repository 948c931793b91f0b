"""The index at the end of an archive: its chunks in order, and sums over all of them."""

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.sections import CHUNKS, MAX_BYTE_BODY, MAX_CHUNKS, MAX_SEGMENTS
from bitswap_cli.archive.format.values.columns import pack_column, unpack_array
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError

_ROW = struct.Struct("<BqII")  # tag, offset, length, segments


class ChunkInfo(NamedTuple):
    """Where a chunk lies."""

    tag: bytes
    """One of `CHUNKS`."""
    offset: int
    """Of the section, from the start of the file."""
    length: int
    """Of the section's body."""
    segments: int
    """Entries, or parts of entries, in it; 0 if not known (after recovery)."""


class Chunks(Sequence[ChunkInfo]):
    """The chunks of an archive in the order of the file, `_ROW` bytes each.

    Parameters
    ----------
    rows : array of COLUMNS, optional
    """

    COLUMNS = np.dtype([("tag", "u1"), ("offset", "<i8"), ("length", "<u4"), ("segments", "<u4")])

    def __init__(self, rows: NDArray[np.void] | None = None) -> None:
        self._rows = bytearray() if rows is None else bytearray(rows.tobytes())

    def add(self, chunk: ChunkInfo) -> None:
        """Append one; raise `ArchiveError` if there are `MAX_CHUNKS` already."""
        if len(self) == MAX_CHUNKS:
            raise ArchiveError(f"an archive holds {MAX_CHUNKS} chunks at most")
        self._rows += _ROW.pack(CHUNKS.index(chunk.tag), *chunk[1:])

    def cut(self, count: int) -> None:
        """Take back all but the first `count`."""
        del self._rows[count * _ROW.size :]

    def laid(self, start: int, framing: int) -> "tuple[Chunks, int]":
        """Return them as they lie from an offset on without gaps, and where they end.

        `framing` is how many bytes a section takes beside its body.
        """
        rows = self._columns().copy()
        ends = start + np.cumsum(rows["length"].astype(np.int64) + framing)
        rows["offset"] = ends - rows["length"] - framing
        return Chunks(rows), int(ends[-1]) if len(ends) else start

    def only(self, tags: Iterable[bytes]) -> "Chunks":
        """Return those of some tags."""
        rows = self._columns()
        return Chunks(rows[np.isin(rows["tag"], [CHUNKS.index(tag) for tag in tags])])

    def pack(self) -> list[object]:
        """Return their number and the columns of the index."""
        rows = self._columns()
        names = ("tag", "length", "segments") if len(rows) else ()
        return [
            len(rows),
            *(pack_column(array("I", rows[name].astype(np.uint32).tobytes())) for name in names),
        ]

    @classmethod
    def unpack(cls, count: int, tag: object, length: object, segments: object) -> "Chunks":
        """Invert `pack`; raise `ArchiveError` if malformed. Where they lie is not told."""
        rows = np.zeros(count, cls.COLUMNS)
        rows["tag"] = unpack_array(tag, count, len(CHUNKS))
        rows["length"] = unpack_array(length, count, MAX_BYTE_BODY + 1)
        rows["segments"] = unpack_array(segments, count, MAX_SEGMENTS + 1)
        return cls(rows)

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def __iter__(self) -> Iterator[ChunkInfo]:
        return (self[number] for number in range(len(self)))

    @overload
    def __getitem__(self, number: int) -> ChunkInfo: ...

    @overload
    def __getitem__(self, number: slice) -> "Chunks": ...

    def __getitem__(self, number: int | slice) -> "ChunkInfo | Chunks":
        if isinstance(number, slice):
            return Chunks(self._columns()[number])
        place = range(len(self))[number] * _ROW.size
        tag, *rest = _ROW.unpack_from(self._rows, place)
        return ChunkInfo(CHUNKS[tag], *rest)

    def _columns(self) -> NDArray[np.void]:
        return np.frombuffer(bytes(self._rows), self.COLUMNS)


class Totals(NamedTuple):
    """Sums over an archive."""

    entries: int
    """Files, links and empty folders."""
    bytes_before: int
    """Bytes of the original files."""
    samples: int
    """Subpixels coded by the model."""
    net_bits: int
    """Net bits of these subpixels, rounded."""


def pack_index(chunks: Chunks, totals: Totals) -> bytes:
    """Serialise the chunks, but for where they lie, and the totals."""
    return pack_object([*totals, *chunks.pack()])


def unpack_index(body: bytes, most: int) -> tuple[Chunks, Totals]:
    """Invert `pack_index`; raise `ArchiveError` if malformed or of more than `most` chunks.

    Where the chunks lie is not told: see `Chunks.laid`.
    """
    match unpack_object(body, "index"):
        case [int(), int(), int(), int(), 0] as totals:
            return Chunks(), Totals(*totals[:4])
        # A column can be one number however many rows it stands for, so the length of the index
        # does not bound their count.
        case [int(), int(), int(), int(), int(count), tag, length, segments] as totals if (
            0 < count <= min(most, MAX_CHUNKS)
        ):
            return Chunks.unpack(count, tag, length, segments), Totals(*totals[:4])
    raise ArchiveError("the archive's index is malformed")
