"""Entries as they are put together, and what may be wrong with them."""

import zlib
from math import prod

import numpy as np

from bitswap_cli.archive.format.segments import (
    ByteSegment,
    DecodedFile,
    Extra,
    TileSegment,
    WholeSegment,
)
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, InputError, display
from bitswap_cli.images.formats.register import kind_of, shown_shape
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.orientation import turn_back
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.tiles import count_tiles, paste


class OpenPicture:
    """A picture of which some tiles are missing yet.

    Parameters
    ----------
    segment : TileSegment
        Of its first tiles.
    tiles : array (N, tile_height, tile_width, channels)
        Some that are like its own.
    extra : Extra

    Raises
    ------
    InputError
        If there is no memory for it.
    """

    def __init__(self, segment: TileSegment, tiles: Samples, extra: Extra) -> None:
        self._like = segment.whole
        self._tile = tiles.shape[1:3]
        try:
            self._pixels = np.zeros(segment.laid, tiles.dtype)
        except MemoryError:
            name = display(segment.name)
            raise InputError(f"{name} is too large for the memory of this machine") from None
        self._done = 0
        self.name = segment.name
        self.extra = extra
        self.attributes = segment.attributes

    @property
    def whole(self) -> bool:
        """Whether no tile is missing."""
        return self._done == count_tiles(*self._like.laid[:2], *self._tile)

    def add(self, segment: TileSegment, tiles: Samples) -> None:
        """Put in the next tiles, (N, tile_height, tile_width, channels).

        Raises
        ------
        ArchiveError
            If they are not those of this picture that follow.
        """
        same = (segment.whole, tiles.shape[1:3]) == (self._like, self._tile)
        if not same or segment.first != self._done:
            raise out_of_order(segment.name)
        paste(self._pixels, tiles, self._done)
        self._done += segment.tiles

    @property
    def samples(self) -> int:
        """How many what it shows has."""
        told = self._like
        return prod(shown_shape(told.kind, (told.height, told.width, told.channels)))

    def file(self, *, quick: bool = False) -> bytes:
        """Return its file, or one as good in pixels that is made sooner, if it has a description.

        Raises
        ------
        ArchiveError
            If that is not what the archive tells of it.
        """
        pixels, recipe = self.picture()
        told = self._like
        quick = quick and kind_of(told.kind).described
        data = rebuild(recipe, pixels, quick=quick)
        if quick:
            return data
        if told.crc is not None and (told.size, told.crc) != (len(data), zlib.crc32(data)):
            raise not_as_it_was(self.name)
        return data

    def picture(self) -> Picture:
        """Return it as it lay in its file."""
        recipe = Recipe(self._like.kind, *self.extra[1:])
        return Picture(turn_back(self._pixels, self._like.orientation), recipe)


def check_bytes(segment: ByteSegment, data: bytes | memoryview) -> None:
    """Raise `ArchiveError` if a whole file or target is not what the archive tells of it."""
    if segment.crc not in (None, zlib.crc32(data)):
        raise not_as_it_was(segment.name)


def whole_file(segment: WholeSegment, one: DecodedFile, *, quick: bool = False) -> bytes:
    """Return a file that was decoded as a whole, or one as good in pixels that is made sooner;
    raise `ArchiveError` if it is not what the archive tells of it."""
    data = one.file(quick=quick)
    if not quick and segment.exact and segment.told != (len(data), zlib.crc32(data)):
        raise not_as_it_was(segment.name)
    return data


def not_as_it_was(name: bytes) -> ArchiveError:
    """Return the error to raise for a file of another length or CRC-32 than the original."""
    return ArchiveError(f"{display(name)} does not come back as it was (checksum mismatch)")


def only_a_part(name: bytes) -> ArchiveError:
    """Return the error to raise for an entry of which something is missing."""
    return ArchiveError(f"the archive holds only a part of {display(name)}")


def out_of_order(name: bytes) -> ArchiveError:
    """Return the error to raise for an entry whose parts are those of several."""
    return ArchiveError(f"the archive holds parts of {display(name)} that do not belong together")
