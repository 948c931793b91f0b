"""Luma and chroma of pictures made in tests."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import Chroma, Map, colours, spread
from tests.images.history.jpegs import scene

Plane = NDArray[np.uint8]


def planes(how: Chroma, height: int, width: int, light: int = 0) -> list[Plane]:
    """Luma, and less vivid chroma; with more light, some colours are at an end of their range."""
    luma = scene(height, width, gray=True)[:, :, 0] // 3 + (60 + light)
    size = (height, width) if how == Chroma.FULL else (-(-height // 2), -(-width // 2))
    chroma = scene(*size, 1)[:, :, :2] / 8 + 130
    return [luma, *np.moveaxis(chroma.astype(np.uint8), 2, 0).copy()]


def picture(used: Map, how: Chroma, told: list[Plane]) -> Plane:
    """The colours that a map makes of them."""
    luma, *chroma = told
    return colours(used, luma, *(spread(plane, how, *luma.shape) for plane in chroma))
