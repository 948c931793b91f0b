"""Pixels as decoders have them before loop filters (RFC 6386, sections 12 and 14), and what those
next to a block tell of its coefficients."""

from __future__ import annotations

from bitswap_cli.images.vp8.numbers import numbers
from bitswap_cli.mixing.mixing import clip

DC_PRED, V_PRED, H_PRED, TM_PRED, B_PRED = range(5)
MOST = 8191  # of a coefficient's magnitude
# What a transform's basis is at four places, in 1/64: of blocks, and of their DC coefficients.
WAVES = (
    ((64, 64, 64, 64), (84, 35, -35, -84), (64, -64, -64, 64), (35, -84, 84, -35)),
    ((64, 64, 64, 64), (64, 64, -64, -64), (64, -64, -64, 64), (64, -64, 64, -64)),
)

Rows = list[list[int]]


def predict(mode: int, rows: Rows, y: int, x: int, side: int, top: bool, left: bool) -> None:
    """Predict a square of 16 or 8 pixels, which begins at a place."""
    above, before = rows[y - 1][x : x + side], [rows[y + i][x - 1] for i in range(side)]
    corner, dc = rows[y - 1][x - 1], 128
    if mode == DC_PRED and (top or left):
        count = side * (top + left)
        dc = (sum(above) * top + sum(before) * left + count // 2) // count
    for i in range(side):
        if mode == DC_PRED:
            row = [dc] * side
        elif mode == V_PRED:
            row = above
        elif mode == H_PRED:
            row = [before[i]] * side
        else:
            row = [clip(before[i] + one - corner, 0, 255) for one in above]
        rows[y + i][x : x + side] = row


def predict_four(mode: int, rows: Rows, y: int, x: int, right: list[int]) -> None:
    """Predict a square of 4 by its mode, with what lies above to the right."""
    left, above = [rows[y + 3 - i][x - 1] for i in range(4)], rows[y - 1][x : x + 4]
    corner, mean = rows[y - 1][x - 1], (4 + sum(left) + sum(above)) >> 3
    around = [left[0], *left, corner, *above, *right, right[3]]
    for i, taps in enumerate(numbers().taps[mode].tolist()):
        for k, tap in enumerate(taps):
            n = tap >> 1
            if mode == 0:
                found = mean
            elif mode == 1:
                found = clip(left[3 - i] + above[k] - corner, 0, 255)
            elif tap & 1:
                found = (around[n - 1] + 2 * around[n] + around[n + 1] + 2) >> 2
            else:
                found = (around[n] + around[n + 1] + 1) >> 1
            rows[y + i][x + k] = found


def _cosine(x: int) -> int:
    return x + (x * 20091 >> 16)


def _sine(x: int) -> int:
    return x * 35468 >> 16


def _transform(x: list[int]) -> list[int]:
    a, b = x[0] + x[2], x[0] - x[2]
    c, d = _sine(x[1]) - _cosine(x[3]), _cosine(x[1]) + _sine(x[3])
    return [a + d, b + c, b - c, a - d]


def _untangle(x: list[int]) -> list[int]:
    a, b, c, d = x[0] + x[3], x[1] + x[2], x[1] - x[2], x[0] - x[3]
    return [a + b, d + c, a - b, d - c]


def add(coefficients: list[int], rows: Rows, y: int, x: int) -> None:
    """Add what coefficients, row by row, stand for to a square of 4."""
    columns = [_transform(coefficients[i::4]) for i in range(4)]
    for i in range(4):
        first, *others = (column[i] for column in columns)
        for k, found in enumerate(_transform([first + 4, *others])):
            rows[y + i][x + k] = clip(rows[y + i][x + k] + (found >> 3), 0, 255)


def spread(coefficients: list[int]) -> list[int]:
    """The DC coefficients of 16 blocks, of the coefficients of Y2."""
    columns = [_untangle(coefficients[i::4]) for i in range(4)]
    found = list[int]()
    for i in range(4):
        first, *others = (column[i] for column in columns)
        found += [value >> 3 for value in _untangle([first + 3, *others])]
    return found


class Edges:
    """What the pixels above and before a square of 4, or of 16, tell of its coefficients: of each
    column of these the sum over rows, `across`, and of each row that over columns, `down`; each
    coefficient times what its wave is at the edge."""

    def __init__(self, rows: Rows, y: int, x: int, top: bool, left: bool, four: bool) -> None:
        self._waves = WAVES[not four]
        each, above, before = 1 if four else 4, [0] * 4, [0] * 4
        for i in range(4 * each):
            if top:
                above[i // each] += _misses(*(rows[y - k][x + i] for k in range(3)))
            if left:
                before[i // each] += _misses(*(rows[y + i][x - k] for k in range(3)))
        times = 2 if four else 4
        self.across, self.down = (
            [
                sum(own * wave * times for own, wave in zip(edge, w, strict=True))
                for w in self._waves
            ]
            for edge in (above, before)
        )

    def take_out(self, place: int, value: int) -> None:
        """Take a coefficient that is known out of that."""
        row, column = divmod(place, 4)
        self.across[column] -= value * self._waves[row][0]
        self.down[row] -= value * self._waves[column][0]


def _misses(own: int, near: int, far: int) -> int:
    """By how much what lies before a pixel, as it goes on, differs from its prediction."""
    return near - own + (near - far >> 1)


def activity(rows: Rows, y: int, x: int, side: int, top: bool, left: bool) -> int:
    """How much the pixels above and before a square differ from one to the next."""
    found = 0
    for i in range(side - 1):
        found += abs(rows[y - 1][x + i] - rows[y - 1][x + i + 1]) if top else 0
        found += abs(rows[y + i][x - 1] - rows[y + i + 1][x - 1]) if left else 0
    return found
