"""Blocks of files with VP8 frames in them, in pieces: a reader takes three seconds for each."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bitswap_cli.archive.format.chunks import encode_bytes, encode_frames
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.archive.format.values.frames import MAX_FRAMED
from bitswap_cli.archive.writing.coders.coder import Submit
from bitswap_cli.archive.writing.mixed import Piece, pieces
from bitswap_cli.images.vp8 import finding

PIECE = 1 << 20  # bytes, but for entries that cannot be split, and for frames
_SHARE = 0.5  # of the bytes of a file that are frames, at least


def holds_frames(data: bytes) -> bool:
    """Tell whether a file that begins so is mostly frames, as far as is seen at once."""
    return finding.likely(data) > _SHARE * len(data)


def encode(
    segments: Sequence[ByteSegment], data: Buffer, submit: Submit, done: Callable[[int], None]
) -> list[tuple[bytes, int]]:
    """Return the bodies of BYTE chunks that hold a block, and how many segments each has.

    Pieces are coded by what `submit` calls in other threads; `done` is told how many bytes are, in
    all.
    """

    def body(piece: Piece) -> bytes:
        own = bytes(view[piece.start : piece.end])
        plain, found = encode_bytes(piece.segments, own), encode_frames(piece.segments, own)
        return plain if found is None else min(found, plain, key=len)

    cut = partial(_cut, list(finding.places(data)))
    bodies = []
    with memoryview(data) as view:
        waiting = [(one, submit(body, one)) for one in pieces(segments, data, PIECE, cut)]
        for piece, own in waiting:
            bodies.append((own.result(), len(piece.segments)))
            done(piece.end)
    return bodies


def _cut(frames: Sequence[tuple[int, int]], at: int, end: int) -> Iterator[int]:
    """Yield where the pieces of a large file end: in no frame, unless one is too large to be coded
    anyway, and not so that hardly anything is in one."""
    few = PIECE // 2
    while end - at > PIECE:
        here = at + PIECE
        start, behind = next((one for one in frames if one[1] > here), (end, end))
        start -= finding.BEFORE
        if start < here and behind - start <= MAX_FRAMED:
            whole = start - at < few and behind - at <= MAX_FRAMED
            here = min(behind, end) if whole else max(start, at + 1)
        at = end if end - here < few and end - at <= MAX_FRAMED else here
        yield at
    if at < end:
        yield end
