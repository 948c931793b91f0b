"""Where the blocks of a JPEG lie in a picture: at its corner, or, if it was cropped, elsewhere."""

import math
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitswap_cli.images.history.evidence import EXACT, busy, evidence
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.history.search import UNIT, Effort, Searcher, Work, in_blocks
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
_FIRST = 4  # a quarter of them is tried first, and half as many of these have to
_FEWEST, _SHARE = 12, 0.3  # blocks that are tried, and how many of them have to come back
_ROUGH = 16  # what rows of blocks differ by, or more: they tell where blocks begin
# Their four highest waves, (8, 4), in 2^-10, and below what they are nothing but rounding.
_HIGH = np.round(
    [[512 * math.cos((2 * x + 1) * u * math.pi / 16) for u in range(4, 8)] for x in range(8)]
).astype(np.int32)
_NOTHING = 922
_STANDS_OUT = 4  # deviations, roughly
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
    rare = known.mean() < _RARE
    for windows in _WINDOWS:
        strengths = _strengths(search, plane, known, windows)
        best, second = np.sort(strengths)[:-3:-1]
        clear = best >= max(_FEW, 2 * second + 1)
        if clear or (best < _FEW and not rare):
            break
    place = divmod(int(strengths.argmax()), 8) if clear else (0, 0)
    if rare:  # few whole blocks tell a grid, but hardly the steps
        down, across = place if clear else (_phase(plane.T, known.T), _phase(plane, known))
        steps = _tried(search, plane[down:, across:], known[down:, across:])
        if steps is not None:
            return Grid(-down % 8, -across % 8, steps)
    if any(place):
        down, across = place
        moved = evidence(search, busy(search, plane[down:, across:], known[down:, across:]), EXACT)
        if moved.strength >= _LEAST:
            return Grid(-down % 8, -across % 8, moved.luma())
    return Grid(0, 0, corner.luma()) if corner.strength >= _LEAST else None


def _phase(plane: Plane, known: NDArray[np.bool_]) -> int:
    """Return in which column of the first eight a block begins, by its rows of which all is known:
    their highest waves are mostly rounded to nothing. 0 where none stands out."""
    ends = np.cumsum(np.pad(known, ((0, 0), (1, 0))), 1, dtype=np.int32)
    rows, columns = np.nonzero(ends[:, 8:] - ends[:, :-8] == 8)
    own = sliding_window_view(plane, 8, 1)[rows, columns]
    busy = np.ptp(own, 1) >= _ROUGH
    own, columns = own[busy], columns[busy]
    none = (np.abs(own @ _HIGH) < _NOTHING).sum(1)
    rows_of, few = (np.bincount(columns % 8, weights, 8) for weights in (None, none))
    share = few.sum() / max(1, len(own))
    told = (few - rows_of * share) / np.sqrt(rows_of + 1)
    best, second = np.sort(told)[:-3:-1]
    return int(told.argmax()) if best >= max(_STANDS_OUT, 2 * second) else 0


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
        own, known = blocks[some], sure[some]
        planes = [
            x.reshape(-1, 8, 8).swapaxes(0, 1).reshape(8, -1)
            for x in (own, *(np.where(known, own, end).astype(np.uint8) for end in (0, 255)))
        ]
        few = -(-len(some) // _FIRST)
        asked = (few, _SHARE / 2 * few), (len(some), _SHARE * len(some))
        for quality in qualities:
            steps: Steps = standard(chroma=False)[quality]
            if all(_back(search, planes, n, steps, effort) >= least for n, least in asked):
                return steps
    return None


def _back(
    search: Searcher, planes: list[Plane], count: int, steps: Steps, effort: Effort
) -> int:  # fmt: skip
    """Return how many of the first blocks of planes (8, 8 n), start, low and high, come back."""
    start, low, high = (np.ascontiguousarray(plane[:, : 8 * count]) for plane in planes)
    state, found = np.zeros((1, count), np.uint8), np.zeros((1, count, 64), np.int16)
    return search.solve(start, low, high, steps, Method.SLOW, 0, effort, Work(count), found, state)


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
