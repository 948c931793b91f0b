"""Finds out whether pixels were made by a JPEG decoder, and of which coefficients.

A decoder's luma and chroma are a quarter of all triples, so a sample of pixels tells most pictures
that are none; blocks whose coefficients are multiples of steps tell the others.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.decoder import SAMPLINGS, Decoder, Origin, decode
from bitswap_cli.images.history.engine import compiled
from bitswap_cli.images.history.evidence import EXACT, SMOOTH, Evidence, busy, evidence
from bitswap_cli.images.history.grid import Grid, find_grid
from bitswap_cli.images.history.reference import Method, Plane
from bitswap_cli.images.history.search import UNIT, Blocks, Searcher, bias, searcher
from bitswap_cli.images.history.solving import Canvas, Puzzle
from bitswap_cli.images.history.tables import Steps, quality_of, standard
from bitswap_cli.images.history.ways import Way, way_of
from bitswap_cli.images.orientation import turn

_SAMPLE = 10_000  # pixels that are asked whether they are on the lattice
_ON = 0.9  # of them
_EVIDENCE = 300  # nats that must speak for how chroma was sampled; else several ways are tried
_QUICK, _QUICK_LEAST = 100, 30  # blocks that are asked first, and what they must say at least
_SURE = 0.5  # of all pixels are known, or more: one round tells which way is best
_RIVAL = 3  # what so many times as much would speak for is tried, too
_SMALLEST = 16  # pixels of a picture's side
_LARGEST = 1 << 24  # pixels of a picture: the search takes some 28 bytes for each
_NEUTRAL = 128  # chroma of gray
_WRONG = 0.3  # of all pixels, at most
_ODD = 0.01  # of all pixels are wrong, or more: the JPEG may have been turned
_SQUARE = 32  # pixels of the sides of squares
_SPREAD = 0.25  # of these have wrong pixels, or more, if a JPEG was turned
_CUT = 0.5  # of all pixels are at an end of their range, or more: nothing tells of that
# A decoder computes columns before rows, and rounds differently to the left and to the right, but
# not so upwards and downwards: these are all ways that make a difference.
_TURNS = (1, 4, 5)
_MIRRORED = 1
_PART = 256  # pixels of the sides of what is looked at in each of them
_PATCH = 128  # and of what tells whether chroma was mirrored
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
    search, colours = searcher(used), pixels[:, :, : 1 if channels < 3 else 3]
    area, posed = height * width, _posed(search, colours, 0)
    if posed and posed.is_odd():
        other = _posed(search, colours, posed.orientation ^ _MIRRORED)
        posed = other if other and not other.is_odd() else posed
    found = posed and posed.found()
    odd = found and found.wrong > _ODD * area
    spread = found and odd and _is_whole(colours) and _is_spread(colours, found)
    if found and spread and (orientation := _orientation(search, colours)):
        other = _posed(search, colours, orientation)
        again = other and other.found()
        found = again if again and _fewer(again.wrong, found.wrong) else found
    return found if found and found.wrong <= _WRONG * area else None


def _is_whole(colours: NDArray[np.uint8]) -> bool:
    """Tell whether few pixels are at an end of their range, which would make others wrong, too."""
    cut = ((colours == 0) | (colours == 255)).any(2)
    return bool(cut.mean() < _CUT)


def _is_spread(colours: NDArray[np.uint8], found: Found) -> bool:
    """Tell whether pixels are wrong in many places, and not just where something was painted."""
    height, width, _ = colours.shape
    wrong = (decode(found.origin, found.coefficients, height, width) != colours).any(2)
    rows, columns = height // _SQUARE, width // _SQUARE
    squares = wrong[: rows * _SQUARE, : columns * _SQUARE]
    told = squares.reshape(rows, _SQUARE, columns, _SQUARE).any((1, 3))
    return bool(told.mean() > _SPREAD) if told.size else True


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
        blocks, _ = Puzzle(self.puzzle.search, part).solve(1)
        made = decode(part.origin, blocks, _PATCH, _PATCH)
        inner = slice(_EDGE, -_EDGE)  # chroma at the edges was interpolated from beyond
        return bool((made != part.pixels)[inner, inner].any(2).mean() > _ODD)

    def found(self) -> Found:
        """Solve it, however many pixels it gives wrongly."""
        origin = self.puzzle.origin._replace(orientation=self.orientation)
        return Found(origin, *self.puzzle.finish())


def _posed(search: Searcher, colours: NDArray[np.uint8], orientation: int) -> _Posed | None:
    """Return the JPEG that a picture may have been before it was turned so, or as luma says."""
    finder = _Finder(search, np.ascontiguousarray(turn(colours, orientation)))
    luma = finder.luma()
    if luma and luma.way.orientation and not orientation:
        return _posed(search, colours, luma.way.orientation)
    return luma and _Posed(orientation, finder.puzzle(luma))


def _orientation(search: Searcher, colours: NDArray[np.uint8]) -> int:
    """Return how the JPEG that a picture was may have been turned afterwards; 0 if it was not.

    A part of it tells, if any does.
    """
    down, across = (max(0, side - _PART) // 2 for side in colours.shape[:2])
    part = colours[down : down + _PART, across : across + _PART]
    tried = dict[int, int]()
    for orientation in (0, *_TURNS):
        if own := _posed(search, part, orientation):
            tried[orientation] = own.puzzle.finish()[1]
        if not orientation and tried.get(0, part.size) <= _ODD * part[..., 0].size:
            return 0
    best = min(tried, key=lambda k: tried[k], default=0)
    return best if _fewer(tried.get(best, 0), tried.get(0)) else 0


def _fewer(wrong: int, others: int | None) -> bool:
    """Tell whether so few pixels are wrong that it is no chance."""
    return others is None or 2 * wrong < others


class _Luma(NamedTuple):
    """What is known of a picture that looks as if it was a JPEG."""

    planes: NDArray[np.uint8]
    """Luma and chroma, (C, H, W)."""
    known: Plane
    """1 where they are known, (H, W)."""
    grid: Grid
    """Of luma."""
    way: Way
    """How it was made."""


class _Finder:
    def __init__(self, search: Searcher, pixels: Plane) -> None:
        self.search, self.pixels = search, pixels
        self.height, self.width, self.channels = pixels.shape

    def luma(self) -> _Luma | None:
        """Return luma, if blocks of it speak for a JPEG."""
        planes = self.pixels[None, :, :, 0]
        known = np.ones((self.height, self.width), np.uint8)
        if self.channels == 3:
            flat = self.pixels.reshape(-1, 3)
            sample = np.ascontiguousarray(flat[:: max(1, len(flat) // _SAMPLE) | 1])
            _, _, on, off = self.search.lattice(sample)
            if on < _ON * (on + off):
                return None
            planes, known, on, off = self.search.lattice(self.pixels)
            if on < _ON * (on + off):
                return None
        ends = (planes[0] == 0) | (planes[0] == 255)  # which may have been cut to that
        sure = (known == 1) & ~ends
        grid = find_grid(self.search, planes[0], sure)
        return grid and _Luma(planes, known, grid, way_of(self.search, planes[0], sure, grid))

    def puzzle(self, luma: _Luma) -> Puzzle:
        """Return the JPEG to be solved; it may give many pixels wrongly."""
        origins = self.origins(luma)
        puzzles = [Puzzle(self.search, self.canvas(luma, origin)) for origin in origins]
        if len(puzzles) > 1:
            rounds = 1 if (luma.known == 1).mean() > _SURE else 3
            wrong = [puzzle.solve(rounds)[1] for puzzle in puzzles]
            puzzles = [Puzzle(self.search, self.canvas(luma, origins[wrong.index(min(wrong))]))]
        return puzzles[0]

    def canvas(self, luma: _Luma, origin: Origin) -> Canvas:
        """Return the picture on the grid of a JPEG."""
        return Canvas(self.pixels, luma.planes, luma.known, origin)

    def origins(self, luma: _Luma) -> list[Origin]:
        """Return the JPEG that most speaks for; or some, if little is told of chroma."""
        steps, fast = luma.way.steps, luma.way.method == Method.FAST
        by = Decoder.FAST if fast else Decoder.LIBJPEG
        if self.channels == 1:
            return [self.origin(*luma.grid[:2], SAMPLINGS[0], True, (steps,), by)]
        quality = quality_of(steps)
        like = steps if quality is None else standard(chroma=True)[quality]
        if (luma.planes[1:] == _NEUTRAL).all():  # gray, however it was sampled
            return [self.origin(*luma.grid[:2], SAMPLINGS[-1], False, (steps, like, like), by)]
        tried: list[tuple[int, Origin]] = []
        for sampling in SAMPLINGS[::-1]:  # of equals, the one of the fewest blocks
            tall, wide = sampling
            ways = [(True, by)]
            if wide > 1:
                ways += [(False, by)] if fast else [(False, by), (False, Decoder.WIDE)]
            for fancy, decoder in ways:
                for place in itertools.product(
                    range(luma.grid.top, 8 * tall, 8), range(luma.grid.left, 8 * wide, 8)
                ):
                    origin = self.origin(*place, sampling, fancy, (steps, steps, steps), decoder)
                    found = self.chroma(luma, origin)
                    own = found.chroma(steps)
                    origin = origin._replace(steps=(steps, own, own))
                    tried.append((found.strength_for(chroma=True), origin))
        best = max(strength for strength, _ in tried)
        if best >= _EVIDENCE or quality is None:
            return [origin for strength, origin in tried if _RIVAL * strength >= best]
        near = [o for _, o in tried if max(o.top, o.left) < 8]  # blocks of chroma begin as luma's
        return [origin._replace(steps=(steps, like, like)) for origin in near]

    def origin(
        self, top: int, left: int, sampling: tuple[int, int], fancy: bool,
        steps: tuple[Steps, ...], decoder: Decoder,
    ) -> Origin:  # fmt: skip
        """Return a JPEG in which the picture lies so.

        If it was cropped at the top or left, it is taken to have been so at the other edges.
        """
        height, width = top + self.height, left + self.width
        if top or left:
            height += -height % (8 * sampling[0])
            width += -width % (8 * sampling[1])
        return Origin(height, width, top, left, sampling, fancy, steps, decoder=decoder)

    def chroma(self, luma: _Luma, origin: Origin) -> Evidence:
        """Ask blocks of chroma for steps, as it was before it was upsampled."""
        (tall, wide), smooth = origin.sampling, origin.fancy and origin.sampling[1] > 1
        margin = (
            (origin.top, -(origin.top + self.height) % (8 * tall)),
            (origin.left, -(origin.left + self.width) % (8 * wide)),
        )
        more = bias(origin.decoder.method)
        known = np.pad(luma.known == 1, margin)
        rows, columns = known.shape
        split = known.reshape(rows // tall, tall, columns // wide, wide)
        sure: NDArray[np.bool_] = np.logical_and.reduce(split, (1, 3))
        told = []
        for plane in luma.planes[1:]:
            whole = np.pad(plane, margin, mode="edge")
            if origin.wide:
                small = self.search.narrow(whole, tall)
            elif smooth:
                small = self.search.shrink(whole, tall)
            else:
                small = whole[::tall, ::wide].astype(np.int32) * UNIT
            told.append(busy(self.search, small + more, sure))
        errors = SMOOTH if smooth else EXACT
        few = evidence(self.search, np.concatenate([own[:_QUICK] for own in told]), errors)
        if few.strength_for(chroma=True) < _QUICK_LEAST:
            return few
        return evidence(self.search, np.concatenate(told), errors)
