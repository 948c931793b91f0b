"""Planes of a picture on the grid of a JPEG, and the way to its coefficients, round by round."""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.decoder import Origin, coloured, differing, samples
from bitswap_cli.images.history.engine import engine
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import (
    UNIT,
    Blocks,
    Effort,
    Searcher,
    T,
    Told,
    Work,
    bias,
    fine,
    in_blocks,
)

# What is tried on blocks that are not solved yet, if they are no more than this share of all.
_EFFORTS = (
    (1.0, Effort(1, 10, 24, 0)),
    (0.2, Effort(6, 10, 32, 0)),
    (0.05, Effort(16, 12, 48, 10)),
    (0.01, Effort(64, 14, 64, 16)),
)
# Moves of one coefficient or two, and of how many all subsets are.
_MOVES = ((1.0, 0, 0), (0.7, 12, 0), (0.1, 16, 8), (0.03, 24, 10), (0.01, 32, 12))
_OPEN = (4, 2, 10, 0)  # the largest step that is left open where samples are not known
_VAIN = 0.9  # of the blocks that a wide search is for: if more are left, it is not tried again
_ROUNDS = 10
_HOPELESS = 0.2  # of all pixels: if more are wrong after two rounds, they remain so
_FEW, _FEW_CUT = 20, 100  # of all MCUs, one in so many at most is settled by colours; of a crop's
_SWEEPS = 3  # over wrong MCUs of a whole picture
SURE = 0.5  # of a part's pixels are known, or more: it tells which way is best, in one round
# Comparisons of 64 samples, for each block on the average, and for one at most; and how many times
# the colours of a picture may be compared in the end.
_LUMA, _CHROMA, _FEWER, _COMPARED = 2200, 1500, 6000, 200
_GRANT = 0.5  # of what is left may be used in a round
_STUCK = 0.8  # of the wrong pixels that there were: a round that leaves more is no progress


class Canvas:
    """A picture in the midst of whole MCUs, of which it may not fill the outer ones.

    Parameters
    ----------
    pixels : array (H, W, C)
    planes : array (C, H, W)
        Luma and chroma.
    known : array (H, W)
        1 where they are known.
    origin : Origin
    """

    def __init__(
        self, pixels: Plane, planes: NDArray[np.uint8], known: Plane, origin: Origin
    ) -> None:
        self.pixels, self.planes, self.known, self.origin = pixels, planes, known, origin
        height, width = known.shape
        luma = origin.frame()[0]
        self.shape = 8 * luma.rows, 8 * luma.columns
        self.margin = (
            (origin.top, self.shape[0] - origin.top - height),
            (origin.left, self.shape[1] - origin.left - width),
        )
        self.inside = (
            slice(origin.top, origin.top + height),
            slice(origin.left, origin.left + width),
        )

    @cached_property
    def sure(self) -> NDArray[np.bool_]:
        """Where on the canvas luma and chroma are known."""
        return np.pad(self.known == 1, self.margin)

    @cached_property
    def start(self) -> list[Plane]:
        """What is supposed at each pixel, of each component."""
        return [np.pad(plane, self.margin, mode="edge") for plane in self.planes]

    @cached_property
    def low(self) -> list[Plane]:
        """What is the least that it can be."""
        return [np.where(self.sure, plane, np.uint8(0)) for plane in self.start]

    @cached_property
    def high(self) -> list[Plane]:
        """And the most."""
        return [np.where(self.sure, plane, np.uint8(255)) for plane in self.start]

    def part(self, side: int) -> Canvas:
        """Return a square of whole MCUs as a JPEG of its own: that in the midst, or, if half of it
        is not known, the one that tells most: pixels that are not known in part make others wrong,
        but not those that are all black or white."""
        origin, (height, width) = self.origin, self.known.shape
        tall, wide = (8 * factor for factor in origin.sampling)
        places = [((height - side) // 2, (width - side) // 2)]
        if (self.known[_square(*places[0], side)] == 1).mean() < SURE:
            down, across = range(tall, height - side, side), range(wide, width - side, side)
            places += itertools.product(down, across)
        places = [(y - (y + origin.top) % tall, x - (x + origin.left) % wide) for y, x in places]
        ends = ((self.pixels == 0) | (self.pixels == 255)).all(2)
        worth = np.where(self.known == 1, 2, np.where(ends, 0, -3))
        told = [int(worth[_square(y, x, side)].sum()) for y, x in places]
        top, left = places[told.index(max(told))]
        rows, columns = _square(top, left, side)
        return Canvas(
            np.ascontiguousarray(self.pixels[rows, columns]),
            np.ascontiguousarray(self.planes[:, rows, columns]),
            np.ascontiguousarray(self.known[rows, columns]),
            origin._replace(height=side, width=side, top=0, left=0),
        )

    def narrow(self, search: Searcher, made: list[Plane]) -> None:
        """Tell what pixels may be that are not known, given what is decoded."""
        low = np.stack([own[self.inside] for own in self.low])
        high = np.stack([own[self.inside] for own in self.high])
        planes = [np.ascontiguousarray(plane[self.inside]) for plane in made]
        search.ranges(self.pixels, self.known, self.origin.map, planes, low, high)
        for k, plane in enumerate(made):
            self.low[k][self.inside], self.high[k][self.inside] = low[k], high[k]
            self.start[k] = np.clip(plane, self.low[k], self.high[k])


class Puzzle:
    """The coefficients of a canvas."""

    def __init__(self, search: Searcher, canvas: Canvas) -> None:
        self.search, self.canvas = search, canvas
        self.origin = canvas.origin
        self.frame, self.method = self.origin.frame(), self.origin.decoder.method
        self.blocks: list[Blocks] = [
            np.zeros((c.rows, c.columns, 64), np.int16) for c in self.frame
        ]
        self.vain = set[tuple[int, Effort | int]]()
        fewer = self.origin.sampling[1] > 1
        each = [_LUMA, *[_FEWER if fewer else _CHROMA] * 2]
        self.work = [Work(c.rows * c.columns, n) for c, n in zip(self.frame, each, strict=False)]

    def solve(self, rounds: int = _ROUNDS) -> tuple[list[Blocks], int]:
        """Return coefficients, and how many pixels they give otherwise."""
        best, least, stuck = self.blocks, self.canvas.pixels.size, 0
        for round_ in range(rounds):
            for k in range(len(self.frame)):
                self.component(k, round_)
            planes = samples(self.origin, self.blocks)
            wrong = self.wrong(planes)
            if wrong > _STUCK * least:
                stuck += 1
            if wrong < least:
                best, least = [own.copy() for own in self.blocks], wrong
            hopeless = round_ >= 1 and wrong > _HOPELESS * self.canvas.known.size
            if not wrong or hopeless or stuck > 2 or (self.canvas.sure.all() and round_ >= 1):
                break
            if len(self.frame) == 3:
                self.canvas.narrow(self.search, self.made(planes))
        return best, least

    def finish(self) -> tuple[list[Blocks], int]:
        """Solve all, then judge by colours what is left."""
        best, least = self.solve()
        if len(self.frame) < 3 or self.origin.map is not None:
            return best, least
        for step in (self.settle, self.save_again):
            if not least:
                break
            self.blocks = [own.copy() for own in best]
            step()
            if (wrong := self.wrong(samples(self.origin, self.blocks))) < least:
                best, least = self.blocks, wrong
        return best, least

    def save_again(self) -> None:
        """Settle MCUs that are wrong from what they would have if the pixels were saved again: that
        is near where these are cut, as they were within their range once. It is taken back where it
        is worse, which is known of chroma that was not reduced, as MCUs are apart then."""
        if self.origin.sampling != (1, 1):
            return
        before, held = self.wrong_mcus(), [own.copy() for own in self.blocks]
        for plane, own, blocks in zip(self.canvas.planes, self.frame, self.blocks, strict=True):
            whole = np.pad(plane, self.canvas.margin, mode="edge").astype(np.int32)
            saved = self.search.forward(in_blocks(UNIT * whole + bias(self.method)))
            blocks[before > 0] = _quantized(saved, fine(own.steps, self.method), blocks)[before > 0]
        self.settle()
        worse = self.wrong_mcus() > before
        for blocks, was in zip(self.blocks, held, strict=True):
            blocks[worse] = was[worse]

    def wrong_mcus(self) -> NDArray[np.intp]:
        """Return how many pixels are otherwise in each MCU of one block a component."""
        height, width = self.canvas.known.shape
        made = coloured(self.origin, samples(self.origin, self.blocks), height, width)
        other = np.pad((made != self.canvas.pixels).any(2), self.canvas.margin)
        counts: NDArray[np.intp] = np.count_nonzero(_gathered(other, 8, 8), (1, 3))
        return counts

    def settle(self) -> None:
        """Move coefficients until fewer pixels are wrong, if few MCUs have such."""
        origin, (height, width, _) = self.origin, self.canvas.pixels.shape
        (tall, wide), chroma = origin.sampling, self.frame[1]
        rows, columns = -(-origin.height // tall), -(-origin.width // wide)
        cropped = any(itertools.chain(*self.canvas.margin))  # many of a crop's edges stay wrong
        most = chroma.rows * chroma.columns // (_FEW_CUT if cropped else _FEW)
        fancy = origin.fancy and columns > 2
        sweeps = 1 if cropped else _SWEEPS
        mcus = rows, columns, fancy, chroma.columns, most, self.method, sweeps
        geometry = np.array([height, width, origin.top, origin.left, tall, wide, *mcus], np.int64)
        planes = [
            engine().plane(own, c.steps, self.method)
            for own, c in zip(self.blocks, self.frame, strict=True)
        ]
        steps = np.ascontiguousarray(np.stack(origin.steps))
        pixels = np.ascontiguousarray(self.canvas.pixels)
        compared = _COMPARED * height * width
        self.search.settle(pixels, geometry, planes, self.blocks, steps, compared)

    def made(self, planes: list[Plane]) -> list[Plane]:
        """Return luma and chroma as they are decoded, on the canvas."""
        whole, (height, width) = list[Plane](), self.canvas.shape
        for made in planes:
            lack = (0, height - made.shape[0]), (0, width - made.shape[1])
            whole.append(np.pad(made, lack, mode="edge"))
        return whole

    def wrong(self, planes: list[Plane]) -> int:
        """Return how many pixels are otherwise of luma and chroma that are decoded."""
        height, width, _ = self.canvas.pixels.shape
        return differing(coloured(self.origin, planes, height, width), self.canvas.pixels)

    def component(self, k: int, round_: int) -> None:
        """Solve what is not solved yet of a component."""
        canvas, own = self.canvas, self.frame[k]
        self.work[k].grant(_GRANT)
        low, high, start = canvas.low[k], canvas.high[k], canvas.start[k]
        tall, wide = own.sampling
        if wide == 1 or not (self.origin.fancy or self.origin.wide):
            if wide > 1:
                low = _gathered(low, tall, wide).max((1, 3))
                high = _gathered(high, tall, wide).min((1, 3))
                torn = low > high
                low, high = np.where(torn, np.uint8(0), low), np.where(torn, np.uint8(255), high)
                start = np.clip(start[::tall, ::wide], low, high)
            self.plain(k, start, low, high, round_)
        else:
            self.interpolated(k, start, low, high, round_)

    def plain(self, k: int, start: Plane, low: Plane, high: Plane, round_: int) -> None:
        """Solve a component whose samples are what is known."""
        start, low, high = (np.ascontiguousarray(plane) for plane in (start, low, high))
        blocks, steps = self.blocks[k], self.frame[k].steps
        state = np.full(blocks.shape[:2], 0 if round_ else 2, np.uint8)
        left, left_open = state.size, _OPEN[round_ % len(_OPEN)]
        for share, effort in _EFFORTS:
            if 0 < left <= share * state.size and (k, effort) not in self.vain:
                before = left
                left = state.size - self.search.solve(
                    start, low, high, steps, self.method, left_open, effort, self.work[k], blocks,
                    state,
                )  # fmt: skip
                if effort.subsets and left > _VAIN * before:
                    self.vain.add((k, effort))

    def interpolated(self, k: int, start: Plane, low: Plane, high: Plane, round_: int) -> None:
        """Solve a component of chroma that was interpolated."""
        own, blocks = self.frame[k], self.blocks[k]
        tall, wide = own.sampling
        valid = -(-self.origin.height // tall), -(-self.origin.width // wide)
        shape = 8 * own.rows, 8 * own.columns
        if self.origin.wide:
            small = self.search.narrow(np.ascontiguousarray(start), tall)
        else:
            inner = np.ascontiguousarray(start[: tall * valid[0], : wide * valid[1]])
            lack = (0, shape[0] - valid[0]), (0, shape[1] - valid[1])
            small = np.pad(self.search.shrink(inner, tall), lack, mode="edge")
        raised = in_blocks(small + bias(self.method))
        told = self.search.forward(raised)
        if not round_:
            same = _gathered(low == high, tall, wide)
            sure: NDArray[np.bool_] = np.logical_and.reduce(same, (1, 3))
            first, step = told.copy(), fine(own.steps, self.method)
            self.search.fit(raised, in_blocks(sure), own.steps, self.method, first)
            blocks[:] = _quantized(first, step, blocks)
        plane = engine().plane(blocks, own.steps, self.method)
        state = np.zeros(blocks.shape[:2], np.uint8)
        left = state.size
        for share, moves, subsets in _MOVES:
            if 0 < left <= share * state.size and (k, moves) not in self.vain:
                before = left
                left = state.size - self.search.chroma(
                    told, low, high, valid, tall, own.steps, self.method, self.origin.wide, moves,
                    subsets, self.work[k], blocks, plane, state,
                )  # fmt: skip
                if subsets and left > _VAIN * before:
                    self.vain.add((k, moves))


def _square(top: int, left: int, side: int) -> tuple[slice, slice]:
    return slice(top, top + side), slice(left, left + side)


def _quantized(told: Told, step: NDArray[np.int64], blocks: Blocks) -> Blocks:
    """Return coefficients (n, 64) in steps, the nearest ones, in the shape of blocks."""
    sign = np.where(told < 0, -1, 1)
    found: Blocks = (sign * ((np.abs(told) + step // 2) // step)).astype(np.int16)
    return found.reshape(blocks.shape)


def _gathered(plane: NDArray[T], tall: int, wide: int) -> NDArray[T]:
    """(H, W) -> (H / tall, tall, W / wide, wide)"""
    rows, columns = plane.shape
    return plane.reshape(rows // tall, tall, columns // wide, wide)
