"""Pictures on their way into TILE chunks."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from bitswap_cli.archive.format.header import LARGE
from bitswap_cli.archive.format.sections import ID, TILE, framing
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.batches import (
    CodedParts,
    File,
    Part,
    code_batch,
    code_part,
    join,
)
from bitswap_cli.archive.writing.coders.choice import Cost, choose, own_of, room_for
from bitswap_cli.archive.writing.coders.coder import Coded, Offer, Step, Work, kept_as
from bitswap_cli.archive.writing.coders.strips import LargePicture
from bitswap_cli.contract import TileCodec
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import Recipe

_BATCH_BYTES = 1 << 23  # bytes of the files of one batch of pictures, at most (unless it is one)


@dataclass
class _Batch:
    """Pictures on their way into one chunk."""

    codec: TileCodec
    parts: list[Part] = field(default_factory=list)
    tiles: int = 0
    size: int = 0  # bytes of their files, and of what tables tell of these


class TileCoder:
    """Puts pictures into chunks, cut into tiles.

    Parameters
    ----------
    work : Work
    """

    tag = TILE

    def __init__(self, work: Work) -> None:
        self._work, self._codecs = work, work.codecs
        # by the number of the model; channels, if it is a grown one; factor of tiles
        self._batches: dict[tuple[int, int, int], _Batch] = {}

    @classmethod
    def begin(cls, work: Work) -> "TileCoder | None":
        """Return it, if there is a codec of tiles."""
        return cls(work) if work.codecs.tiles else None

    def offer(self, source: Source, seen: Seen | None) -> Offer | None:
        """Offer to code a picture of a kind and shape that there is a model for."""
        used = self._work.header.features
        if not seen:
            return self._offer_strips(source) if LARGE in used else None
        fits = [p for p in seen.pictures if kind_of(p.recipe.kind).fits(used)]
        if not (chosen := choose(self._codecs, fits, large=LARGE in used)):
            return None
        (model, codec), picture, factor, number = chosen
        files = [_file(source, seen, picture.recipe)]
        part = Part(picture.pixels, files, factor, 0, number, model=model)
        take, cost = partial(self._take, codec, part), Cost(codec, picture)
        return Offer(take, cost, partial(self._join, part))

    def _join(self, part: Part, source: Source, seen: Seen | None) -> bool:
        """Add a file of the same pixels."""
        if seen is None:
            return False
        used, alphabet = self._work.header.features, kind_of(part.files[0].recipe.kind).alphabet
        for pixels, recipe in seen.pictures:
            kind = kind_of(recipe.kind)
            fits = kind.fits(used) and kind.alphabet == alphabet
            if fits and np.array_equal(pixels, part.pixels):
                return join(part.files, _file(source, seen, recipe))
        return False

    def _offer_strips(self, source: Source) -> Offer | None:
        """Offer to code a picture that is had by strips, if it is one."""
        found = self._work.catalogue.strips(source)
        fits = found and kind_of(found.middle.recipe.kind).fits(self._work.header.features)
        own = own_of(self._codecs, found.middle) if found and fits else None
        if not found or not own:
            return None
        large = LargePicture(self._work, own, found)
        take = partial(self._work.queue, Step(self, large.coded, 0, large.chunks))
        return Offer(take, lambda: found.limit, partial(self._join_strips, large))

    def _join_strips(self, large: LargePicture, source: Source, seen: Seen | None) -> bool:
        """Add a file of the same pixels that is had by strips."""
        found = None if seen else self._work.catalogue.strips(source)
        fits = found and kind_of(found.middle.recipe.kind).fits(self._work.header.features)
        return bool(found and fits and large.join(found))

    def end(self) -> None:
        """Send the last pictures on their way."""
        for key in sorted(self._batches):
            self._close(key)

    def count(self, report: PackReport, coded: Coded, size: int) -> None:
        """Tell of some pictures."""
        report.tile_bytes += size
        report.net_bits += coded.bits
        report.samples += sum(one.samples for one in coded.kept)
        report.tile_entries += len(coded.kept)
        report.tile_bytes_before += sum(one.source.size for one in coded.kept)

    def _take(self, codec: TileCodec, part: Part) -> None:
        room = room_for(codec, part.factor)
        if part.tiles > room:
            self._code_in_parts(codec, part, room)
            return
        # a chunk's pictures have tiles of one size, and are all coded by one model
        grown = codec is not self._codecs.tiles[part.model]
        key = (part.model, part.pixels.shape[2] if grown else 0, part.factor)
        batch = self._batches.setdefault(key, _Batch(codec))
        size = part.files[0].source.weight + sum(file.own for file in part.files[1:])
        if batch.tiles + part.tiles > room or batch.size + size > _BATCH_BYTES:
            self._close(key)
            batch = self._batches.setdefault(key, _Batch(codec))
        batch.parts.append(part)
        batch.tiles += part.tiles
        batch.size += size

    def _code_in_parts(self, codec: TileCodec, whole: Part, room: int) -> None:
        chunks = -(-whole.tiles // room)
        bounds = [whole.tiles * k // chunks for k in range(chunks + 1)]
        parts = [
            whole._replace(
                files=[file.part(start, end, whole.tiles) for file in whole.files],
                first=start,
                tiles=end - start,
            )
            for start, end in pairwise(bounds)
        ]
        results = [self._work.submit(code_part, codec, part) for part in parts]
        held = whole.pixels.nbytes
        self._work.queue(Step(self, partial(_joined, results, whole), held))

    def _close(self, key: tuple[int, int, int]) -> None:
        batch = self._batches.pop(key)
        if batch.parts:
            oriented = self._work.header.oriented
            result = self._work.submit(code_batch, batch.codec, batch.parts, oriented=oriented)
            held = sum(part.pixels.nbytes for part in batch.parts)
            self._work.queue(Step(self, partial(_coded, [result]), held))


def _file(source: Source, seen: Seen, recipe: Recipe) -> File:
    """Return a file as a picture of a recipe."""
    return File(source, recipe, seen.limit, seen.crc if kind_of(recipe.kind).exact else None)


def _joined(results: Sequence[Future[CodedParts]], whole: Part) -> Coded:
    """Return a large picture as its chunks, if they pay."""
    coded = _coded(results)
    cost = sum(len(body) + framing(bytes(ID)) for body, _ in coded.chunks)
    return Coded([], [], [f.source for f in whole.files]) if cost >= whole.limit else coded


def _coded(results: Sequence[Future[CodedParts]]) -> Coded:
    """Wait for chunks."""
    told = [result.result() for result in results]
    begun = [part for one in told for part in one.kept if not part.first]
    kept = [kept_as(f.source, f.recipe.kind, p.pixels.shape) for p in begun for f in p.files]
    lost = [file.source for one in told for part in one.lost for file in part.files]
    chunks = [(one.body, sum(len(p.files) for p in one.kept)) for one in told if one.kept]
    return Coded(chunks, kept, lost, sum(one.bits for one in told))
