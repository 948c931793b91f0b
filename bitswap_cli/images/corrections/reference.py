"""Corrections of pixels, bit by bit, each under a mixture of what is known: the definition of what
the kernel computes.

Wrong pixels lie together: so blocks of 8x8 are said to have any or none, row by row of blocks; then
pixels of these, row by row of pixels, to be wrong or not; and of a wrong one, each channel, by how
much it differs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.images.corrections.state import (
    BLOCKS,
    CASES,
    CONTEXTS,
    NUMBERS,
    PIXELS,
    SETS,
    Grid,
    begun,
)
from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.mixing import FRESH, Adaptive, Decision, clip, mingle
from bitswap_cli.mixing.tables import STATES, STEPS

TABLE_BITS = 15
OF_CHANNEL, SIDE, RATE = 64, 8, 90
BEYOND = 4  # by so much more what was made misses than what neighbours say, if it was painted over
FEW, MANY = 3, 15  # where numbers are cut

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]


class Known(NamedTuple):
    """What is known where something is decided."""

    keys: tuple[int, ...]
    """Of each context, 32 bits."""
    near: int
    """Which sets of weights."""
    place: int


def cut_to(value: int, most: int) -> int:
    """A number from -most to most, the nearest one, plus most."""
    return clip(value, -most, most) + most


def signed(value: int) -> int:
    """A number modulo 256, as one from -128 to 127."""
    return (value + 128) % 256 - 128


def nearness(n: int, size: int) -> int:
    """How near an end the n-th of some is, and which one."""
    rest = size - 1 - n
    return 2 * min(n, rest, 3) + (n < rest)


class Work:
    """Pixels in work.

    Parameters
    ----------
    made : array (H, W, C)
        What differs from the pixels.
    grid : Grid
    words : uint32 array, optional
        What to decode; None encodes.
    """

    def __init__(self, made: Bytes, grid: Grid, words: Words | None = None) -> None:
        self.height, self.width, self.channels = made.shape
        self.grid, self.made = grid, made.tolist()
        self.pixels: list[list[list[int]]] = made.tolist()
        self.rows = -(-(self.height + grid.top % 8) // SIDE)
        self.columns = -(-(self.width + grid.left % 8) // SIDE)
        self.wrong = [[0] * self.columns for _ in range(self.rows)]
        """Of each block: 0, or 1 and how many pixels were wrong so far."""
        self.cut = [[0] * self.columns for _ in range(self.rows)]
        """How many are at an end of their range."""
        ends = ((made == 0) | (made == 255)).any(2)
        for y, x in np.argwhere(ends).tolist():
            self.cut[(y + grid.top % 8) // SIDE][(x + grid.left % 8) // SIDE] += 1
        self._coder = Encoder() if words is None else Decoder(words)
        self._adaptive = Adaptive(begun()._asdict())
        self._slots = [FRESH] * (CONTEXTS << TABLE_BITS)

    def coded(self, truth: Bytes) -> Words:
        """Code what pixels are, or find it; words of an encoder. Raises `Damaged`."""
        other = (truth != np.array(self.made, np.uint8).reshape(truth.shape)).any(2)
        told = truth.tolist()
        for i in range(self.rows):
            begin, end = self._span(i, self.grid.top, self.height)
            for j in range(self.columns):
                left, right = self._span(j, self.grid.left, self.width)
                bit = int(other[begin:end, left:right].any())
                self.wrong[i][j] = self._decide(BLOCKS, 0, self.of_block(i, j), bit)
            for y in range(begin, end):
                for x in range(self.width):
                    j = (x + self.grid.left % 8) // SIDE
                    if not self.wrong[i][j]:
                        continue
                    if self._decide(PIXELS, 1, self.of_pixel(y, x), int(other[y, x])):
                        self.wrong[i][j] += 1
                        self._code_channels(y, x, told[y][x])
        return self._coder.words()

    def _span(self, n: int, offset: int, size: int) -> tuple[int, int]:
        """Where the rows or columns of the n-th block begin and end in the picture."""
        first = SIDE * n - offset % 8
        return max(first, 0), min(first + SIDE, size)

    def _decide(self, subject: int, node: int, known: Known, bit: int) -> int:
        """Code a bit of which something is known."""
        d = Decision(self._adaptive)
        for k, key in enumerate(known.keys):
            slot = (k << TABLE_BITS) + (mingle(key, 8 * node + k) >> (32 - TABLE_BITS))
            d.see_slot(self._slots, slot, "states", (subject * CONTEXTS + k) * STATES)
        d.see("alone", node)
        sets = [
            ("by_node", node),
            ("by_near", subject * CASES + known.near),
            ("by_place", subject * CASES + known.place),
        ]
        one = d.mix(sets, ("sets", node * SETS), ("steps", node * STEPS))
        bit = self._coder.code(one, bit)
        d.learn(bit, RATE)
        return bit

    def _code_number(self, node: int, known: Known, value: int) -> int:
        """Code whether a number is 0, whether it is below, how many bits it has, and these from
        the second highest one down."""
        if not self._decide(NUMBERS, node, known, int(value != 0)):
            return 0
        minus = self._decide(NUMBERS, node + 1, known, int(value < 0))
        size, bits, found = abs(value), 1, 1
        wanted = size.bit_length()
        while bits < 8 and self._decide(NUMBERS, node + 1 + bits, known, int(wanted > bits)):
            bits += 1
        for shift in range(bits - 2, -1, -1):
            own = node + 9 + (found if found < 8 else 8 + shift)
            found = 2 * found + self._decide(NUMBERS, own, known, size >> shift & 1)
        return -found if minus else found

    def _code_channels(self, y: int, x: int, told: list[int]) -> None:
        """Code what a wrong pixel is."""
        linked = self.channels == 3 and self.grid.linked
        foreign = self.is_foreign(y, x)
        base, before = 0, int(foreign)
        for n in range(self.channels):
            channel = 1 - n if linked and n < 2 else n  # green before red and blue
            guess = self.by_neighbours(y, x, channel) if foreign else self.made[y][x][channel]
            known = self.of_channel(y, x, channel, foreign, base, linked and n > 0, before)
            value = signed(told[channel] - guess - base)
            found = self._code_number(2 + OF_CHANNEL * n, known, value)
            self.pixels[y][x][channel] = (guess + base + found) % 256
            base = found if linked and not n else base
            before = mingle(before, cut_to(found, MANY))

    def differs(self, y: int, x: int, channel: int) -> int:
        """By what a channel of a pixel differs, as far as that is known."""
        if y < 0 or not 0 <= x < self.width:
            return 0
        return signed(self.pixels[y][x][channel] - self.made[y][x][channel])

    def is_wrong(self, y: int, x: int) -> bool:
        """Whether a pixel is wrong, as far as that is known."""
        return any(self.differs(y, x, k) for k in range(self.channels))

    def all_of(self, y: int, x: int) -> int:
        """By what all channels of a pixel differ, by FEW at most."""
        found = 0
        for k in range(self.channels):
            found = 32 * found + cut_to(self.differs(y, x, k), FEW)
        return found

    def ends_of(self, y: int, x: int) -> int:
        """Which channels are at an end of their range."""
        found = 0
        for sample in self.made[y][x]:
            found = 3 * found + _end(sample)
        return found

    def noted(self, notes: list[list[int]], i: int, j: int) -> int:
        """What is noted of a block; 0 of one that is not there."""
        return notes[i][j] if 0 <= i < self.rows and 0 <= j < self.columns else 0

    def of_block(self, i: int, j: int) -> Known:
        """What is known of whether any pixel of a block is wrong."""
        (tall, wide), wrong = self.grid[2:4], self.wrong
        down, right = self.grid.top // 8 % tall, self.grid.left // 8 % wide
        first, left = i - (i + down) % tall, j - (j + right) % wide
        west, north = self.noted(wrong, i, j - 1), self.noted(wrong, i - 1, j)
        around = two = 2 * (west > 0) + (north > 0)
        for y, x in ((i - 1, j - 1), (i - 1, j + 1), (i, j - 2), (i - 2, j)):
            around = 2 * around + (self.noted(wrong, y, x) > 0)
        mcu = cut = 0
        for y in range(first, first + tall):
            for x in range(left, left + wide):
                cut += self.noted(self.cut, y, x)
                if (y, x) < (i, j):
                    mcu = 4 * mcu + 2 + (self.noted(wrong, y, x) > 0)
        place = 2 * (i - first) + j - left
        edge = 8 * nearness((i + down) // tall, -(-(self.rows + down) // tall))
        edge += nearness((j + right) // wide, -(-(self.columns + right) // wide))
        keys = (
            mingle(around, place),
            mingle(edge, two),
            mingle(self.cut[i][j].bit_length(), two),
            mingle(cut.bit_length(), mingle(mcu, edge)),
            mingle(west.bit_length(), mingle(north.bit_length(), place)),
            mingle(edge, mingle(mcu, place)),
            j,
        )
        return Known(keys, around, edge)

    def of_pixel(self, y: int, x: int) -> Known:
        """What is known of whether a pixel of such a block is wrong."""
        py, px = y + self.grid.top, x + self.grid.left
        i, j = (y + self.grid.top % 8) // SIDE, (x + self.grid.left % 8) // SIDE
        around = two = 2 * self.is_wrong(y, x - 1) + self.is_wrong(y - 1, x)
        for dy, dx in ((1, 1), (1, -1), (0, 2), (2, 0)):
            around = 2 * around + self.is_wrong(y - dy, x - dx)
        farther = 0
        for dy, dx in (*((2, -k) for k in range(-3, 4)), (0, 3)):
            farther = 2 * farther + self.is_wrong(y - dy, x - dx)
        place = 8 * (py % 8) + px % 8
        own = self.wrong[i][j] - 1
        north, west = self.noted(self.wrong, i - 1, j) // 8, self.noted(self.wrong, i, j - 1) // 8
        east = int(self.noted(self.wrong, i, j + 1) > 0)
        middle = 0
        for dy, dx in ((0, 1), (1, 0), (1, -1)):
            differs = self.differs(y - dy, x - dx, self.channels // 2)
            middle = 32 * middle + cut_to(differs, MANY)
        keys = (
            mingle(around, 2 * (py & 1) + (px & 1)),
            mingle(self.all_of(y, x - 1), self.all_of(y - 1, x)),
            mingle(self.ends_of(y, x), two),
            mingle(16 * own // (place + 1), mingle(place.bit_length(), two)),
            mingle(around, farther),
            mingle(16 * north + west, 2 * two + (own > 0)),
            mingle(middle, east),
        )
        return Known(keys, around, place)

    def by_neighbours(self, y: int, x: int, channel: int) -> int:
        """What a channel is by its neighbours: that above, that before, or their sum less the one
        between, whichever is in the midst."""
        west, north = self.pixels[y][x - 1][channel], self.pixels[y - 1][x][channel]
        between = self.pixels[y - 1][x - 1][channel]
        return clip(west + north - between, min(west, north), max(west, north))

    def missed(self, y: int, x: int) -> int:
        """By how much more a pixel differs from what was made than from what neighbours say."""
        return sum(
            abs(self.differs(y, x, k)) - abs(self.pixels[y][x][k] - self.by_neighbours(y, x, k))
            for k in range(self.channels)
        )

    def is_foreign(self, y: int, x: int) -> bool:
        """Whether what was made says less of a pixel than its neighbours do: it was painted
        over."""
        if y < 2 or x < 2 or not (self.is_wrong(y, x - 1) and self.is_wrong(y - 1, x)):
            return False
        return self.missed(y, x - 1) + self.missed(y - 1, x) > BEYOND

    def of_channel(
        self, y: int, x: int, channel: int, foreign: bool, base: int, less: bool, before: int
    ) -> Known:
        """What is known of a channel of a wrong pixel.

        `base` is what is added to it as to the first one; `less`, whether it is told by how much
        more it differs than green; `before`, a hash of what was said of the ones before.
        """
        near = [0] * 4
        for m, (dy, dx) in enumerate(() if foreign else ((0, 1), (1, 0), (1, 1), (1, -1))):
            near[m] = self.differs(y - dy, x - dx, channel)
            near[m] -= self.differs(y - dy, x - dx, 1) if less else 0
        few = [cut_to(own, FEW) for own in near]
        end = _end(self.made[y][x][channel])
        parity = 2 * (y + self.grid.top & 1) + (x + self.grid.left & 1)
        keys = (
            mingle(cut_to(near[0], MANY), 2 * cut_to(near[1], MANY) + foreign),
            mingle(before, 0),
            mingle(before, self.all_of(y, x - 1)),
            mingle(before, self.all_of(y - 1, x)),
            mingle(before, 4 * cut_to(near[0] + near[1], MANY) + end),
            mingle(8 * few[0] + few[1], 8 * few[2] + few[3]),
            mingle(before, self.ends_of(y, x)),
        )
        return Known(keys, 7 * few[0] + few[1], 8 * cut_to(base, FEW) + 4 * foreign + parity)


def _end(sample: int) -> int:
    return 1 if sample == 0 else 2 if sample == 255 else 0


def encode(pixels: Bytes, made: Bytes, grid: Grid) -> Words:
    """Words of what pixels (H, W, C) are, given what was made."""
    return Work(made, grid).coded(pixels)


def decode(words: Words, made: Bytes, grid: Grid) -> Bytes:
    """The pixels; raise `Damaged` if an encoder leaves no such words."""
    work = Work(made, grid, words)
    if len(work.coded(made)):
        raise Damaged
    return np.array(work.pixels, np.uint8).reshape(made.shape)
