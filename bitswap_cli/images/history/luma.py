"""What luma of a picture tells of its JPEG: on which grid its blocks lie, by which inverse DCT they
were made, and how they were turned since."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.maps import Map
from bitswap_cli.images.formats.lattice.search import Searcher as Lattices
from bitswap_cli.images.history.decoder import FEW_MAPS, FULL_MAP, Decoder
from bitswap_cli.images.history.evidence import EXACT, busy, evidence
from bitswap_cli.images.history.grid import Grid, find_grid
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.history.search import UNIT, Effort, Searcher, Work, bias, in_blocks, whole
from bitswap_cli.images.history.tables import Steps
from bitswap_cli.images.orientation import turn

_SAMPLE = 10_000  # pixels that are asked whether they are on the lattice
_ON = 0.9  # of them
_FEW, _LIKELY = 64, 0.75  # so many are asked first; and these of other maps
_ASKED = 100  # blocks, at most
_FEWEST = 12  # where there are fewer, they tell nothing
_SPREAD = 16  # their samples differ by so much, at least: flat ones come back in any way
_SURE = 0.6  # of them come back, or more: no other way is tried
_RIVAL = 2  # so many times as many come back another way, or more, if it is that
# All but the fast one round nearly alike in mirrored blocks; that is left to chroma.
_TRANSPOSED = 4
_EFFORT = Effort(1, 10, 24, 0)


class Way(NamedTuple):
    """How luma was made, and lies now."""

    method: Method
    orientation: int
    """How the picture has to be turned back, see images/orientation.py."""
    steps: Steps


class Luma(NamedTuple):
    """What is known of a picture that looks as if it was a JPEG."""

    planes: NDArray[np.uint8]
    """Luma and chroma, (C, H, W)."""
    known: Plane
    """1 where they are known, (H, W)."""
    map: Map | None
    """How colours were made of them, if not as libjpeg does."""
    grid: Grid
    """Of luma."""
    way: Way

    @property
    def decoder(self) -> Decoder:
        """What decoded it, as far as luma tells."""
        if self.way.method == Method.SIMPLE:
            return Decoder.FFMPEG_PLAIN if self.map == FEW_MAPS[-1] else Decoder.FFMPEG
        return Decoder.FAST if self.way.method == Method.FAST else Decoder.LIBJPEG


def luma_of(search: Searcher, lattices: Lattices, pixels: Plane) -> Luma | None:
    """Return luma of a picture (H, W, C), if blocks of it speak for a JPEG."""
    height, width, channels = pixels.shape
    if channels == 1:
        return _laid(search, pixels[None, :, :, 0], np.ones((height, width), np.uint8), None)
    flat = pixels.reshape(-1, 3)
    sample = np.ascontiguousarray(flat[:: max(1, len(flat) // _SAMPLE) | 1])
    _, _, on, off = search.lattice(sample)
    if on < _ON * (on + off):
        used = _map_of(lattices, sample)
        return used and _by_map(search, lattices, pixels, used)
    planes, known, on, off = search.lattice(pixels)
    if on < _ON * (on + off):
        return None
    found = _laid(search, planes, known, None)
    if found and found.way.method == Method.SIMPLE:  # whose colours are nearly the same
        return _by_map(search, lattices, pixels, FULL_MAP)
    return found


def _map_of(lattices: Lattices, sample: Plane) -> Map | None:
    """Return the map by which FFmpeg made most colours of a sample, if it made them."""
    inside = lattices.telling(sample)
    for some, share in ((inside[:: len(inside) // _FEW + 1], _LIKELY), (inside, _ON)):
        some, least = np.ascontiguousarray(some), int(share * len(some))
        on = lattices.known(FEW_MAPS, some, len(some) - least)
        if not least or max(on) < least:
            return None
    return FEW_MAPS[on.index(max(on))]


def _by_map(search: Searcher, lattices: Lattices, pixels: Plane, used: Map) -> Luma | None:
    """Return luma of colours that FFmpeg made by a map."""
    planes, known, _ = lattices.triples(used, pixels)
    found = _laid(search, planes, known, used)
    return found if found and found.way.method == Method.SIMPLE else None


def _laid(search: Searcher, planes: Plane, known: Plane, used: Map | None) -> Luma | None:
    ends = (planes[0] == 0) | (planes[0] == 255)  # which may have been cut to that
    sure = (known == 1) & ~ends
    grid = find_grid(search, planes[0], sure)
    return grid and Luma(planes, known, used, grid, way_of(search, planes[0], sure, grid))


def way_of(search: Searcher, plane: Plane, known: NDArray[np.bool_], grid: Grid) -> Way:
    """Return the way by which most blocks of luma (H, W) come back, where it is known."""
    default = Way(Method.SLOW, 0, grid.steps)
    top, left = -grid.top % 8, -grid.left % 8
    rows, columns = (plane.shape[0] - top) // 8 * 8, (plane.shape[1] - left) // 8 * 8
    inner = slice(top, top + rows), slice(left, left + columns)
    plane, known = plane[inner], known[inner]
    blocks = in_blocks(plane)[whole(known).ravel()]
    blocks = blocks[np.ptp(blocks, 1) >= _SPREAD]
    blocks = blocks[:: len(blocks) // _ASKED + 1]
    first = _solved(search, blocks, default)
    if len(blocks) < _FEWEST or first >= _SURE * len(blocks):
        return default
    ways = dict[int, Way]()
    for transposed in (0, _TRANSPOSED):
        own, sure = (plane.T, known.T) if transposed else (plane, known)
        for method in Method:
            mirrored = range(_TRANSPOSED) if method == Method.FAST else range(1)
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
    return search.solve(
        row, row, row, way.steps, way.method, 0, _EFFORT, Work(len(blocks)), found, state
    )
