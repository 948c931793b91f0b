"""Decoded chunks -> entries: pictures and files that span several chunks are put together."""

import zlib
from collections.abc import Callable, Iterable

import numpy as np

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.jpeg import JpegFile, JpegSegment, JpegTable
from bitswap_cli.archive.format.pictures import picture_file
from bitswap_cli.archive.format.segments import (
    FILE_KINDS,
    FOLDER_KINDS,
    PARENT,
    PICTURE,
    ByteSegment,
    ByteTable,
    Extra,
    TileSegment,
    TileTable,
)
from bitswap_cli.archive.reading.copies import Copies
from bitswap_cli.archive.reading.equal import Equal, Told
from bitswap_cli.archive.reading.restore import of_one_entry, reason
from bitswap_cli.archive.reading.sink import Output, Sink
from bitswap_cli.archive.report import UnpackReport
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, InputError, display
from bitswap_cli.images.formats.register import kind_of
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
    """

    def __init__(self, segment: TileSegment, tiles: Samples, extra: Extra) -> None:
        self._like = segment.whole
        self._tile = tiles.shape[1:3]
        self._pixels = np.zeros(segment.laid, tiles.dtype)
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
        """How many it has."""
        return self._pixels.size

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


class _OpenFile:
    """A file of which some bytes are missing yet."""

    def __init__(self, segment: ByteSegment, output: Output) -> None:
        self.like = segment.whole
        self.output = output
        self.done = 0
        self.crc = 0


class Assembler:
    """Puts entries together and hands them to a sink.

    At most one picture and one file are open at a time: their parts stand in consecutive chunks
    of their kind.

    Parameters
    ----------
    sink : Sink
    copies : Copies
        Tells which entries are wanted.
    keep_going : bool
        Note in the report what is lost instead of raising.
    pixels : bool
        Be content with files of the right pixels, which are made sooner.
    """

    def __init__(
        self, sink: Sink, copies: Copies, *, keep_going: bool, pixels: bool = False
    ) -> None:
        self.report = UnpackReport()
        self._sink = sink
        self._copies = copies
        self._keep_going = keep_going
        self._pixels = pixels
        self._picture: OpenPicture | None = None
        self._file: _OpenFile | None = None
        self._lost: dict[bytes, str] = {}

    def add_tiles(self, table: TileTable, tiles: Samples, extras: Iterable[Extra]) -> None:
        """Take the decoded tiles of a chunk.

        Parameters
        ----------
        table : TileTable
        tiles : array (N, tile_height, tile_width, channels)
        extras : iterable of Extra
            Of the pictures that start here.
        """
        extra = iter(extras)
        place = 0
        for segment in table.segments:
            own = tiles[place : place + segment.tiles]
            place += segment.tiles
            started = None if segment.first else next(extra)
            if self._copies.needed(segment.name):
                self._attempt(segment.name, self._add_picture_part, segment, started, own)

    def add_bytes(self, table: ByteTable, data: bytes) -> None:
        """Take the unpacked bytes of a chunk."""
        place = 0
        for segment in table.segments:
            own = memoryview(data)[place : place + segment.length]
            place += segment.length
            asked = self._copies.needed if segment.kind in FILE_KINDS else self._copies.wanted
            if asked(segment.name):
                self._attempt(segment.name, self._add_file_part, segment, own)

    def add_jpegs(self, table: JpegTable, files: Iterable[JpegFile]) -> None:
        """Take the JPEG files of a chunk."""
        for segment, one in zip(table.segments, files, strict=True):
            if self._copies.needed(segment.name):
                self._attempt(segment.name, self._add_jpeg, segment, one)

    def lose(self, names: Iterable[bytes]) -> None:
        """Note entries of which some chunk could not be decoded."""
        for name in names:
            if self._copies.wanted(name):
                self._lost.setdefault(name, display(name))

    def finish(self) -> None:
        """Close what is open; raise `ArchiveError` if that is anything, or note it as lost."""
        self._drop_picture()
        self._drop_file()
        self.report.lost += self._lost.values()

    def discard(self) -> None:
        """Give up what is open."""
        if self._file:
            self._file.output.discard()
            self._file = None

    def _attempt(self, name: bytes, step: Callable[..., None], *arguments: object) -> None:
        try:
            step(*arguments)
        except (ArchiveError, InputError) as error:
            of_one = isinstance(error, ArchiveError) or of_one_entry(error)
            if not (self._keep_going and of_one):
                raise
            self._lose(name, f" ({reason(error)})")

    def _lose(self, name: bytes, why: str = "") -> None:
        name = self._copies.place(name).name
        self._lost.setdefault(name, display(name) + why)

    def _add_picture_part(self, segment: TileSegment, extra: Extra | None, tiles: Samples) -> None:
        if extra is not None:
            self._drop_picture()
            self._picture = OpenPicture(segment, tiles, extra)
        picture = self._picture
        if picture is None:
            raise out_of_order(segment.name)
        try:
            picture.add(segment, tiles)
        except ArchiveError:
            self._drop_picture()
            raise
        if picture.whole:
            self._picture = None
            self.report.samples += picture.samples
            data = picture.file(quick=self._pixels)
            self._write(segment.name, data, picture.extra.mtime, picture.attributes)

    def _add_jpeg(self, segment: JpegSegment, one: JpegFile) -> None:
        data = jpeg_file(segment, one)
        self._write(segment.name, data, segment.mtime, segment.attributes)

    def _add_file_part(self, segment: ByteSegment, data: memoryview) -> None:
        if segment.original:
            self._add_copy(segment)
        elif segment.kind in FOLDER_KINDS:
            self._sink.make_folder(segment.name, segment.mtime, segment.attributes)
            self.report.entries += segment.kind != PARENT
        elif segment.kind == "link":
            check_bytes(segment, data)
            self._sink.make_link(segment.name, bytes(data), segment.mtime, segment.attributes)
            self.report.entries += 1
        elif segment.kind == PICTURE:
            file = picture_file(segment, data, quick=self._pixels)
            self._write(segment.name, file, segment.mtime, segment.attributes)
        elif segment.ends and segment.begins:
            check_bytes(segment, data)
            self._write(segment.name, data, segment.mtime, segment.attributes)
        else:
            self._continue_file(segment, data)

    def _add_copy(self, segment: ByteSegment) -> None:
        original, told, link = self._copies.source(segment)
        if original == segment.name:  # it was restored when the original was decoded
            return
        own = segment.mtime, segment.attributes
        self._sink.equal(Equal(segment.name, original, told, *own, link=link))
        self._count(told.size)

    def _continue_file(self, segment: ByteSegment, data: memoryview) -> None:
        if not segment.offset:
            self._drop_file()
            name, _, attributes = self._copies.place(segment.name, attributes=segment.attributes)
            self._file = _OpenFile(segment, self._sink.open(name, attributes))
        file = self._file
        same = file and segment.whole == file.like
        if file is None or not same or segment.offset != file.done:
            self._drop_file()
            raise out_of_order(segment.name)
        file.crc = zlib.crc32(data, file.crc)
        if segment.crc not in (None, file.crc):
            self.discard()
            raise not_as_it_was(segment.name)
        file.output.write(data)
        file.done += len(data)
        if file.done == segment.size:
            self._file = None
            self._sink.commit(file.output, self._copies.place(segment.name, segment.mtime).mtime)
            self._copies.restored(segment.name, lambda: Told(segment.size, file.crc))
            self._count(segment.size)

    def _write(
        self, name: bytes, data: bytes | memoryview, mtime: int, attributes: Attributes
    ) -> None:
        place, mtime, attributes = self._copies.place(name, mtime, attributes)
        self._sink.put(place, data, mtime, attributes)
        self._copies.restored(name, lambda: Told(len(data), zlib.crc32(data)))
        self._count(len(data))

    def _count(self, length: int) -> None:
        self.report.entries += 1
        self.report.bytes += length

    def _drop_picture(self) -> None:
        picture, self._picture = self._picture, None
        if picture:
            self._miss(picture.name)

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file:
            file.output.discard()
            self._miss(file.like.name)

    def _miss(self, name: bytes) -> None:
        if not self._keep_going:
            raise only_a_part(name)
        self._lose(name)


def check_bytes(segment: ByteSegment, data: bytes | memoryview) -> None:
    """Raise `ArchiveError` if a whole file or target is not what the archive tells of it."""
    if segment.crc not in (None, zlib.crc32(data)):
        raise not_as_it_was(segment.name)


def jpeg_file(segment: JpegSegment, one: JpegFile) -> bytes:
    """Return a JPEG file; raise `ArchiveError` if it is not what the archive tells of it."""
    data = one.file()
    if (segment.size, segment.crc) != (len(data), zlib.crc32(data)):
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
