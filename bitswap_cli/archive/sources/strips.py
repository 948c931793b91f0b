"""Files that are too large to be held, read as pictures strip by strip."""

import zlib
from collections.abc import Generator
from typing import NamedTuple

import zstandard

from bitswap_cli.archive.sources.source import Source, changed, read_pieces
from bitswap_cli.images.picture import Picture
from bitswap_cli.images.repeats import EDGE
from bitswap_cli.images.repeats import middle as crop
from bitswap_cli.images.strips import Proof, Strips

_PART = 1 << 22  # bytes that are looked at together


class SeenStrips(NamedTuple):
    """A file that can be seen as a picture which is had by strips."""

    source: Source
    """With its CRC-32, which is checked when it is read again."""
    strips: Strips
    limit: int
    """Bytes that the whole file takes without the model."""
    middle: Picture
    """The middle of the picture, to try models on."""
    digest: bytes
    """Of its pixels in their order: equal only if these are."""

    def read(self, height: int) -> Generator[bytes]:
        """Yield strips of so many rows, the last one of fewer; raise `SourceError` if the file
        cannot be read, or has changed: at the latest when all is read."""
        for piece, rows in _pieces(self.source, self.strips, height):
            if rows:
                yield piece


def look(source: Source, begun: Strips) -> SeenStrips | None:
    """Prove that a file comes back from its strips.

    Parameters
    ----------
    source : Source
    begun : Strips
        As the file's beginning tells it.

    Returns
    -------
    SeenStrips or None
        None if it does not come back.

    Raises
    ------
    SourceError
        If it cannot be read, or has changed.
    """
    squeeze = zstandard.ZstdCompressor(level=3).compressobj(source.size)
    layout, proof = begun.layout, Proof(begun)
    crc = squeezed = top = 0
    suffix, pieces = b"", list[bytes]()
    first = max(0, (layout.height - EDGE) // 2)  # row of the middle
    for piece, rows in _pieces(source, begun, max(1, _PART // layout.stride)):
        crc = zlib.crc32(piece, crc)
        squeezed += len(squeeze.compress(piece))
        if rows and not proof.comes_back(piece):
            return None
        suffix = piece if top and not rows else b""
        start, end = (min(max(row - top, 0), rows) for row in (first, first + EDGE))
        pieces.append(piece[start * layout.stride : end * layout.stride])
        top += rows
    limit = min(source.size, squeezed + len(squeeze.flush()))
    strips = proof.strips(suffix)
    pixels = crop(strips.samples(b"".join(pieces)))
    middle = Picture(pixels, strips.recipe)
    return SeenStrips(source._replace(crc=crc), strips, limit, middle, proof.digest)


def _pieces(source: Source, strips: Strips, height: int) -> Generator[tuple[bytes, int]]:
    """Yield a file in pieces, and how many rows each is: what comes before the rows, these, and
    what follows, if anything does."""
    start, stride, whole = strips.layout[:3]
    counts = [0, *(min(height, whole - top) for top in range(0, whole, height)), 0]
    lengths = [start, *(stride * rows for rows in counts[1:-1])]
    lengths.append(source.size + 1 - sum(lengths))
    for piece, length, rows in zip(read_pieces(source, lengths), lengths, counts, strict=False):
        if rows and len(piece) < length:
            raise changed(source)
        yield piece, rows
