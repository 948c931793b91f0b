"""Finds chroma of half as many rows and columns between whose samples a program interpolated.

Each pixel has nine parts of the sample that is nearest to it, three of each of the two beside that,
and one of the fourth: libwebp and libyuv do so, and thereby most that show WebP and AVIF files.
Least squares tell such samples to a third of a step, as they do libjpeg's, which rounds a bit
otherwise; a search of a few at a time finds the whole numbers that give the pixels.
"""

from itertools import product

import numpy as np

from bitswap_cli.images.formats.lattice.maps import Chroma, Plane, spread
from bitswap_cli.images.formats.lattice.search import Searcher, Triples

_UNIT, _MORE = 256, 8  # of samples by least squares, and by how much these are too large
_HOPEFUL = 0.6, 0.7, 0.75
"""Of known pixels are right as least squares are rounded, at least: at first, and where those that
are not known are what samples said before."""
_WINDOW, _EDGE = 48, 4  # rows and columns of pixels that tell soon, and those that do not count
_LIKELY = 0.92  # of the known ones of these, at least, can be made right


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
    if not all(_is_likely(search, *pair, told.known) for pair in pairs):
        return None
    sure = [search.smooth(*pair, told.known) for pair in pairs]
    return Triples(np.stack(nearly), np.bitwise_and(*sure), int(np.bitwise_and(*sure).sum()))


def _is_likely(search: Searcher, samples: Plane, plane: Plane, known: Plane) -> bool:
    """Tell by four windows whether there may be samples that give a plane of chroma. Others than
    these programs round so that most of it is right at once, and a search takes a second."""
    right = in_all = 0
    inner = (slice(_EDGE, _WINDOW - _EDGE),) * 2
    for row, column in product(*([side // 4, 3 * side // 4] for side in samples.shape)):
        few = slice(row, row + _WINDOW // 2), slice(column, column + _WINDOW // 2)
        many = slice(2 * row, 2 * row + _WINDOW), slice(2 * column, 2 * column + _WINDOW)
        own, which, asked = (
            np.ascontiguousarray(one[at])
            for one, at in ((samples, few), (plane, many), (known, many))
        )
        search.smooth(own, which, asked)
        same = (spread(own, Chroma.SMOOTH, *which.shape) == which) & (asked == 1)
        right += int(np.count_nonzero(same[inner]))
        in_all += int(np.count_nonzero(asked[inner] == 1))
    return right >= _LIKELY * in_all


def _rounded(search: Searcher, plane: Plane) -> Plane:
    """Return the whole numbers nearest to the samples of a plane by least squares."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    parts = search.shrink(np.ascontiguousarray(even)) - _MORE
    return ((parts + _UNIT // 2) // _UNIT).clip(0, 255).astype(np.uint8)
