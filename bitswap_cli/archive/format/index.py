"""The index at the end of an archive: its chunks in order, and sums over all of them."""

from typing import NamedTuple

from bitswap_cli.archive.format.sections import (
    BYTE,
    MAX_BODY,
    MAX_SEGMENTS,
    TILE,
    pack_object,
    unpack_object,
)
from bitswap_cli.archive.format.tables import pack_column, unpack_column
from bitswap_cli.errors import ArchiveError

_TAGS = (TILE, BYTE)


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


def pack_index(chunks: list[tuple[bytes, int, int]], totals: Totals) -> bytes:
    """Serialise the chunks (tag, bytes of the body, segments) and the totals."""
    columns: list[object] = []
    if chunks:
        tags, lengths, segments = zip(*chunks, strict=True)
        columns = [pack_column([_TAGS.index(tag) for tag in tags])]
        columns += [pack_column(lengths), pack_column(segments)]
    return pack_object([*totals, len(chunks), *columns])


def unpack_index(body: bytes, most: int) -> tuple[list[tuple[bytes, int, int]], Totals]:
    """Invert `pack_index`; raise `ArchiveError` if malformed or of more than `most` chunks."""
    match unpack_object(body, "index"):
        case [int(), int(), int(), int(), 0] as totals:
            return [], Totals(*totals[:4])
        # A column can be one number however many rows it stands for, so the length of the index
        # does not bound their count.
        case [int(), int(), int(), int(), int(count), tag, length, segment] as totals if (
            0 < count <= most
        ):
            tags = [_TAGS[number] for number in unpack_column(tag, count, limit=len(_TAGS))]
            lengths = unpack_column(length, count, limit=MAX_BODY + 1)
            segments = unpack_column(segment, count, limit=MAX_SEGMENTS + 1)
            return list(zip(tags, lengths, segments, strict=True)), Totals(*totals[:4])
    raise ArchiveError("the archive's index is malformed")
