"""Corrections in two layers: of luma and chroma, of which colours are made, then of colours.

A wrong coefficient makes luma or chroma wrong by small numbers, alike in pixels next to each other,
and colours by what these give after rounding: so most of what is wrong is told more shortly of luma
and chroma. What was painted over is told of colours.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections.engine import decode, encode
from bitswap_cli.images.corrections.reference import SIDE, Bytes
from bitswap_cli.images.corrections.state import Grid

Planes = Sequence[Bytes]
"""Luma, or luma and two chroma, (H, W) each."""
Colours = Callable[[Planes], Bytes]
"""Makes colours (H, W, 1 or 3) of them."""
_LUMA, _CHROMA = 10, 3  # how far luma alone, or chroma alone, is looked for
_MOST = 16  # by how much chroma may differ, and luma by twice as much
_SHARE = 0.9  # of a block's wrong pixels: if so many follow from luma and chroma, these are told so
_MANY = 8  # if one in so many pixels is wrong, luma and chroma are not looked for


def told(pixels: Bytes, planes: Planes, colours: Colours, grid: Grid) -> list[bytes]:
    """Write where pixels (H, W, C) differ from the colours of planes, and by what: both layers."""
    made, first = colours(planes), b""
    if len(planes) == 3:
        added = _added(pixels, made, planes, colours, grid)
        if added.any():
            laid = np.stack(planes, 2)
            first = written(laid + added, laid, grid._replace(linked=False))
            made = colours([*np.ascontiguousarray((laid + added).transpose(2, 0, 1))])
    return [first, written(pixels, made, grid)]


def corrected(planes: Planes, colours: Colours, grid: Grid, layers: Sequence[bytes]) -> Bytes:
    """Invert `told`; raise `ArchiveError` if they are none of these planes."""
    first, second = layers
    if first and len(planes) == 3:
        laid = read(first, np.stack(planes, 2), grid._replace(linked=False))
        planes = [*np.ascontiguousarray(laid.transpose(2, 0, 1))]
    elif first:
        raise ArchiveError("the archive holds corrections of what a gray picture has not")
    return read(second, colours(planes), grid)


def written(pixels: Bytes, made: Bytes, grid: Grid) -> bytes:
    """Write where pixels (H, W, C) differ from those that were made, and by what: one layer."""
    if np.array_equal(pixels, made):
        return b""
    return encode(pixels, made, grid).astype("<u4").tobytes()


def read(words: bytes, made: Bytes, grid: Grid) -> Bytes:
    """Invert `written`; raise `ArchiveError` if they are no words of such pixels."""
    if len(words) % 4:
        raise ArchiveError("the archive holds corrections of pixels that are malformed")
    return decode(np.frombuffer(words, "<u4"), made, grid) if words else made


def _added(
    pixels: Bytes, made: Bytes, planes: Planes, colours: Colours, grid: Grid
) -> NDArray[np.uint8]:
    """Return what, added to luma and chroma modulo 256, gives pixels that differ: (H, W, 3)."""
    height, width, _ = pixels.shape
    added = np.zeros((height, width, 3), np.uint8)
    rows, columns = np.nonzero((pixels != made).any(2))
    if rows.size * _MANY > height * width:
        return added
    own = np.stack([plane[rows, columns] for plane in planes]).astype(np.int64)
    moves, found = _moves(pixels[rows, columns].astype(np.int64), own, colours)
    across = (width + grid.left) // SIDE + 1
    block = (rows + grid.top) // SIDE * across + (columns + grid.left) // SIDE
    all_of, such = np.bincount(block), np.bincount(block, found)
    found &= (such >= _SHARE * all_of)[block]
    added[rows[found], columns[found]] = moves.T[found].astype(np.uint8)
    return added


def _moves(
    wanted: NDArray[np.int64], own: NDArray[np.int64], colours: Colours
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return by what luma and chroma (3, N) of pixels (N, 3) differ, (3, N), and for which that is
    found."""
    moves, left = np.zeros_like(own), np.arange(own.shape[1])
    most = np.array([2 * _MOST, _MOST, _MOST])[:, None]
    exact = _exact(wanted)
    for move, near in _candidates():
        there = (exact[:, left] if near else own[:, left]) + np.array(move)[:, None]
        kept = ((there >= 0) & (there < 256) & (abs(there - own[:, left]) <= most)).all(0)
        inside = np.ascontiguousarray(there.clip(0, 255)[:, None].astype(np.uint8))
        kept &= (colours([*inside])[0] == wanted[left]).all(1)
        moves[:, left[kept]] = (there - own[:, left])[:, kept]
        left = left[~kept]
        if not left.size:
            break
    found = np.ones(own.shape[1], bool)
    found[left] = False
    return moves, found


def _exact(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return luma and chroma of colours (N, 3), about: (3, N)."""
    red, green, blue = wanted.T
    luma = (299 * red + 587 * green + 114 * blue + 500) // 1000
    sides = [128 + (1000 * (x - luma) + by // 2) // by for x, by in ((blue, 1772), (red, 1402))]
    return np.stack([luma, *sides])


def _candidates() -> Iterator[tuple[tuple[int, int, int], bool]]:
    """Yield moves, the smallest first: of what there is, then of what colours are about (true)."""
    for size in range(1, _LUMA + 1):
        yield from (((size, 0, 0), False), ((-size, 0, 0), False))
    sides = itertools.product(range(-_CHROMA, _CHROMA + 1), repeat=2)
    for blue, red in sorted(sides, key=lambda own: abs(own[0]) + abs(own[1]))[1:]:
        yield (0, blue, red), False
    near = itertools.product((0, -1, 1), (0, -1, 1), (0, -1, 1))
    for move in sorted(near, key=lambda own: sum(map(abs, own))):
        yield move, True
