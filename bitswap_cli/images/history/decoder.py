"""A JPEG without a file: what a decoder is told of it, and the pixels that it makes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.coefficients import Component
from bitswap_cli.images.history.engine import engine
from bitswap_cli.images.orientation import turn_back, turned_shape

SAMPLINGS = ((1, 1), (1, 2), (2, 2))
"""How many rows and columns of pixels one of chroma's samples covers."""


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
    """Whether the decoder interpolated chroma; else it repeated samples."""
    steps: tuple[NDArray[np.int32], ...]
    """Of luma alone or of luma and two chroma, (64,) each in zigzag order."""
    orientation: int = 0
    """How the picture was turned to lie there, see images/orientation.py."""

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
    height, width, _ = turned_shape((height, width, len(coefficients)), origin.orientation)
    used = engine()
    planes = [used.plane(own, steps) for own, steps in zip(coefficients, origin.steps, strict=True)]
    rows, columns = slice(origin.top, origin.top + height), slice(origin.left, origin.left + width)
    luma = planes[0][rows, columns]
    made = luma[:, :, None]
    if len(planes) > 1:
        made = used.colour(luma, *(chroma_of(origin, own)[rows, columns] for own in planes[1:]))
    return np.ascontiguousarray(turn_back(made, origin.orientation))


def chroma_of(origin: Origin, plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the samples of chroma at each pixel of a JPEG, or of some more."""
    tall, wide = origin.sampling
    height, width = -(-origin.height // tall), -(-origin.width // wide)
    fancy = origin.fancy and width > 2  # libjpeg repeats those of narrower pictures
    return engine().upsample(plane, height, width, tall, wide, fancy)
