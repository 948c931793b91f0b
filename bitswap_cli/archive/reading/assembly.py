"""Decoded chunks -> entries: pictures and files that span several chunks are put together."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.jpeg import JpegFile
from bitswap_cli.archive.format.names import host_of, jpeg_name
from bitswap_cli.archive.format.pictures import picture_file
from bitswap_cli.archive.format.register import Decoded
from bitswap_cli.archive.format.segments import (
    FILE_KINDS,
    FOLDER_KINDS,
    HOST_KINDS,
    PARENT,
    PICTURE,
    ByteSegment,
    ByteTable,
    DecodedFile,
    Extra,
    Table,
    TileSegment,
    TileTable,
    WholeSegment,
    WholeTable,
)
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.archive.reading.copies import Copies
from bitswap_cli.archive.reading.equal import Equal, Told
from bitswap_cli.archive.reading.members import Kept, Members
from bitswap_cli.archive.reading.opened import (
    Begun,
    OpenFile,
    OpenPicture,
    Part,
    check_bytes,
    not_as_it_was,
    only_a_part,
    out_of_order,
    parts_of,
    too_large,
    whole_file,
)
from bitswap_cli.archive.reading.restore import of_one_entry, reason
from bitswap_cli.archive.reading.sink import Output, Sink
from bitswap_cli.archive.reading.strips import OpenStrips, strips_of
from bitswap_cli.archive.report import UnpackReport
from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError, InputError, display
from bitswap_cli.images.inspection import Sooner, never
from bitswap_cli.images.picture import is_held
from bitswap_cli.images.tiles import count_tiles


class Assembler:
    """Puts entries together and hands them to a sink.

    One picture and one file at most are open at a time: their parts stand in consecutive chunks.

    Parameters
    ----------
    sink : Sink
    copies, sooner : Copies, callable
        Tells which entries are wanted; see `Sooner`.
    keep_going : bool
        Note in the report what is lost instead of raising.
    taken : set of bytes, optional
        Write pictures that were JPEGs as JPEGs again, whose names are not among these.
    """

    def __init__(
        self,
        sink: Sink,
        copies: Copies,
        *,
        keep_going: bool,
        sooner: Sooner = never,
        taken: Set[bytes] | None = None,
    ) -> None:
        self.report = UnpackReport()
        self._sink = sink
        self._copies = copies
        self._keep_going = keep_going
        self._sooner = sooner
        self._taken = taken
        self._picture: OpenPicture | OpenStrips | None = None
        self._file: OpenFile | None = None
        self._lost: dict[bytes, str] = {}
        self._members = Members(sink.spool)

    def parts(
        self, table: TileTable, decode: Callable[[], tuple[Samples, list[Extra]]]
    ) -> Iterator[Part]:
        """Yield what a chunk of tiles holds, once it is decoded, files made; any thread may ask."""
        for part in parts_of(table, *decode(), self._copies.needed):
            yield part.made(self._sooner_of)

    def add(self, table: Table, found: Decoded | Iterator[Part]) -> None:
        """Take what a chunk holds, tiles as `parts`, as its table tells it."""
        if isinstance(table, TileTable) and isinstance(found, Iterator):
            for part in found:
                names = [segment.name for segment in part.segments]
                self._attempt(names, self._add_picture_part, part)
        elif isinstance(table, ByteTable) and isinstance(found, bytes | bytearray):
            self._add_bytes(table, found)
        elif isinstance(table, WholeTable) and isinstance(found, list):
            self._add_files(table, found)

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
        """Give up what is open, and let go of what was kept."""
        self._members.close()
        if isinstance(self._picture, OpenStrips):
            self._picture.discard()
        if self._file:
            self._file.output.discard()
            self._file = None

    def _add_bytes(self, table: ByteTable, data: Buffer) -> None:
        """Take the unpacked bytes of a chunk."""
        place = 0
        for segment in table.segments:
            own = memoryview(data)[place : place + segment.length]
            place += segment.length
            asked = self._copies.needed if segment.kind in FILE_KINDS else self._copies.wanted
            if asked(segment.name):
                self._attempt([segment.name], self._add_file_part, segment, own)

    def _add_files(self, table: WholeTable, files: Sequence[DecodedFile]) -> None:
        """Take the whole files of a chunk."""
        for segment, one in zip(table.segments, files, strict=True):
            if self._copies.needed(segment.name):
                self._attempt([segment.name], self._add_whole, segment, one)

    def _attempt(
        self, names: Iterable[bytes], step: Callable[..., None], *arguments: object
    ) -> None:
        try:
            step(*arguments)
        except (ArchiveError, InputError) as error:
            of_one = isinstance(error, ArchiveError) or of_one_entry(error)
            if not (self._keep_going and of_one):
                raise
            for name in names:
                self._lose(name, f" ({reason(error)})")

    def _lose(self, name: bytes, why: str = "") -> None:
        name = self._copies.place(name).name
        if host_of(name) is None:  # of a file that lacks a picture inside, it is told itself
            self._lost.setdefault(name, display(name) + why)

    def _add_picture_part(self, part: Part) -> None:
        """Take tiles of a picture, or of twins."""
        files, segments = part.begun, part.segments
        if files:
            self._drop_picture()
            self._picture = part.picture or self._opened(files, part.tiles)
        picture = self._picture
        if picture is None:
            raise out_of_order(segments[0].name)
        try:
            if not part.picture:
                picture.add(segments, part.tiles, part.extras)
        except ArchiveError:
            self._drop_picture()
            raise
        if picture.whole:
            for file in picture.files:
                end = self._end_strips if isinstance(picture, OpenStrips) else self._write_picture
                self._attempt([file.segment.name], end, picture, file)
            self._picture = None

    def _write_picture(self, picture: OpenPicture, file: Begun) -> None:
        segment, extra = file
        data = picture.file(file, self._sooner_of(segment.name))
        self.report.samples += file.samples
        self._write(segment.name, data, extra.mtime, segment.attributes)

    def _end_strips(self, picture: OpenStrips, file: Begun) -> None:
        output, told = picture.finish()
        self.report.samples += file.samples
        self._commit(file.segment.name, output, file.extra.mtime, told)

    def _opened(self, files: Sequence[Begun], tiles: Samples) -> OpenPicture | OpenStrips:
        """Begin a picture: to write it as it comes, if it is in several chunks, its files have its
        rows in their order, and it lies in no other file."""
        segment = files[0].segment
        if any(self._copies.inside(file.segment.name) for file in files):
            if not is_held(*segment.laid, large=True):
                raise too_large(segment.name)
        elif segment.tiles < count_tiles(*segment.laid[:2], *tiles.shape[1:3]):
            found = [strips for file in files if (strips := strips_of(file))]
            if len(found) == len(files):
                return OpenStrips(files, tiles, found, self._output)
        return OpenPicture(files, tiles)

    def _output(self, segment: TileSegment | ByteSegment) -> Output:
        """Begin a file that is written as it comes, or kept for what it lies in."""
        output: Output | None = None
        if self._copies.becomes(segment.name):
            name, _, attributes = self._copies.place(segment.name, attributes=segment.attributes)
            output = self._sink.open(name, attributes)
        if self._copies.nested and self._copies.inside(segment.name):
            return self._members.begin(segment.name, output)
        if output is None:
            raise too_large(segment.name)
        return output

    def _add_whole(self, segment: WholeSegment, one: DecodedFile) -> None:
        self.report.samples += one.samples
        name = jpeg_name(segment.name)
        free = self._taken is not None and name not in self._taken
        if free and isinstance(one, JpegFile) and not self._copies.copied(segment.name):
            found = one.was()
            if found is not None:
                self._write(name, found, segment.mtime, segment.attributes)
                self.report.jpegs += 1
                return
        file = whole_file(segment, one, self._sooner_of(segment.name))
        self._write(segment.name, file, segment.mtime, segment.attributes)

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
            file = picture_file(segment, data, self._sooner_of(segment.name))
            self._write(segment.name, file, segment.mtime, segment.attributes)
        elif segment.kind in HOST_KINDS:
            self._join(segment, data)
        elif segment.ends and segment.begins:
            check_bytes(segment, data)
            self._write(segment.name, data, segment.mtime, segment.attributes)
        else:
            self._continue_file(segment, data)

    def _sooner_of(self, name: bytes) -> Sooner:
        """What `sooner` tells, but for pictures inside of a file."""
        return never if self._copies.inside(name) else self._sooner

    def _join(self, segment: ByteSegment, data: memoryview) -> None:
        """Put together a file, and what lies inside of it."""
        parts = self._members.joined(segment, data, self._copies.content)
        output = self._output(segment)
        try:
            for part in parts:
                output.write(part)
        except (ArchiveError, InputError):
            output.discard()
            raise
        self._commit(segment.name, output, segment.mtime, Told(segment.size, segment.crc or 0))

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
            self._file = OpenFile(segment, self._output(segment))
        file = self._file
        same = file and segment.whole == file.like
        if file is None or not same or segment.offset != file.done:
            self._drop_file()
            raise out_of_order(segment.name)
        file.crc = zlib.crc32(data, file.crc)
        if segment.crc not in (None, file.crc):
            self._file = None
            file.output.discard()
            raise not_as_it_was(segment.name)
        file.output.write(data)
        file.done += len(data)
        if file.done == segment.size:
            self._file = None
            self._commit(segment.name, file.output, segment.mtime, Told(segment.size, file.crc))

    def _commit(self, name: bytes, output: Output, mtime: int, told: Told) -> None:
        """End a file that was written as it came."""
        out = output.end() if isinstance(output, Kept) else output
        if out is not None:
            self._sink.commit(out, self._copies.place(name, mtime).mtime)
            self._copies.restored(name, lambda: told)
            self._count(told.size)

    def _write(
        self, name: bytes, data: bytes | memoryview, mtime: int, attributes: Attributes
    ) -> None:
        if self._copies.inside(name):
            self._members.keep(name, data)
        if not self._copies.becomes(name):
            return
        place, mtime, attributes = self._copies.place(name, mtime, attributes)
        self._sink.put(place, data, mtime, attributes)
        self._copies.restored(name, lambda: Told(len(data), zlib.crc32(data)))
        self._count(len(data))

    def _count(self, length: int) -> None:
        self.report.entries += 1
        self.report.bytes += length

    def _drop_picture(self) -> None:
        picture, self._picture = self._picture, None
        if isinstance(picture, OpenStrips):
            picture.discard()
        if picture:
            self._miss(*(file.segment.name for file in picture.files))

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file:
            file.output.discard()
            self._miss(file.like.name)

    def _miss(self, *names: bytes) -> None:
        if not self._keep_going:
            raise only_a_part(names[0])
        for name in names:
            self._lose(name)
