"""Bytes with VP8 frames in them, which are coded by their decisions (docs/format.md)."""

import numpy as np

from bitswap_cli.archive.format.sections import LENGTH, MAX_FRAMES
from bitswap_cli.archive.format.values.blobs import Buffer, pack_blob, unpack_blob
from bitswap_cli.archive.format.values.columns import malformed, pack_column, unpack_column
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.vp8 import engine, finding
from bitswap_cli.images.vp8.decisions import TooMany

MAX_FRAMED = 1 << 23  # bytes that are coded together, at most


def pack_frames(data: Buffer | memoryview) -> tuple[int, bytes] | None:
    """Return how many frames there are in at most `MAX_FRAMED` bytes, and these by decisions; None
    if there are none, or they take too many."""
    own = bytes(data)
    spans = finding.found(own)[: MAX_FRAMES - 1]
    if not spans:
        return None
    ends = [0, *(span.end for span in spans[:-1])]
    gaps = [span.start - end for span, end in zip(spans, ends, strict=True)]
    rest = pack_blob(pack_object([pack_column(gaps), finding.rest(own, spans)]))
    try:
        words = engine.encode([own[span.start : span.end] for span in spans])
    except TooMany:
        return None
    return len(spans), LENGTH.pack(len(rest)) + rest + words.astype("<u4").tobytes()


def unpack_frames(blob: memoryview, count: int, size: int) -> bytes:
    """Invert `pack_frames`, of so many frames and bytes; raise `ArchiveError` if malformed."""
    if not LENGTH.size <= len(blob) or size > MAX_FRAMED:
        raise ArchiveError("the archive's chunk is malformed or too large")
    end = LENGTH.size + LENGTH.unpack_from(blob)[0]
    if end > len(blob) or (len(blob) - end) % 4:
        raise malformed()
    found = unpack_object(unpack_blob(blob[LENGTH.size : end], 2 * MAX_FRAMED, "chunk"), "chunk")
    match found:
        case [gaps, bytes(rest)]:
            told = unpack_column(gaps, count, limit=MAX_FRAMED)
            words = np.frombuffer(blob, "<u4", offset=end)
            return engine.decode(words, rest, told, size)
    raise malformed()
