"""Entries as they are put together, and what may be wrong with them."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import prod
from typing import NamedTuple

import numpy as np

from bitswap_cli.archive.format.segments import (
    ByteSegment,
    DecodedFile,
    Extra,
    TileSegment,
    TileTable,
    WholeSegment,
)
from bitswap_cli.archive.reading.sink import Output
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, InputError, display
from bitswap_cli.images.formats.register import is_described, shown_shape
from bitswap_cli.images.inspection import Sooner, never, rebuild
from bitswap_cli.images.orientation import turn_back
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe
from bitswap_cli.images.tiles import count_tiles, paste


class Begun(NamedTuple):
    """A picture's file, as the chunk tells of it in which it begins."""

    segment: TileSegment
    extra: Extra

    @property
    def samples(self) -> int:
        """How many what it shows has."""
        told = self.segment
        return prod(shown_shape(told.kind, (told.height, told.width, told.channels)))

    def told(self, description: bytes) -> "Begun":
        """Return it with a description of which its extra has only the first part."""
        return self._replace(extra=self.extra._replace(description=description))

    def check_size(self, size: int) -> None:
        """Raise `ArchiveError` if a description of so many bytes is longer than samples can have
        need of."""
        told = self.segment
        if size > told.height * told.width * told.channels + MAX_RECIPE:
            raise ArchiveError(f"{display(told.name)} has a description that is too long")


class OpenPicture:
    """A picture of which some tiles are missing yet: that of one file, or of twins.

    Parameters
    ----------
    files : sequence of Begun
        At least one; their tiles are the same.
    tiles : array (N, tile_height, tile_width, channels)
        Some that are like its own.

    Raises
    ------
    InputError
        If there is no memory for it.
    """

    def __init__(self, files: Sequence[Begun], tiles: Samples) -> None:
        self.files: Sequence[Begun] = files
        self._told: list[bytearray] = []  # their descriptions, if these have parts
        self._made: dict[bytes, bytes] = {}  # files by their names
        self._order = Order([file.segment for file in files], tiles)
        try:
            self._pixels = np.zeros(files[0].segment.laid, tiles.dtype)
        except MemoryError:
            name = display(files[0].segment.name)
            raise InputError(f"{name} is too large for the memory of this machine") from None

    @property
    def whole(self) -> bool:
        """Whether no tile is missing."""
        return self._order.whole

    def add(
        self,
        segments: Sequence[TileSegment],
        tiles: Samples,
        extras: Sequence[Extra | None] = (),
    ) -> None:
        """Put in the next tiles, (N, tile_height, tile_width, channels), and what their chunk tells
        of each file, if it does.

        Raises
        ------
        ArchiveError
            If they are not those of these files that follow.
        """
        first = self._order.take(segments, tiles)
        paste(self._pixels, tiles, first)
        if first and any(extras):
            self._lengthen(extras)

    def _lengthen(self, extras: Sequence[Extra | None]) -> None:
        # There may be as many parts as tiles: what is told is put together once, at the end.
        self._told = self._told or [bytearray(file.extra.description) for file in self.files]
        for file, told, extra in zip(self.files, self._told, extras, strict=True):
            told += extra.description if extra else b""
            file.check_size(len(told))
        if self.whole:
            both = zip(self.files, self._told, strict=True)
            self.files = [file.told(bytes(told)) for file, told in both]
            self._told = []

    def make(self, sooner_of: Callable[[bytes], Sooner]) -> None:
        """Make its files now, for `file` to return them: a name tells what `file` is given with it.
        Raises what `file` does."""
        for one in self.files:
            self._made[one.segment.name] = self.file(one, sooner_of(one.segment.name))

    def file(self, which: Begun, sooner: Sooner = never) -> bytes:
        """Return a file, or one as good in pixels that is made sooner, if its kind may be.

        Raises
        ------
        ArchiveError
            If that is not what the archive tells of it.
        """
        told = which.segment
        if made := self._made.get(told.name):
            return made
        pixels, recipe = self.picture(which)
        quick = sooner(told.kind)
        data = rebuild(recipe, pixels, quick=quick)
        if quick:
            return data
        if told.crc is not None and (told.size, told.crc) != (len(data), zlib.crc32(data)):
            raise not_as_it_was(told.name)
        return data

    def picture(self, which: Begun) -> Picture:
        """Return it as it lay in a file."""
        recipe = Recipe(which.segment.kind, *which.extra[1:])
        return Picture(turn_back(self._pixels, which.segment.orientation), recipe)


class Part(NamedTuple):
    """Tiles of a picture, or of twins, that follow each other in a chunk."""

    segments: list[TileSegment]
    """Of its files."""
    extras: list[Extra | None]
    """What the chunk tells of each, if it does."""
    tiles: Samples
    """(N, tile_height, tile_width, channels)"""
    picture: OpenPicture | None = None
    """All of it, its files made."""

    @property
    def begun(self) -> list[Begun]:
        """The files that begin here."""
        both = zip(self.segments, self.extras, strict=True)
        return [Begun(segment, extra) for segment, extra in both if extra and segment.begins]

    @property
    def whole(self) -> bool:
        """Whether the chunk holds all of its tiles."""
        first, tile = self.segments[0], self.tiles.shape[1:3]
        return first.tiles == count_tiles(*first.laid[:2], *tile)

    def made(self, sooner_of: Callable[[bytes], Sooner]) -> "Part":
        """Return it with its files made, if that takes long, and it is whole: the thread that
        decoded it has the time, while others decode.

        What is wrong with them is found again, and told, when they are asked for.

        Parameters
        ----------
        sooner_of : callable
            Gives, by the name of an entry, of which kinds files are made sooner.
        """
        files = self.begun
        # these have no more bytes than samples and what is told of them allow
        if not files or not self.whole or not all(is_described(f.segment.kind) for f in files):
            return self
        with suppress(ArchiveError, InputError):
            picture = OpenPicture(files, self.tiles)
            picture.add(self.segments, self.tiles, self.extras)
            picture.make(sooner_of)
            return self._replace(picture=picture)
        return self


def parts_of(
    table: TileTable, tiles: Samples, extras: Iterable[Extra], wanted: Callable[[bytes], bool]
) -> list[Part]:
    """Sort what a chunk holds by pictures.

    Parameters
    ----------
    table, tiles : TileTable, array (N, tile_height, tile_width, channels)
    extras : iterable of Extra
        Of the segments that tell any, in order.
    wanted : callable
        Tells of which entries' names anything is wanted.
    """
    extra = iter(extras)
    found: dict[int, Part] = {}  # by their first tile: twins have the same
    for segment, start in zip(table.segments, table.starts, strict=True):
        told = next(extra) if segment.tells else None
        if wanted(segment.name):
            if start not in found:
                found[start] = Part([], [], tiles[start : start + segment.tiles])
            found[start].segments.append(segment)
            found[start].extras.append(told)
    return list(found.values())


class Order:
    """Sees to it that tiles come in their order, and are those of the same files in all chunks.

    Parameters
    ----------
    segments : sequence of TileSegment
        Of the files, where they begin.
    tiles : array (N, tile_height, tile_width, channels)
    """

    def __init__(self, segments: Sequence[TileSegment], tiles: Samples) -> None:
        self._like = [segment.whole for segment in segments]
        self._tile: tuple[int, int] = tiles.shape[1:3]
        self._all = count_tiles(*segments[0].laid[:2], *self._tile)
        self._done = 0

    @property
    def whole(self) -> bool:
        """Whether no tile is missing."""
        return self._done == self._all

    def take(self, segments: Sequence[TileSegment], tiles: Samples) -> int:
        """Return the number of the first of some tiles in the picture; raise `ArchiveError` unless
        they are those that follow."""
        like = [segment.whole for segment in segments]
        first = self._done
        if (like, tiles.shape[1:3]) != (self._like, self._tile) or segments[0].first != first:
            raise out_of_order(segments[0].name)
        self._done += len(tiles)
        return first


class OpenFile:
    """A file of which some bytes are missing yet."""

    def __init__(self, segment: ByteSegment, output: Output) -> None:
        self.like = segment.whole
        self.output = output
        self.done = 0
        self.crc = 0


def check_bytes(segment: ByteSegment, data: bytes | memoryview) -> None:
    """Raise `ArchiveError` if a whole file or target is not what the archive tells of it."""
    if segment.crc not in (None, zlib.crc32(data)):
        raise not_as_it_was(segment.name)


def whole_file(segment: WholeSegment, one: DecodedFile, sooner: Sooner = never) -> bytes:
    """Return a file that was decoded as a whole, or one as good in pixels that is made sooner, if
    its kind may be; raise `ArchiveError` if it is not what the archive tells of it."""
    quick = sooner(segment.kind)
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


def too_large(name: bytes) -> ArchiveError:
    """Return the error to raise for a picture inside of a file that is not decoded as a whole."""
    return ArchiveError(f"{display(name)} is too large a picture inside of a file")


def out_of_order(name: bytes) -> ArchiveError:
    """Return the error to raise for an entry whose parts are those of several."""
    return ArchiveError(f"the archive holds parts of {display(name)} that do not belong together")
