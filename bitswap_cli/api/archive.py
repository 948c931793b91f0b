"""An archive as a mapping from names to files, of which any can be had without the others."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from threading import Lock
from types import TracebackType
from typing import Any, Self
from zlib import crc32

from bitswap_cli.api.arguments import BATCH, Notes, PathLike, ignore
from bitswap_cli.api.cache import Cache
from bitswap_cli.archive.codecs import Codecs, Need
from bitswap_cli.archive.format.header import NESTED
from bitswap_cli.archive.format.names import MAX_DEPTH, host_of, member_name
from bitswap_cli.archive.format.pictures import picture_file
from bitswap_cli.archive.format.register import Decoded, decode_chunk, need_of
from bitswap_cli.archive.format.segments import (
    COPY_KINDS,
    FILE_KINDS,
    HOST_KINDS,
    PARENT,
    PICTURE,
    ByteSegment,
    TileSegment,
    WholeSegment,
    equals,
    no_original,
)
from bitswap_cli.archive.reading.entries import EntryInfo, Place, inside_of, places_of
from bitswap_cli.archive.reading.equal import Told
from bitswap_cli.archive.reading.members import lost_inside, unpack_host
from bitswap_cli.archive.reading.opened import (
    Begun,
    OpenPicture,
    check_bytes,
    only_a_part,
    out_of_order,
    whole_file,
)
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import find_codecs
from bitswap_cli.errors import ArchiveError, InputError, display
from bitswap_cli.images.formats.format import Pixels
from bitswap_cli.images.shown import read_samples, shown

CACHE = 1 << 28


class Archive(Mapping[str, bytes]):
    """An open archive: a read-only mapping from names to files, and a context manager.

    Names are those of ``bitswap list``, in its order; a byte that is not UTF-8 is a lone surrogate,
    as everywhere in Python. A value is a file as it comes back, a link's target, or nothing for an
    empty folder. Only the chunks that are needed are decoded, and the last ones are kept. An
    archive may be used by several threads at once, and be pickled: another process opens it anew.

    Parameters
    ----------
    path : path
    model : str, optional
        Name or path of the archive's model, if it is none that is installed or known.
    cache : int
        Bytes of decoded chunks that are kept.
    batch : int
        Tiles that the networks see at a time; it changes the speed only.
    notes : callable, optional
        Called with lines of details; a pickled archive has none.

    Raises
    ------
    InputError
        If the file cannot be read.
    ArchiveError
        Here and later, if it is not an archive or is damaged.
    ModelError
        If its format version, or later its model, cannot be used on this machine.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        model: str | None = None,
        cache: int = CACHE,
        batch: int = BATCH,
        notes: Notes | None = None,
    ) -> None:
        self._again = partial(Archive, os.path.abspath(path), model=model, cache=cache, batch=batch)
        self._model, self._batch, self._notes = model, batch, notes or ignore
        self._codecs: dict[Need, Codecs] = {}
        self._cache = Cache[int, Decoded](cache)
        self._reading, self._loading = Lock(), Lock()
        self._reader = ArchiveReader(path)
        try:
            self._tables = list(self._reader.tables())
        except BaseException:
            self._reader.close()
            raise
        places: dict[bytes, list[Place]] = {}
        for number, table in enumerate(self._tables):
            for place in places_of(number, table):
                if place.segment.kind != PARENT:
                    places.setdefault(place.segment.name, []).append(place)
        visible = (name for name in sorted(places) if host_of(name) is None)
        self._places = {os.fsdecode(name): places[name] for name in visible}
        self._depth = MAX_DEPTH if NESTED in self._reader.header.features else 0
        self._inside = {name: places[name] for name in places if host_of(name) is not None}
        self._counts = inside_of(own[0].segment for own in self._inside.values())

    def __len__(self) -> int:
        """Return how many files, links and empty folders there are."""
        return len(self._places)

    def __iter__(self) -> Iterator[str]:
        """Yield their names."""
        return iter(self._places)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is an entry of this name; nothing is decoded."""
        return name in self._places

    def __getitem__(self, name: str) -> bytes:
        """Return a file as it comes back; raise KeyError if there is none of this name."""
        return self._value(self._file(name), {})

    def pixels(self, name: str) -> Pixels:
        """Return the samples that a picture's file shows.

        Returns
        -------
        uint8 or uint16 array (H, W, C)
            Of 16 bits where the file's samples are; a palette image by its colours, with alpha if
            the file has that; gray of fewer than 8 bits on the scale of 0..255. A picture that is
            kept as a file is decoded, too, whatever its format; of several frames, the first.

        Raises
        ------
        KeyError
            If there is no entry of this name.
        InputError
            If it is no picture, or has samples of more than 16 bits.
        """
        places = self._file(name)
        if isinstance(places[0].segment, TileSegment):
            picture = self._picture(places)
            return shown(picture.picture(*picture.files))
        try:
            segment = places[0].segment
            if isinstance(segment, ByteSegment) and segment.kind not in FILE_KINDS:
                raise InputError("it is no file")
            return read_samples(self[name])
        except InputError as error:
            where = display(places[0].segment.name)
            raise InputError(f"{self._reader.path}: {where} has no pixels: {error}") from error

    def info(self, name: str) -> EntryInfo:
        """Return what is known of an entry; nothing is decoded. Raises KeyError as ever."""
        chunk, segment, _, _, twin = self._places[name][0]
        mode = segment.attributes.mode
        if isinstance(segment, ByteSegment) and segment.original:
            like = self.info(os.fsdecode(self._file(name)[0].segment.name))
            original = os.fsdecode(segment.original)
            own = like._replace(kind=segment.kind, mtime=segment.mtime, mode=mode)
            return own._replace(original=original, twin=None)
        exact, size, shape, crc = self._places[name][-1].segment.summary
        mtime = None if isinstance(segment, TileSegment) else segment.mtime
        own = EntryInfo(segment.kind, exact, size, shape, mtime, chunk, crc, mode)
        inside = self._counts[segment.name]
        return own._replace(twin=None if twin is None else os.fsdecode(twin), inside=inside)

    def mtime(self, name: str) -> int:
        """Return when a file was modified, in nanoseconds since 1970.

        Times of pictures that the model coded are coded with their pixels, and decoded with them.
        """
        place = self._places[name][0]
        if not isinstance(place.segment, TileSegment):
            return place.segment.mtime
        (file,) = self._picture([place], whole=False).files
        return file.extra.mtime

    def close(self) -> None:
        """Close the file, and let go of what is kept."""
        self._reader.close()
        self._cache.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._again, ()

    def __repr__(self) -> str:
        return f"<Archive {self._reader.path}: {len(self)} entries>"

    def _file(self, name: str) -> list[Place]:
        """Return where an entry lies, or what it equals."""
        return self._original(self._places[name])

    def _original(self, places: list[Place]) -> list[Place]:
        """Return where an entry lies, or what it equals; raise `ArchiveError` if that is no file.

        A hard link may equal a copy, and a copy a file.
        """
        for _ in COPY_KINDS:
            segment = places[0].segment
            if not isinstance(segment, ByteSegment) or not segment.original:
                break
            places = self._places.get(os.fsdecode(segment.original), [])
            if not places and host_of(segment.name) is not None:
                places = self._inside.get(segment.original, [])
            if not places or not equals(segment.kind, places[0].segment.kind):
                raise ArchiveError(f"{self._reader.path}: {no_original(segment)}")
        return places

    def _value(self, places: list[Place], known: dict[bytes, bytes], depth: int = 0) -> bytes:
        """Return a file that lies in some places and so many others, of which some are known."""
        if isinstance(places[0].segment, ByteSegment):
            return self._bytes(places, known, depth)
        if isinstance(places[0].segment, WholeSegment):
            return self._whole(places)
        picture = self._picture(places)
        return picture.file(picture.files[0])

    def _bytes(self, places: list[Place], known: dict[bytes, bytes], depth: int) -> bytes:
        """Put a file together."""
        parts, done, like = [], 0, places[0].segment
        for number, segment, start, *_ in places:
            data = self._chunk(number)
            if not isinstance(segment, ByteSegment) or not isinstance(data, bytes | bytearray):
                raise out_of_order(like.name)
            like = like if done else segment.whole
            if segment.offset != done or segment.whole != like:
                raise out_of_order(like.name)
            parts.append(bytes(memoryview(data)[start : start + segment.length]))
            if segment.kind == PICTURE:
                return picture_file(segment, parts[0])
            if segment.kind in HOST_KINDS:
                return self._join(segment, parts[0], known, depth)
            done += segment.length
        if done != like.size:
            raise only_a_part(like.name)
        joined = b"".join(parts)
        if isinstance(segment, ByteSegment):  # the last one, which tells of the whole file
            check_bytes(segment, joined)
        return joined

    def _join(self, host: ByteSegment, data: bytes, known: dict[bytes, bytes], depth: int) -> bytes:
        """Put a file and what lies inside of it together."""
        stored, inside = unpack_host(host, memoryview(data)), list[bytes]()
        for number in stored.pieces.numbers:
            places = self._inside.get(member_name(host.name, number), [])
            places = self._original(places) if places else []
            if not places or (places[0].segment.kind in HOST_KINDS and depth >= self._depth):
                raise lost_inside(host.name, number)
            if (own := places[0].segment.name) not in known:  # what copies equal is had once
                known[own] = self._value(places, known, depth + 1)
            inside.append(known[own])
        parts: Iterable[bytes | memoryview]
        parts = chain(*zip(stored.pieces.between(), [*inside, b""], strict=True))
        return b"".join(stored.checked(host, [Told(len(one), crc32(one)) for one in inside], parts))

    def _picture(self, places: list[Place], *, whole: bool = True) -> OpenPicture:
        """Put a picture together."""
        picture: OpenPicture | None = None
        for number, segment, start, extra, _ in places:
            decoded = self._chunk(number)
            if not isinstance(segment, TileSegment) or not isinstance(decoded, tuple):
                raise out_of_order(segment.name)
            tiles = decoded[0][start : start + segment.tiles]
            if picture is None:
                if segment.first:
                    raise out_of_order(segment.name)
                picture = OpenPicture([Begun(segment, decoded[1][extra])], tiles)
            picture.add([segment], tiles, decoded[1][extra : extra + segment.tells])
        if picture is None or (whole and not picture.whole):
            raise only_a_part(places[0].segment.name)
        return picture

    def _whole(self, places: list[Place]) -> bytes:
        (number, segment, start, *_), *others = places
        decoded = self._chunk(number)
        if others or not isinstance(segment, WholeSegment) or not isinstance(decoded, list):
            raise out_of_order(segment.name)
        return whole_file(segment, decoded[start])

    def _chunk(self, number: int) -> Decoded:
        """Decode a chunk, unless it is kept."""
        return self._cache.get(number, partial(self._decode, number))

    def _decode(self, number: int) -> tuple[Decoded, int]:
        chunk, table = self._reader.chunks[number], self._tables[number]
        codecs = self._loaded(need_of(chunk.tag, table))
        with self._reading:
            body = self._reader.body(chunk)
        try:
            decoded = decode_chunk(chunk.tag, codecs, table, body)()
        except ArchiveError as error:
            raise self._reader.located(error, chunk) from error
        if isinstance(decoded, bytes | bytearray):
            return decoded, len(decoded)
        if isinstance(decoded, list):
            return decoded, sum(one.held for one in decoded)
        tiles, extras = decoded
        return decoded, tiles.nbytes + sum(sum(map(len, e[1:])) for e in extras)

    def _loaded(self, need: Need) -> Codecs:
        """Return the codec that some chunks need."""
        from bitswap_cli.api.codecs.decoder import decoder  # not to load it for a list of names

        with self._loading:
            if need not in self._codecs:
                codecs_for = decoder(self._model, self._batch, notes=self._notes)
                self._codecs[need] = find_codecs(self._reader, codecs_for, {need})
            return self._codecs[need]


def open_archive(
    archive: PathLike,
    *,
    model: str | None = None,
    cache: int = CACHE,
    batch: int = BATCH,
    notes: Notes | None = None,
) -> Archive:
    """Open an archive, to read some of it. Parameters and errors are those of `Archive`.

    Examples
    --------
    >>> with open_archive("photos.bsw") as archive:
    ...     print(list(archive))
    ...     print(archive["photos/notes.txt"])
    ...     print(archive.pixels("photos/a.png").shape)
    ...     print(archive.info("photos/a.png").exact)
    ['photos/a.png', 'photos/b.png', 'photos/notes.txt']
    b'kept as it was: yes'
    (48, 64, 3)
    True
    """
    return Archive(archive, model=model, cache=cache, batch=batch, notes=notes)
