"""Finds chroma of half as many rows and columns between whose samples a program interpolated.

Each pixel has nine parts of the sample that is nearest to it, three of each of the two beside that,
and one of the fourth: libwebp and libyuv do so, and thereby most that show WebP and AVIF files.
Least squares tell such samples to a third of a step, as they do libjpeg's, which rounds a bit
otherwise; a search of a few at a time finds the whole numbers that give the pixels.
"""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import Chroma, Plane, spread
from bitswap_cli.images.formats.lattice.search import Searcher, Triples

_UNIT, _MORE = 256, 8  # of samples by least squares, and by how much these are too large
_HOPEFUL = 0.6, 0.7, 0.75
"""Of known pixels are right as least squares are rounded, at least: at first, and where those that
are not known are what samples said before."""
_PARTS = 16  # of a sample are told apart


def smooth_chroma(search: Searcher, told: Triples) -> Triples | None:
    """Return the samples, as planes of blue's and red's, that may give chroma of a picture; None
    where none do. Known are those that are sure."""
    known, nearly = told.known == 1, list[Plane]()
    for plane in told.planes[1:]:
        filled = plane
        for least in _HOPEFUL:
            samples = _rounded(search, filled)
            made = spread(samples, Chroma.SMOOTH, *plane.shape)
            if np.count_nonzero((made == plane) & known) < least * np.count_nonzero(known):
                return None
            filled = np.where(known, plane, made)
        nearly.append(samples)
    pairs = [*zip(nearly, told.planes[1:], strict=True)]
    if not all(_rounds_so(*pair, known) for pair in pairs):
        return None
    sure = [search.smooth(*pair, told.known) for pair in pairs]
    return Triples(np.stack(nearly), np.bitwise_and(*sure), int(np.bitwise_and(*sure).sum()))


def _rounds_so(samples: Plane, plane: Plane, known: NDArray[np.bool_]) -> bool:
    """Tell whether halves become the next whole number wherever they are. libjpeg rounds them down
    in each second column: most of what it made is right all the same, and a search is in vain."""
    height, width = plane.shape
    sums = _sums(samples)[:height, :width]
    half, whole = known & (sums % _PARTS == _PARTS // 2), sums // _PARTS
    for own in [np.s_[row::2, column::2] for row in range(2) for column in range(2)]:
        up = np.count_nonzero(half[own] & (plane[own] == whole[own] + 1))
        if np.count_nonzero(half[own] & (plane[own] == whole[own])) > up:
            return False
    return True


def _sums(samples: Plane) -> NDArray[np.int32]:
    """Return 16 times what interpolation makes of samples, of twice as many rows and columns."""
    rows, columns = samples.shape
    wide = np.pad(samples.astype(np.int32), 1, mode="edge")
    sums = np.empty((2 * rows, 2 * columns), np.int32)
    for row in range(2):
        tall = 3 * wide[1:-1] + wide[2 * row :][:rows]
        for column in range(2):
            sums[row::2, column::2] = 3 * tall[:, 1:-1] + tall[:, 2 * column :][:, :columns]
    return sums


def _rounded(search: Searcher, plane: Plane) -> Plane:
    """Return the whole numbers nearest to the samples of a plane by least squares."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    parts = search.shrink(np.ascontiguousarray(even)) - _MORE
    return ((parts + _UNIT // 2) // _UNIT).clip(0, 255).astype(np.uint8)
