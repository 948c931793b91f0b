"""JPEG files, and pictures that were, on their way into JPEG chunks, by their coefficients."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from bitswap_cli.archive.format.header import EQUAL
from bitswap_cli.archive.format.jpeg import encode_jpegs
from bitswap_cli.archive.format.sections import JPEG, MAX_BODY, MAX_EXTRAS, MAX_SEGMENTS
from bitswap_cli.archive.format.segments import MAX_TWINS, WholeSegment
from bitswap_cli.archive.format.values.blobs import pack_blob, squeezed
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source, opened
from bitswap_cli.archive.writing.coders.alike import digests
from bitswap_cli.archive.writing.coders.coder import Coded, Kept, Offer, Step, Submit, Work
from bitswap_cli.archive.writing.coders.planned import Planned, by_those_of, of_jpeg, of_picture
from bitswap_cli.coefficients import BlockCodec, Coefficients, EncodedPictures, Frame
from bitswap_cli.errors import display
from bitswap_cli.images import bands
from bitswap_cli.images.formats.jpeg.frame import MOST_SAMPLES
from bitswap_cli.images.formats.jpeg.head import head

_BLOCKS = 1 << 16  # of a chunk, unless it is of one file
_SEGMENTS = MAX_SEGMENTS >> 6
_RECIPES = MAX_EXTRAS >> 3  # bytes


class _File(NamedTuple):
    """A file of a batch."""

    source: Source
    planned: Planned
    digests: tuple[bytes, ...] = ()
    """Of its pictures, where files may share coefficients."""


class _Family(NamedTuple):
    """Files of the same coefficients."""

    files: list[_File]
    """One that tells them, and its twins."""
    bands: int
    """How many its pictures are cut into."""

    @property
    def limit(self) -> int:
        """Bytes that the files take without the model."""
        return sum(file.planned.limit for file in self.files)


class JpegCoder:
    """Puts JPEG files into chunks.

    Parameters
    ----------
    work : Work
    codec : BlockCodec
    """

    tag = JPEG

    def __init__(self, work: Work, codec: BlockCodec) -> None:
        self._work, self._codec = work, codec
        self._batch: JpegBatch | None = None

    @classmethod
    def begin(cls, work: Work) -> "JpegCoder | None":
        """Return it, if there is a codec of coefficients."""
        codec = work.codecs.coefficients
        return None if codec is None else cls(work, codec)

    def offer(self, source: Source, seen: Seen | None) -> Offer | None:
        """Offer to code a JPEG file, which is proved for that, or a picture that was one."""
        jpeg = None if seen else self._work.catalogue.jpeg(source)
        if jpeg is None and source.name in self._work.catalogue.jpegs:
            self._tell_of_large(source)
        features = self._work.header.features
        planned = of_jpeg(jpeg) if jpeg else of_picture(seen, features) if seen else None
        if planned is None:
            return None
        own = digests(planned.frames, planned.pictures) if EQUAL in features else ()
        return Offer(partial(self._take, _File(source, planned, own)), planned.cost)

    def _tell_of_large(self, source: Source) -> None:
        """Note that a JPEG file is kept that has more pixels than any sampling lets be coded."""
        with contextlib.suppress(OSError), opened(source) as file:
            told = head(file)
            pixels = told.pixels if told else 0
            note = f"{display(source.path)} has {pixels // 10**6} megapixels: it is kept as a file"
            notes = self._work.catalogue.notes
            if pixels > MOST_SAMPLES // 3 and note not in notes:
                notes.append(note)

    def end(self) -> None:
        """Send the last files on their way."""
        batch, self._batch = self._batch, None
        if batch:
            batch.close()
            self._work.queue(Step(self, batch.coded, batch.held))

    def count(self, report: PackReport, coded: Coded, size: int) -> None:
        """Tell of some files."""
        report.jpeg_bytes += size
        report.jpeg_bytes_before += sum(one.source.size for one in coded.kept)

    def _take(self, file: _File) -> None:
        joins = EQUAL in self._work.header.features
        if joins and self._batch and self._batch.join(file):
            return
        if self._batch and self._batch.full:
            self.end()
        if self._batch is None:
            self._batch = JpegBatch(self._codec, self._work.submit)
        self._batch.add(file)
        if self._batch.full and not joins:
            self.end()


class JpegBatch:
    """The files of one chunk; their coefficients are coded while others come.

    Parameters
    ----------
    codec : BlockCodec
    submit : callable
        Lets a function be called in another thread, as `Executor.submit` does.
    """

    def __init__(self, codec: BlockCodec, submit: Submit) -> None:
        self._codec, self._submit = codec, submit
        self._families: list[_Family] = []
        self._files = 0
        self._frames: list[Frame] = []
        self._bands: list[Coefficients] = []
        self._blocks = self._recipes = 0
        self._begun = 0  # how many bands are being coded, or were
        self._told: list[Future[EncodedPictures]] = []

    @property
    def held(self) -> int:
        """Bytes of coefficients in memory."""
        return 128 * self._blocks

    @property
    def full(self) -> bool:
        """Whether it is to become a chunk."""
        return self._crowded or self._blocks >= _BLOCKS

    @property
    def _crowded(self) -> bool:
        """Whether it tells of as many files as it may."""
        return self._files >= _SEGMENTS or self._recipes >= _RECIPES

    def join(self, file: _File) -> bool:
        """Take a file that has the coefficients of another one, if that pays and there is room for
        it; tell whether it was taken."""
        if self._crowded or squeezed(file.planned.recipe) >= file.planned.limit:
            return False
        found = self._like(file)
        if found:
            family, planned = found
            # coefficients are those of the first one: no more of them are held
            planned = planned._replace(recipe_by=None, pictures=[], frames=[])
            self._count(own := _File(file.source, planned))
            family.files.append(own)
        return found is not None

    def _like(self, file: _File) -> tuple[_Family, Planned] | None:
        """Return the files that a file has the coefficients of, and how it is coded by these."""
        planned, own = file.planned, file.digests
        roomy = [one for one in self._families if len(one.files) <= MAX_TWINS]
        for family in roomy:
            if family.files[0].digests[: len(own)] == own:
                return family, planned
        # a JPEG and what was decoded of it have names that follow each other
        last = roomy[-1] if roomy and roomy[-1] is self._families[-1] else None
        other = by_those_of(last.files[0].planned, planned) if last else None
        return (last, other) if last and other else None

    def add(self, file: _File, twins: Sequence[_File] = ()) -> None:
        """Take a file, and such as have its coefficients; begin to code what no other file will be
        coded together with."""
        before, planned = len(self._frames), file.planned._replace(recipe_by=None)
        for frame, picture in zip(planned.frames, planned.pictures, strict=True):
            self._blocks += bands.blocks_of(frame)
            own = bands.bands(frame)
            self._frames += own
            self._bands += bands.cut(picture, own)
        files = [file._replace(planned=planned), *twins]
        self._families.append(_Family(files, len(self._frames) - before))
        for one in files:
            self._count(one)
        self._code(rest=False)

    def _count(self, file: _File) -> None:
        self._files += 1
        self._recipes += len(file.planned.recipe) + file.source.attributes.weight

    def close(self) -> None:
        """Begin to code the rest."""
        self._code(rest=True)

    def _code(self, *, rest: bool) -> None:
        frames, own = self._frames[self._begun :], self._bands[self._begun :]
        spans = bands.together(frames)
        for span in spans if rest else spans[:-1]:
            self._told.append(self._submit(self._codec.encode, frames[span], own[span], b""))
            self._begun += span.stop - span.start

    def coded(self) -> Coded:
        """Wait for the body; files for which the model does not pay are none of it."""
        told = [future.result() for future in self._told]
        bits = np.concatenate([one.bits.sum(1) for one in told])
        places = np.cumsum([0, *(one.bands for one in self._families[:-1])])
        costs = np.add.reduceat(bits, places) / 8 + self._recipe_costs()
        loses = [cost >= one.limit for cost, one in zip(costs, self._families, strict=True)]
        if not any(loses):
            body = self._body(told)
            # What the chunk costs as a whole has to pay as well.
            if len(body) < min(sum(one.limit for one in self._families), MAX_BODY):
                files = [own for one in self._families for own in one.files]
                kept = [Kept(own.source, own.planned.kind) for own in files]
                return Coded([(body, len(kept))], kept, [])
            loses = [True] * len(self._families)
        families = list(zip(self._families, loses, strict=True))
        lost = [own.source for one, does in families if does for own in one.files]
        if all(loses):
            return Coded([], [], lost)
        rest = JpegBatch(self._codec, self._submit)
        for one, does in families:
            if not does:
                rest.add(one.files[0], one.files[1:])
        rest.close()
        coded = rest.coded()
        return coded._replace(lost=sorted([*lost, *coded.lost]))

    def _body(self, messages: list[EncodedPictures]) -> bytes:
        segments, recipes = list[WholeSegment](), list[bytes]()
        for family in self._families:
            for twin, (source, planned, _) in enumerate(family.files):
                size, crc = (0, 0) if planned.crc is None else (source.size, planned.crc)
                own = WholeSegment(
                    source.name, planned.kind, *planned.shape, size, source.mtime, crc,
                    source.attributes, twin=twin,
                )  # fmt: skip
                segments.append(own)
                recipes.append(planned.recipe)
        return encode_jpegs(segments, recipes, messages)

    def _recipe_costs(self) -> NDArray[np.float64]:
        """Return about how many bytes the recipes of each family take: what they share is
        shared."""
        recipes = [own.planned.recipe for one in self._families for own in one.files]
        squeeze = zstandard.ZstdCompressor(level=3).compress
        alone = np.array([len(pack_blob(recipe, squeeze)) for recipe in recipes])
        together = len(pack_blob(b"".join(recipes), squeeze))
        places = np.cumsum([0, *(len(one.files) for one in self._families[:-1])])
        shared: NDArray[np.float64] = alone * min(1.0, together / alone.sum())
        return np.add.reduceat(shared, places)
