"""Luma and chroma -> red, green and blue, as programs compute them: docs/format.md has the numbers.

Each map is exactly what some program does, its rounding included: Photo CD's as Kodak's pictures
show it; libjpeg's, which decodes JPEG files for most; Pillow's own, of `Image.convert`; those of
OpenCV, and of FFmpeg's libswscale for video as it comes and for video that it scaled, and for video
as it comes where it has no instructions of the processor for that.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.engine import engine

Plane = NDArray[np.uint8]
Factors = tuple[int, int, int, int]
"""Of chroma: blue's to blue, red's to red, blue's and red's to green."""
_LEVELS = np.arange(256)


class Chroma(IntEnum):
    """Which pixels have samples of chroma."""

    FULL = 0
    REPEATED = 1
    """Each sample is that of a square of four pixels."""
    BETWEEN = 2
    """Every second pixel of every second row; the others have the mean of those beside them."""
    NONE = 3
    """No pixel: colours are gray."""
    ACROSS = 4
    """Each sample is that of two pixels beside each other."""
    SMOOTH = 5
    """A square of four pixels has a sample in its middle; pixels are interpolated between these."""


LUMA = 0


class Sums(NamedTuple):
    """What luma and chroma add to channels."""

    tables: NDArray[np.int32]
    """(5, 256), in 1 / 2^`shift`: luma's to each channel, which ascends; that of blue's chroma to
    blue and that of red's to red; then those of both to green."""
    shift: int

    def back(self) -> NDArray[np.int64]:
        """Return how luma, blue's chroma and red's are estimated from red, green and blue: (3, 4)
        factors and what is added, in 1 / 2^20."""
        (luma, black), *lines = [_line(table) for table in self.tables]
        (blue, blue_at), (red, red_at), (of_blue, at_b), (of_red, at_r) = lines
        w_blue, w_red = -of_blue / blue, -of_red / red
        unit = 1 << self.shift
        half = (unit - 1) / 2  # on the average, a sum is so much more than its channel says
        shares = [w_red, 1.0, w_blue]
        total = w_red + 1 + w_blue
        at = w_red * red_at + at_b + at_r + w_blue * blue_at
        add = half - at / total - black
        found = [[share * unit / total / luma for share in shares] + [add / luma]]
        for slope, offset, place in ((blue, blue_at, 2), (red, red_at, 0)):
            row = [-luma * factor / slope for factor in found[0]]
            row[place] += unit / slope
            row[3] += (half - offset - black) / slope
            found.append(row)
        for row in found:
            row[3] += 0.5
        return np.array([[round(x * (1 << 20)) for x in row] for row in found], np.int64)


def _line(table: NDArray[np.int32]) -> tuple[float, float]:
    """Return slope and offset of a table that is nearly a line between black and white."""
    low, high = 16, 235
    first, last, total = int(table[low]), int(table[high]), int(table[low : high + 1].sum())
    slope = (last - first) / (high - low)
    return slope, total / (high + 1 - low) - slope * ((low + high) / 2)


class Map(NamedTuple):
    """One way in which colours are made."""

    name: str
    sums: Sums
    ways: tuple[Chroma, ...]
    """How chroma is had at each pixel where there is less of it, the least first; that of gray has
    no other way."""
    told: bytes = b""
    """What a recipe tells of it, if it is none of `MAPS`."""


def _sums(tables: Iterable[NDArray[np.int64]], shift: int) -> Sums:
    return Sums(np.stack(list(tables)).astype(np.int32), shift)


def _lines(luma: int, factors: Factors, black: int) -> list[NDArray[np.int64]]:
    """Factors times luma less black, and times chroma less 128."""
    return [luma * (_LEVELS - black), *(factor * (_LEVELS - 128) for factor in factors)]


def _fixed(luma: int, factors: Factors, shift: int, black: int) -> Sums:
    """In 1 / 2^shift, rounded as a whole."""
    own, *others = _lines(luma, factors, black)
    return _sums([own + (1 << shift - 1), *others], shift)


def _products(luma: int, factors: Factors, black: int) -> Sums:
    """In 1 / 2^13, each product rounded down by itself."""
    return _sums((table * 8 >> 16 for table in _lines(luma, factors, black)), 0)


def _photo_cd() -> Sums:
    blue, red = 145352 * (_LEVELS - 156), 119374 * (_LEVELS - 137)
    green = -12714 * (blue >> 16), -33358 * (red >> 16)
    return _sums([89024 * _LEVELS, blue, red, *green], 16)


def _pillow() -> Sums:
    """In 1 / 2^6, from 1 / 100,000: half is added, and what that gives is cut towards 0."""
    own, *others = _lines(64, (64 * 177200, 64 * 140200, 64 * -34414, 64 * -71414), 0)
    scaled = [table + 50_000 for table in others]
    return _sums([own, *(np.sign(table) * (np.abs(table) // 100_000) for table in scaled)], 6)


def _opencv_video() -> Sums:
    """Blacker than black is black."""
    sums = _fixed(1220542, (2116026, 1673527, -409993, -852492), 20, 16)
    sums.tables[LUMA] = np.maximum(sums.tables[LUMA], sums.tables[LUMA, 16])
    return sums


def _looked_up(luma: int, factors: Factors, add: int) -> Sums:
    """In 1 / 2^16, with chroma in whole steps of luma."""
    steps = ((factor * _LEVELS >> 16) - (factor >> 9) for factor in factors)
    return _sums([luma * _LEVELS + add, *(luma * step for step in steps)], 16)


_BT601 = 16525, 13075, -3209, -6660  # of FFmpeg, in 1 / 2^13
_BT709 = 17305, 14686, -1747, -4366
_FULL_601 = 14516, 11485, -2819, -5850
_FULL_709 = 15201, 12901, -1534, -3835

_SUMS = {
    "photo-cd": _photo_cd(),
    "libjpeg": _fixed(65536, (116130, 91881, -22554, -46802), 16, 0),
    "opencv": _fixed(16384, (29049, 22987, -5636, -11698), 14, 0),
    "opencv-601": _opencv_video(),
    "ffmpeg-601": _products(9539, _BT601, 16),
    "ffmpeg-709": _products(9539, _BT709, 16),
    "ffmpeg-601-full": _products(8192, _FULL_601, 0),
    "ffmpeg-709-full": _products(8192, _FULL_709, 0),
    "scaled-601": _fixed(9539, _BT601, 13, 16),
    "scaled-709": _fixed(9539, _BT709, 13, 16),
    "scaled-601-full": _fixed(8192, _FULL_601, 13, 0),
    "scaled-709-full": _fixed(8192, _FULL_709, 13, 0),
    "pillow": _pillow(),
    "gray": _sums([_LEVELS, *np.zeros((4, 256), np.int64)], 0),
    "table-601": _looked_up(76309, (113537, 89830, -22049, -45756), -1304898),
    "table-709": _looked_up(76309, (118894, 100902, -12001, -29993), -1304898),
    "table-601-full": _looked_up(65536, (116129, 91881, -22552, -46800), 32768),
    "table-709-full": _looked_up(65536, (121608, 103206, -12275, -30678), 32768),
}
_LESS = {"photo-cd": (Chroma.BETWEEN,), "gray": (Chroma.NONE,)}
MAPS = tuple(
    Map(name, sums, _LESS.get(name, (Chroma.REPEATED, Chroma.ACROSS)))
    for name, sums in _SUMS.items()
)
"""In the order of their numbers in archives, which stay."""
MAP_OF = {used.name: used for used in MAPS}


def colours(used: Map, luma: Plane, blue: Plane, red: Plane) -> Plane:
    """Return what a map makes of planes of luma and chroma (H, W): (H, W, 3)."""
    return engine().mapped(*used.sums, luma, blue, red)


def spread(plane: Plane, how: Chroma, height: int, width: int) -> Plane:
    """Return the chroma of each pixel (height, width), given its samples (rows, columns); where
    there is none, what is given."""
    if how in (Chroma.FULL, Chroma.NONE):
        return plane
    if how == Chroma.REPEATED:
        return plane.repeat(2, 0).repeat(2, 1)[:height, :width]
    if how == Chroma.ACROSS:
        return plane.repeat(2, 1)[:, :width]
    wide = plane.astype(np.uint16)
    if how == Chroma.SMOOTH:
        sums = _doubled(_doubled(wide).T).T[:height, :width] + 8 >> 4
        return np.ascontiguousarray(sums, np.uint8)
    below = np.concatenate([wide[1:], wide[-1:]])
    out = np.empty((2 * len(plane), 2 * plane.shape[1]), np.uint8)
    for row, pair in enumerate((2 * wide, wide + below)):
        right = np.concatenate([pair[:, 1:], pair[:, -1:]], 1)
        out[row::2, ::2] = 2 * pair + 2 >> 2
        out[row::2, 1::2] = pair + right + 2 >> 2
    return out[:height, :width]


def _doubled(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return two rows for each, three parts of it and one of the row that is nearest to them."""
    out = np.empty((2 * len(samples), samples.shape[1]), np.uint16)
    out[::2] = 3 * samples + np.concatenate([samples[:1], samples[:-1]])
    out[1::2] = 3 * samples + np.concatenate([samples[1:], samples[-1:]])
    return out
