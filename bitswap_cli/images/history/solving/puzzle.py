"""The coefficients of a picture on the grid of a JPEG, round by round."""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.decoder import coloured, otherwise, samples
from bitswap_cli.images.history.engine import engine
from bitswap_cli.images.history.reference import ZIGZAG, Plane
from bitswap_cli.images.history.search import (
    UNIT,
    Blocks,
    Effort,
    Pace,
    Searcher,
    Told,
    Work,
    bias,
    fine,
    in_blocks,
    over_areas,
    over_channels,
)
from bitswap_cli.images.history.solving.canvas import Canvas
from bitswap_cli.images.history.solving.deringing import deringed

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
_FINE, _SOON = 12, 2  # steps, on the average, that are fine; what is tried then, of `_EFFORTS`
_HOPELESS = 0.2  # of all pixels: if more are wrong after two rounds, they remain so
_FEW, _FEW_CUT = 20, 100  # of all MCUs, one in so many at most is settled by colours; of a crop's
_SWEEPS = 3  # over wrong MCUs of a whole picture
_LUMA, _CHROMA, _FEWER = 2200, 1500, 6000  # comparisons of 64 samples a block, on the average
# How many times the colours of a picture may be compared in the end, and those of a crop, or of one
# of which more than so many pixels are wrong, as where it was painted over.
_COMPARED, _COMPARED_MANY, _MANY = 50, 8, 0.002
_GRANT = 0.5  # of what is left may be used in a round
_STUCK = 0.8  # of the wrong pixels that there were: a round that leaves more is no progress
# How what is wrong is taken back, round by round, and how many times as many pixels may be compared
# in a round as there are. Each round but the second begins anew where pixels are wrong, if MCUs are
# apart: other paces come to other ends.
_PACES = (
    Pace(96, 26, 8),
    Pace(64, 26, 16),
    Pace(128, 26, 16),
    Pace(64, 20, 24),
    Pace(128, 30, 24),
    Pace(64, 16, 24),
)
_KEPT, _RELAXED = 1, 60
_APART = 0.005  # of all MCUs: if more are wrong, what chroma they share is too much to begin anew
# The chroma of gray, steps that hold it there, and the share of its pixels that may be wrong.
_FLAT, _COARSE, _RARE = 128, np.full(64, 255, np.int32), 0.001
_WHITE = 0.3  # of all pixels: where more are, curves over white lead astray
_LOT = 1024  # blocks that curves are laid over at a time, which bounds memory
_AS_IT_IS = 3  # a state of blocks that are not looked at


class Puzzle:
    """The coefficients of a canvas."""

    def __init__(self, search: Searcher, canvas: Canvas) -> None:
        self.search, self.canvas = search, canvas
        self.origin = canvas.origin
        self.frame, self.method = self.origin.frame(), self.origin.decoder.method
        self.blocks: list[Blocks] = [
            np.zeros((c.rows, c.columns, 64), np.int16) for c in self.frame
        ]
        self.relaxes = False  # which takes whole pictures, by libjpeg's colours
        self.vain = set[tuple[int, Effort | int]]()
        fewer = self.origin.sampling[1] > 1
        each = [_LUMA, *[_FEWER if fewer else _CHROMA] * 2]
        self.work = [Work(c.rows * c.columns, n) for c, n in zip(self.frame, each, strict=False)]

    def solve(self, rounds: int = _ROUNDS) -> tuple[list[Blocks], int]:
        """Return coefficients, and how many pixels they give otherwise."""
        best, least, stuck = self.blocks, self.canvas.pixels.size, 0
        if self.relaxes:
            self.save_again(self.canvas.clear)
        for round_ in range(rounds):
            for k in range(len(self.frame)):
                left = self.component(k, round_)
                if not (left or k) and round_ and not self.wrong(samples(self.origin, self.blocks)):
                    break
            planes = samples(self.origin, self.blocks)
            other = self.other(planes)
            wrong, before = int(np.count_nonzero(other)), least
            if wrong < least:
                best, least = [own.copy() for own in self.blocks], wrong
            if wrong and self.relaxes:
                self.relax_anew(other, round_)
                planes = samples(self.origin, self.blocks)
                wrong = self.wrong(planes)
                if wrong < least:
                    best, least = [own.copy() for own in self.blocks], wrong
            some = least > _STUCK * before
            stuck += some + (some and (self.hasty or (self.cropped and least == before)))
            hopeless = round_ >= 1 and wrong > _HOPELESS * self.canvas.known.size
            if not wrong or hopeless or stuck > 1 or (self.canvas.sure.all() and round_ >= 1):
                break
            if len(self.frame) == 3:
                self.canvas.narrow(self.search, self.made(planes))
        return best, least

    def finish(self) -> tuple[list[Blocks], int]:
        """Solve all, then judge by colours what is left."""
        by_colours = len(self.frame) == 3 and self.origin.map is None
        self.relaxes = by_colours and not self.origin.wide
        best, least = self.solve()
        rare = not self.cropped and least <= _RARE * self.canvas.known.size
        if least and by_colours:
            self.blocks = [own.copy() for own in best]
            self.settle(least)
        elif least and rare and len(self.frame) == 1:
            self.blocks = self.in_colours().finish()[0][:1]
        else:
            return best, least
        wrong = self.wrong(samples(self.origin, self.blocks))
        return (self.blocks, wrong) if wrong < least else (best, least)

    @property
    def cropped(self) -> bool:
        """Whether blocks at the edges are not known as a whole; many of these stay wrong."""
        return any(itertools.chain(*self.canvas.margin))

    @cached_property
    def hasty(self) -> bool:
        """Whether little is tried: blocks at the edges of a crop of which steps are fine are hardly
        ever right, however long they are searched for."""
        return self.cropped and bool(self.frame[0].steps.mean() < _FINE)

    def in_colours(self) -> Puzzle:
        """Return what is gray as a puzzle of colours, whose chroma is flat: so it is relaxed."""
        canvas, none = self.canvas, np.full_like(self.canvas.planes[0], _FLAT)
        ends = (canvas.planes[0] == 0) | (canvas.planes[0] == 255)  # which may have been cut
        known = np.where(ends, np.uint8(0), canvas.known)
        origin = self.origin._replace(steps=(*self.origin.steps, *[_COARSE] * 2))
        planes = np.stack([*canvas.planes, none, none])
        return Puzzle(self.search, Canvas(canvas.pixels.repeat(3, 2), planes, known, origin))

    def relax_anew(self, other: NDArray[np.bool_], round_: int) -> None:
        """Relax from where a round has come to, or begin anew where pixels are otherwise."""
        told = self.canvas.gathered(np.pad(other, self.canvas.margin))
        where = self.canvas.clear & np.logical_or.reduce(told, (1, 3))
        apart = self.origin.sampling == (1, 1) or where.mean() <= _APART
        if not round_ or (round_ != _KEPT and apart):
            self.save_again(where)
        self.relax(_PACES[min(round_, len(_PACES) - 1)])

    def save_again(self, where: NDArray[np.bool_]) -> None:
        """Begin anew, in some MCUs, with what there would be if the pixels were saved again."""
        for saved, own, blocks in zip(self.saved, self.frame, self.blocks, strict=True):
            chosen = self.canvas.of_blocks(where, own.sampling)
            blocks[chosen] = saved[chosen]

    @cached_property
    def saved(self) -> list[Blocks]:
        """Coefficients that there would be if the pixels were saved again: they are near, as what
        was cut was within its range once."""
        canvas, tall, found = self.canvas, self.origin.sampling[0], list[Blocks]()
        for plane, own, blocks in zip(canvas.planes, self.frame, self.blocks, strict=True):
            whole = np.pad(plane, canvas.margin, mode="edge")
            if own.sampling[1] > 1 and self.origin.fancy:
                small = self.search.shrink(whole, tall)
            else:
                small = whole[:: own.sampling[0], :: own.sampling[1]].astype(np.int32) * UNIT
            saved = self.search.forward(in_blocks(small + bias(self.method)))
            found.append(_quantized(saved, fine(own.steps, self.method), blocks))
        return found

    def settle(self, wrong: int) -> None:
        """Move coefficients until fewer pixels are wrong, if few MCUs have such."""
        chroma = self.frame[1]
        most = chroma.rows * chroma.columns // (_FEW_CUT if self.cropped else _FEW)
        sweeps = 1 if self.cropped else _SWEEPS
        geometry = np.array([*self._geometry(), most, self.method, sweeps])
        pixels = np.ascontiguousarray(self.canvas.pixels)
        size = self.canvas.known.size
        many = self.cropped or wrong > _MANY * size
        compared = size * (_COMPARED_MANY if many else _COMPARED)
        self.search.settle(pixels, geometry, self._planes(), self.blocks, self._steps(), compared)

    def relax(self, pace: Pace) -> None:
        """Take back to coefficients what is wrong of colours."""
        canvas = self.canvas
        geometry = np.array([*self._geometry(), 0, self.method, 0])
        self.search.relax(
            np.ascontiguousarray(canvas.pixels), np.ascontiguousarray(canvas.planes),
            np.ascontiguousarray(canvas.known), np.ascontiguousarray(canvas.clear), geometry,
            self._planes(), self.blocks, self._steps(), pace, _RELAXED * canvas.known.size,
        )  # fmt: skip

    def _geometry(self) -> list[int]:
        """Return where the picture lies, as native/scene.h has it."""
        origin, (height, width) = self.origin, self.canvas.known.shape
        tall, wide = origin.sampling
        rows, columns = -(-origin.height // tall), -(-origin.width // wide)
        fancy, across = origin.fancy and columns > 2, self.frame[1].columns
        return [height, width, origin.top, origin.left, tall, wide, rows, columns, fancy, across]

    def _planes(self) -> list[Plane]:
        """Return what coefficients decode to."""
        own = zip(self.blocks, self.frame, strict=True)
        return [engine().plane(blocks, c.steps, self.method) for blocks, c in own]

    def _steps(self) -> NDArray[np.int32]:
        return np.ascontiguousarray(np.stack(self.origin.steps))

    def made(self, planes: list[Plane]) -> list[Plane]:
        """Return luma and chroma as they are decoded, on the canvas."""
        whole, (height, width) = list[Plane](), self.canvas.shape
        for made in planes:
            lack = (0, height - made.shape[0]), (0, width - made.shape[1])
            whole.append(np.pad(made, lack, mode="edge"))
        return whole

    def wrong(self, planes: list[Plane]) -> int:
        """Return how many pixels are otherwise of luma and chroma that are decoded."""
        return int(np.count_nonzero(self.other(planes)))

    def other(self, planes: list[Plane]) -> NDArray[np.bool_]:
        """Tell which pixels are otherwise of luma and chroma that are decoded."""
        height, width, _ = self.canvas.pixels.shape
        return otherwise(coloured(self.origin, planes, height, width), self.canvas.pixels)

    def component(self, k: int, round_: int) -> int:
        """Solve what is not solved yet of a component; return how many blocks are not."""
        canvas, own = self.canvas, self.frame[k]
        self.work[k].grant(_GRANT)
        low, high, start = canvas.low[k], canvas.high[k], canvas.start[k]
        tall, wide = own.sampling
        if wide == 1 or not (self.origin.fancy or self.origin.wide):
            if wide > 1:
                low = over_areas(np.maximum, low, tall, wide)
                high = over_areas(np.minimum, high, tall, wide)
                torn = low > high
                low, high = np.where(torn, np.uint8(0), low), np.where(torn, np.uint8(255), high)
                start = np.clip(start[::tall, ::wide], low, high)
            return self.plain(k, start, low, high, round_)
        return self.interpolated(k, start, low, high, round_)

    def plain(self, k: int, start: Plane, low: Plane, high: Plane, round_: int) -> int:
        """Solve a component whose samples are what is known."""
        start, low, high = (np.ascontiguousarray(plane) for plane in (start, low, high))
        blocks, steps = self.blocks[k], self.frame[k].steps
        # in turn, as most encoders make no curves
        curved = self.relaxes and not k and round_ % 2 and not self.white
        supposed = self.curved(start, high) if curved else start
        state = np.full(blocks.shape[:2], 0 if round_ else 2, np.uint8)
        if self.relaxes and not round_:
            state[self.canvas.cut(self.frame[k].sampling)] = 1
        left, left_open = state.size, _OPEN[round_ % len(_OPEN)]
        for share, effort in _EFFORTS[: _SOON if self.hasty else None]:
            if 0 < left <= share * state.size and (k, effort) not in self.vain:
                before = left
                left = state.size - self.search.solve(
                    supposed, low, high, steps, self.method, left_open, effort, self.work[k],
                    blocks, state, self.cropped,
                )  # fmt: skip
                if effort.subsets and left > _VAIN * before:
                    self.vain.add((k, effort))
        return left

    @cached_property
    def white(self) -> bool:
        """Whether many pixels have all channels at their maximum."""
        return bool(over_channels(np.logical_and, self.canvas.pixels == 255).mean() > _WHITE)

    def curved(self, start: Plane, high: Plane) -> Blocks:
        """Return luma as mozjpeg may have had it where it may be at its maximum, or above it; but
        not beyond the edges of a crop, where it may be anything."""
        told = over_channels(np.logical_or, self.canvas.pixels == 255)
        white = np.pad(told, self.canvas.margin) & (high == 255)
        blocks = in_blocks(np.where(white, 255, np.minimum(start, 254)).astype(np.int16))
        at = np.nonzero(blocks.max(1) == 255)[0]
        for first in range(0, at.size, _LOT):
            own = at[first : first + _LOT, None]
            blocks[own, ZIGZAG] = deringed(blocks[own, ZIGZAG], int(self.frame[0].steps[0]))
        rows, columns = start.shape
        return blocks.reshape(rows // 8, columns // 8, 8, 8).swapaxes(1, 2).reshape(rows, columns)

    def interpolated(self, k: int, start: Plane, low: Plane, high: Plane, round_: int) -> int:
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
            sure = over_areas(np.logical_and, low == high, tall, wide)
            first, step = told.copy(), fine(own.steps, self.method)
            self.search.fit(raised, in_blocks(sure), own.steps, self.method, first)
            blocks[:] = _quantized(first, step, blocks)
        plane = engine().plane(blocks, own.steps, self.method)
        state = np.zeros(blocks.shape[:2], np.uint8)
        if self.relaxes and not round_:
            state[self.canvas.cut(own.sampling)] = _AS_IT_IS
        left = state.size
        for share, moves, subsets in _MOVES[: _SOON + 1 if self.hasty else None]:
            if 0 < left <= share * state.size and (k, moves) not in self.vain:
                before = left
                left = state.size - self.search.chroma(
                    told, low, high, valid, tall, own.steps, self.method, self.origin.wide, moves,
                    subsets, self.work[k], blocks, plane, state,
                )  # fmt: skip
                if subsets and left > _VAIN * before:
                    self.vain.add((k, moves))
        return left


def _quantized(told: Told, step: NDArray[np.int64], blocks: Blocks) -> Blocks:
    """Return coefficients (n, 64) in steps, the nearest ones, in the shape of blocks."""
    sign = np.where(told < 0, -1, 1)
    found: Blocks = (sign * ((np.abs(told) + step // 2) // step)).astype(np.int16)
    return found.reshape(blocks.shape)
