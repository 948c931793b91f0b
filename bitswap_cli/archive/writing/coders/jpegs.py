"""JPEG files, and pictures that were, on their way into JPEG chunks, by their coefficients."""

from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from bitswap_cli.archive.format.jpeg import encode_jpegs
from bitswap_cli.archive.format.sections import JPEG, MAX_BODY, MAX_EXTRAS, MAX_SEGMENTS
from bitswap_cli.archive.format.segments import WholeSegment
from bitswap_cli.archive.format.values.blobs import pack_blob
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.coder import Coded, Kept, Offer, Step, Submit, Work
from bitswap_cli.archive.writing.coders.planned import Planned, of_jpeg, of_picture
from bitswap_cli.coefficients import BlockCodec, Coefficients, EncodedPictures, Frame
from bitswap_cli.images import bands

_BLOCKS = 1 << 16  # of a chunk, unless it is of one file
_SEGMENTS = MAX_SEGMENTS >> 6
_RECIPES = MAX_EXTRAS >> 3  # bytes


class _File(NamedTuple):
    """A file of a batch."""

    source: Source
    planned: Planned
    bands: int
    """How many its pictures are cut into."""


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
        features = self._work.header.features
        planned = of_jpeg(jpeg) if jpeg else of_picture(seen, features) if seen else None
        return planned and Offer(partial(self._take, source, planned), planned.cost)

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

    def _take(self, source: Source, planned: Planned) -> None:
        if self._batch is None:
            self._batch = JpegBatch(self._codec, self._work.submit)
        self._batch.add(source, planned)
        if self._batch.full:
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
        self._files: list[_File] = []
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
        many = len(self._files) >= _SEGMENTS or self._recipes >= _RECIPES
        return many or self._blocks >= _BLOCKS

    def add(self, source: Source, planned: Planned) -> None:
        """Take a file; begin to code what no other file will be coded together with."""
        before = len(self._frames)
        for frame, picture in zip(planned.frames, planned.pictures, strict=True):
            self._blocks += bands.blocks_of(frame)
            own = bands.bands(frame)
            self._frames += own
            self._bands += bands.cut(picture, own)
        self._files.append(_File(source, planned, len(self._frames) - before))
        self._recipes += len(planned.recipe) + source.attributes.weight
        self._code(rest=False)

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
        places = np.cumsum([0, *(one.bands for one in self._files[:-1])])
        costs = np.add.reduceat(bits, places) / 8 + self._recipe_costs()
        loses = [cost >= one.planned.limit for cost, one in zip(costs, self._files, strict=True)]
        if not any(loses):
            body = self._body(told)
            # What the chunk costs as a whole has to pay as well.
            if len(body) < min(sum(one.planned.limit for one in self._files), MAX_BODY):
                kept = [Kept(one.source, one.planned.kind) for one in self._files]
                return Coded([(body, len(kept))], kept, [])
            loses = [True] * len(self._files)
        lost = [one.source for one, does in zip(self._files, loses, strict=True) if does]
        if len(lost) == len(self._files):
            return Coded([], [], lost)
        rest = JpegBatch(self._codec, self._submit)
        for one, does in zip(self._files, loses, strict=True):
            if not does:
                rest.add(one.source, one.planned)
        rest.close()
        coded = rest.coded()
        return coded._replace(lost=sorted([*lost, *coded.lost]))

    def _body(self, messages: list[EncodedPictures]) -> bytes:
        segments = []
        for source, planned, _ in self._files:
            told = (0, 0) if planned.crc is None else (source.size, planned.crc)
            size, crc = told
            own = WholeSegment(
                source.name, planned.kind, *planned.shape, size, source.mtime, crc,
                source.attributes,
            )  # fmt: skip
            segments.append(own)
        return encode_jpegs(segments, [one.planned.recipe for one in self._files], messages)

    def _recipe_costs(self) -> NDArray[np.float64]:
        """Return about how many bytes each file's recipe takes: what they share is shared."""
        recipes = [one.planned.recipe for one in self._files]
        squeeze = zstandard.ZstdCompressor(level=3).compress
        alone = np.array([len(pack_blob(recipe, squeeze)) for recipe in recipes])
        together = len(pack_blob(b"".join(recipes), squeeze))
        shared: NDArray[np.float64] = alone * min(1.0, together / alone.sum())
        return shared
