"""Bodies of TILE and BYTE chunks <-> their parts: a table that can be read alone, and what it
describes."""

import zlib
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.sections import (
    LENGTH,
    MAX_BLOCK,
    MAX_CHUNK_SAMPLES,
    MAX_STRIP,
    after_table,
    framed,
)
from bitswap_cli.archive.format.segments import (
    ByteSegment,
    ByteTable,
    Extra,
    TileSegment,
    TileTable,
)
from bitswap_cli.archive.format.tables import (
    pack_byte_table,
    pack_extras,
    pack_tile_table,
    unpack_extras,
)
from bitswap_cli.archive.format.values.blobs import Buffer, pack_blob, unpack_blob
from bitswap_cli.archive.format.values.frames import MAX_FRAMED, pack_frames, unpack_frames
from bitswap_cli.archive.format.values.repeats import (
    joined,
    pack_part,
    pack_repeats,
    parts_of,
    unpack_part,
    unpack_repeats,
)
from bitswap_cli.contract import Samples, TileCodec
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import MAX_ROW, MAX_ROWS, is_held
from bitswap_cli.images.tiles import checksum, count_tiles, tile_sizes
from bitswap_cli.mixing import octets
from bitswap_cli.mixing.state import NEWEST
from bitswap_cli.threads import Run


def encode_tiles(
    codec: TileCodec,
    segments: list[TileSegment],
    tiles: Samples,
    sizes: NDArray[np.int32],
    extras: list[Extra],
    model: int = 0,
) -> tuple[bytes, NDArray[np.float64]]:
    """Build the body of a TILE chunk.

    Parameters
    ----------
    codec : TileCodec
    segments : list of TileSegment
        What the tiles are, in order; twins have none of their own.
    tiles : array (N, f * tile_height, f * tile_width, channels) of the codec's alphabet
    sizes : int32 array (N, 3)
    extras : list of Extra
        Of the segments that tell any, in order.
    model : int
        Number of the codec's model in the header.

    Returns
    -------
    body : bytes
    bits : float64 array (N,)
        Net bits of each tile.
    """
    payload = pack_extras(extras)
    words, used, bits = codec.encode(tiles, sizes, payload)
    factor = tiles.shape[1] // codec.tile_height
    table = TileTable(segments, checksum(tiles, sizes), used, factor, model)
    rest = payload[used:]
    return b"".join([framed(pack_tile_table(table)), LENGTH.pack(len(rest)), rest, words]), bits


def decode_tiles(codec: TileCodec, table: TileTable, body: bytes) -> tuple[Samples, list[Extra]]:
    """Invert `encode_tiles`; raise `ArchiveError` if anything is not as the table says."""
    channels = max(segment.channels for segment in table.segments)
    found = codec.of(channels)
    if found is None:
        raise ArchiveError(
            f"the archive holds pictures of {channels} channels but no model of them"
        )
    codec = found
    kinds = {segment.kind for segment in table.segments}
    if any(kind_of(kind).alphabet != codec.alphabet for kind in kinds):
        raise ArchiveError("the archive holds pictures of other samples than its model codes")
    if table.factor not in codec.factors:
        raise ArchiveError("the archive holds tiles of a size that its model does not code")
    geometry = (codec.tile_height * table.factor, codec.tile_width * table.factor)
    _check_tiles(table, (*geometry, codec.channels), channels)
    sizes = np.concatenate([tile_sizes(s.laid, *geometry, s.first, s.tiles) for s in table.coded])
    rest, words = parts(body)
    tiles, payload = codec.decode(words, sizes, table.factor)
    # Beyond what was swallowed the initial bits were zeros.
    if len(payload) < table.swallowed or any(payload[table.swallowed :]):
        raise ArchiveError("the archive holds a chunk whose initial bits are wrong")
    if checksum(tiles, sizes) != table.checksum:
        raise ArchiveError(
            "pixels were decoded wrongly (checksum mismatch): the archive was made by an "
            "incompatible machine or version"
        )
    told = sum(segment.tells for segment in table.segments)
    return tiles, unpack_extras(payload[: table.swallowed] + rest, told)


def parts(body: bytes) -> tuple[bytes, bytes]:
    """Return what follows the table of a TILE chunk: what its initial bits did not swallow of the
    extras, and its words; raise `ArchiveError` if it is too short."""
    position = after_table(body)
    if position + LENGTH.size <= len(body):
        start = position + LENGTH.size
        end = start + LENGTH.unpack_from(body, position)[0]
        if end <= len(body):
            return body[start:end], body[end:]
    raise ArchiveError("the archive holds a chunk that is too short")


def encode_bytes(
    segments: list[ByteSegment], data: Buffer, squeeze: Callable[[Buffer], bytes] | None = None
) -> bytes:
    """Build the body of a BYTE chunk from its segments and their bytes, joined.

    See `pack_blob` for `squeeze`.
    """
    table = pack_byte_table(ByteTable(segments, zlib.crc32(data)))
    return framed(table) + pack_blob(data, squeeze)


def encode_mixed(segments: list[ByteSegment], data: Buffer | memoryview) -> bytes | None:
    """Build the body of a BYTE chunk by context mixing; None if that does not take less room than
    the data, at most `octets.MOST` bytes."""
    words = octets.encode(data, len(data) // 4)
    if words is None:
        return None
    table = pack_byte_table(ByteTable(segments, zlib.crc32(data), mixed=NEWEST))
    return framed(table) + words.astype("<u4").tobytes()


def encode_frames(segments: list[ByteSegment], data: Buffer | memoryview) -> bytes | None:
    """Build the body of a BYTE chunk whose VP8 frames are coded by their decisions; None if there
    are none in the data, these take too many, or it has more than `MAX_FRAMED` bytes."""
    found = pack_frames(data) if len(data) <= MAX_FRAMED else None
    if found is None:
        return None
    count, body = found
    table = pack_byte_table(ByteTable(segments, zlib.crc32(data), frames=count))
    return framed(table) + body


def encode_repeats(
    segments: list[ByteSegment], data: Buffer, found: NDArray[np.int64], parts: Iterable[bytes]
) -> bytes:
    """Build the body of a BYTE chunk from repeats among its bytes, one at least, and the packed
    parts of the rest."""
    told = pack_part(pack_repeats(found))
    table = ByteTable(segments, zlib.crc32(data), mixed=NEWEST, repeats=len(found))
    return b"".join([framed(pack_byte_table(table)), told, *parts])


def decode_bytes(table: ByteTable, body: bytes, run: Run = map) -> Callable[[], Buffer]:
    """Begin to invert what encodes bytes; what is returned waits for them. Either raises
    `ArchiveError` if anything is not as the table says."""
    if not table.repeats:
        return partial(next, run(partial(_decode_bytes, table), [body]))
    if table.frames or not table.mixed:
        raise ArchiveError("the archive's table is malformed")
    blob = memoryview(body)[after_table(body) :]
    found = parts_of(blob, table.length + octets.MOST)
    parts = run(partial(unpack_part, version=table.mixed), found)

    def wait() -> Buffer:
        repeats = unpack_repeats(next(parts, b""), table.repeats, table.length)
        return _checked(table, joined(repeats, parts, table.length))

    return wait


def _checked(table: ByteTable, data: Buffer) -> Buffer:
    if len(data) != table.length or zlib.crc32(data) != table.checksum:
        raise ArchiveError("the archive holds bytes that do not match their checksum")
    return data


def _decode_bytes(table: ByteTable, body: bytes) -> Buffer:
    blob = memoryview(body)[after_table(body) :]
    if table.frames and table.mixed:
        raise ArchiveError("the archive's table is malformed")
    if table.frames:
        data = unpack_frames(blob, table.frames, table.length)
    else:
        data = _unmixed(table, blob) if table.mixed else unpack_blob(blob, MAX_BLOCK, "chunk")
    return _checked(table, data)


def _unmixed(table: ByteTable, blob: memoryview) -> bytes:
    if table.length > octets.MOST or len(blob) % 4:
        raise ArchiveError("the archive's chunk is malformed or too large")
    return octets.decode(np.frombuffer(blob, "<u4"), table.length, table.mixed)


def _check_tiles(table: TileTable, tile: tuple[int, int, int], coded: int) -> None:
    """Refuse segments that no writer makes, before memory is taken for them."""
    height, width, channels = tile
    for segment in table.segments:
        in_all = 0
        held = is_held(segment.height, segment.width, segment.channels, large=True)
        if held or (segment.large and _has_strips(segment, height)):
            in_all = count_tiles(*segment.laid[:2], height, width)
        fits = 0 < segment.tiles <= in_all - segment.first
        if not fits or segment.channels not in (1, coded):
            raise ArchiveError("the archive's table is malformed")
    tiles = sum(segment.tiles for segment in table.coded)
    if tiles * height * width * channels > MAX_CHUNK_SAMPLES:
        raise ArchiveError("the archive holds a chunk of too many tiles")


def _has_strips(segment: TileSegment, tile_height: int) -> bool:
    """Tell whether a picture may be had by strips, and has few enough pixels for that, and its rows
    few enough samples."""
    if kind_of(segment.kind).rows is None:
        return False
    row = segment.width * segment.channels
    few = 0 < segment.height <= MAX_ROWS // max(segment.width, 1)
    return few and row <= MAX_ROW and min(tile_height, segment.height) * row <= MAX_STRIP
