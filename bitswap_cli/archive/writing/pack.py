"""Files into an archive."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import NamedTuple

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.pictures import Stored
from bitswap_cli.archive.format.sections import (
    COPIES,
    ID,
    JPEG,
    MAX_CHUNK_SAMPLES,
    MAX_SEGMENTS,
    TILE,
    Header,
    framing,
)
from bitswap_cli.archive.format.segments import PARENT
from bitswap_cli.archive.report import PackReport, Progress
from bitswap_cli.archive.writing.batches import (
    Batch,
    Coded,
    Part,
    code_batch,
    code_part,
)
from bitswap_cli.archive.writing.blocks import THOROUGH, Blocks, Keeping, order
from bitswap_cli.archive.writing.catalogue import Catalogue, Seen
from bitswap_cli.archive.writing.choice import choose
from bitswap_cli.archive.writing.copies import Copy
from bitswap_cli.archive.writing.jpegs import JpegBatch
from bitswap_cli.archive.writing.sources import Source, SourceError
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.formats.register import kind_of

_BATCH_BYTES = 1 << 23  # bytes of the files of one batch of pictures, at most (unless it is one)
_AHEAD = 1 << 26  # bytes of pixels waiting to be written, at most (unless they are one picture)


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
        codecs = Codecs(codec)
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
        Encoders of pictures and JPEG files; where one is None, these are kept byte for byte.
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
    header = writer.header
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
    report.model, report.sha256, report.scheme = header.model, header.sha256, header.scheme
    report.fitted = tuple(fitted.channels for fitted in header.fitted)
    report.fitted_bytes = header.fitted_bytes
    return report


class _Step(NamedTuple):
    """Chunks of pictures, to write when their turn comes."""

    write: Callable[[], None]
    held: int  # bytes of pixels or coefficients in memory


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
        self._codec, self._coefficients = codecs
        self._again = again
        self._threads = threads
        self._progress = progress
        self._pool = ThreadPoolExecutor(threads)
        self._steps: deque[_Step] = deque()
        self._bytes = Blocks(writer, keeping, threads)
        self._kept: list[Source] = []
        self._batches: dict[tuple[int, int], Batch] = {}  # by channels, if wide; factor of tiles
        self._copies = catalogue.copies if COPIES in writer.header.features else {}
        self._missing = {copy.original for copy in self._copies.values()}
        self._jpegs: JpegBatch | None = None

    def run(self) -> None:
        """Write all chunks."""
        copies = [one for one in self._catalogue.sources if one.name in self._copies]
        own = [one for one in self._catalogue.sources if one.name not in self._copies]
        wide = self._writer.header.wide
        with closing(self._catalogue.look_at(own, wide=wide, again=self._again)) as looks:
            for source, seen in looks:
                if not (self._add_picture(source, seen) or self._add_jpeg(source)):
                    self._kept.append(source)
        for key in sorted(self._batches):
            self._close_batch(key)
        self._close_jpegs()
        while self._steps:
            self._steps.popleft().write()
        with closing(self._catalogue.stored(sorted(self._kept, key=order))) as kept:
            for source, stored in kept:
                self._keep(source, stored)
        for source in copies:
            self._add_copy(source, self._copies[source.name])
        self._bytes.flush()

    def close(self) -> None:
        """Stop what is still being encoded."""
        self._pool.shutdown(cancel_futures=True)

    def _add_picture(self, source: Source, seen: Seen | None) -> bool:
        """Send a file on its way to the codec of tiles, if it is a picture for it."""
        if not seen or not self._codec:
            return False
        used = self._writer.header.features
        fits = [p for p in seen.pictures if kind_of(p.recipe.kind).fits(used)]
        if not (chosen := choose(self._codec, fits)):
            return False
        codec, picture, factor, number = chosen
        crc = seen.crc if kind_of(picture.recipe.kind).exact else None
        part = Part(source, picture, factor, seen.limit, 0, number, crc=crc)
        samples = codec.tile_height * codec.tile_width * codec.channels
        room = min(codec.chunk_tiles, MAX_SEGMENTS, MAX_CHUNK_SAMPLES // samples) // factor**2
        if number > room:
            self._code_in_parts(codec, part, room)
            return True
        # a chunk's pictures have tiles of one size, and are all coded by one model
        key = (picture.pixels.shape[2] if codec is not self._codec else 0, factor)
        batch = self._batches.setdefault(key, Batch(codec))
        if batch.tiles + number > room or batch.size + source.weight > _BATCH_BYTES:
            self._close_batch(key)
            batch = self._batches.setdefault(key, Batch(codec))
        batch.parts.append(part)
        batch.tiles += number
        batch.size += source.weight
        return True

    def _code_in_parts(self, codec: TileCodec, whole: Part, room: int) -> None:
        chunks = -(-whole.tiles // room)
        bounds = [whole.tiles * k // chunks for k in range(chunks + 1)]
        parts = [
            whole._replace(first=start, tiles=end - start)
            for start, end in zip(bounds[:-1], bounds[1:], strict=True)
        ]
        results = [self._pool.submit(code_part, codec, part) for part in parts]
        held = whole.picture.pixels.nbytes
        self._queue(_Step(partial(self._write_parts, parts, results), held=held))

    def _close_batch(self, key: tuple[int, int]) -> None:
        batch = self._batches.pop(key)
        if batch.parts:
            oriented = self._writer.header.oriented
            coded = self._pool.submit(code_batch, batch.codec, batch.parts, oriented=oriented)
            held = sum(part.picture.pixels.nbytes for part in batch.parts)
            write = partial(self._write_parts, batch.parts, [coded])
            self._queue(_Step(write, held=held))

    def _add_jpeg(self, source: Source) -> bool:
        """Send a file on its way to the codec of coefficients, if it is a JPEG."""
        seen = self._catalogue.jpeg(source) if self._coefficients else None
        if seen is None or self._coefficients is None:
            return False
        if self._jpegs is None:
            self._jpegs = JpegBatch(self._coefficients, self._pool.submit)
        self._jpegs.add(source, seen)
        if self._jpegs.full:
            self._close_jpegs()
        return True

    def _close_jpegs(self) -> None:
        batch, self._jpegs = self._jpegs, None
        if batch:
            batch.close()
            write = partial(self._write_jpegs, batch)
            self._queue(_Step(write, held=batch.held))

    def _queue(self, step: _Step) -> None:
        """Let a step wait for its turn; write the first ones when enough are waiting."""
        self._steps.append(step)
        while (
            len(self._steps) > self._threads + 1
            or sum(waiting.held for waiting in self._steps) > _AHEAD
        ):
            self._steps.popleft().write()

    def _write_parts(self, parts: list[Part], results: list[Future[Coded]]) -> None:
        """Write the chunk of some pictures, or those of one."""
        coded = [result.result() for result in results]
        if len(coded) > 1:
            cost = sum(len(one.body) + framing(bytes(ID)) for one in coded)
            if cost >= parts[0].limit:
                self._kept.append(parts[0].source)
                return
        for one in coded:
            if one.kept:
                self._write_tiles(one)
            self._kept += [part.source for part in one.lost]

    def _write_tiles(self, coded: Coded) -> None:
        report = self.report
        report.tile_bytes += self._writer.add(TILE, coded.body, len(coded.kept))
        report.net_bits += coded.bits
        for part in coded.kept:
            if not part.first:
                report.samples += part.picture.pixels.size
                report.tile_entries += 1
                report.tile_bytes_before += part.source.size
                self._count(part.source, part.picture.recipe.kind)

    def _write_jpegs(self, batch: JpegBatch) -> None:
        coded = batch.coded()
        if coded.kept:
            self.report.jpeg_bytes += self._writer.add(JPEG, coded.body, len(coded.kept))
        for source in coded.kept:
            self._count(source, "jpeg")
            self.report.jpeg_bytes_before += source.size
        self._kept += coded.lost

    def _keep(self, source: Source, stored: Stored | None = None) -> None:
        """Keep a source byte for byte, or by its picture."""
        if source.path in self._catalogue.skipped:
            return
        try:
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
        if kind == PARENT:
            return
        report = self.report
        self._missing.discard(source.name)
        report.entries += 1
        report.bytes_before += source.size
        report.kinds[kind] += 1
        if self._progress:
            self._progress(report.bytes_before, self._catalogue.size)
