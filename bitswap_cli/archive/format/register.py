"""The kinds of chunks, one for each tag: how their tables are read, and how they are decoded."""

import zlib
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import Any, NamedTuple, TypeVar

from bitswap_cli.archive.codecs import Codecs, Need
from bitswap_cli.archive.format import drawn, jpeg
from bitswap_cli.archive.format.chunks import decode_bytes, decode_tiles
from bitswap_cli.archive.format.header import (
    DRAWN,
    EQUAL,
    JPEGS,
    LARGE,
    LONG,
    MIXED,
    MIXED_2,
    MIXED_3,
    MODELS,
    RECIPES,
    REPEATS,
    TURNED,
    TWINS,
    VP8,
)
from bitswap_cli.archive.format.sections import (
    BYTE,
    CRC,
    DRAW,
    JPEG,
    LENGTH,
    MAX_CHUNK_BYTES,
    TILE,
    after_table,
)
from bitswap_cli.archive.format.segments import (
    ByteTable,
    DecodedFile,
    Extra,
    Table,
    TileSegment,
    TileTable,
    WholeTable,
    needed,
)
from bitswap_cli.archive.format.tables import (
    unpack_byte_table,
    unpack_tile_table,
    unpack_whole_table,
)
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.orientation import UPSIDE_DOWN
from bitswap_cli.threads import Run

Decoded = tuple[Samples, list[Extra]] | list[DecodedFile] | Buffer
"""What a chunk holds: its tiles, and the extras of pictures that start there; whole files, as its
table tells them; or bytes."""
T = TypeVar("T")


class ChunkKind(NamedTuple):
    """What chunks of one tag are."""

    holds: str
    """What, in words."""
    feature: str | None
    """Of archives that may have any; None: all."""
    table: Callable[[bytes, int], Table]
    """Reads a table of a format version."""
    codec: Callable[[Codecs, Need], Any]
    """Their codec, of those of an archive; None if that lacks it."""
    decode: Callable[[Any, Any, bytes, Run], Callable[[], Decoded]]
    """Begins to decode a body, given a codec and a table; what is returned waits for it."""


def _at_once(decode: Callable[[bytes], T], body: bytes, run: Run) -> Callable[[], T]:
    return partial(next, run(decode, [body]))


KINDS = {
    TILE: ChunkKind(
        "pictures",
        None,
        unpack_tile_table,
        lambda codecs, need: codecs.tiles.get(need.model),
        lambda codec, table, body, run: _at_once(partial(decode_tiles, codec, table), body, run),
    ),
    BYTE: ChunkKind(
        "bytes",
        None,
        unpack_byte_table,
        lambda codecs, need: (),
        lambda codec, table, body, run: decode_bytes(table, body, run),
    ),
    JPEG: ChunkKind(
        "JPEG files",
        JPEGS,
        lambda blob, version: unpack_whole_table(blob, jpeg.KINDS, twins=True),
        lambda codecs, need: codecs.coefficients,
        jpeg.decode_jpegs,
    ),
    DRAW: ChunkKind(
        "whole pictures",
        DRAWN,
        lambda blob, version: unpack_whole_table(blob, drawn.kinds(), mixed=True),
        lambda codecs, need: codecs.pictures,
        drawn.decode_pictures,
    ),
}


def read_table(tag: bytes, body: bytes, version: int) -> Table:
    """Read a table from the beginning of a body (up to its own CRC-32 at least)."""
    end = after_table(body)
    table = body[LENGTH.size : end - CRC.size]
    if CRC.unpack_from(body, end - CRC.size)[0] != zlib.crc32(table):
        raise ArchiveError("the archive holds a damaged table")
    return KINDS[tag].table(table, version)


def need_of(tag: bytes, table: Table) -> Need:
    """Return of which codec a chunk has need."""
    return Need(tag, table.model if isinstance(table, TileTable) else 0)


def told(tag: bytes, table: Table, features: Set[str]) -> frozenset[str]:
    """Return the features that an archive, which announces some, needs to hold a chunk, as far as
    its table tells."""
    kind = KINDS[tag]
    found = {kind.feature} if kind.feature else set[str]()
    match table:
        case TileTable():
            found |= {MODELS} if table.model else set()
            found.update(*(_of_tiles(one, features) for one in table.segments))
        case ByteTable():
            found |= {LONG} if table.length > MAX_CHUNK_BYTES else set()
            found |= _of_mixing(MIXED, table.mixed) | ({VP8} if table.frames else set())
            found |= {REPEATS} if table.repeats else set()
        case WholeTable():
            found |= _of_mixing(RECIPES, table.mixed)
            found |= {EQUAL} if any(one.twin for one in table.segments) else set()
            found.update(*(_of_kind(one.kind) for one in table.segments if tag == DRAW))
    return needed(table.segments) | found


_MIXINGS: Mapping[int, Sequence[str]] = {1: [], 2: [MIXED_2], 3: [MIXED_3]}
"""What archives name besides of each version of context mixing."""


def _of_mixing(feature: str, version: int) -> set[str]:
    return {feature, *_MIXINGS[version]} if version else set()


def _of_kind(name: str) -> set[str]:
    kind = kind_of(name)
    return ({DESCRIBED} if kind.described else set()) | (set() if kind.plain else {kind.feature})


def _of_tiles(tiles: TileSegment, features: Set[str]) -> set[str]:
    by_rows = LARGE in features and kind_of(tiles.kind).rows is not None
    by_strips = by_rows and tiles.orientation == UPSIDE_DOWN
    found = {
        LARGE: tiles.large or by_strips,
        TURNED: tiles.orientation > 0 and not by_strips,
        TWINS: tiles.twin > 0,
    }
    return _of_kind(tiles.kind).union(name for name, is_told in found.items() if is_told)


def decode_chunk(
    tag: bytes, codecs: Codecs, table: Table, body: bytes, run: Run = map
) -> Callable[[], Decoded]:
    """Begin to decode a chunk.

    Parameters
    ----------
    tag : bytes
    codecs : Codecs
    table : Table
    body : bytes
    run : callable

    Returns
    -------
    callable
        Waits for what the chunk holds.

    Raises
    ------
    ArchiveError
        Here or later, if the chunk is damaged.
    """
    kind = KINDS[tag]
    codec = kind.codec(codecs, need_of(tag, table))
    if codec is None:
        raise ArchiveError(f"the archive holds {kind.holds} that its index does not announce")
    return kind.decode(codec, table, body, run)
