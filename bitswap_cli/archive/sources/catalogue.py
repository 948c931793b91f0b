"""The catalogue of what is to be archived: each file is walked, read, decoded and proved once.

Whatever a command does with its sources, be it to choose a model by some, to fit it to them, or to
pack them twice, it asks the catalogue. Pixels are kept while there is room for them. Those of other
pictures are decoded again, but not described and proved again, which would be the dear part.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from functools import cached_property, partial
from itertools import accumulate

from bitswap_cli.archive.format.header import COPIES, LARGE, LONG, SAMPLES, TWINS
from bitswap_cli.archive.format.pictures import Stored
from bitswap_cli.archive.format.sections import MAX_BLOCK, MAX_CHUNK_BYTES
from bitswap_cli.archive.sources import seen, strips, twins
from bitswap_cli.archive.sources.ahead import Outcome, ahead, any_tells, each
from bitswap_cli.archive.sources.beginnings import Beginnings, begun
from bitswap_cli.archive.sources.copies import find
from bitswap_cli.archive.sources.inside.hosts import look_into
from bitswap_cli.archive.sources.inside.streams import LEVEL
from bitswap_cli.archive.sources.lookers import Look, here, lookers
from bitswap_cli.archive.sources.seen import LAID, NO_PICTURE, UNSEEN, Group, Known, Seen, SeenJpeg
from bitswap_cli.archive.sources.source import Source, SourceError, beginning
from bitswap_cli.archive.sources.strips import SeenStrips
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.archive.system.telling import Teller
from bitswap_cli.images import repeats
from bitswap_cli.images.formats import register
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.inspection import looks_like_picture
from bitswap_cli.images.picture import Picture

ROOM = 1 << 26  # bytes of pixels that are kept
_FIRST = 1 << 25  # bytes of files
_FEW = 64  # files
_LARGER = 16  # about how many times as many bytes as its file a picture may have


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
    level, mixing : int, bool
        Of zstd, by which files are kept that no coder takes; whether they are mixed as well.

    Attributes
    ----------
    sources : list of Source
        In the order of their names, as bytes; pictures inside of files among them.
    copies : dict of bytes to Copy
        By name: which of them equal others, and need not be looked at.
    hosts : dict of bytes to list of Part
        By name: in which of them something lies, and what.
    kept : dict of bytes to Source
        By name: what lies in hosts and is in the archive in any case, see `Member`.
    size : int
        Bytes of all of them, what lies inside of others not counted.
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
        level: int = LEVEL,
        mixing: bool = True,
    ) -> None:
        found = collect(paths, dereference=dereference, without=without, teller=teller)
        self._hosted = look_into(*find(found.sources), pixels, threads, level)
        self.sources, self.copies, self.hosts = self._hosted[:3]
        self.kept, self.skipped, self.notes = self._hosted.kept, found.skipped, found.notes
        if self.skipped and (strict or not self.sources):
            raise SourceError(*next(iter(self.skipped.items())))
        self.size = sum(source.size for source in found.sources)
        self._wide, self._room, self._threads, self._strict = wide, room, threads, strict
        self._how = {"pixels": pixels, "mixing": mixing}
        self._described = not pixels or self._hosted.any  # pictures inside of files always are
        self._entries: dict[bytes, Known] = {}
        self._strips: dict[bytes, SeenStrips | None] = {}
        self._look: Look = here

    def features(self, block: int = MAX_BLOCK) -> frozenset[str]:
        """Return what an archive of it needs beyond what its models do.

        `block` is how many bytes of files are compressed together, at most.
        """
        stored = sum(source.size for source in self.sources if source.name not in self.copies)
        known, strips = self._all().values(), self._beginnings.strips.values()
        kinds = {name for one in known for name in one.kinds} | {one.recipe.kind for one in strips}
        exact, own = self._described, register.features(kinds)
        longest = min(block, stored * (_LARGER if exact else 1))
        longest = max(longest, self._hosted.longest)
        used = {
            DESCRIBED: exact,
            SAMPLES: exact or bool(own.difference(LAID)),
            COPIES: bool(self.copies),
            LONG: longest > MAX_CHUNK_BYTES,
            LARGE: bool(strips) or any(one.large for one in known),
            TWINS: bool(self.twins),
        }
        own = own.union(self._hosted.features, *(one.makers for one in known))
        return frozenset(own.union(name for name, is_used in used.items() if is_used))

    def candidates(self) -> list[Source]:
        """Return the files that may be pictures which are held, in an order that is as good as
        random and always the same."""
        names = self._beginnings.held - self.copies.keys()
        files = [source for source in self.sources if source.name in names]
        order = sorted(range(len(files)), key=lambda k: k * 2654435761 % (1 << 32))
        return [files[k] for k in order]

    def by_genres(self, *, wide: bool = True) -> dict[tuple[str, ...], Group]:
        """Return all pictures by the genres of what their files can be seen as, in the order of
        `candidates`, once each; not `wide` ones if they are of no interest."""
        entries, found = self._all(), dict[tuple[str, ...], Group]()
        for source in self.candidates():
            known = entries.get(source.name, NO_PICTURE)
            if known.wanted(wide and self._wide) and source.name not in self.twins:
                group = found.setdefault(known.genres, Group())
                group.sources.append(source)
                group.samples += known.samples
        return found

    @property
    def jpegs(self) -> frozenset[bytes]:
        """Names of the files that begin as a JPEG."""
        return self._beginnings.jpegs

    @property
    def large(self) -> list[Source]:
        """The files that may be pictures which are had by strips."""
        names = self._beginnings.strips.keys() - self.copies.keys()
        return [source for source in self.sources if source.name in names]

    @cached_property
    def _beginnings(self) -> Beginnings:
        return begun(one for one in self.sources if one.name not in self.hosts)

    def strips(self, source: Source) -> SeenStrips | None:
        """Return a picture that is had by strips, proved to come back; None if it is none. Errors
        are those of `look`."""
        beginning = self._beginnings.strips.get(source.name)
        if beginning is None or source.path in self.skipped:
            return None
        if source.name not in self._strips:
            try:
                self._strips[source.name] = strips.look(source, beginning)
            except SourceError as error:
                self.skip(source, error)
                return None
        return self._strips[source.name]

    def jpeg(self, source: Source) -> SeenJpeg | None:
        """Return a JPEG file, proved to come back from its coefficients; None if it is none. Errors
        are those of `look`."""
        if source.name not in self.jpegs or source.path in self.skipped:
            return None
        try:
            return seen.look_for_jpeg(source)
        except SourceError as error:
            self.skip(source, error)
            return None

    @cached_property
    def drawn(self) -> bool:
        """Whether any picture may be a drawn one; taken for granted of those behind the first
        `_FIRST` bytes of files."""
        return self._any(lambda picture: repeats.depth(picture) is not None)

    @cached_property
    def wide(self) -> bool:
        """Whether any picture that is of interest is a wide one; taken for granted likewise."""
        return self._wide and self._any(lambda picture: kind_of(picture.recipe.kind).wide)

    @cached_property
    def twins(self) -> dict[bytes, bytes]:
        """By name: the pictures that have the pixels of others, and the first of these.

        Of those that are had by strips, the ones of like shape are looked at.
        """
        begun = self._beginnings.strips
        shapes = Counter(begun[source.name].shape for source in self.large)
        alike = (source for source in self.large if shapes[begun[source.name].shape] > 1)
        digests = {name: known.digests for name, known in self._all().items()}
        digests |= {one.name: (own.digest,) for one in alike if (own := self.strips(one))}
        return twins.find(sorted(digests.items()))

    def _all(self) -> Mapping[bytes, Known]:
        """Return what is known of all files that may be pictures; those that were not looked at yet
        are."""
        others = [one for one in self.candidates() if one.name not in self._entries]
        with self._helped(others), closing(self.look_at(others)) as looks:
            deque(looks, maxlen=0)
        return self._entries

    def _any(self, tells: Callable[[Picture], bool]) -> bool:
        """Whether something can be told of any picture."""
        files = self.candidates()
        if sum(source.size for source in files) > _FIRST:
            return any(map(looks_like_picture, (beginning(one, register.START) for one in files)))
        return self._tell(files, lambda found: any(map(tells, found.pictures)))

    @cached_property
    def decoded(self) -> bool:
        """Whether any picture is one that a JPEG decoder made, and better coded as what it was.

        Pictures of the first `_FIRST` bytes of files are kept; those of others are decoded again.
        """
        kept = [source for source in self.sources if self._entries.get(source.name, UNSEEN).held]
        names = {source.name for source in kept}
        others = [source for source in self.candidates() if source.name not in names]
        first = sum(end <= _FIRST for end in accumulate(source.size for source in others))
        return any(
            self._tell(some, seen.pays_as_jpeg, again=again)
            for some, again in (([*kept, *others[:first]], True), (others[first:], False))
        )

    def _tell(
        self, sources: list[Source], tells: Callable[[Seen], bool], *, again: bool = True
    ) -> bool:
        """Whether something can be told of any source, see `any_tells`."""

        def tells_of(known: Known) -> bool:
            return (found := known.seen(wide=self._wide)) is not None and tells(found)

        find, settle = partial(self._find, wide=True), partial(self._settle, wide=True, again=again)
        # most that tell are among the first, before another process would have begun to look
        if any_tells(sources[:_FEW], find, tells_of, settle, self._threads):
            return True
        with self._helped(sources[_FEW:]):
            return any_tells(sources[_FEW:], find, tells_of, settle, self._threads)

    def look(self, source: Source, *, wide: bool = True, again: bool = True) -> Seen | None:
        """Return what one of `sources` can be seen as; None if it is no picture, or was skipped.

        `wide` is whether a wide picture counts as one, in a catalogue of such; `again`, whether
        this picture will be looked at again: its pixels are kept only then. Raises `SourceError` if
        it cannot be read, or has changed, and the catalogue is strict.
        """
        (found,) = self._find([source], wide)
        return self._settle(source, found.result, wide, again)

    def look_at(
        self, sources: Iterable[Source], *, wide: bool = True, again: bool = True
    ) -> Generator[tuple[Source, Seen | None]]:
        """Yield one source after the other and what `look` returns of it; meanwhile, the next ones
        are looked at. Parameters and errors are those of `look`."""
        settle = partial(self._settle, wide=wide, again=again)
        return ahead(sources, partial(self._find, wide=wide), settle, self._threads)

    def stored(
        self, sources: Iterable[Source], features: Set[str]
    ) -> Generator[tuple[Source, Stored | None]]:
        """Yield one source after the other, and its picture if that takes less room so under zstd
        than the file does, and an archive of these features can hold it; meanwhile, the next ones
        are tried."""

        def store(source: Source) -> Stored | None:
            return seen.stored(source, self._entries.get(source.name, NO_PICTURE), features)

        return ahead(sources, each(store), lambda source, stored: stored(), self._threads)

    def _settle(
        self, source: Source, found: Callable[[], Known], wide: bool, again: bool
    ) -> Seen | None:
        """Keep what is found of a source, as far as there is room."""
        if source.path in self.skipped:
            return None
        self._room += self._entries.get(source.name, UNSEEN).held
        try:
            entry = found()
        except SourceError as error:
            self.skip(source, error)
            return None
        kept = again and entry.held <= self._room
        self._room -= entry.held if kept else 0
        self._entries[source.name] = entry if kept else entry._replace(pictures=None)
        return entry.seen(wide=wide and self._wide)

    def skip(self, source: Source, error: SourceError) -> None:
        """Go on without a source; raise the error if the catalogue is strict."""
        if self._strict:
            raise error
        self.skipped[source.path] = error.why

    @contextmanager
    def _helped(self, sources: Sequence[Source]) -> Generator[None]:
        """Let other processes look at these files meanwhile, where that is sooner."""
        new = [one for one in sources if one.name not in self._entries]
        with lookers(new, self._threads) as self._look:
            try:
                yield
            finally:
                self._look = here

    def _find(self, sources: Sequence[Source], wide: bool) -> list[Outcome[Known]]:
        """Return what is known of files, with their pictures if they are wanted."""
        new = [one for one in sources if self._known(one) is UNSEEN]
        looked = self._look(new, wide=self._wide, **self._how) if new else []
        told = dict(zip((one.name for one in new), looked, strict=True))
        again = each(partial(self._again, wide=wide))
        return [told.get(one.name) or again([one])[0] for one in sources]

    def _known(self, source: Source) -> Known:
        """Return what is known of a file; what is no picture, or was skipped, is not looked at."""
        if source.path in self.skipped or source.name not in self._beginnings.held:
            return NO_PICTURE
        return self._entries.get(source.name, UNSEEN)

    def _again(self, source: Source, *, wide: bool) -> Known:
        """Return what is known of a file, with its pictures if they are wanted."""
        known = self._known(source)
        if known.pictures is None and known.wanted(wide and self._wide):
            return known._replace(pictures=seen.look_again(source, known))
        return known
