"""Finds out whether the colours of a picture were computed from luma and chroma, and from which.

By chance, a quarter of all colours are what a map makes, or fewer; a sample of different ones tells
most pictures that are on no lattice.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.blind import find_map, may_have_map
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, Plane, spread
from bitswap_cli.images.formats.lattice.sample import sampled
from bitswap_cli.images.formats.lattice.search import Searcher, Triples, searcher
from bitswap_cli.images.history.engine import compiled
from bitswap_cli.images.orientation import turn

_SAMPLE, _MORE = 10_000, 40_000  # pixels that are asked, and those that tell an unknown map
_LARGE_ENOUGH = 1 << 16  # pixels of a picture for which a map is looked for that is none of `MAPS`
_COLOURS = 300  # different ones of these, at least, that are neither gray nor at an end of a range
_ON, _SURELY = 0.75, 0.99  # of them are on the lattice; are, so that no other map is looked for
_FEW, _LIKELY = 64, 0.5  # so many are asked first, and go on if so many of these are on one
_HALF = 0.99  # of the samples of chroma, at least, are as those at half the size tell
_GRAY = 0.97  # of all pixels are gray, at least
_SMALLEST = 16  # pixels of a picture's side
_LARGEST = 1 << 24  # pixels of a picture: the search takes some 10 bytes for each
_WRONG = 0.2  # of all pixels, at most
_COLOURED = [used for used in MAPS if Chroma.NONE not in used.ways]
_WITHOUT = next(used for used in MAPS if Chroma.NONE in used.ways)
_MIRRORED = range(4)  # orientations in which each second row and column may be the other one


class Found(NamedTuple):
    """A picture by luma and chroma."""

    map: Map
    how: Chroma
    orientation: int
    """How the picture lies where its first row and column have samples of chroma."""
    luma: Plane
    chroma: Plane
    """Blue's and red's, (2, rows, columns), or nothing."""


def find(pixels: NDArray[np.uint8]) -> Found | None:
    """Find luma and chroma of a picture (H, W, 3).

    Returns
    -------
    Found or None
        None where nothing speaks for there being any, or where no kernel is compiled.
    """
    kernel = compiled()  # whatever engine is asked for: there is no reference, and bytes are equal
    height, width, _ = pixels.shape
    if kernel is None or min(height, width) < _SMALLEST or height * width > _LARGEST:
        return None
    search, own = searcher(kernel), np.ascontiguousarray(pixels)
    if search.grays(own) / (height * width) >= _GRAY:
        return Found(_WITHOUT, Chroma.NONE, 0, own[:, :, 1], own[None, :0, :0, 0])
    used = _map_of(search, own)
    if used is None:
        return None
    told, how, orientation = search.triples(used, own), Chroma.FULL, 0
    for less, mirrored in _less(used):
        turned = _turned(told, mirrored)
        if _is_half(turned, less):
            told, how, orientation = _halved(turned, less), less, mirrored
            break
    chroma = told.planes[1:]
    turned_pixels = np.ascontiguousarray(turn(own, orientation))
    luma, wrong = search.lay(used, how, turned_pixels, chroma, told.known)
    return Found(used, how, orientation, luma, chroma) if wrong <= _WRONG * luma.size else None


def _map_of(search: Searcher, pixels: Plane) -> Map | None:
    """Return the map on whose lattice most colours of a sample are."""
    flat = pixels.reshape(-1, 3)
    some = search.distinct(search.telling(flat, max(1, len(flat) // _SAMPLE) | 1))
    if len(some) < _COLOURS:
        return None
    known, share = _known_map(search, some)
    large = pixels[..., 0].size >= _LARGE_ENOUGH
    if share >= _SURELY or not large or not may_have_map(some):
        return known
    more = sampled(pixels, _MORE)
    found = find_map(search, more)
    return found.map if found and found.on >= max(_ON, share) * len(more.within) else known


def _known_map(search: Searcher, some: Plane) -> tuple[Map | None, float]:
    """Return the one of `MAPS` on whose lattice most of some colours are, if these are enough, and
    their share."""
    few = np.ascontiguousarray(some[:: len(some) // _FEW])
    likely = int(_LIKELY * len(few))
    if max(search.known(_COLOURED, few, len(few) - likely)) < likely:
        return None, 0.0
    least = math.ceil(_ON * len(some))
    on = search.known(_COLOURED, some, len(some) - least)
    best = max(on)
    return (_COLOURED[on.index(best)], best / len(some)) if best >= least else (None, 0.0)


def _less(used: Map) -> Iterator[tuple[Chroma, int]]:
    """Yield ways in which there may be less chroma, and how the picture lies then."""
    for how in used.ways:
        for orientation in _MIRRORED if how == Chroma.BETWEEN else _MIRRORED[:1]:
            yield how, orientation


def _turned(told: Triples, orientation: int) -> Triples:
    """Return luma and chroma of a mirrored picture."""
    planes = np.stack([turn(plane, orientation) for plane in told.planes])
    return told._replace(planes=planes, known=np.ascontiguousarray(turn(told.known, orientation)))


def _is_half(told: Triples, how: Chroma) -> bool:
    """Tell whether chroma is what fewer samples give."""
    known, tall = told.known == 1, _tall(how)
    height, width = known.shape
    # a mean is 255 where all are
    few = 255 * known[::tall, ::2].astype(np.uint8)
    sure = known & (spread(few, how, height, width) == 255)
    same = [
        np.count_nonzero((spread(plane[::tall, ::2], how, height, width) == plane) & sure)
        for plane in told.planes[1:]
    ]
    return bool(sum(same) >= _HALF * len(same) * np.count_nonzero(sure) > 0)


def _tall(how: Chroma) -> int:
    """Return how many rows of pixels there are to one of fewer samples."""
    return 1 if how == Chroma.ACROSS else 2


def _halved(told: Triples, how: Chroma) -> Triples:
    """Return luma and chroma of each second pixel, of each second row if rows are fewer, too; where
    chroma is repeated, of one of these pixels that is known."""
    tall = _tall(how)
    planes, known = (np.ascontiguousarray(own[..., ::tall, ::2]) for own in told[:2])
    if how != Chroma.BETWEEN:
        for down, right in [(down, right) for down in range(tall) for right in range(2)][1:]:
            other = told.known[down::tall, right::2]
            rows, columns = other.shape
            better = (other == 1) & (known[:rows, :columns] != 1)
            planes[:, :rows, :columns][:, better] = told.planes[:, down::tall, right::2][:, better]
            known[:rows, :columns][better] = 1
    return told._replace(planes=planes, known=known)
