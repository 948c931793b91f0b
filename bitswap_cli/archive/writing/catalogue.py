"""The catalogue of what is to be archived: each file is walked, read, decoded and proved once.

Whatever a command does with its sources, be it to choose a model by some, to fit it to them, or to
pack them twice, it asks the catalogue. Pixels are kept while there is room for them. Those of other
pictures are decoded again, but not described and proved again, which would be the dear part.
"""

import os
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial
from itertools import islice
from typing import NamedTuple, TypeVar

import zstandard

from bitswap_cli.archive.format.pictures import Stored, pack_picture
from bitswap_cli.archive.format.sections import COPIES, LONG, MAX_BLOCK, MAX_CHUNK_BYTES, SAMPLES
from bitswap_cli.archive.system.telling import Teller
from bitswap_cli.archive.writing import sources as source_files
from bitswap_cli.archive.writing.copies import find
from bitswap_cli.archive.writing.sources import Source, SourceError
from bitswap_cli.archive.writing.walk import collect
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.formats.jpeg.codec import BEGINNING, Jpeg, split
from bitswap_cli.images.formats.register import START, kind_of
from bitswap_cli.images.inspection import (
    decode,
    describe,
    inspect,
    inspect_exact,
    inspect_wide,
    looks_like_picture,
)
from bitswap_cli.images.picture import MAX_PIXELS, MAX_RECIPE, Picture

ROOM = 1 << 30  # bytes of pixels that are kept
_MAX_FILE = 3 * MAX_PIXELS + 2 * MAX_RECIPE  # bytes of a file that is looked at as a picture
_AHEAD = 1 << 24  # bytes of files that are looked at ahead of their turn, at most
_LARGER = 16  # about how many times as many bytes as its file a picture may have

_Found = TypeVar("_Found")
_Settled = TypeVar("_Settled")


class Seen(NamedTuple):
    """A file that can be seen as a picture."""

    pictures: list[Picture]
    """One, or two wide ones of different kinds."""
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int
    """CRC-32 of the file's bytes."""


class SeenJpeg(NamedTuple):
    """A file that is a JPEG."""

    jpeg: Jpeg
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int
    """CRC-32 of the file's bytes."""


class _Entry(NamedTuple):
    """What is known of a file that was looked at."""

    kinds: tuple[str, ...] = ()
    """Of the pictures that it was proved to be."""
    limit: int = 0
    checksum: int = 0  # of its bytes
    description: bytes = b""  # of kinds that have one
    pictures: list[Picture] | None = None
    """None where there was no room for them."""

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return sum(p.pixels.nbytes + sum(map(len, p.recipe[1:])) for p in self.pictures or ())

    def wanted(self, wide: bool) -> bool:
        """Tell whether its pictures are of interest, be wide ones or not."""
        return bool(self.kinds) and (wide or kind_of(self.kinds[0]).plain)


_NO_PICTURE = _Entry()
_UNSEEN = _Entry(limit=-1)


class Catalogue:
    """Everything below some files and folders.

    Parameters
    ----------
    paths : sequence of paths
    wide : bool
        Whether wide pictures are of interest.
    pixels : bool
        Whether it is enough that pictures come back pixel for pixel; else they are described.
    room : int
        Bytes of pixels that are kept.
    threads : int
        Files looked at ahead of their turn at the same time.
    dereference, without, teller
        See `walk.collect`, which takes the paths as well.
    strict : bool
        Refuse what cannot be archived, instead of skipping it.

    Attributes
    ----------
    sources : list of Source
        In the order of their names, as bytes.
    copies : dict of bytes to Copy
        By name: which of them equal others, and need not be looked at.
    size : int
        Bytes of all of them.
    skipped : dict of bytes to str
        By its path: why something cannot be archived; more may follow when files are read.
    notes : list of str
        Lines worth showing.

    Raises
    ------
    InputError
        If a path is not there, or two things get one name; if it is `strict`, here and whenever
        something is read, if that cannot be archived.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        wide: bool = False,
        pixels: bool = False,
        room: int = ROOM,
        threads: int = 1,
        dereference: bool = False,
        without: Iterable[str | os.PathLike[str]] = (),
        strict: bool = False,
        teller: Teller | None = None,
    ) -> None:
        found = collect(paths, dereference=dereference, without=without, teller=teller)
        self.sources, self.copies = find(found.sources)
        self.skipped, self.notes = found.skipped, found.notes
        self._strict = strict
        if self.skipped and (strict or not self.sources):
            raise SourceError(*next(iter(self.skipped.items())))
        self.size = sum(source.size for source in self.sources)
        self._wide = wide
        self._pixels = pixels
        self._room = room
        self._threads = threads
        self._entries: dict[bytes, _Entry] = {}

    def features(self, block: int = MAX_BLOCK) -> frozenset[str]:
        """Return what an archive of it needs beyond what its models do.

        `block` is how many bytes of files are compressed together, at most.
        """
        stored = sum(source.size for source in self.sources if source.name not in self.copies)
        exact = not self._pixels
        long = min(block, stored * (_LARGER if exact else 1)) > MAX_CHUNK_BYTES
        used = {DESCRIBED: exact, SAMPLES: exact, COPIES: bool(self.copies), LONG: long}
        return frozenset(name for name, is_used in used.items() if is_used)

    def candidates(self) -> list[Source]:
        """Return the files that may be pictures, in an order that is as good as random and always
        the same."""
        files = [
            source
            for source in self.sources
            if source.kind == "file" and source.size <= _MAX_FILE and source.name not in self.copies
        ]
        order = sorted(range(len(files)), key=lambda k: k * 2654435761 % (1 << 32))
        return [files[k] for k in order]

    @cached_property
    def jpegs(self) -> frozenset[bytes]:
        """Names of the files that begin as a JPEG."""
        files = (s for s in self.sources if s.kind == "file" and s.size <= _MAX_FILE)
        unseen = (s for s in files if not self._entries.get(s.name, _UNSEEN).kinds)
        return frozenset(s.name for s in unseen if source_files.begins(s, BEGINNING))

    def jpeg(self, source: Source) -> SeenJpeg | None:
        """Return a JPEG file, proved to come back from its coefficients; None if it is none.

        Raises
        ------
        SourceError
            If it cannot be read, or has changed, and the catalogue is strict.
        """
        if source.name not in self.jpegs or source.path in self.skipped:
            return None
        try:
            data = source_files.read(source)
        except SourceError as error:
            self.skip(source, error)
            return None
        found = split(data)
        if found is None or len(found.recipe) > MAX_RECIPE:
            return None
        return SeenJpeg(found, _cost(data), zlib.crc32(data))

    def look(self, source: Source, *, wide: bool = True, again: bool = True) -> Seen | None:
        """Return what a source can be seen as; None if it is no picture, or was skipped.

        Parameters
        ----------
        source : Source
            One of `sources`.
        wide : bool
            Whether a wide picture counts as one, in a catalogue of such.
        again : bool
            Whether this picture will be looked at again: its pixels are kept only then.

        Raises
        ------
        SourceError
            If it cannot be read, or has changed, and the catalogue is strict.
        """
        return self._settle(source, partial(self._find, source, wide), wide, again)

    def look_at(
        self, sources: Iterable[Source], *, wide: bool = True, again: bool = True
    ) -> Generator[tuple[Source, Seen | None]]:
        """Yield one source after the other and what `look` returns of it; meanwhile, the next ones
        are looked at. Parameters and errors are those of `look`."""

        def settle(source: Source, found: Callable[[], _Entry]) -> Seen | None:
            return self._settle(source, found, wide, again)

        return self._ahead(sources, lambda source: self._find(source, wide), settle)

    def stored(self, sources: Iterable[Source]) -> Generator[tuple[Source, Stored | None]]:
        """Yield one source after the other, and its picture if that takes less room so under zstd
        than the file does; meanwhile, the next ones are tried."""
        return self._ahead(sources, self._store, lambda source, stored: stored())

    def _ahead(
        self,
        sources: Iterable[Source],
        find: Callable[[Source], _Found],
        settle: Callable[[Source, Callable[[], _Found]], _Settled],
    ) -> Generator[tuple[Source, _Settled]]:
        """Find something of each source, some at the same time, and settle it in order."""
        waiting: deque[tuple[Source, Future[_Found]]] = deque()

        def first() -> tuple[Source, _Settled]:
            source, found = waiting.popleft()
            return source, settle(source, found.result)

        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for source in sources:
                    waiting.append((source, pool.submit(find, source)))
                    ahead = sum(source.size for source, _ in waiting)
                    if ahead > _AHEAD or len(waiting) > self._threads + 1:
                        yield first()
                while waiting:
                    yield first()
            finally:
                # what is known of others by now is kept
                for source, found in waiting:
                    if not found.cancel() and found.exception() is None:
                        settle(source, found.result)

    def _settle(
        self, source: Source, found: Callable[[], _Entry], wide: bool, again: bool
    ) -> Seen | None:
        """Keep what is found of a source, as far as there is room."""
        if source.path in self.skipped:
            return None
        self._room += self._entries.get(source.name, _UNSEEN).held
        try:
            entry = found()
        except SourceError as error:
            self.skip(source, error)
            return None
        kept = again and entry.held <= self._room
        self._room -= entry.held if kept else 0
        self._entries[source.name] = entry if kept else entry._replace(pictures=None)
        wanted = entry.pictures if entry.wanted(wide and self._wide) else None
        return Seen(wanted, entry.limit, entry.checksum) if wanted else None

    def skip(self, source: Source, error: SourceError) -> None:
        """Go on without a source; raise the error if the catalogue is strict."""
        if self._strict:
            raise error
        self.skipped[source.path] = error.why

    def _find(self, source: Source, wide: bool) -> _Entry:
        """Return what is known of a file, with its pictures if they are wanted."""
        entry = self._entries.get(source.name, _UNSEEN)
        if source.path in self.skipped:
            return entry
        if entry is _UNSEEN:
            entry = self._inspect(source)
        if entry.pictures is None and entry.wanted(wide and self._wide):
            entry = entry._replace(pictures=_decoded(source, entry))
        return entry

    def _inspect(self, source: Source) -> _Entry:
        """Read, decode, describe and prove a file."""
        if source.kind != "file" or source.size > _MAX_FILE:
            return _NO_PICTURE
        data = source_files.read_if(source, looks_like_picture, START)
        if data is None:
            return _NO_PICTURE
        description = None if self._pixels else describe(data)
        if self._pixels:
            plain = inspect(data)
            pictures = [plain] if plain else inspect_wide(data) if self._wide else []
        else:
            pictures = list(islice(inspect_exact(data, description), None if self._wide else 1))
        if not pictures:
            return _NO_PICTURE
        kinds = tuple(picture.recipe.kind for picture in pictures)
        known = _Entry(kinds, _cost(data), zlib.crc32(data), description or b"")
        return known._replace(pictures=pictures)

    def _store(self, source: Source) -> Stored | None:
        """Return the picture of a file that was described, for zstd."""
        entry = self._entries.get(source.name, _NO_PICTURE)
        if not entry.description:
            return None
        try:
            pictures = entry.pictures or _decoded(source, entry)
        except SourceError:  # which comes again when the file itself is to be kept
            return None
        packed = pack_picture(pictures[0])
        return Stored(packed, entry.checksum) if _cost(packed) < entry.limit else None


def _decoded(source: Source, entry: _Entry) -> list[Picture]:
    """Decode a file that was proved before."""
    data = source_files.read(source)
    pictures = [decode(data, kind, entry.description) for kind in entry.kinds]
    found = [picture for picture in pictures if picture is not None]
    if zlib.crc32(data) != entry.checksum or len(found) < len(pictures):
        raise source_files.changed(source)
    return found


def _cost(data: bytes) -> int:
    """Return about how many bytes a file takes without the model."""
    return min(len(data), len(zstandard.ZstdCompressor(level=3).compress(data)))
