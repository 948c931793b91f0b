"""Macroblocks: their modes, then blocks, each behind what its prediction has need of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bitswap_cli.images.vp8.coefficients import (
    CHROMA,
    EMPTY,
    Y2,
    Y_AFTER_Y2,
    Y_WITH_DC,
    Block,
    Blocks,
    Place,
)
from bitswap_cli.images.vp8.decisions import Decisions, level
from bitswap_cli.images.vp8.modes import Beside, Macroblock, Modes
from bitswap_cli.images.vp8.pixels import (
    B_PRED,
    MOST,
    Edges,
    activity,
    add,
    predict,
    predict_four,
    spread,
)
from bitswap_cli.mixing.mixing import clip

Steps = tuple[int, int]


@dataclass
class Settings:
    """What a frame's header says of its macroblocks."""

    tree: list[int] | None
    """Probabilities of segments, where these are told."""
    skip: int | None
    """That a macroblock has coefficients, where that is told."""
    steps: list[tuple[Steps, Steps, Steps]]
    """Of luma, Y2 and chroma, of each segment."""
    partitions: int


class Plane:
    """Pixels and blocks of a plane: two rows lie above, two columns before, four behind."""

    def __init__(self, side: int, columns: int) -> None:
        self.side = side
        self._width = 4 * side * columns + 6
        self.rows = [[127] * self._width for _ in range(2)]
        self._blocks: dict[tuple[int, int], Block] = {}

    def grow(self) -> None:
        """Let there be one more row of macroblocks."""
        self.rows += [[129, 129] + [0] * (self._width - 2) for _ in range(4 * self.side)]

    def block(self, row: int, column: int) -> Block:
        """The block at a place; an empty one where there is none."""
        return self._blocks.get((row, column), EMPTY)

    def put(self, row: int, column: int, block: Block) -> None:
        """Let a block be there."""
        self._blocks[row, column] = block

    def around(self, at: Place, row: int, column: int) -> None:
        """Tell of a block which ones lie around it."""
        at.above, at.left = self.block(row - 1, column), self.block(row, column - 1)
        at.corner = self.block(row - 1, column - 1)
        inner = row % self.side and column % self.side == self.side - 1
        at.right = EMPTY if inner else self.block(row - 1, column + 1)
        at.farther = self.block(row - 2, column), self.block(row, column - 2)


class Macroblocks:
    """Codes the macroblocks of a frame.

    Parameters
    ----------
    decisions : Decisions
    blocks : Blocks
    rows, columns : int
    settings : Settings
    """

    def __init__(
        self, decisions: Decisions, blocks: Blocks, rows: int, columns: int, settings: Settings
    ) -> None:
        self._decisions, self._blocks, self._modes = decisions, blocks, Modes(decisions)
        self._rows, self._columns, self._settings = rows, columns, settings
        self._planes = [Plane(side, columns) for side in (4, 2, 2)]
        self._above = [Beside() for _ in range(columns + 1)]
        self._filled = [[0] * 9 for _ in range(columns)]

    def code(self) -> None:
        """Code all."""
        for row in range(self._rows):
            self._left, self._corner, self._before = Beside(), Beside(), [0] * 9
            for plane in self._planes:
                plane.grow()
            for column in range(self._columns):
                self._one(row, column)
            for plane in self._planes:
                own = plane.rows[1 + 4 * plane.side * (row + 1)]
                own[-4:] = [own[-5]] * 4

    def _one(self, row: int, column: int) -> None:
        above, settings = self._above[column], self._settings
        m = Macroblock(row, column, above, self._left, self._corner, self._above[column + 1])
        if settings.tree:
            self._modes.segment(m, settings.tree)
        if settings.skip is not None:
            self._modes.skip(m, settings.skip)
        self._modes.kind(m)
        whole, filled = m.mode != B_PRED, (self._filled[column], self._before)
        y2, dc = (above.y2, self._left.y2), None
        if m.skipped:
            for own in filled:
                own[: 9 if whole else 8] = [0] * (9 if whole else 8)
        if whole:
            self._predict(m, 0)
            y2 = EMPTY, EMPTY
            if not m.skipped:
                block, dc = self._y2(m)
                y2 = block, block
        for i in range(16):
            self._luma(m, *divmod(i, 4), y2[1], dc)
        self._modes.chroma(m)
        for n in (1, 2):
            self._predict(m, n)
        energy = min(level(m.sum), 31)
        for i in range(8):
            self._chroma(m, energy, i)
        told = Beside(m.mode, m.chroma, m.segment, m.skipped, m.submodes[12:], m.sum, y2[0])
        self._corner, self._above[column] = above, told
        self._left = replace(told, submodes=m.submodes[3::4], y2=y2[1])

    def _predict(self, m: Macroblock, n: int) -> None:
        plane, mode = self._planes[n], m.chroma if n else m.mode
        side = 4 * plane.side
        at = 2 + side * m.row, 2 + side * m.column
        predict(mode, plane.rows, *at, side, m.row > 0, m.column > 0)

    def _y2(self, m: Macroblock) -> tuple[Block, list[int]]:
        """The coefficients of Y2, and the DC coefficients of luma."""
        steps, filled = self._settings.steps[m.segment][1], (self._filled[m.column], self._before)
        p = Place(self._part(m), Y2, m.mode, steps, filled=filled[0][8] + filled[1][8])
        p.around = min(m.energy[0] // 2, 15) + 16 * min(m.energy[1] // 8, 3)
        p.above, p.left, p.corner, p.right = m.above.y2, m.left.y2, m.corner.y2, m.right.y2
        rows, y, x, edges = self._planes[0].rows, 2 + 16 * m.row, 2 + 16 * m.column, None
        if not self._decisions.checking:
            p.active = min(level(activity(rows, y, x, 16, m.row > 0, m.column > 0) // 4), 15)
            edges = Edges(rows, y, x, m.row > 0, m.column > 0, four=False)
        block, own = self._blocks.code(p, edges)
        filled[0][8] = filled[1][8] = int(own)
        m.sum += 2 * block.sum
        return block, spread(_scaled(block, steps))

    def _part(self, m: Macroblock) -> int:
        return 1 + m.row % self._settings.partitions

    def _block(
        self, m: Macroblock, plane: Plane, p: Place, y: int, x: int, column: int, dc: int | None
    ) -> Block:
        """One block of coefficients, in a row and column of its macroblock, and its pixels;
        `column` is where it is told whether those next to it have any."""
        rows, own = plane.rows, (column + x, column + y)
        py, px = 2 + 4 * (plane.side * m.row + y), 2 + 4 * (plane.side * m.column + x)
        top, left, edges = m.row + y > 0, m.column + x > 0, None
        if not self._decisions.checking:
            p.active = min(level(activity(rows, py, px, 4, top, left)), 15)
            edges = Edges(rows, py, px, top, left, four=True)
            if dc is not None:
                edges.take_out(0, dc)
        filled = self._filled[m.column], self._before
        p.first, p.filled = int(dc is not None), filled[0][own[0]] + filled[1][own[1]]
        block, any_own = self._blocks.code(p, edges)
        filled[0][own[0]] = filled[1][own[1]] = int(any_own)
        scaled = _scaled(block, p.steps)
        if dc is not None:
            scaled[0] = clip(dc, -MOST, MOST)
        if not self._decisions.checking:
            add(scaled, rows, py, px)
        return block

    def _luma(self, m: Macroblock, y: int, x: int, y2: Block, dcs: list[int] | None) -> None:
        plane, steps = self._planes[0], self._settings.steps[m.segment][0]
        dc, row, column = dcs[4 * y + x] if dcs else None, 4 * m.row + y, 4 * m.column + x
        kind = Y_WITH_DC if dc is None else Y_AFTER_Y2
        p = Place(self._part(m), kind, 0, steps, index=4 * y + x)
        plane.around(p, row, column)
        if m.mode == B_PRED:
            self._modes.submode(m, plane.rows, y, x, p)
            top, left = 1 + 4 * row, 6 + 4 * column
            right = plane.rows[1 + 16 * m.row if x == 3 else top][left : left + 4]
            predict_four(m.submodes[p.index], plane.rows, 2 + 4 * row, 2 + 4 * column, right)
        if m.skipped:
            return
        p.mode = m.submodes[p.index] if dc is None else 10 + m.mode
        p.around = min(m.energy[0], 15) + 16 * min(m.energy[1] // 2, 3)
        if dc is not None:
            p.around = min(level(4 * abs(dc) // steps[0]), 15) + 16 * min(level(y2.sum), 11)
        block = self._block(m, plane, p, y, x, 0, dc)
        m.sum += block.sum
        if dc is not None:
            size = (abs(dc) + steps[0] // 2) // steps[0]
            block.c[0] = clip(-size if dc < 0 else size, -32767, 32767)
            block.sum += size
        plane.put(row, column, block)

    def _chroma(self, m: Macroblock, energy: int, i: int) -> None:
        if m.skipped:
            return
        v, y, x = i >> 2, i >> 1 & 1, i & 1
        plane, row, column = self._planes[1 + v], 2 * m.row + y, 2 * m.column + x
        steps = self._settings.steps[m.segment][2]
        p = Place(self._part(m), CHROMA, m.chroma, steps, index=i, around=energy + 32 * v)
        plane.around(p, row, column)
        first = self._planes[1].block(row, column) if v else EMPTY
        p.like = first, self._planes[0].block(4 * m.row + 2 * y, 4 * m.column + 2 * x)
        plane.put(row, column, self._block(m, plane, p, y, x, 4 + 2 * v, None))


def _scaled(block: Block, steps: Steps) -> list[int]:
    return [clip(c * steps[i > 0], -MOST, MOST) for i, c in enumerate(block.c)]
