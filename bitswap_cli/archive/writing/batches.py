"""Bodies of chunks from what goes into them, and the choice between model and zstd.

No entry may take more room than its file. A picture that the model does not make smaller than zstd
does (or than the file is) loses: it is kept byte for byte.
"""

import zlib
from typing import NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import encode_bytes, encode_tiles
from bitswap_cli.archive.format.sections import BYTE, MAX_SEGMENTS
from bitswap_cli.archive.format.segments import ByteSegment, Extra, TileSegment
from bitswap_cli.archive.writing.copies import Copy
from bitswap_cli.archive.writing.orientation import choose_orientations
from bitswap_cli.archive.writing.sources import Source, SourceError, read_parts
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.orientation import turn
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.tiles import cut, joined

CHUNK_BYTES = 1 << 23  # of a BYTE chunk, before zstd
_CHUNK_SEGMENTS = MAX_SEGMENTS >> 2
_CHUNK_NAMES = 1 << 22  # bytes of names in a chunk


class Part(NamedTuple):
    """Consecutive tiles of a picture, to be coded."""

    source: Source
    picture: Picture
    factor: int
    """Of the size of its tiles."""
    limit: int
    """Bytes that the whole file takes without the model."""
    first: int
    """Number of the first tile."""
    tiles: int
    """How many."""
    orientation: int = 0
    """How the picture lies in them (see images/orientation.py)."""
    crc: int | None = None
    """CRC-32 of the file, if that comes back byte for byte."""


class Coded(NamedTuple):
    """Parts as the body of a TILE chunk."""

    body: bytes
    kept: list[Part]
    """What is in the body."""
    lost: list[Part]
    """What had better be kept byte for byte."""
    bits: float
    """Net bits of what is in the body."""


def code_part(codec: TileCodec, part: Part) -> Coded:
    """Code a part of a large picture as a chunk of its own."""
    body, bits = _encode(codec, [part])
    return Coded(body, [part], [], float(bits.sum()))


def code_batch(codec: TileCodec, parts: list[Part], *, oriented: bool = False) -> Coded:
    """Code whole pictures as one chunk, without those for which the model does not pay.

    They have tiles of one size. If the archive has room for `oriented` ones, small pictures are
    laid as they are coded best.

    Each round codes what is left; it ends when nothing loses, which may leave nothing.
    """
    if oriented:
        chosen = choose_orientations(codec, [p.picture.pixels for p in parts], parts[0].factor)
        parts = [p._replace(orientation=k) for p, k in zip(parts, chosen, strict=True)]
    kept = parts
    lost: list[Part] = []
    while kept:
        body, bits = _encode(codec, kept)
        costs = np.add.reduceat(bits, np.cumsum([0, *(part.tiles for part in kept[:-1])])) / 8
        recipes = _recipe_costs(kept)
        losers = [
            cost + recipes[part.picture.recipe] >= part.limit
            for part, cost in zip(kept, costs, strict=True)
        ]
        if not any(losers):
            # The initial bits and whatever else the chunk costs as a whole have to pay as well.
            if len(body) < sum(part.limit for part in kept):
                return Coded(body, kept, lost, float(bits.sum()))
            losers = [True] * len(kept)
        lost += [part for part, loses in zip(kept, losers, strict=True) if loses]
        lost.sort(key=lambda part: part.source)
        kept = [part for part, loses in zip(kept, losers, strict=True) if not loses]
    return Coded(b"", [], lost, 0.0)


def _encode(codec: TileCodec, parts: list[Part]) -> tuple[bytes, NDArray[np.float64]]:
    factor = parts[0].factor
    shape = (codec.tile_height * factor, codec.tile_width * factor, codec.channels)
    tiles, sizes = joined(
        cut(turn(part.picture.pixels, part.orientation), *shape, part.first, part.tiles)
        for part in parts
    )
    segments, extras = [], []
    for part in parts:
        recipe = part.picture.recipe
        height, width, channels = part.picture.pixels.shape
        segments.append(
            TileSegment(
                part.source.name,
                recipe.kind,
                height,
                width,
                channels,
                part.first,
                part.tiles,
                0 if part.crc is None else part.source.size,
                part.orientation,
                part.crc,
                NONE if part.first else part.source.attributes,
            )
        )
        if not part.first:
            extras.append(Extra(part.source.mtime, recipe.prefix, recipe.suffix))
    return encode_tiles(codec, segments, tiles, sizes, extras)


def _recipe_costs(parts: list[Part]) -> dict[Recipe, float]:
    """Return about how many bytes each picture's recipe takes; equal ones share theirs."""
    users: dict[Recipe, int] = {}
    for part in parts:
        users[part.picture.recipe] = users.get(part.picture.recipe, 0) + 1
    squeeze = zstandard.ZstdCompressor(level=3).compress
    return {
        recipe: min(len(joined), len(squeeze(joined))) / number
        for recipe, number in users.items()
        for joined in [recipe.prefix + recipe.suffix]
    }


class ByteBatch:
    """Files, links and folders on their way into BYTE chunks.

    Parameters
    ----------
    writer : ArchiveWriter
        Takes the chunks.
    """

    def __init__(self, writer: ArchiveWriter) -> None:
        self._writer = writer
        self._clear()

    def add(self, source: Source) -> None:
        """Read a source and put it into the chunk at hand; small files are never split.

        Raises
        ------
        SourceError
            If it cannot be read, or changes on the way: then nothing of it is left here.
        """
        room = CHUNK_BYTES - self._length
        if source.size > room or len(self._segments) >= _CHUNK_SEGMENTS:
            self.flush()
        offset, crc, before, mark = 0, 0, len(self._segments), self._writer.mark()
        try:
            for part in read_parts(source, CHUNK_BYTES):
                if self._length + len(part) > CHUNK_BYTES:
                    self.flush()  # of a source that began a chunk
                crc = zlib.crc32(part, crc)
                self._append(_segment(source, offset, part, crc), part)
                offset += len(part)
        except SourceError:
            self._writer.rewind(mark)
            self._cut(before)
            raise
        if not source.size:
            self._append(_segment(source, 0, b"", 0), b"")
        if self._names > _CHUNK_NAMES:
            self.flush()

    def add_copy(self, source: Source, copy: Copy) -> None:
        """Put in what equals an entry that is in the archive before it."""
        if len(self._segments) >= _CHUNK_SEGMENTS:
            self.flush()
        told = source.mtime, 0, source.attributes, copy.original
        own = ByteSegment(source.name, copy.kind, 0, 0, 0, *told)
        self._append(own, b"")
        if self._names > _CHUNK_NAMES:
            self.flush()

    def flush(self) -> None:
        """Write the chunk at hand, if it holds anything."""
        if self._segments:
            body = encode_bytes(self._segments, b"".join(self._data))
            self._writer.add(BYTE, body, len(self._segments))
        self._clear()

    def _append(self, segment: ByteSegment, part: bytes) -> None:
        self._segments.append(segment)
        self._data.append(part)
        self._length += len(part)
        self._names += len(segment.name) + len(segment.original)

    def _cut(self, segments: int) -> None:
        """Let go of all but so many segments."""
        del self._segments[segments:], self._data[segments:]
        self._length = sum(map(len, self._data))
        self._names = sum(len(s.name) + len(s.original) for s in self._segments)

    def _clear(self) -> None:
        self._segments: list[ByteSegment] = []
        self._data: list[bytes] = []
        self._length = self._names = 0


def _segment(source: Source, offset: int, part: bytes, crc: int) -> ByteSegment:
    name, kind, size, mtime = source.name, source.kind, source.size, source.mtime
    told = NONE if offset else source.attributes
    return ByteSegment(name, kind, size, offset, len(part), mtime, crc, told)
