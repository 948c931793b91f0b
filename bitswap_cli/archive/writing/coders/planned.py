"""Files as coefficients and recipe: JPEG files, and pictures whose pixels a JPEG decoder made."""

from collections.abc import Callable, Set
from functools import partial
from typing import NamedTuple

import numpy as np

from bitswap_cli.archive.format.header import CORRECTED, DECODERS, DECODINGS, LAID
from bitswap_cli.archive.format.jpeg import KIND, is_like
from bitswap_cli.archive.format.segments import DECODED, DECODED_EXACT
from bitswap_cli.archive.format.values.blobs import squeezed
from bitswap_cli.archive.sources.seen import Seen, SeenJpeg
from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_cli.contract import BYTES
from bitswap_cli.images import bands
from bitswap_cli.images.formats.jpeg.outline import outline
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.history import recipe as history
from bitswap_cli.images.history.finder import Found
from bitswap_cli.images.picture import MAX_RECIPE, Picture

_MUCH = 64  # where one coefficient of so many differs, a picture was another JPEG


class Planned(NamedTuple):
    """A file as it is to be coded."""

    kind: str
    """Of its entry."""
    shape: tuple[int, int, int]
    """Height, width and channels of the picture that it shows."""
    recipe: bytes
    frames: list[Frame]
    """Of its pictures."""
    pictures: list[Coefficients]
    limit: int
    """Bytes that the whole file takes without the model."""
    crc: int | None
    """CRC-32 of the file's bytes, if it comes back byte for byte."""
    recipe_by: Callable[[Coefficients], bytes] | None = None
    """Of a picture that was a JPEG: makes its recipe for other coefficients of the same frame."""

    def cost(self) -> float:
        """Return about how many bytes it takes: few enough to tell it from pixels."""
        return sum(map(bands.estimate, self.pictures)) + squeezed(self.recipe)


def of_jpeg(seen: SeenJpeg) -> Planned:
    """Return a JPEG file as it is to be coded."""
    pictures = seen.jpeg.pictures
    frame = pictures[0].frame
    return Planned(
        KIND,
        (frame.height, frame.width, len(frame.components)),
        seen.jpeg.recipe,
        [outline(picture.frame, picture.quantization) for picture in pictures],
        [picture.coefficients for picture in pictures],
        seen.limit,
        seen.crc,
    )


def of_picture(seen: Seen, features: Set[str]) -> Planned | None:
    """Return a picture that was a JPEG as it is to be coded; None if nothing tells that it was, or
    if no feature of an archive allows that."""
    fits = [p for p in seen.pictures if kind_of(p.recipe.kind).fits(features)]
    if DECODINGS not in features or not fits or kind_of(fits[0].recipe.kind).alphabet != BYTES:
        return None
    found = seen.history.take(fits[0])
    if found is None or (LAID not in features and _is_laid(fits[0], found)):
        return None
    if DECODERS not in features and found.origin.decoder:
        return None
    if CORRECTED not in features and found.wrong:
        return None
    recipe = history.pack(fits[0], found.origin, found.coefficients)
    if len(recipe) > MAX_RECIPE:
        return None
    exact = kind_of(fits[0].recipe.kind).exact
    height, width, channels = fits[0].pixels.shape
    return Planned(
        DECODED_EXACT if exact else DECODED,
        (height, width, channels),
        recipe,
        [found.origin.frame()],
        [found.coefficients],
        seen.limit,
        seen.crc if exact else None,
        partial(history.pack, fits[0], found.origin) if CORRECTED in features else None,
    )


def by_those_of(first: Planned, planned: Planned) -> Planned | None:
    """Return a picture that was a JPEG by the coefficients of what may be that JPEG; None if they
    differ by much, or if it had better have its own.

    Where pixels were cut to 0..255, other coefficients give the same ones.
    """
    make, own, other = planned.recipe_by, planned.pictures[0], first.pictures[0]
    if make is None or not is_like(planned.frames[0], first.frames[0]):
        return None
    pairs = list(zip(own, other, strict=True))
    if _MUCH * sum(np.count_nonzero(x != y) for x, y in pairs) > sum(x.size for x in own):
        return None
    recipe = make(other)
    pays = squeezed(recipe) < min(squeezed(planned.recipe) + bands.estimate(own), planned.limit)
    return planned._replace(recipe=recipe) if pays and len(recipe) <= MAX_RECIPE else None


def _is_laid(picture: Picture, found: Found) -> bool:
    """Tell whether a picture was turned or given an alpha after a decoder had made it."""
    return found.origin.orientation > 0 or picture.pixels.shape[2] % 2 == 0
