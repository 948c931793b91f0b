"""Files into an archive."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from functools import partial

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import COPIES, EQUAL, TWINS, Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.names import depth_of, host_of
from bitswap_cli.archive.format.pictures import Stored
from bitswap_cli.archive.format.segments import PARENT
from bitswap_cli.archive.report import PackReport, Progress
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source, SourceError
from bitswap_cli.archive.writing.blocks import THOROUGH, Blocks, Keeping, order
from bitswap_cli.archive.writing.coders import alike
from bitswap_cli.archive.writing.coders.asking import Asking, Best, Look, lots
from bitswap_cli.archive.writing.coders.coder import Offer, Step, Work
from bitswap_cli.archive.writing.coders.register import Coders
from bitswap_cli.archive.writing.hosted import Inside
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import TileCodec
from bitswap_cli.threads import Threads

_Compared = tuple[Source, Seen | None, Callable[[], Offer | None] | None]
_COMPARED = 1 << 22  # bytes of pixels, if they are not few pictures, that wait to be coded
_AHEAD = 1 << 25  # bytes of pixels waiting to be written, at most (unless they are one picture)


def pack(
    sources: Sequence[str | os.PathLike[str]],
    destination: str | os.PathLike[str],
    codec: TileCodec | None,
    header: Header,
    *,
    keeping: Keeping = THOROUGH,
    force: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> PackReport:
    """Write an archive of files and folders, and let it appear without a look at it.

    Parameters
    ----------
    sources : sequence of paths
        Files and folders. A folder's entries are named from the folder's own name on.
    destination : path
        The archive; written beside itself under a temporary name, then renamed.
    codec, keeping, threads, progress
        See `pack_into`.
    header : Header
        Names the model behind `codec` (`Header.without_model()` if there is none).
    force : bool
        Replace an existing archive.

    Returns
    -------
    PackReport

    Raises
    ------
    InputError
        If a source cannot be read, two sources share a name, or the destination cannot be written.
    """
    catalogue = Catalogue(sources, wide=header.wide, pixels=not header.described, threads=threads)
    header = header.using(catalogue.features(keeping.block))
    with ArchiveWriter(destination, header, catalogue.sources, force=force) as writer:
        codecs = Codecs({} if codec is None else {0: codec})
        report = pack_into(
            writer, catalogue, codecs, keeping=keeping, threads=threads, progress=progress
        )
        writer.commit()
    return report


def pack_into(
    writer: ArchiveWriter,
    catalogue: Catalogue,
    codecs: Codecs,
    *,
    again: bool = False,
    keeping: Keeping = THOROUGH,
    threads: int = 1,
    progress: Progress | None = None,
) -> PackReport:
    """Write all of an archive but its header; it is finished then, but not committed.

    The bytes of the archive do not depend on `threads`.

    Parameters
    ----------
    writer : ArchiveWriter
        Its header names the models behind `codecs`; what `Catalogue.features` allow is made use of
        only if it names them.
    catalogue : Catalogue
        What to archive.
    codecs : Codecs
        Encoders of pictures and JPEG files; where there is none, these are kept byte for byte.
    again : bool
        Whether the catalogue will be needed again; else its pictures are let go of on the way.
    keeping : Keeping
        How files are kept byte for byte.
    threads : int
        Chunks encoded at the same time.
    progress : callable, optional
        Called with the source bytes done and the source bytes in all.

    Raises
    ------
    InputError
        If a source cannot be read, or the archive cannot be written.
    """
    packing = _Packing(writer, catalogue, codecs, again, keeping, threads, progress)
    try:
        packing.run()
    finally:
        packing.close()
    report = packing.report
    report.notes += catalogue.notes
    report.skipped = {os.fsdecode(path): why for path, why in sorted(catalogue.skipped.items())}
    bits = round(report.net_bits)
    writer.finish(Totals(report.entries, report.bytes_before, report.samples, bits))
    report.bytes_after = writer.size
    report.models, report.others = writer.header.models, writer.header.others
    report.fitted_bytes = writer.header.fitted_bytes
    return report


class _Packing:
    """The way of sources into chunks: read in order, encoded at the same time, written in order.

    What is kept byte for byte comes after everything else, when it is known what that is. What is
    encoded together, and what is written when, depends on the sources only.
    """

    def __init__(
        self,
        writer: ArchiveWriter,
        catalogue: Catalogue,
        codecs: Codecs,
        again: bool,
        keeping: Keeping,
        threads: int,
        progress: Progress | None,
    ) -> None:
        self.report = PackReport()
        self._writer = writer
        self._catalogue = catalogue
        self._again = again
        self._threads = threads
        self._progress = progress
        self._done = 0
        self._pool = Threads(threads)
        self._steps: deque[Step] = deque()
        self._bytes = Blocks(writer, keeping, threads, self._pool.submit, self._advance)
        self._kept: list[Source] = []
        self._copies = catalogue.copies if COPIES in writer.header.features else {}
        self._coded = set[bytes]()
        self._missing = {copy.original for copy in self._copies.values()}
        self._twins = catalogue.twins if TWINS in writer.header.features else {}
        self._coders = Coders(
            Work(writer.header, catalogue, codecs, self._pool.submit, keeping.haste, self._queue)
        )

    def run(self) -> None:
        """Write all chunks."""
        copies = [one for one in self._catalogue.sources if one.name in self._copies]
        copies = [one for one in copies if host_of(one.name) is None]
        own = [one for one in self._catalogue.sources if one.name not in self._copies]
        behind = self._of_equal_coefficients() | self._twins
        # behind what they equal
        own.sort(key=lambda one: (behind.get(one.name, one.name), one.name in behind))
        wide = self._writer.header.wide
        with closing(self._catalogue.look_at(own, wide=wide, again=self._again)) as looks:
            self._take(self._offers(looks))
        self._coders.end()
        while self._steps:
            self._write(self._steps.popleft())
        alone = self._catalogue.kept
        self._keep_all([one for one in self._kept if one.name in alone or not host_of(one.name)])
        for source in copies:
            self._add_copy(source, self._copies[source.name])
        self._bytes.flush()

    def _of_equal_coefficients(self) -> dict[bytes, bytes]:
        """Return which JPEG files may share the coefficients of others."""
        if EQUAL not in self._writer.header.features:
            return {}
        jpegs = self._catalogue.jpegs - self._copies.keys()
        return alike.find(one for one in self._catalogue.sources if one.name in jpegs)

    def _keep_all(self, sources: list[Source]) -> None:
        """Keep what no coder took; files with something inside that is had apart come last, those
        in others first."""
        inside = {one.name: own for one in sources if (own := self._inside(one)).taken}
        kept = sorted((one for one in sources if one.name not in inside), key=order)
        with closing(self._catalogue.stored(kept, self._writer.header.features)) as tried:
            for source, stored in tried:
                self._keep(source, stored)
        hosts = sorted((one for one in sources if one.name in inside), key=order)
        for source in sorted(hosts, key=lambda one: -depth_of(one.name)):
            self._keep(source, inside=inside[source.name])

    def _inside(self, source: Source) -> Inside:
        """Return what lies in a file, and which pictures of it a coder took, or one that they
        equal."""

        def taken(member: Source) -> bool:
            copy = self._copies.get(member.name)
            return (copy.original if copy else member.name) in self._coded

        parts = self._catalogue.hosts.get(source.name, [])
        return Inside([own for part in parts if (own := part.with_those(taken))], parts)

    def _take(self, offers: Iterable[_Compared]) -> None:
        """Take the best offers, each when all have joined it that may."""
        offer: Offer | None = None
        for source, seen, best in offers:
            if best is None and offer and offer.join(source, seen):
                continue
            if offer:
                offer.take()
            offer = best() if best else self._coders.best([(source, seen)])[0].offer
            if offer is None:
                self._kept.append(source)
        if offer:
            offer.take()

    def _offers(self, looks: Iterable[Look]) -> Iterator[_Compared]:
        """Yield sources, what they are seen as, and what returns the best offer for each; meanwhile
        those for the next are compared. Twins, which may join the offer before, have none yet.

        What is compared waits while it is small, so that threads compare before they code: what
        takes long had better begin at the same time."""
        waiting = deque[list[_Compared]]()
        held = 0
        asking = Asking()
        for some in lots(looks):
            own = [one for one in some if one[0].name not in self._twins]
            found = asking.ask(self._pool.submit, self._coders.best, own)
            offers = {one[0].name: partial(_result, found, k) for k, one in enumerate(own)}
            waiting.append([(*one, offers.get(one[0].name)) for one in some])
            held += _held(waiting[-1])
            while len(waiting) > self._threads and held > _COMPARED:
                held -= _held(waiting[0])
                yield from waiting.popleft()
        for compared in waiting:
            yield from compared

    def close(self) -> None:
        """Stop what is still being encoded."""
        self._pool.end()

    def _queue(self, step: Step) -> None:
        """Let a step wait for its turn; write the first ones when enough are waiting."""
        self._steps.append(step)
        while (
            len(self._steps) > self._threads + 1
            or sum(waiting.held for waiting in self._steps) > _AHEAD
        ):
            self._write(self._steps.popleft())

    def _write(self, step: Step) -> None:
        """Write the chunks of a step."""
        mark, tag = self._writer.mark(), step.coder.tag
        size = sum(self._writer.add(tag, *chunk) for chunk in step.chunks())
        coded = step.coded()
        size += sum(self._writer.add(tag, *chunk) for chunk in coded.chunks)
        if not coded.kept:
            self._writer.rewind(mark)
            size = 0
        step.coder.count(self.report, coded, size)
        for one in coded.kept:
            self._coded.add(one.source.name)
            self._count(one.source, one.kind)
            self._advance(one.source.size if host_of(one.source.name) is None else 0)
        self._kept += coded.lost

    def _keep(
        self,
        source: Source,
        stored: Stored | None = None,
        inside: Inside | None = None,
    ) -> None:
        """Keep a source byte for byte, by its picture, or by what lies in it."""
        if source.path in self._catalogue.skipped:
            return
        try:
            if inside:
                kind = self._bytes.add_host(source, inside, self._copies)
            else:
                kind = self._bytes.add(source, stored)
        except SourceError as error:
            self._catalogue.skip(source, error)
            return
        self._count(source, kind)

    def _add_copy(self, source: Source, copy: Copy) -> None:
        """Say what a source equals; keep it byte for byte if that was skipped."""
        if copy.original in self._missing:
            self._keep(source)
            return
        self._bytes.add_copy(source, copy)
        self._count(source, copy.kind)

    def _count(self, source: Source, kind: str) -> None:
        if kind == PARENT or host_of(source.name) is not None:
            return
        report = self.report
        self._missing.discard(source.name)
        report.entries += 1
        report.bytes_before += source.size
        report.kinds[kind] += 1

    def _advance(self, size: int) -> None:
        """Tell that so many more bytes of files are in the archive."""
        self._done += size
        if self._progress:
            self._progress(self._done, self._catalogue.size)


def _held(some: Iterable[_Compared]) -> int:
    """Return how many bytes the pixels of some pictures take, as far as files are such."""
    pictures = (picture for _, seen, _ in some if seen for picture in seen.pictures)
    return sum(picture.pixels.nbytes for picture in pictures)


def _result(found: Future[list[Best]], number: int) -> Offer | None:
    return found.result()[number].offer
