"""A picture that is written to its file strip by strip, as its tiles come."""

import zlib
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from bitswap_cli.archive.format.segments import TileSegment
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.opened import Begun, Order, not_as_it_was
from bitswap_cli.archive.reading.sink import Output
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.images import strips
from bitswap_cli.images.picture import Recipe, is_held
from bitswap_cli.images.strips import Strips
from bitswap_cli.images.tiles import count_tiles, paste


def strips_of(file: Begun) -> Strips | None:
    """Return how a picture is had by strips; None if it has to be held.

    Raises
    ------
    ArchiveError
        If it is too large for that.
    """
    segment, extra = file
    found = strips.of(Recipe(segment.kind, *extra[1:]))
    own = segment.height, segment.width, segment.channels
    if found and (found.shape, found.orientation) == (own, segment.orientation):
        return found
    if not is_held(*own, large=True):
        name = display(segment.name)
        raise ArchiveError(f"{name} is too large to be held, and does not lie as in its file")
    return None


class _File:
    """A file that is written as the rows of its picture come.

    Parameters
    ----------
    told : TileSegment
        Of it.
    found : Strips
    output : Output
    """

    def __init__(self, told: TileSegment, found: Strips, output: Output) -> None:
        self.output = output
        self._told, self._strips = told, found
        self._crc = self._size = 0
        self._write(found.recipe.prefix)

    def add(self, strip: Samples) -> None:
        """Write the next rows, (h, W, C)."""
        self._write(self._strips.rows(strip))

    def finish(self) -> Told:
        """Write what follows the rows; return what is known of the file, or raise `ArchiveError` if
        that is not what the archive tells of it."""
        self._write(self._strips.recipe.suffix)
        told = self._told
        if told.crc is not None and (told.size, told.crc) != (self._size, self._crc):
            raise not_as_it_was(told.name)
        return Told(self._size, self._crc)

    def _write(self, data: bytes) -> None:
        self.output.write(data)
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)


class OpenStrips:
    """A picture of which some tiles are missing yet, that of one file or of twins; the files hold
    what was there before these.

    Parameters
    ----------
    files : sequence of Begun
        At least one; their tiles are the same.
    tiles : array (N, tile_height, tile_width, channels)
        Some that are like its own.
    found : sequence of Strips
        One for each file.
    begin : callable
        Begins a file.

    Raises
    ------
    ArchiveError, InputError
        If a file cannot be begun.
    """

    def __init__(
        self,
        files: Sequence[Begun],
        tiles: Samples,
        found: Sequence[Strips],
        begin: Callable[[TileSegment], Output],
    ) -> None:
        self.files = files
        told = files[0].segment
        self._order = Order([file.segment for file in files], tiles)
        self._tile: tuple[int, int] = tiles.shape[1:3]
        self._height = told.height
        self._columns = count_tiles(1, told.width, *self._tile)
        rows = min(self._tile[0], told.height)
        self._strip = np.zeros((rows, told.width, told.channels), tiles.dtype)
        self._open = deque[_File]()
        try:
            for file, own in zip(files, found, strict=True):
                self._open.append(_File(file.segment, own, begin(file.segment)))
        except BaseException:
            self.discard()
            raise

    @property
    def whole(self) -> bool:
        """Whether no tile is missing."""
        return self._order.whole

    def add(self, segments: Sequence[TileSegment], tiles: Samples, _: object = None) -> None:
        """Put in the next tiles, (N, tile_height, tile_width, channels).

        Raises
        ------
        ArchiveError
            If they are not those of these files that follow.
        InputError
            If a file cannot be written.
        """
        done = self._order.take(segments, tiles)
        while len(tiles):
            row, column = divmod(done, self._columns)
            some, tiles = np.split(tiles, [self._columns - column])
            paste(self._strip, some, column)
            done += len(some)
            if done % self._columns == 0:
                rows = min(self._tile[0], self._height - row * self._tile[0])
                for file in self._open:
                    file.add(self._strip[:rows])

    def finish(self) -> tuple[Output, Told]:
        """Write what follows the rows of the first file that is open; return what takes it, and
        what is known of it. From then on it is not open.

        Raises
        ------
        ArchiveError
            If that is not what the archive tells of it.
        """
        file = self._open.popleft()
        try:
            return file.output, file.finish()
        except BaseException:
            file.output.discard()
            raise

    def discard(self) -> None:
        """Give up the files that are open."""
        for file in self._open:
            file.output.discard()
        self._open.clear()
