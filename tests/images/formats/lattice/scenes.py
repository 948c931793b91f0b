"""Luma and chroma of pictures made in tests."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, colours, spread
from bitswap_cli.images.formats.lattice.own import LIKELY, own_map
from tests.images.history.jpegs import scene

Plane = NDArray[np.uint8]
WAYS = [
    (used, how)
    for used in MAPS
    for how in (Chroma.FULL, *used.ways)
    if Chroma.NONE not in used.ways or how == Chroma.NONE
]
"""Each map, with all chroma and with less."""
SMOOTH = own_map(LIKELY[0]), Chroma.SMOOTH
"""libwebp's map, and its chroma."""


def planes(how: Chroma, height: int, width: int, light: int = 0) -> list[Plane]:
    """Luma, and less vivid chroma; with more light, some colours are at an end of their range."""
    luma = scene(height, width, gray=True)[:, :, 0] // 3 + (60 + light)
    tall = 2 if how in (Chroma.REPEATED, Chroma.BETWEEN, Chroma.SMOOTH) else 1
    wide = 2 if how not in (Chroma.FULL, Chroma.NONE) else 1
    size = -(-height // tall), -(-width // wide)
    chroma = scene(*size, 1)[:, :, :2] / 8 + 130
    return [luma, *np.moveaxis(chroma.astype(np.uint8), 2, 0).copy()]


def picture(used: Map, how: Chroma, told: list[Plane]) -> Plane:
    """The colours that a map makes of them."""
    luma, *chroma = told
    return colours(used, luma, *(spread(plane, how, *luma.shape) for plane in chroma))


WEIGHTS = [(0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593), (0.212, 0.087)]
"""Of red and blue in luma, by BT.601, BT.709, BT.2020 and SMPTE 240M."""


def smooth(seed: int, width: int = 300, grain: float = 1) -> Plane:
    """Luma and chroma of a picture that has many colours: (3, 280, W)."""
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[:280, :width]
    found = []
    for centre, reach, noise in ((125, 60, 6), (128, 25, 2), (128, 25, 2)):
        across, down = rng.uniform(20, 90, 2)
        plane = centre + reach * np.sin(x / across + rng.uniform(0, 6)) * np.cos(y / down)
        found.append(plane + rng.normal(0, grain * noise, plane.shape))
    return np.stack(found).clip(0, 255).astype(np.uint8)


def steps(weights: tuple[float, float], contrast: float, video: bool) -> NDArray[np.float64]:
    """Red, green and blue of steps of luma, blue's chroma and red's, in columns."""
    red, blue = weights
    green = 1 - red - blue
    matrix = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * (1 - blue) * blue / green, -2 * (1 - red) * red / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
    return contrast * matrix * ([255 / 219, 255 / 224, 255 / 224] if video else [1, 1, 1])


def made(told: Plane, matrix: NDArray[np.float64], add: float) -> Plane:
    """Colours, rounded down."""
    apart = told - np.array([16.0, 128, 128])[:, None, None]
    values = np.moveaxis(np.tensordot(matrix, apart, 1), 0, 2) + add
    colours: Plane = np.ascontiguousarray(np.floor(values).clip(0, 255).astype(np.uint8))
    return colours


def own_pictures(grain: float = 1) -> dict[str, Plane]:
    """Pictures by maps that no list has, with all chroma and with less."""
    full = smooth(11, grain=grain)
    video, whole = steps(WEIGHTS[2], 1, True), steps(WEIGHTS[3], 0.9, False)
    found = {"full": made(full, video, 0.5)}
    for name, tall, width in (("half", 2, 300), ("across", 1, 300), ("half-odd", 2, 299)):
        told = smooth(12, width, grain)
        how = Chroma.REPEATED if tall == 2 else Chroma.ACROSS
        told[1:] = [spread(plane[::tall, ::2], how, *plane.shape) for plane in told[1:]]
        found[name] = made(told, whole, 6.0)
    return found


def smooth_pictures(grain: float = 1) -> dict[str, Plane]:
    """Pictures with chroma between the samples of which there was interpolation: by libwebp's map,
    also of odd sides; by one that no list has, some colours being at an end of their range; and by
    libjpeg's, of a picture so small that no other would be looked for."""
    found = dict[str, Plane]()
    for name, width, light in (("even", 300, 0), ("odd", 299, 0), ("ends", 300, 75)):
        luma, *chroma = smooth(13, width, grain / 5 if light else grain)
        lighter = np.minimum(luma, 255 - light) + np.uint8(light)
        luma, chroma = lighter[: 280 - (name == "odd")], _few(chroma)
        if name == "ends":
            chroma = [_spread(plane, luma) for plane in chroma]
            found[name] = made(np.stack([luma, *chroma]), steps(WEIGHTS[3], 1.2, False), 6.0)
        else:
            found[name] = picture(*SMOOTH, [luma, *chroma])
    found["small"] = picture(MAPS[1], Chroma.SMOOTH, planes(Chroma.SMOOTH, 120, 160))
    return found


def _few(chroma: list[Plane]) -> list[Plane]:
    return [np.ascontiguousarray(plane[::2, ::2]) for plane in chroma]


def _spread(plane: Plane, luma: Plane) -> Plane:
    return spread(plane, Chroma.SMOOTH, *luma.shape)
