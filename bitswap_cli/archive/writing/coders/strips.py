"""A picture that is too large to be held, on its way into TILE chunks, strip by strip."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import closing
from itertools import pairwise

from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.sections import ID, framing
from bitswap_cli.archive.sources.source import SourceError
from bitswap_cli.archive.sources.strips import SeenStrips
from bitswap_cli.archive.writing.coders.batches import File, join, segments_of
from bitswap_cli.archive.writing.coders.choice import Own, choose_tiles, room_for
from bitswap_cli.archive.writing.coders.coder import Coded, Work, kept_as
from bitswap_cli.contract import Samples
from bitswap_cli.images.tiles import count_tiles, cut

_HELD = 1 << 26  # bytes of samples of parts that are coded or wait for it, unless they are two


class LargePicture:
    """Codes a picture whose file is read once more, from its beginning to its end.

    Parameters
    ----------
    work : Work
    own : Own
        Of its channels.
    found : SeenStrips
    """

    def __init__(self, work: Work, own: Own, found: SeenStrips) -> None:
        self._work, self._found = work, found
        self._model, self._codec = own
        codec = self._codec
        height, width, _ = found.strips.shape
        self._factor, _ = choose_tiles(codec, height, width)
        self._files = [_file(found)]
        self._tile = codec.tile_height * self._factor, codec.tile_width * self._factor
        self._bits = 0.0
        self._size = 0  # of the chunks
        self._whole = False

    def join(self, twin: SeenStrips) -> bool:
        """Add a file that has the same pixels in the same order, if it does; tell whether it was
        added."""
        return twin.digest == self._found.digest and join(self._files, _file(twin))

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Yield the bodies of its chunks, and how many segments each has."""
        try:
            with closing(self._parts()) as parts:
                waiting = deque[Future[tuple[bytes, float]]]()
                held = deque[int]()
                for first, pixels, start, count in parts:
                    waiting.append(self._work.submit(self._code, first, pixels, start, count))
                    held.append(count * self._tile[0] * self._tile[1] * self._codec.channels)
                    while len(waiting) > 2 and sum(held) > _HELD:
                        held.popleft()
                        yield self._took(waiting.popleft())
                while waiting:
                    yield self._took(waiting.popleft())
            self._whole = True
        except SourceError as error:
            self._work.catalogue.skip(self._found.source, error)

    def coded(self) -> Coded:
        """Tell whether the model pays, when all chunks were had."""
        if not self._whole:
            return Coded([], [], [])
        if self._size >= sum(file.limit for file in self._files):
            return Coded([], [], [file.source for file in self._files])
        shape = self._found.strips.shape
        kept = [kept_as(file.source, file.recipe.kind, shape) for file in self._files]
        return Coded([], kept, [], self._bits)

    def _parts(self) -> Generator[tuple[int, Samples, int, int]]:
        """Yield parts that fit into a chunk: the number of the first tile of a strip, the strip,
        and its tiles that are a part."""
        height, width, _ = self._found.strips.shape
        room = room_for(self._codec, self._factor)
        tall, wide = self._tile
        rows = max(1, room // count_tiles(1, width, tall, wide)) * tall
        first = 0
        with closing(self._found.read(min(rows, height))) as strips:
            for strip in strips:
                pixels = self._found.strips.samples(strip)
                tiles = count_tiles(len(pixels), width, tall, wide)
                parts = -(-tiles // room)
                for start, end in pairwise(tiles * k // parts for k in range(parts + 1)):
                    yield first, pixels, start, end - start
                first += tiles

    def _code(self, first: int, pixels: Samples, start: int, count: int) -> tuple[bytes, float]:
        """Return the body of a chunk, and its net bits."""
        strips = self._found.strips
        told = segments_of(self._files, strips.shape, first + start, count, strips.orientation)
        tiles, sizes = cut(pixels, *self._tile, self._codec.channels, start, count)
        body, bits = encode_tiles(self._codec, told[0], tiles, sizes, told[1], self._model)
        return body, float(bits.sum())

    def _took(self, result: Future[tuple[bytes, float]]) -> tuple[bytes, int]:
        body, bits = result.result()
        self._bits += bits
        self._size += len(body) + framing(bytes(ID))
        return body, len(self._files)


def _file(found: SeenStrips) -> File:
    return File(found.source, found.strips.recipe, found.limit, found.source.crc)
