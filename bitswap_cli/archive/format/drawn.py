"""Chunks of whole pictures: a table, extras, and the words of one message after the other.

All pictures of a chunk are coded in order, each under what those before it have taught; so a chunk
is what one of its pictures takes to be decoded.
"""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.chunks import parts
from bitswap_cli.archive.format.sections import CRC, LENGTH, framed
from bitswap_cli.archive.format.segments import DecodedFile, Extra, WholeSegment, WholeTable
from bitswap_cli.archive.format.tables import (
    mix_extras,
    pack_extras,
    pack_whole_table,
    unpack_extras,
)
from bitswap_cli.archive.format.values.columns import malformed
from bitswap_cli.contract import (
    BYTES,
    Palette,
    PictureCodec,
    Samples,
)
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import register
from bitswap_cli.images.formats.register import shown_shape
from bitswap_cli.images.inspection import palette_of, rebuild
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.repeats import MOST_CHANNELS, few
from bitswap_cli.mixing.state import NEWEST
from bitswap_cli.threads import Run


class DrawnFile(NamedTuple):
    """A picture as it is coded."""

    picture: Picture

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return self.picture.pixels.nbytes + sum(map(len, self.picture.recipe[1:]))

    @property
    def samples(self) -> int:
        """How many what it shows has."""
        return prod(shown_shape(self.picture.recipe.kind, self.picture.pixels.shape))

    def file(self, *, quick: bool = False) -> bytes:
        """Return the file; raise `ArchiveError` if recipe and pixels do not fit."""
        return rebuild(self.picture.recipe, self.picture.pixels, quick=quick)


def kinds() -> list[str]:
    """Return the kinds of these pictures, by their numbers; those of other samples have none."""
    numbers = {kind.number: kind.name for kind in register.kinds() if kind.alphabet == BYTES}
    return [numbers.get(number, "") for number in range(max(numbers) + 1)]


def encode_pictures(
    codec: PictureCodec, segments: Sequence[WholeSegment], pictures: Sequence[Picture]
) -> tuple[bytes, NDArray[np.float64]]:
    """Build the body of a chunk.

    Parameters
    ----------
    codec : PictureCodec
    segments : sequence of WholeSegment
        What the pictures are.
    pictures : sequence of Picture

    Returns
    -------
    body : bytes
    bits : float64 array (N,)
        Net bits of each picture.
    """
    depths = [segment.depth for segment in segments]
    told = encode_paying(codec, pictures, depths, [np.inf] * len(pictures))
    return pack_pictures(segments, pictures, told.words), told.bits


def pack_pictures(
    segments: Sequence[WholeSegment],
    pictures: Sequence[Picture],
    words: bytes,
    *,
    mixing: bool = False,
) -> bytes:
    """Build the body of a chunk whose pictures became words already; their recipes may be coded by
    context `mixing`, where that takes less room."""
    pixels = [
        plane
        for picture, segment in zip(pictures, segments, strict=True)
        for plane in planes_of(picture.pixels, segment.depth)
    ]
    # times of files are in the table
    recipes = [Extra(0, *picture.recipe[1:]) for picture in pictures]
    extras, mixed = pack_extras(recipes), mix_extras(recipes) if mixing else None
    is_mixed = mixed is not None and len(mixed) < len(extras)
    if mixed is not None and is_mixed:
        extras = mixed
    table = pack_whole_table(WholeTable(list(segments), NEWEST if is_mixed else 0), kinds())
    head = framed(table), LENGTH.pack(len(extras)), extras
    return b"".join([*head, CRC.pack(_checksum(pixels)), words])


class Paying(NamedTuple):
    """Pictures that became words, but for those that took too many bits."""

    words: bytes
    bits: NDArray[np.float64]
    """Net bits of each picture, (N,)."""
    stays: NDArray[np.bool_]
    """Whether the words have it, (N,)."""
    sound: bool
    """Whether the words are those of the ones that stay; else they have to be coded once more."""


def encode_paying(
    codec: PictureCodec,
    pictures: Sequence[Picture],
    depths: Sequence[int],
    limits: Sequence[float],
    *,
    trusting: bool = False,
) -> Paying:
    """Code pictures, and take those back that do not pay, as far as the encoder can.

    Parameters
    ----------
    codec : PictureCodec
    pictures : sequence of Picture
    depths : sequence of int
        Bytes of one channel of each.
    limits : sequence of float
        Net bits from which on each does not pay.
    trusting : bool
        Suppose that all of them pay, which saves a ninth of the time: to hold an encoder is to note
        all that changes. Where one does not, those before it are coded twice.
    """
    planes = [planes_of(one.pixels, depth) for one, depth in zip(pictures, depths, strict=True)]
    palettes = [palette_of(one.recipe) for one in pictures]
    told = _paying(codec, planes, palettes, limits, len(planes) if trusting else 0)
    if isinstance(told, int):
        told = _paying(codec, planes, palettes, limits, told)
    return cast(Paying, told)


def _paying(
    codec: PictureCodec,
    planes: list[list[NDArray[np.uint8]]],
    palettes: Sequence[Palette],
    limits: Sequence[float],
    trusted: int,
) -> Paying | int:
    """Code pictures, of which so many cannot be taken back; return the number of one of these that
    does not pay, if there is any."""
    encoder = codec.encoder([plane.shape for own in planes for plane in own])
    bits = np.zeros(len(planes))
    stays = np.ones(len(planes), np.bool_)
    for number, limit in enumerate(limits):
        if number >= trusted and np.isfinite(limit):
            encoder.hold()
        bits[number] = sum(encoder.add(plane, palettes[number]) for plane in planes[number])
        if bits[number] < limit:
            continue
        if number < trusted:
            return number
        stays[number] = not encoder.undo()
    left = [plane.shape for number in np.flatnonzero(stays) for plane in planes[number]]
    return Paying(encoder.words(), bits, stays, encoder.suits(left))


def decode_pictures(
    codec: PictureCodec, table: WholeTable, body: bytes, run: Run
) -> Callable[[], list[DecodedFile]]:
    """Begin to invert `encode_pictures`; what is returned waits for it.

    Raises
    ------
    ArchiveError
        Here or later, if anything is not as the table says.
    """
    rest, coded = parts(body)
    extras = unpack_extras(rest, len(table.segments), mixed=table.mixed)
    _check(table.segments)
    return partial(next, run(partial(_decoded, codec, table, extras), [coded]))


def _decoded(
    codec: PictureCodec,
    table: WholeTable,
    extras: Sequence[Extra],
    coded: bytes,
) -> list[DecodedFile]:
    if len(coded) < CRC.size:
        raise malformed()
    recipes = [
        Recipe(segment.kind, *extra[1:])
        for segment, extra in zip(table.segments, extras, strict=True)
    ]
    told = [
        ((own.height, own.width, own.channels // own.depth), _palette(recipe, own))
        for own, recipe in zip(table.segments, recipes, strict=True)
        for _ in range(own.depth)
    ]
    pixels = codec.decode(coded[CRC.size :], [shape for shape, _ in told], [p for _, p in told])
    if CRC.unpack_from(coded)[0] != _checksum(pixels):
        raise ArchiveError(
            "pixels were decoded wrongly (checksum mismatch): the archive was made by an "
            "incompatible machine or version"
        )
    rest = iter(pixels)
    return [
        DrawnFile(Picture(_joined([next(rest) for _ in range(own.depth)]), recipe))
        for own, recipe in zip(table.segments, recipes, strict=True)
    ]


def planes_of(pixels: Samples, depth: int) -> list[NDArray[np.uint8]]:
    """Return what is coded of samples (H, W, C): these, or their high and their low bytes."""
    return [np.ascontiguousarray(own, np.uint8) for own in np.split(pixels, depth, axis=2)]


def _joined(planes: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Invert `planes_of`; there are no copies of what is whole."""
    return planes[0] if len(planes) == 1 else np.concatenate(planes, 2)


def _palette(recipe: Recipe, segment: WholeSegment) -> Palette:
    palette = palette_of(recipe)
    told = segment.depth, segment.channels
    if palette is not None and told != (1, palette.shape[1]):
        raise malformed()
    return palette


def _check(segments: Sequence[WholeSegment]) -> None:
    """Refuse shapes that no writer makes, before memory is taken for them."""
    for own in segments:
        channels, rest = divmod(own.channels, own.depth)
        if rest or not (own.height > 0 and own.width > 0 and 0 < channels <= MOST_CHANNELS):
            raise malformed()
    if not few((own.height, own.width, own.depth) for own in segments):
        raise malformed()


def _checksum(pixels: Sequence[NDArray[np.uint8]]) -> int:
    """CRC-32 of all samples."""
    found = 0
    for own in pixels:
        found = zlib.crc32(own.data, found)
    return found
