"""Where the blocks of a JPEG lie in a picture: at its corner, or, if it was cropped, elsewhere."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.evidence import EXACT, busy, evidence
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.history.search import UNIT, Effort, Searcher, in_blocks
from bitswap_cli.images.history.tables import Steps, standard

_LEAST = 100  # nats that must speak for a grid
_SURE = 1000  # at the corner: no other one is looked at
_QUICK, _QUICK_LEAST = 100, 30  # blocks that are asked first, and what they must say at least
_FEW = 60  # in the window that is asked for others; and twice as many as for any other
_STEPS = 48  # the largest that is asked for there
_WINDOW = 32  # pixels of its sides, beside those that a grid may be moved by
_WINDOWS = 1, 8  # that are asked, and if they say something, but not which grid it is
_KNOWN = 0.99  # of its pixels
_RARE = 0.5  # of the pixels are known, or more: whole blocks can be asked
_PART, _SPREAD = 32, 32  # pixels of a block that have to be known, and between what values
_FEWEST, _SHARE = 12, 0.3  # blocks that are tried, and how many of them have to come back
# What is tried, on how many of them at most, and for which qualities: where steps are fine, few are
# right once they are rounded.
_TRIES = ((Effort(0, 0, 0, 0), 250, range(25, 96)), (Effort(1, 10, 24, 0), 50, range(91, 96)))


class Grid(NamedTuple):
    """A grid of blocks, and the table of their steps."""

    top: int
    """How many rows of pixels the first blocks lack."""
    left: int
    steps: Steps


def find_grid(search: Searcher, plane: Plane, known: NDArray[np.bool_]) -> Grid | None:
    """Return the grid of the blocks of luma (H, W), where it is known; None if nothing speaks for
    one."""
    told = busy(search, plane, known)
    corner = evidence(search, told[:_QUICK], EXACT)
    if corner.strength >= _QUICK_LEAST:
        corner = evidence(search, told, EXACT)
    if corner.strength >= _SURE:
        return Grid(0, 0, corner.luma())
    for windows in _WINDOWS:
        strengths = _strengths(search, plane, known, windows)
        best, second = np.sort(strengths)[:-3:-1]
        clear = best >= max(_FEW, 2 * second + 1)
        if clear or best < _FEW:
            break
    if clear and (chosen := int(strengths.argmax())):
        down, across = divmod(chosen, 8)
        moved = evidence(search, busy(search, plane[down:, across:], known[down:, across:]), EXACT)
        return Grid(-down % 8, -across % 8, moved.luma()) if moved.strength >= _LEAST else None
    steps = _tried(search, plane, known) if known.mean() < _RARE else None
    if steps is None and corner.strength >= _LEAST:
        steps = corner.luma()
    return None if steps is None else Grid(0, 0, steps)


def _tried(search: Searcher, plane: Plane, known: NDArray[np.bool_]) -> Steps | None:
    """Return the standard's table of the lowest quality that gives many blocks back, of a picture
    that is too much cut to 0 and 255 for whole blocks to be asked: of what stands before white."""
    rows, columns = plane.shape[0] // 8 * 8, plane.shape[1] // 8 * 8
    blocks, sure = in_blocks(plane[:rows, :columns]), in_blocks(known[:rows, :columns])
    spread = np.where(sure, blocks, 0).max(1) - np.where(sure, blocks, 255).min(1).astype(np.int16)
    chosen = np.nonzero((sure.sum(1) >= _PART) & (spread >= _SPREAD))[0]
    if len(chosen) < _FEWEST:
        return None

    for effort, most, qualities in _TRIES:
        some = chosen[:: len(chosen) // most + 1]
        own, known, least = blocks[some], sure[some], _SHARE * len(some)
        start, low, high = (
            np.ascontiguousarray(x.reshape(-1, 8, 8).swapaxes(0, 1).reshape(8, -1))
            for x in (own, *(np.where(known, own, end).astype(np.uint8) for end in (0, 255)))
        )
        for quality in qualities:
            steps: Steps = standard(chroma=False)[quality]
            state = np.full((1, len(some)), 2, np.uint8)
            found = np.zeros((1, len(some), 64), np.int16)
            if search.solve(start, low, high, steps, Method.SLOW, 0, effort, found, state) >= least:
                return steps
    return None


def _strengths(
    search: Searcher, plane: Plane, known: NDArray[np.bool_], windows: int
) -> NDArray[np.int64]:
    """Return what speaks for each of the 64 grids in those parts of a plane where neighbours differ
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
    chosen = np.argsort(-much, axis=None, kind="stable")[:windows]
    split = window.reshape(shape).swapaxes(1, 2).reshape(-1, side, side)[chosen]
    moved = [
        in_blocks(split[:, down:, across:][:, :_WINDOW, :_WINDOW].reshape(-1, _WINDOW))
        for down in range(8)
        for across in range(8)
    ]
    told = search.forward(np.concatenate(moved).astype(np.int32) * UNIT)
    each = len(moved[0])
    parts = [told[k * each : (k + 1) * each] for k in range(64)]
    return np.array([evidence(search, part, EXACT, _STEPS).strength for part in parts])
