"""Finds out whether pixels were made by a JPEG decoder, and of which coefficients.

A decoder's luma and chroma are a quarter of all triples, so a sample of pixels tells most pictures
that are none; blocks whose coefficients are multiples of steps tell the others.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bitswap_cli.images.formats.lattice.search import searcher as lattices
from bitswap_cli.images.history.decoder import Origin, decode, otherwise, samples
from bitswap_cli.images.history.engine import Kernel, compiled
from bitswap_cli.images.history.luma import luma_of
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.sampling import origins
from bitswap_cli.images.history.search import Blocks, over_channels, searcher
from bitswap_cli.images.history.solving.canvas import SURE, Canvas, gathered
from bitswap_cli.images.history.solving.puzzle import Puzzle
from bitswap_cli.images.orientation import turn

_SOME = 0.03  # of a part's pixels are known, or more: it tells which way is best
_SMALLEST = 16  # pixels of a picture's side
_LARGEST = 1 << 24  # pixels of a picture: the search takes some 28 bytes for each
_WRONG = 0.3  # of all pixels, at most
_ODD = 0.01  # of a part's pixels are wrong, or more: the JPEG may have been turned
_TURNED = 0.05  # or of all
_SQUARE = 32  # pixels of the sides of squares
_SPREAD = 0.5  # of these have wrong pixels, or more, if a JPEG was turned
_ENOUGH = 8  # of them: fewer tell nothing
_CUT = 0.5  # of all pixels are at an end of their range, or more: nothing tells of that
# libjpeg's decoder computes columns before rows, and rounds differently to the left and to the
# right, but not so upwards and downwards: these are all ways that make a difference.
_TURNS = (1, 4, 5)
_MIRRORED = 1
_PART = 256  # pixels of the sides of what is looked at in each of them
_PATCH = 128  # and of what tells how chroma was had
_EDGE = 16  # pixels around it that do not count


class Found(NamedTuple):
    """What a picture was."""

    origin: Origin
    coefficients: list[Blocks]
    """Of each component, (rows, columns, 64), in zigzag order."""
    wrong: int
    """How many pixels a decoder makes otherwise."""


def find(pixels: NDArray[Any]) -> Found | None:
    """Find the JPEG that pixels (H, W, C) were: gray or RGB, maybe with the same alpha everywhere.

    Returns
    -------
    Found or None
        None where nothing speaks for there being one, or where no kernel is compiled.
    """
    used = compiled()  # whatever engine is asked for: there is no reference, and bytes are the same
    height, width, channels = pixels.shape
    if used is None or min(height, width) < _SMALLEST or height * width > _LARGEST:
        return None
    if pixels.dtype != np.uint8 or channels > 4:
        return None
    if channels % 2 == 0 and (pixels[:, :, -1] != pixels[0, 0, -1]).any():
        return None
    colours = pixels[:, :, : 1 if channels < 3 else 3]
    area, posed = height * width, _posed(used, colours, 0)
    if posed and posed.is_odd():
        other = _posed(used, colours, posed.orientation ^ _MIRRORED)
        posed = other if other and not other.is_odd() else posed
    found = posed and posed.found()
    odd = found and found.wrong > _TURNED * area
    spread = found and odd and _is_whole(colours) and _is_spread(colours, found)
    if found and spread and (orientation := _orientation(used, colours)):
        other = _posed(used, colours, orientation)
        again = other and other.found()
        found = again if again and _fewer(again.wrong, found.wrong) else found
    return found if found and found.wrong <= _WRONG * area else None


def _is_whole(colours: NDArray[np.uint8]) -> bool:
    """Tell whether few pixels are at an end of their range, which would make others wrong, too."""
    cut = over_channels(np.logical_or, (colours == 0) | (colours == 255))
    return bool(cut.mean() < _CUT)


def _is_spread(colours: NDArray[np.uint8], found: Found) -> bool:
    """Tell whether pixels are wrong in many places, and not just where something was painted, at
    the edges of a crop, or where they are at an end of their range."""
    height, width, _ = colours.shape
    wrong = otherwise(decode(found.origin, found.coefficients, height, width), colours)
    cut = over_channels(np.logical_or, (colours == 0) | (colours == 255))
    told, others = (_squares(plane)[1:-1, 1:-1] for plane in (wrong, cut))
    inner = told[np.nonzero(~others)]
    return bool(inner.mean() > _SPREAD) if inner.size >= _ENOUGH else True


def _squares(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each square of a plane whether anything in it is true."""
    rows, columns = (side // _SQUARE for side in plane.shape)
    squares = plane[: rows * _SQUARE, : columns * _SQUARE]
    split = squares.reshape(rows, _SQUARE, columns, _SQUARE)
    told: NDArray[np.bool_] = np.logical_or.reduce(split, (1, 3))
    return told


class _Posed(NamedTuple):
    """The JPEG that a picture may have been."""

    orientation: int
    """How it was turned since."""
    puzzle: Puzzle

    def is_odd(self) -> bool:
        """Tell whether a part of the picture is not what its JPEG would give, as where chroma was
        mirrored after it had been interpolated."""
        origin, sides = self.puzzle.origin, self.puzzle.canvas.known.shape
        if not origin.fancy or origin.sampling[1] == 1 or min(sides) < 2 * _PATCH:
            return False
        part = self.puzzle.canvas.part(_PATCH)
        if (part.known == 1).mean() < SURE:
            return False  # what is not known is not told by what other pixels are, either
        puzzle = Puzzle(self.puzzle.search, part)
        planes = samples(part.origin, puzzle.solve(2)[0])
        wrong, clear = puzzle.other(planes), _clear_of_others(part, planes[0])
        inner = slice(_EDGE, -_EDGE)  # chroma at the edges was interpolated from beyond
        told = wrong[inner, inner][clear[inner, inner]]
        return bool(told.size and told.mean() > _ODD)

    def found(self) -> Found:
        """Solve it, however many pixels it gives wrongly."""
        origin = self.puzzle.origin._replace(orientation=self.orientation)
        return Found(origin, *self.puzzle.finish())


def _clear_of_others(part: Canvas, made: Plane) -> NDArray[np.bool_]:
    """Tell which pixels lie in MCUs, and next to such, of which luma is as a decoder makes it: it
    is elsewhere than where something was painted over."""
    right = (made[: len(part.known), : part.known.shape[1]] == part.planes[0]) | (part.known != 1)
    tall, wide = (8 * factor for factor in part.origin.sampling)
    mcus = np.pad(gathered(right, tall, wide).all((1, 3)), 1, constant_values=True)
    clear = sliding_window_view(mcus, (3, 3)).all((2, 3))
    return clear.repeat(tall, 0).repeat(wide, 1)


def _posed(kernel: Kernel, colours: NDArray[np.uint8], orientation: int) -> _Posed | None:
    """Return the JPEG that a picture may have been before it was turned so, or as luma says."""
    search, pixels = searcher(kernel), np.ascontiguousarray(turn(colours, orientation))
    luma = luma_of(search, lattices(kernel), pixels)
    if luma is None:
        return None
    if luma.way.orientation and not orientation:
        return _posed(kernel, colours, luma.way.orientation)
    canvases = [Canvas(pixels, luma.planes, luma.known, origin) for origin in origins(search, luma)]
    if len(canvases) > 1:
        parts = [_part(canvas) for canvas in canvases]
        rounds = 1 if (parts[0].known == 1).mean() > SURE else 3
        wrong = [Puzzle(search, part).solve(rounds)[1] for part in parts]
        canvases = [canvases[wrong.index(min(wrong))]]
    return _Posed(orientation, Puzzle(search, canvases[0]))


def _part(canvas: Canvas) -> Canvas:
    """Return a part that tells which way is best, or all where none does."""
    if min(canvas.known.shape) < 2 * _PATCH:
        return canvas
    part = canvas.part(_PATCH)
    return part if (part.known == 1).mean() > _SOME else canvas


def _orientation(kernel: Kernel, colours: NDArray[np.uint8]) -> int:
    """Return how the JPEG that a picture was may have been turned afterwards; 0 if it was not.

    A part of it tells, if any does.
    """
    part = _clear(colours)
    tried = dict[int, int]()
    for orientation in (0, *_TURNS):
        if own := _posed(kernel, part, orientation):
            tried[orientation] = own.puzzle.finish()[1]
        if not orientation and tried.get(0, part.size) <= _ODD * part[..., 0].size:
            return 0
    best = min(tried, key=lambda k: tried[k], default=0)
    return best if _fewer(tried.get(best, 0), tried.get(0)) else 0


def _clear(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of a picture of which fewest pixels are at an end of their range; of equals,
    the one next to the midst."""
    spare = [max(0, side - _PART) for side in colours.shape[:2]]
    places = [[*range(0, own + 1, _PART // 2), own // 2][::-1] for own in spare]
    cut = over_channels(np.logical_or, (colours == 0) | (colours == 255))
    parts = [(slice(y, y + _PART), slice(x, x + _PART)) for y, x in itertools.product(*places)]
    return colours[min(parts, key=lambda own: int(np.count_nonzero(cut[own])))]


def _fewer(wrong: int, others: int | None) -> bool:
    """Tell whether so few pixels are wrong that it is no chance."""
    return others is None or 2 * wrong < others
