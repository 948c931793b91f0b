"""Whole pictures on their way into DRAW chunks: drawn ones, and whatever has few colours."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from bitswap_cli.archive.format.drawn import encode_paying, pack_pictures, planes_of
from bitswap_cli.archive.format.header import MIXED_3, RECIPES
from bitswap_cli.archive.format.sections import DRAW, MAX_BODY, MAX_EXTRAS, MAX_SEGMENTS
from bitswap_cli.archive.format.segments import WholeSegment
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.seen import LAID, Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.batches import recipe_costs
from bitswap_cli.archive.writing.coders.choice import description_cost
from bitswap_cli.archive.writing.coders.coder import Coded, Offer, Step, Work, kept_as
from bitswap_cli.contract import PictureCodec
from bitswap_cli.images import repeats
from bitswap_cli.images.formats import high_bits
from bitswap_cli.images.formats.lattice.kinds import FEATURES as LATTICES
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.inspection import palette_of
from bitswap_cli.images.picture import Picture
from bitswap_cli.mixing import octets

_PIXELS = 1 << 21  # of a chunk, unless it is of one picture
_SEGMENTS = MAX_SEGMENTS >> 4
_RECIPES = MAX_EXTRAS >> 3  # bytes
_ROUNDS = 4  # in which pictures leave a chunk, at most


class _File(NamedTuple):
    """A file of a batch."""

    source: Source
    picture: Picture
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int | None
    """CRC-32 of the file, if it comes back byte for byte."""
    depth: int
    """Bytes of what the picture shows of one channel."""
    cost: Callable[[], float]
    """About how many bytes the picture takes, found out once, if anybody asks; see `estimate`."""


class DrawnCoder:
    """Puts whole pictures into chunks.

    Parameters
    ----------
    work : Work
    codec : PictureCodec
    """

    tag = DRAW

    def __init__(self, work: Work, codec: PictureCodec) -> None:
        self._work, self._codec = work, codec
        self._files: list[_File] = []
        self._pixels = self._recipes = 0

    @classmethod
    def begin(cls, work: Work) -> "DrawnCoder | None":
        """Return it, if there is a codec of whole pictures."""
        codec = work.codecs.pictures
        return None if codec is None else cls(work, codec)

    def offer(self, source: Source, seen: Seen | None) -> Offer | None:
        """Offer to code a picture that repeats its colours, or that has channels of its own."""
        if not seen:
            return None
        used = self._work.header.features
        fits = [p for p in seen.pictures if kind_of(p.recipe.kind).fits(used)]
        files = [self._file(source, seen, picture, depth) for picture, depth in whole(fits)]
        if not files:
            return None
        file = files[0] if len(files) == 1 else min(files, key=lambda one: one.cost())
        # alone, each image of a palette seems dearer than it is among those that teach it
        sure = repeats.by_palette(fits)
        return Offer(partial(self._take, file), file.cost, dear=True, sure=sure)

    def end(self) -> None:
        """Send the last pictures on their way."""
        if not self._files:
            return
        files, self._files = self._files, []
        self._pixels = self._recipes = 0
        mixing = self._work.header.features >= {RECIPES, MIXED_3} and octets.quick()
        result = self._work.submit(code_files, self._codec, files, mixing=mixing)
        held = sum(file.picture.pixels.nbytes for file in files)
        self._work.queue(Step(self, result.result, held))

    def count(self, report: PackReport, coded: Coded, size: int) -> None:
        """Tell of some pictures."""
        report.drawn_bytes += size
        report.drawn_bytes_before += sum(one.source.size for one in coded.kept)
        report.net_bits += coded.bits
        report.samples += sum(one.samples for one in coded.kept)

    def _file(self, source: Source, seen: Seen, picture: Picture, depth: int) -> _File:
        crc = seen.crc if kind_of(picture.recipe.kind).exact else None
        cost = cache(partial(estimate, self._codec, picture, depth, self._work.haste))
        return _File(source, picture, seen.limit, crc, depth, cost)

    def _take(self, file: _File) -> None:
        height, width, _ = file.picture.pixels.shape
        pixels = height * width * file.depth
        recipe = sum(map(len, file.picture.recipe[1:])) + file.source.attributes.weight
        full = self._pixels + pixels > _PIXELS or len(self._files) >= _SEGMENTS
        if full or self._recipes + recipe > _RECIPES:
            self.end()
        self._files.append(file)
        self._pixels += pixels
        self._recipes += recipe


def whole(pictures: Sequence[Picture]) -> list[tuple[Picture, int]]:
    """Return which pictures, of those that a file can be seen as, may be coded whole, and how many
    bytes of one channel each shows."""
    # of a palette image that by its colours, if they can be found again; of one that can be told by
    # luma and chroma, which have fewer colours than red, green and blue, also that, unless these do
    # not repeat: what they do not tell may take more; of one of 16 bits that by its highest ones
    # as well
    planes = [p for p in pictures if kind_of(p.recipe.kind).feature in LATTICES]
    high = [p for p in pictures if kind_of(p.recipe.kind).feature in high_bits.FEATURES]
    others = [p for p in pictures if kind_of(p.recipe.kind).feature not in LAID]
    high = [p for p in high if not kind_of(p.recipe.kind).parts]
    some = [*others[-1:], *high]
    if planes:
        repeat = [p for p in planes if repeats.repeats_itself(p)]
        some = [*repeat, *others[-1:]] if repeat else []
    return [(p, depth) for p in some if (depth := repeats.depth(p)) is not None]


def estimate(
    codec: PictureCodec, picture: Picture, depth: int, haste: float, edge: int = repeats.EDGE
) -> float:
    """Return about how many bytes a picture would take, its description among them, judged by its
    middle.

    Parameters
    ----------
    codec : PictureCodec
    picture : Picture
    depth : int
        Bytes of what it shows of one channel.
    haste : float
        See `Work`; of pictures of 16 bits there is none.
    edge : int
        At most so many pixels of each side are looked at, an even number.
    """
    # Models of photographs have little to promise of 16 bits: lower ones are most of a file.
    deep = depth > 1 or kind_of(picture.recipe.kind).feature in high_bits.FEATURES
    haste = 1.0 if deep else haste
    middle = repeats.middle_of(picture, edge)
    palettes = [palette_of(picture.recipe)] * depth
    bits = codec.encode(planes_of(middle, depth), palettes).bits.sum()
    parts = picture.pixels.size / middle.size
    return float(bits) / 8 * parts * haste + description_cost(picture)


def code_files(codec: PictureCodec, files: list[_File], *, mixing: bool = False) -> Coded:
    """Code pictures as one chunk, without those for which the model does not pay.

    Most of these are taken back as soon as that is seen. One that cannot be, as it is large, leaves
    for another round, which codes what is left, as pictures teach each other; it ends when nothing
    loses. Where each picture is dear without the one before it, that would take as many rounds as
    there are pictures: from a number of rounds on, only the chunk as a whole has to pay.
    """
    kept, lost = files, list[Source]()
    rounds = 0
    while kept:
        rounds += 1
        recipes = np.array(recipe_costs([file.picture.recipe for file in kept]))
        limits = np.array([file.limit for file in kept]) - recipes
        last = rounds > _ROUNDS
        told = encode_paying(
            codec,
            [file.picture for file in kept],
            [file.depth for file in kept],
            [np.inf] * len(kept) if last else (8 * limits).tolist(),
            trusting=rounds == 1,
        )
        pays = told.stays if last else told.bits < 8 * limits
        lost += [file.source for file, does in zip(kept, pays, strict=True) if not does]
        lost.sort()
        stays = [file for file, does in zip(kept, told.stays, strict=True) if does]
        kept = [file for file, does in zip(kept, pays, strict=True) if does]
        if not kept or len(kept) < len(stays) or not told.sound:
            continue
        pictures = [file.picture for file in kept]
        segments = [_segment(file) for file in kept]
        body = pack_pictures(segments, pictures, told.words, mixing=mixing)
        # What the chunk costs as a whole has to pay as well.
        if len(body) >= min(sum(file.limit for file in kept), MAX_BODY):
            lost = sorted(file.source for file in files)
            break
        entries = [
            kept_as(file.source, recipe.kind, pixels.shape)
            for file, (pixels, recipe) in zip(kept, pictures, strict=True)
        ]
        bits = float(told.bits[told.stays].sum())
        return Coded([(body, len(kept))], entries, lost, bits)
    return Coded([], [], lost)


def _segment(file: _File) -> WholeSegment:
    source, recipe = file.source, file.picture.recipe
    told = (0, 0) if file.crc is None else (source.size, file.crc)
    height, width, channels = file.picture.pixels.shape
    return WholeSegment(
        source.name,
        recipe.kind,
        height,
        width,
        channels,
        told[0],
        source.mtime,
        told[1],
        source.attributes,
        file.depth,
    )
