"""Where the blocks of a JPEG lie in a picture: at its corner, or, if it was cropped, elsewhere."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.evidence import EXACT, Evidence, busy, evidence
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import UNIT, Searcher, in_blocks

_LEAST = 300  # nats that must speak for a grid
_SURE = 1000  # at the corner: no other one is looked at
_QUICK, _QUICK_LEAST = 100, 30  # blocks that are asked first, and what they must say at least
_FEW = 60  # in the window that is asked for others; and twice as many as for any other
_STEPS = 48  # the largest that is asked for there
_WINDOW = 32  # pixels of its sides, beside those that a grid may be moved by
_KNOWN = 0.99  # of its pixels


class Grid(NamedTuple):
    """A grid of blocks, and what speaks for it."""

    top: int
    """How many rows of pixels the first blocks lack."""
    left: int
    evidence: Evidence


def find_grid(search: Searcher, plane: Plane, known: NDArray[np.bool_]) -> Grid | None:
    """Return the grid of the blocks of luma (H, W), where it is known; None if nothing speaks for
    one."""
    told = busy(search, plane, known)
    corner = Grid(0, 0, evidence(search, told[:_QUICK], EXACT))
    if corner.evidence.strength >= _QUICK_LEAST:
        corner = Grid(0, 0, evidence(search, told, EXACT))
    if corner.evidence.strength >= _SURE:
        return corner
    strengths = _strengths(search, plane, known)
    best, second = np.sort(strengths)[:-3:-1]
    if best >= max(_FEW, 2 * second + 1) and (chosen := int(strengths.argmax())):
        down, across = divmod(chosen, 8)
        told = busy(search, plane[down:, across:], known[down:, across:])
        grid = Grid(-down % 8, -across % 8, evidence(search, told, EXACT))
        return grid if grid.evidence.strength >= _LEAST else None
    return corner if corner.evidence.strength >= _LEAST else None


def _strengths(search: Searcher, plane: Plane, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return what speaks for each of the 64 grids in the part of a plane where neighbours differ
    most."""
    side = _WINDOW + 8
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    if not rows or not columns:
        return np.zeros(64, np.int64)
    window = plane[: rows * side, : columns * side]
    shape = rows, side, columns, side
    differ = np.abs(np.diff(window.astype(np.int16), axis=1, append=window[:, -1:]))
    much = np.minimum(differ, 32).reshape(shape).sum((1, 3))
    much[known[: rows * side, : columns * side].reshape(shape).mean((1, 3)) < _KNOWN] = 0
    y, x = divmod(int(much.argmax()), columns)
    window = window[y * side : (y + 1) * side, x * side : (x + 1) * side]
    moved = [
        in_blocks(window[down : down + _WINDOW, across : across + _WINDOW])
        for down in range(8)
        for across in range(8)
    ]
    told = search.forward(np.concatenate(moved).astype(np.int32) * UNIT)
    each = len(moved[0])
    parts = [told[k * each : (k + 1) * each] for k in range(64)]
    return np.array([evidence(search, part, EXACT, _STEPS).strength for part in parts])
