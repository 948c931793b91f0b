"""Finds out whether there was less chroma than luma: of half as many columns, and rows, too."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import Chroma, Map, spread
from bitswap_cli.images.formats.lattice.own import as_told
from bitswap_cli.images.formats.lattice.search import Searcher, Triples
from bitswap_cli.images.formats.lattice.smooth import smooth_chroma
from bitswap_cli.images.orientation import turn

_HALF = 0.99  # of the samples of chroma, at least, are as those at half the size tell
_SURELY = 0.9999  # are, so that no other way is asked for
_MIRRORED = range(4)  # orientations in which each second row and column may be the other one


class Less(NamedTuple):
    """Chroma of fewer samples, and how colours are made of it."""

    map: Map
    how: Chroma
    orientation: int
    told: Triples
    """Whose planes are chroma alone."""
    share: float
    """Of the samples of chroma of known pixels, those that this gives."""


def halved(search: Searcher, used: Map, told: Triples) -> Less | None:
    """Return the way to have less chroma that gives most of a picture's; None if none gives it."""
    repeated = next(_simply(used, told), None)
    if repeated and repeated.share >= _SURELY:
        return repeated
    smooth = _smoothly(search, used, told)
    both = [way for way in (repeated, smooth) if way]
    return max(both, key=lambda way: way.share) if both else None


def _simply(used: Map, told: Triples) -> Iterator[Less]:
    """Yield ways in which some pixels have samples of their own, the least first."""
    for how in used.ways:
        if how == Chroma.SMOOTH:
            continue
        for orientation in _MIRRORED if how == Chroma.BETWEEN else _MIRRORED[:1]:
            turned = _turned(told, orientation)
            share = _share(turned, how)
            if share >= _HALF:
                yield Less(used, how, orientation, _samples(turned, how), share)


def _smoothly(search: Searcher, used: Map, told: Triples) -> Less | None:
    """Return the way in which none has, if that gives enough; and if recipes can tell the map."""
    own = as_told(used)
    samples = smooth_chroma(search, told) if own else None
    if own is None or samples is None:
        return None
    known = told.known == 1
    same = [
        (spread(few, Chroma.SMOOTH, *plane.shape) == plane) & known
        for few, plane in zip(samples.planes, told.planes[1:], strict=True)
    ]
    share = _part(same, known)
    return Less(own, Chroma.SMOOTH, 0, samples, share) if share >= _HALF else None


def _turned(told: Triples, orientation: int) -> Triples:
    """Return luma and chroma of a mirrored picture."""
    planes = np.stack([turn(plane, orientation) for plane in told.planes])
    return told._replace(planes=planes, known=np.ascontiguousarray(turn(told.known, orientation)))


def _share(told: Triples, how: Chroma) -> float:
    """Return the share of the samples of chroma that some of them give."""
    known, tall = told.known == 1, _tall(how)
    height, width = known.shape
    # a mean is 255 where all are
    few = 255 * known[::tall, ::2].astype(np.uint8)
    sure = known & (spread(few, how, height, width) == 255)
    same = [
        (spread(plane[::tall, ::2], how, height, width) == plane) & sure
        for plane in told.planes[1:]
    ]
    return _part(same, sure)


def _part(same: list[NDArray[np.bool_]], known: NDArray[np.bool_]) -> float:
    """Return the share of known samples of planes that are the same."""
    count = int(np.count_nonzero(known))
    return int(np.count_nonzero(same)) / (len(same) * count) if count else 0.0


def _tall(how: Chroma) -> int:
    """Return how many rows of pixels there are to one of fewer samples."""
    return 1 if how == Chroma.ACROSS else 2


def _samples(told: Triples, how: Chroma) -> Triples:
    """Return chroma of each second pixel, of each second row if rows are fewer, too; where it is
    repeated, of one of these pixels that is known."""
    tall = _tall(how)
    planes, known = (np.ascontiguousarray(own[..., ::tall, ::2]) for own in told[:2])
    if how != Chroma.BETWEEN:
        for down, right in [(down, right) for down in range(tall) for right in range(2)][1:]:
            other = told.known[down::tall, right::2]
            rows, columns = other.shape
            better = (other == 1) & (known[:rows, :columns] != 1)
            planes[:, :rows, :columns][:, better] = told.planes[:, down::tall, right::2][:, better]
            known[:rows, :columns][better] = 1
    return told._replace(planes=planes, known=known).chroma()
