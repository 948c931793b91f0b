"""A picture that is written to its file strip by strip, as its tiles come."""

import zlib

import numpy as np

from bitswap_cli.archive.format.segments import Extra, TileSegment
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.opened import not_as_it_was, out_of_order
from bitswap_cli.archive.reading.sink import Output
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.images import strips
from bitswap_cli.images.picture import Recipe, is_held
from bitswap_cli.images.strips import Strips
from bitswap_cli.images.tiles import count_tiles, paste


def strips_of(segment: TileSegment, extra: Extra) -> Strips | None:
    """Return how a picture is had by strips; None if it has to be held.

    Raises
    ------
    ArchiveError
        If it is too large for that.
    """
    found = strips.of(Recipe(segment.kind, *extra[1:]))
    own = segment.height, segment.width, segment.channels
    if found and (found.shape, found.orientation) == (own, segment.orientation):
        return found
    if not is_held(*own, large=True):
        name = display(segment.name)
        raise ArchiveError(f"{name} is too large to be held, and does not lie as in its file")
    return None


class OpenStrips:
    """A picture of which some tiles are missing yet; its file holds what was there before these.

    Parameters
    ----------
    segment : TileSegment
        Of its first tiles.
    tiles : array (N, tile_height, tile_width, channels)
        Some that are like its own.
    found : Strips
    output : Output
        Takes the file.
    """

    def __init__(
        self, segment: TileSegment, tiles: Samples, extra: Extra, found: Strips, output: Output
    ) -> None:
        self._like = segment.whole
        self._tile: tuple[int, int] = tiles.shape[1:3]
        height, width, channels = found.shape
        self._all = count_tiles(height, width, *self._tile)
        self._strip = np.zeros((min(self._tile[0], height), width, channels), tiles.dtype)
        self._strips = found
        self._done = self._crc = self._size = 0
        self.output = output
        self.name, self.extra, self.attributes = segment.name, extra, segment.attributes
        self._write(found.recipe.prefix)

    @property
    def whole(self) -> bool:
        """Whether no tile is missing."""
        return self._done == self._all

    @property
    def samples(self) -> int:
        """How many it has."""
        height, width, channels = self._strips.shape
        return height * width * channels

    def add(self, segment: TileSegment, tiles: Samples) -> None:
        """Put in the next tiles, (N, tile_height, tile_width, channels).

        Raises
        ------
        ArchiveError
            If they are not those of this picture that follow.
        InputError
            If the file cannot be written.
        """
        if (segment.whole, tiles.shape[1:3]) != (self._like, self._tile):
            raise out_of_order(segment.name)
        if segment.first != self._done:
            raise out_of_order(segment.name)
        height, width, _ = self._strips.shape
        columns = count_tiles(1, width, *self._tile)
        while len(tiles):
            row, column = divmod(self._done, columns)
            some, tiles = np.split(tiles, [columns - column])
            paste(self._strip, some, column)
            self._done += len(some)
            if self._done % columns == 0:
                rows = min(self._tile[0], height - row * self._tile[0])
                self._write(self._strips.rows(self._strip[:rows]))

    def finish(self) -> Told:
        """Write what follows the rows; return what is known of the file.

        Raises
        ------
        ArchiveError
            If that is not what the archive tells of it.
        """
        self._write(self._strips.recipe.suffix)
        told = self._like
        if told.crc is not None and (told.size, told.crc) != (self._size, self._crc):
            raise not_as_it_was(self.name)
        return Told(self._size, self._crc)

    def _write(self, data: bytes) -> None:
        self.output.write(data)
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
