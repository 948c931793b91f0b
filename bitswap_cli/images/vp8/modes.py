"""Modes of macroblocks and of their blocks (RFC 6386, sections 10 and 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bitswap_cli.images.vp8.coefficients import Block, Place
from bitswap_cli.images.vp8.decisions import Decisions, Known, level, signed_level
from bitswap_cli.images.vp8.numbers import numbers
from bitswap_cli.images.vp8.pixels import B_PRED, DC_PRED, H_PRED, V_PRED, Rows, activity
from bitswap_cli.images.vp8.state import OF_BLOCKS

NEAR_MODES, AT_MODES = 600, 1700  # sets of weights
SEGMENT_ID, SKIP, WHOLE, KIND, OTHER, SUBMODES, COLOURS = 0, 3, 4, 5, 6, 8, 17  # decisions
NO_LEVEL = 10
ALIKE = (0, 2, 3, 1)  # modes of blocks that are those of macroblocks
# Of each decision on the mode of a block the next one, or 16 and more: a mode.
TREE = ((16, 1), (17, 2), (18, 3), (4, 6), (19, 5), (20, 21), (22, 7), (23, 8), (24, 25))


@dataclass
class Beside:
    """What is told of a macroblock above, or to the left."""

    mode: int = DC_PRED
    chroma: int = DC_PRED
    segment: int = 0
    skipped: int = 0
    submodes: list[int] = field(default_factory=lambda: [0] * 4)
    """Of its last row, or column."""
    sum: int = 0
    """Of its coefficients."""
    y2: Block = field(default_factory=Block)


@dataclass
class Macroblock:
    """A macroblock at hand, and those around it: to the left of that above, and to its right."""

    row: int
    column: int
    above: Beside
    left: Beside
    corner: Beside
    right: Beside
    mode: int = DC_PRED
    chroma: int = DC_PRED
    segment: int = 0
    skipped: int = 0
    submodes: list[int] = field(default_factory=lambda: [0] * 16)
    sum: int = 0
    """Of its coefficients so far."""

    @property
    def energy(self) -> tuple[int, int]:
        """Levels of the coefficients above and to the left."""
        return min(level(self.above.sum), 31), min(level(self.left.sum), 31)


class Modes:
    """Codes modes.

    Parameters
    ----------
    decisions : Decisions
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._submodes = numbers().submodes.tolist()

    def _code(self, number: int, probability: int, keys: Sequence[int], place: int) -> int:
        own = Known(keys, NEAR_MODES + number, AT_MODES + place)
        return self._decisions.decided(0, OF_BLOCKS + number, own, probability)

    def segment(self, m: Macroblock, tree: list[int]) -> None:
        """The segment of a macroblock."""
        near = m.left.segment + 4 * m.above.segment
        farther = near + 16 * m.corner.segment + 64 * m.right.segment
        keys = near, farther, m.above.mode + 16 * near
        high = self._code(SEGMENT_ID, tree[0], keys, 0)
        low = self._code(SEGMENT_ID + 1 + high, tree[1 + high], keys, 1 + high)
        m.segment = 2 * high + low

    def skip(self, m: Macroblock, probability: int) -> None:
        """Whether a macroblock has no coefficients."""
        near = m.left.skipped + 2 * m.above.skipped
        keys = (
            near + 4 * m.right.skipped + 8 * m.corner.skipped,
            m.energy[0] + 32 * m.energy[1],
            m.segment + 4 * near,
            m.left.mode + 16 * m.above.mode,
        )
        m.skipped = self._code(SKIP, probability, keys, 3)

    def kind(self, m: Macroblock) -> None:
        """The mode of all of a macroblock's luma, or that its blocks have one each."""
        above, left, (energy, before) = m.above.mode, m.left.mode, m.energy
        around, ends = left + 16 * above, (m.left.submodes, m.above.submodes)
        found = (
            around,
            energy + 32 * before,
            2 * m.segment + 8 * (left == B_PRED) + 16 * (above == B_PRED),
            around + 256 * m.corner.mode + 4096 * m.right.mode,
            above + 16 * energy,
            sum(16**i * one for i, one in enumerate(e[k] for e in ends for k in (0, 3))),
        )
        keys = [2 * key + m.skipped for key in found]
        m.mode = B_PRED
        if self._code(WHOLE, 145, keys, 10 + energy // 2):
            other = self._code(KIND, 156, keys, 4)
            probability = 128 if other else 163
            m.mode = 2 * other + self._code(OTHER + 1 - other, probability, keys, 5 + other)
            m.submodes = [ALIKE[m.mode]] * 16

    def submode(self, m: Macroblock, rows: Rows, y: int, x: int, at: Place) -> None:
        """The mode of a block; rows are those of luma."""
        i, own, top, before = 4 * y + x, m.submodes, m.above.submodes, m.left.submodes
        a, b = own[i - 4] if y else top[x], own[i - 1] if x else before[y]
        if y:
            corner = own[i - 5] if x else before[y - 1]
            right = own[i - 3] if x < 3 else 10
        else:
            corner = top[x - 1] if x else m.corner.submodes[3]
            right = top[x + 1] if x < 3 else m.right.submodes[0]
        farther, higher = own[i - 2] if x > 1 else 11, own[i - 8] if y > 1 else 11
        both, active, up, back = a + 16 * b, NO_LEVEL + 16 * NO_LEVEL, 12, 12
        py, px = 2 + 16 * m.row + 4 * y, 2 + 16 * m.column + 4 * x
        if not self._decisions.checking and (m.row or y):
            own_level = level(activity(rows, py, px, 4, True, False) // 2)
            active += min(own_level, 9) - NO_LEVEL
            up = signed_level(rows[py - 1][px + 3] - rows[py - 1][px])
        if not self._decisions.checking and (m.column or x):
            own_level = level(activity(rows, py, px, 4, False, True) // 2)
            active += 16 * (min(own_level, 9) - NO_LEVEL)
            back = signed_level(rows[py + 3][px - 1] - rows[py][px - 1])
        sums = min(level(at.above.sum), 15) + 16 * min(level(at.left.sum), 15)
        keys = (
            active + 256 * a,
            active + 256 * b,
            up + 32 * back + 1024 * both,
            active + 256 * both,
            both,
            both + 256 * corner,
            both + 256 * right,
            both + 256 * corner + 4096 * right + 65536 * farther,
            i + 16 * a,
            sums + 256 * i,
            both + 256 * higher,
        )
        node, q = 0, self._submodes[a][b]
        while node < 16:
            node = TREE[node][self._code(SUBMODES + node, q[node], keys, 30 + 10 * a + b)]
        own[i] = node - 16

    def chroma(self, m: Macroblock) -> None:
        """The mode of chroma."""
        a, b, s = m.above.chroma, m.left.chroma, m.submodes
        keys = (
            m.mode + 8 * b + 32 * a,
            m.mode + 8 * s[0] + 128 * s[5],
            m.mode + 8 * s[15] + 128 * b,
            b + 4 * a + 16 * m.corner.chroma,
        )
        m.chroma = DC_PRED
        if self._code(COLOURS, 142, keys, 7):
            m.chroma = V_PRED
            if self._code(COLOURS + 1, 114, keys, 8):
                m.chroma = H_PRED + self._code(COLOURS + 2, 183, keys, 9)
