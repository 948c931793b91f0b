"""Luma and chroma of pictures made in tests."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, colours, spread
from tests.images.history.jpegs import scene

Plane = NDArray[np.uint8]
WAYS = [
    (used, how)
    for used in MAPS
    for how in (Chroma.FULL, *used.ways)
    if Chroma.NONE not in used.ways or how == Chroma.NONE
]
"""Each map, with all chroma and with less."""


def planes(how: Chroma, height: int, width: int, light: int = 0) -> list[Plane]:
    """Luma, and less vivid chroma; with more light, some colours are at an end of their range."""
    luma = scene(height, width, gray=True)[:, :, 0] // 3 + (60 + light)
    tall = 2 if how in (Chroma.REPEATED, Chroma.BETWEEN) else 1
    wide = 2 if how not in (Chroma.FULL, Chroma.NONE) else 1
    size = -(-height // tall), -(-width // wide)
    chroma = scene(*size, 1)[:, :, :2] / 8 + 130
    return [luma, *np.moveaxis(chroma.astype(np.uint8), 2, 0).copy()]


def picture(used: Map, how: Chroma, told: list[Plane]) -> Plane:
    """The colours that a map makes of them."""
    luma, *chroma = told
    return colours(used, luma, *(spread(plane, how, *luma.shape) for plane in chroma))
