"""Coefficients of a block (RFC 6386, section 13), and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitswap_cli.images.vp8.decisions import (
    Decisions,
    Known,
    level,
    over,
    sign_of,
    signed_level,
)
from bitswap_cli.images.vp8.numbers import numbers
from bitswap_cli.images.vp8.pixels import Edges
from bitswap_cli.images.vp8.state import EACH
from bitswap_cli.mixing.mixing import mingle

Y_AFTER_Y2, Y2, CHROMA, Y_WITH_DC = range(4)  # types of blocks
ZIGZAG = (0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15)
BANDS = (0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7)
# Of the categories of large coefficients the least one, and how many bits follow.
LEAST, FURTHER = (5, 7, 11, 19, 35, 67), (1, 2, 3, 4, 5, 11)
NEAR_EXTRA, NEAR_SIGNS, AT_SIGNS, AT_EXTRA = 256, 512, 1536, 2040  # sets of weights


@dataclass(eq=False)
class Block:
    """Coefficients, row by row; where the last one stands in zigzag order, plus 1; the sum of
    their magnitudes."""

    c: list[int] = field(default_factory=lambda: [0] * 16)
    last: int = 0
    sum: int = 0


EMPTY = Block()


@dataclass
class Place:
    """A block, and what is known of it before its coefficients."""

    part: int
    """Its partition."""
    type: int
    mode: int
    """Modes of blocks 0..9, those of macroblocks and chroma, and 10 and more behind Y2."""
    steps: tuple[int, int]
    """Of DC and AC."""
    index: int = 0
    first: int = 0
    """Its first place."""
    filled: int = 0
    """How many of two neighbours have any coefficients."""
    around: int = 0
    """What else is known."""
    active: int = 0
    """Level of how pixels next to it vary."""
    above: Block = EMPTY
    left: Block = EMPTY
    corner: Block = EMPTY
    right: Block = EMPTY
    """Above to the right."""
    farther: tuple[Block, Block] = (EMPTY, EMPTY)
    like: tuple[Block, Block] = (EMPTY, EMPTY)
    """Blocks of other planes."""


@dataclass
class Progress:
    """What is known of a block so far."""

    n: int
    context: int
    zigzag: int = 0
    after_zero: int = 0
    last: tuple[int, int, int] = (0, 0, 0)
    """Magnitudes of the last ones."""
    sum: int = 0
    count: int = 0


def _beside(place: Place, z: int) -> int:
    """The magnitudes next to a place, in the blocks above and to the left."""
    row, column = divmod(z, 4)
    others = [z + 1] * (column < 3) + [z + 4] * (row < 3) + [z - 1] * (column > 0)
    others += [z - 4] * (row > 0)
    return sum(abs(place.above.c[i]) + abs(place.left.c[i]) for i in others)


def _sides(block: Block, z: int) -> tuple[int, ...]:
    """Coefficients of the block next to a place: above, before, above that, far above and before,
    above to the right, below to the left; 0 where there is none, or none yet."""
    row, column = divmod(z, 4)
    steps = ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (1, -1), (-1, 1))
    there = ((row - dy, column - dx) for dy, dx in steps)
    inside = ((y, x, 0 <= y < 4 and 0 <= x < 4) for y, x in there)
    return tuple(block.c[4 * y + x] if own else 0 for y, x, own in inside)


class Blocks:
    """Codes blocks.

    Parameters
    ----------
    decisions : Decisions
    """

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self.probabilities = numbers().defaults.tolist()
        """As `Numbers.defaults`."""
        self._extra = numbers().extra.tolist()

    def code(self, place: Place, edges: Edges | None) -> tuple[Block, bool]:
        """Code a block's coefficients; also return whether there is any token but an end. Nobody
        looks at `edges` who checks."""
        block, decided = Block(), self._decisions.decided
        g = Progress(place.first, place.filled)
        while g.n < 16:
            z = g.zigzag = ZIGZAG[g.n]
            node = EACH * (16 * place.type + g.n)
            q, value = self.probabilities[place.type][BANDS[g.n]][g.context], 0
            sides = _sides(block, z)
            known = _of_size(edges, place, g, sides) if edges else Known((), 0, 0)
            if not g.after_zero and not decided(place.part, node, known.branch(0), q[0]):
                break
            if decided(place.part, node + 1, known.branch(1), q[1]):
                value = self._size(place, node, known, q)
                known = _of_sign(edges, place, block, g, sides, value) if edges else known
                g.sum, g.count, block.sum = g.sum + value, g.count + 1, block.sum + value
                if decided(place.part, node + 15, known, 128):
                    value = -value
                block.c[z], block.last = value, g.n + 1
                if edges:
                    edges.take_out(z, value * place.steps[z > 0])
            g.last = abs(value), *g.last[:2]
            g.after_zero, g.context = int(not value), min(abs(value), 2)
            g.n += 1
        return block, g.n > place.first

    def _size(self, place: Place, node: int, known: Known, q: list[int]) -> int:
        """The magnitude of a coefficient that is not 0."""

        def branch(number: int) -> int:
            own = known.branch(number)
            return self._decisions.decided(place.part, node + number, own, q[number])

        if not branch(2):
            return 1
        if not branch(3):
            return 3 + branch(5) if branch(4) else 2
        if not branch(6):
            category = branch(7)
        else:
            high = branch(8)
            category = 2 + 2 * high + branch(9 + high)
        return LEAST[category] + self._further(place, node, category, known)

    def _further(self, place: Place, node: int, category: int, known: Known) -> int:
        """The further bits of a large coefficient of a category."""
        found = 0
        for i in range(FURTHER[category]):
            so_far = 2048 * (16 * category + i) + found
            keys: tuple[int, ...] = ()
            if known.keys:
                keys = so_far, mingle(so_far, known.keys[3]), mingle(so_far, known.keys[9])
            own = Known(keys, NEAR_EXTRA + 16 * category + i, AT_EXTRA)
            probability = self._extra[category][i]
            bit = self._decisions.decided(place.part, node + 11 + min(i, 3), own, probability)
            found = 2 * found + bit
        return found


def _of_size(edges: Edges, p: Place, g: Progress, sides: tuple[int, ...]) -> Known:
    """What is known of a coefficient's magnitude."""
    z, zero, context, unit = g.zigzag, g.after_zero, g.context, 16 * p.steps[g.zigzag > 0]
    across, down = over(edges.across[z % 4], unit), over(edges.down[z // 4], unit)
    rest = sum(map(abs, edges.across)) + sum(map(abs, edges.down))
    rest = min(level(rest // (16 * p.steps[1])), 15)
    both = abs(signed_level(across + down) - 12)
    up, back = abs(signed_level(across) - 12), abs(signed_level(down) - 12)
    finer = 32 * signed_level(2 * down) + signed_level(2 * across)
    a, b = abs(p.above.c[z]), abs(p.left.c[z])
    like = 2 * (2 * (a + b) + abs(p.corner.c[z]) + abs(p.right.c[z])) + _beside(p, z)
    near, energy = level(like), p.above.sum + p.left.sum
    far = level(p.farther[0].sum + p.farther[1].sum)
    around = level(2 * energy + p.corner.sum + p.right.sum)
    sizes = [abs(own) for own in sides]
    inner, last = sum(sizes) + sizes[0] + sizes[1], min(g.last[0], 2)
    pattern = min(sizes[0], 3) + 4 * min(sizes[1], 3) + 16 * min(sizes[2], 3)
    pattern += 64 * min(sizes[5], 2) + 256 * min(sizes[6], 2)
    others = min(abs(p.like[0].c[z]), 3) + 4 * min(abs(p.like[1].c[z]), 3)
    keys = (
        context + 4 * min(p.steps[1] // 8, 31) + 1024 * min(g.sum, 3),
        min(g.last[0], 7) + 8 * min(g.last[1], 4) + 64 * min(g.last[2], 2) + 256 * zero,
        both + 16 * near + 1024 * zero,
        near + 64 * context,
        p.above.last + 17 * p.left.last + 512 * (last > 0),
        min(g.sum, 15) + 16 * g.count + 512 * context,
        others + 16 * p.around + 4096 * last,
        pattern + 1024 * zero + 2048 * min(both, 7),
        around + 64 * far + 4096 * last,
        up + 16 * back + 256 * (across ^ down < 0) + 512 * p.mode + 8192 * zero + 16384 * last,
        min(level(inner), 15) + 16 * near + 1024 * last,
        level(like + 2 * inner + energy // 2) + 64 * p.mode + 1024 * zero,
        rest + 16 * context + 64 * min(g.sum, 7) + 512 * zero,
        finer + 1024 * context,
        both + 16 * min(a, 2) + 64 * min(b, 2) + 256 * min(level(inner), 7) + 2048 * zero,
        p.active + 16 * min(around, 15) + 256 * context,
        p.active + 16 * near + 1024 * last + 4096 * zero,
        rest + 16 * p.mode + 256 * context,
    )
    return Known(keys, 16 * min(near, 15), 8 * (48 * p.type + 4 * min(both, 11) + context))


def _signs(*values: int) -> int:
    """Signs of numbers, as digits."""
    found = 0
    for value in values:
        found = 3 * found + sign_of(value)
    return found


def _of_sign(
    edges: Edges, p: Place, block: Block, g: Progress, sides: tuple[int, ...], size: int
) -> Known:
    """What is known of a coefficient's sign."""
    z, mode, unit = g.zigzag, p.mode, 16 * p.steps[g.zigzag > 0]
    across, down = over(edges.across[z % 4], unit), over(edges.down[z // 4], unit)
    both, above, left = signed_level(across + down), p.above.c, p.left.c
    like, other = p.like[0].c[z], p.like[1].c[z]
    keys = (
        16 * _signs(above[z], left[z]) + mode,
        16 * _signs(*sides[:3]) + mode,
        _signs(above[z], left[z], *sides[:2]),
        16 * _signs(block.c[4], block.c[1], block.c[0]) + mode,
        16 * _signs(like, other) + mode,
        both + 32 * min(size, 4),
        signed_level(across) + 32 * signed_level(down) + 1024 * min(size, 2),
        both + 32 * mode + 1024 * min(size, 2),
        _signs(above[z], left[z], p.corner.c[z], p.right.c[z]),
        16 * _signs(above[0], left[0], above[1], left[4]) + mode,
        _signs(above[z], left[z], above[4], left[1], above[8], left[2]),
        p.index + 32 * sign_of(like),
        _signs(*sides[3:]),
    )
    return Known(keys, NEAR_SIGNS + mode, AT_SIGNS + 4 * both + min(size, 3))
