"""A JPEG without a file: what a decoder is told of it, and the pixels that it makes."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.coefficients import Component
from bitswap_cli.images.formats.lattice.maps import MAP_OF, Map, colours
from bitswap_cli.images.history.engine import engine
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.orientation import turn_back, turned_shape

SAMPLINGS = ((1, 1), (1, 2), (2, 2))
"""How many rows and columns of pixels one of chroma's samples covers."""


class Decoder(IntEnum):
    """What made pixels of a JPEG."""

    LIBJPEG = 0
    """libjpeg, as it decodes by default up to version 6b; libjpeg-turbo and mozjpeg."""
    FAST = 1
    """Likewise, but by the inverse DCT that it calls fast."""
    WIDE = 2
    """libjpeg from version 7 on: fewer samples of chroma are upsampled by the inverse DCT."""
    FFMPEG = 3
    """FFmpeg: an inverse DCT and colours of its own, and chroma repeated."""
    FFMPEG_PLAIN = 4
    """Likewise, as it makes colours of fewer samples of chroma without a processor's help."""

    @property
    def method(self) -> Method:
        """Its inverse DCT."""
        return _METHODS.get(self, Method.SLOW)

    def map(self, sampling: tuple[int, int]) -> Map | None:
        """How it makes colours of luma and chroma of a sampling, if not as libjpeg."""
        few = _COLOURS.get(self)
        return FULL_MAP if few and sampling == SAMPLINGS[0] else few


_METHODS = {
    Decoder.FAST: Method.FAST,
    Decoder.FFMPEG: Method.SIMPLE,
    Decoder.FFMPEG_PLAIN: Method.SIMPLE,
}
FULL_MAP = MAP_OF["scaled-601-full"]
"""FFmpeg's way to make colours where chroma has as many samples as luma."""
FEW_MAPS = MAP_OF["ffmpeg-601-full"], MAP_OF["table-601-full"]
"""And where it has fewer, by a processor's instructions and without."""
_COLOURS = dict(zip((Decoder.FFMPEG, Decoder.FFMPEG_PLAIN), FEW_MAPS, strict=True))


class Origin(NamedTuple):
    """A JPEG, and where in it a picture lies."""

    height: int
    """Of the JPEG, in pixels."""
    width: int
    top: int
    """Of the picture within the JPEG."""
    left: int
    sampling: tuple[int, int]
    """One of `SAMPLINGS`."""
    fancy: bool
    """Whether the decoder interpolated chroma; else it repeated samples, if it is `LIBJPEG` or
    `FAST`."""
    steps: tuple[NDArray[np.int32], ...]
    """Of luma alone or of luma and two chroma, (64,) each in zigzag order."""
    orientation: int = 0
    """How the picture was turned to lie there, see images/orientation.py."""
    decoder: Decoder = Decoder.LIBJPEG

    @property
    def wide(self) -> bool:
        """Whether blocks of chroma are decoded as wide as the pixels that they cover."""
        return self.decoder == Decoder.WIDE and self.sampling[1] > 1

    @property
    def map(self) -> Map | None:
        """How colours are made of luma and chroma, if not as libjpeg does."""
        return self.decoder.map(self.sampling)

    def frame(self) -> list[Component]:
        """Return the components of the JPEG: blocks of whole MCUs."""
        tall, wide = self.sampling
        rows, columns = -(-self.height // (8 * tall)), -(-self.width // (8 * wide))
        luma = Component(rows * tall, columns * wide, (1, 1), self.steps[0])
        chroma = [Component(rows, columns, self.sampling, own) for own in self.steps[1:]]
        return [luma, *chroma]


def decode(
    origin: Origin, coefficients: Sequence[NDArray[np.int16]], height: int, width: int
) -> NDArray[np.uint8]:
    """Return the colours of a picture, (height, width, 1 or 3).

    Parameters
    ----------
    origin : Origin
    coefficients : sequence of int16 arrays (rows, columns, 64)
        Of each component, as `Origin.frame` has them.
    height, width : int
        Of the picture; it lies within the JPEG.
    """
    made = colours_of(origin, shown(origin, coefficients, height, width))
    return np.ascontiguousarray(turn_back(made, origin.orientation))


def shown(
    origin: Origin, coefficients: Sequence[NDArray[np.int16]], height: int, width: int
) -> list[Plane]:
    """Return luma, or luma and chroma, of a picture's pixels, as it lies in the JPEG: see
    `decode`."""
    shape = turned_shape((height, width, len(coefficients)), origin.orientation)
    return _inside(origin, samples(origin, coefficients), *shape[:2])


def coloured(origin: Origin, planes: Sequence[Plane], height: int, width: int) -> NDArray[np.uint8]:
    """Return the colours (height, width, 1 or 3) of a picture as it lies in the JPEG of which luma
    and chroma are given, see `samples`."""
    return colours_of(origin, _inside(origin, planes, height, width))


def _inside(origin: Origin, planes: Sequence[Plane], height: int, width: int) -> list[Plane]:
    """Return what of planes is in the picture."""
    rows, columns = slice(origin.top, origin.top + height), slice(origin.left, origin.left + width)
    return [plane[rows, columns] for plane in planes]


def colours_of(origin: Origin, planes: Sequence[Plane]) -> NDArray[np.uint8]:
    """Return the colours (H, W, 1 or 3) that a decoder makes of luma and chroma (H, W)."""
    luma, *chroma = planes
    made, used = luma[:, :, None], origin.map
    if chroma:
        made = colours(used, luma, *chroma) if used else engine().colour(luma, *chroma)
    return made


def otherwise(made: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which pixels (H, W) of (H, W, C) differ."""
    found: NDArray[np.bool_] = np.logical_or.reduce([*(made != pixels).transpose(2, 0, 1)])
    return found


def samples(origin: Origin, coefficients: Sequence[NDArray[np.int16]]) -> list[Plane]:
    """Return luma and chroma at each pixel of a JPEG, or of some more."""
    method = origin.decoder.method
    luma = engine().plane(coefficients[0], origin.steps[0], method)
    rest = zip(coefficients[1:], origin.steps[1:], strict=True)
    if origin.wide:
        return [luma, *(engine().wide(own, steps, origin.sampling[0]) for own, steps in rest)]
    return [luma, *(_spread(origin, engine().plane(own, steps, method)) for own, steps in rest)]


def _spread(origin: Origin, plane: Plane) -> Plane:
    """Return the samples of chroma at each pixel."""
    tall, wide = origin.sampling
    height, width = -(-origin.height // tall), -(-origin.width // wide)
    fancy = origin.fancy and width > 2  # libjpeg repeats those of narrower pictures
    return engine().upsample(plane, height, width, tall, wide, fancy)
