"""Which inverse DCT made the blocks of luma, and how they were turned since: that by which most of
them come back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.evidence import EXACT, busy, evidence
from bitswap_cli.images.history.grid import Grid
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.history.search import UNIT, Effort, Searcher, bias, in_blocks
from bitswap_cli.images.history.tables import Steps
from bitswap_cli.images.orientation import turn

_ASKED = 100  # blocks, at most
_FEWEST = 12  # where there are fewer, they tell nothing
_SPREAD = 16  # their samples differ by so much, at least: flat ones come back in any way
_SURE = 0.6  # of them come back, or more: no other way is tried
_RIVAL = 2  # so many times as many come back another way, or more, if it is that
# The slow one rounds nearly alike in mirrored blocks; that is left to chroma.
_TRANSPOSED = 4
_EFFORT = Effort(1, 10, 24, 0)


class Way(NamedTuple):
    """How luma was made, and lies now."""

    method: Method
    orientation: int
    """How the picture has to be turned back, see images/orientation.py."""
    steps: Steps


def way_of(search: Searcher, plane: Plane, known: NDArray[np.bool_], grid: Grid) -> Way:
    """Return the way by which most blocks of luma (H, W) come back, where it is known."""
    default = Way(Method.SLOW, 0, grid.steps)
    top, left = -grid.top % 8, -grid.left % 8
    rows, columns = (plane.shape[0] - top) // 8 * 8, (plane.shape[1] - left) // 8 * 8
    inner = slice(top, top + rows), slice(left, left + columns)
    plane, known = plane[inner], known[inner]
    blocks = in_blocks(plane)[in_blocks(known).all(1)]
    blocks = blocks[np.ptp(blocks, 1) >= _SPREAD]
    blocks = blocks[:: len(blocks) // _ASKED + 1]
    first = _solved(search, blocks, default)
    if len(blocks) < _FEWEST or first >= _SURE * len(blocks):
        return default
    ways = dict[int, Way]()
    for transposed in (0, _TRANSPOSED):
        own, sure = (plane.T, known.T) if transposed else (plane, known)
        for method, mirrored in ((Method.SLOW, range(1)), (Method.FAST, range(_TRANSPOSED))):
            told = busy(search, own.astype(np.int32) * UNIT + bias(method), sure)
            steps = evidence(search, told, EXACT).luma()
            for orientation in mirrored:
                way = Way(method, transposed + orientation, steps)
                ways[_solved(search, blocks, way)] = way
    most = max(ways)
    return ways[most] if most >= max(_RIVAL * first, _FEWEST) else default


def _solved(search: Searcher, blocks: NDArray[np.uint8], way: Way) -> int:
    """Return how many blocks (n, 64) come back."""
    turned = turn(blocks.reshape(-1, 8, 8).transpose(1, 2, 0), way.orientation)
    row = np.ascontiguousarray(turned.swapaxes(1, 2).reshape(8, -1))
    state = np.full((1, len(blocks)), 2, np.uint8)
    found = np.zeros((1, len(blocks), 64), np.int16)
    return search.solve(row, row, row, way.steps, way.method, 0, _EFFORT, found, state)
