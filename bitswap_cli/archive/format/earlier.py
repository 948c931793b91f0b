"""Tables of chunks in archives of versions 1 to 4: rows of columns in a fixed order."""

from typing import Any

from bitswap_cli.archive.format.sections import MAX_EXTRAS, MAX_SEGMENTS
from bitswap_cli.archive.format.segments import (
    BYTE_KINDS,
    ByteSegment,
    ByteTable,
    TileSegment,
    TileTable,
)
from bitswap_cli.archive.format.values.columns import (
    malformed,
    named,
    unpack_column,
    unpack_names,
    unpack_times,
)
from bitswap_cli.images.formats import register
from bitswap_cli.images.orientation import ORIENTATIONS

_KINDS = BYTE_KINDS[:3]


def tile_table(found: Any) -> TileTable:
    """Read the object of a TILE chunk's table; raise `ArchiveError` if it is malformed."""
    match found:
        case [
            int(count),
            int(checksum),
            int(swallowed),
            int(factor),
            shared,
            ends,
            kind,
            *columns,
        ] if 0 < count <= MAX_SEGMENTS and 0 <= swallowed <= MAX_EXTRAS and len(columns) in (6, 7):
            names = unpack_names(shared, ends, count)
            known = {kind.number: kind.name for kind in register.kinds()}
            kinds = named(known, unpack_column(kind, count))
            numbers = [unpack_column(column, count) for column in columns[:6]]
            numbers += [unpack_column(column, count, ORIENTATIONS) for column in columns[6:]]
            segments = [TileSegment(*row) for row in zip(names, kinds, *numbers, strict=True)]
            return TileTable(segments, checksum, swallowed, factor)
    raise malformed()


def byte_table(found: Any) -> ByteTable:
    """Read the object of a BYTE chunk's table; raise `ArchiveError` if it is malformed."""
    match found:
        case [
            int(count),
            int(checksum),
            shared,
            ends,
            kind,
            size,
            offset,
            length,
            start,
            steps,
        ] if 0 < count <= MAX_SEGMENTS:
            names = unpack_names(shared, ends, count)
            kinds = named(dict(enumerate(_KINDS)), unpack_column(kind, count))
            sizes = unpack_column(size, count)
            lengths = sizes if length == 0 else unpack_column(length, count)
            rows = zip(
                names,
                kinds,
                sizes,
                unpack_column(offset, count),
                lengths,
                unpack_times(start, steps, count),
                strict=True,
            )
            segments = [ByteSegment(*row) for row in rows]
            return ByteTable(segments, checksum)
    raise malformed()
