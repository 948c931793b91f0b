"""Finds out whether the colours of a picture were computed from luma and chroma, and from which.

By chance, a quarter of all colours are what a map makes, or fewer; a sample of different ones tells
most pictures that are on no lattice.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.blind import find_map, may_have_map
from bitswap_cli.images.formats.lattice.halves import Less, halved
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, Plane
from bitswap_cli.images.formats.lattice.own import likely_maps
from bitswap_cli.images.formats.lattice.sample import sampled
from bitswap_cli.images.formats.lattice.search import Searcher, searcher
from bitswap_cli.images.history.engine import compiled
from bitswap_cli.images.orientation import turn

_SAMPLE, _MORE = 10_000, 40_000  # pixels that are asked, and those that tell an unknown map
_LARGE_ENOUGH = 1 << 16  # pixels of a picture for which a map is looked for that is none of `MAPS`
_SMALL_ENOUGH = 1 << 12  # of one for which `LIKELY` maps are tried
_COLOURS = 300  # different ones of these, at least, that are neither gray nor at an end of a range
_ON, _SURELY = 0.75, 0.99  # of them are on the lattice; are, so that no other map is looked for
_FEW, _LIKELY = 64, 0.5  # so many are asked first, and go on if so many of these are on one
_GRAY = 0.97  # of all pixels are gray, at least
_SMALLEST = 16  # pixels of a picture's side
_LARGEST = 1 << 24  # pixels of a picture: the search takes some 10 bytes for each
_WRONG = 0.2  # of all pixels, at most
_COLOURED = [used for used in MAPS if Chroma.NONE not in used.ways]
_WITHOUT = next(used for used in MAPS if Chroma.NONE in used.ways)


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
    told = search.triples(used, own)
    less = halved(search, used, told) or Less(used, Chroma.FULL, 0, told.chroma(), 1)
    turned = np.ascontiguousarray(turn(own, less.orientation))
    chroma = less.told.planes
    luma, wrong = search.lay(less.map, less.how, turned, chroma, less.told.known)
    if less.how == Chroma.SMOOTH and wrong:
        search.mend(less.map, turned, chroma)
        luma, wrong = search.lay(less.map, less.how, turned, chroma, np.ones_like(chroma[0]))
    found = Found(less.map, less.how, less.orientation, luma, chroma)
    return found if wrong <= _WRONG * luma.size else None


def _map_of(search: Searcher, pixels: Plane) -> Map | None:
    """Return the map on whose lattice most colours of a sample are."""
    flat = pixels.reshape(-1, 3)
    some = search.distinct(search.telling(flat, max(1, len(flat) // _SAMPLE) | 1))
    if len(some) < _COLOURS:
        return None
    known, share = _known_map(search, some)
    large = pixels[..., 0].size >= _LARGE_ENOUGH
    if share < _SURELY and not large and pixels[..., 0].size >= _SMALL_ENOUGH:
        return _likely_map(search, some) or known
    if share >= _SURELY or not large or not may_have_map(some):
        return known
    more = sampled(pixels, _MORE)
    found = find_map(search, more)
    return found.map if found and found.on >= max(_ON, share) * len(more.within) else known


def _likely_map(search: Searcher, some: Plane) -> Map | None:
    """Return one of those that came later on whose lattice nearly all of some colours are."""
    few = np.ascontiguousarray(some[:: len(some) // _FEW])
    for used in likely_maps():
        if all(search.triples(used, own).on >= _SURELY * len(own) for own in (few, some)):
            return used
    return None


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
