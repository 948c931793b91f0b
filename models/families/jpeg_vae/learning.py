"""What a message teaches while it is coded: decisions about symbols, and how likely they are.

The network says what photographs are like; a message may be of pictures that were compressed twice,
whose coefficients sit on a comb, or whose components tell each other more than usual. So a symbol
is a walk of yes and no: is it 0, is it negative, is its magnitude 1, is it 2, ..; the index of the
last coefficient is found by halves. Each decision has the logit that the mixture gives it, and a
few *slots*, chosen by what is known: what is to be added to that logit, as far as such decisions
have shown. Weights, chosen by the decision, mix logit and slots. Then both learn from the outcome.

This is the definition, decision by decision; learning.h does the same in C. Everything is integers.

Source: logistic mixing and adaptive probability maps as in PAQ (Mahoney 2005), on top of a network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from bitswap_cli.ans.parameters import WEIGHT_BITS
from bitswap_cli.ans.sigmoid import SATURATION, tables
from bitswap_cli.mixing.logits import LIMIT, MANTISSAS, mantissas, squashed

DECISIONS = 16  # kinds of decisions about a coefficient: 0, its sign, magnitudes from 1 on
MAGNITUDES = DECISIONS - 2
LARGEST = 10  # halvings of what is beyond: magnitudes up to MAGNITUDES + 2^11 - 1
PLANES = 8  # that have slots of their own
NODES = 64  # decisions about the index of the last coefficient
SLOTS = 3  # of a decision
ONE = 1 << 16  # the weight 1

_MASS = 1 << 20 + WEIGHT_BITS  # of a mixture
_LEAST = 16  # mass that a symbol has at least
_TAIL = 1 << 15  # that all beyond have
_LEAST_INDEX = 256  # that an index of the last coefficient has
_START = ONE // 4  # weight of a slot
_WEIGHT_LIMIT = 4 * ONE - 16
_SLOT_LIMIT, _COUNT_LIMIT = 32767, 255
_RATE, _HASTE, _HASTE_LASTS = 10, 100, 17  # of weights: first 110, 60 after 2^17 decisions
_OCTAVE = 45426  # 2^16 ln 2
_BUCKETS = (11, 24, 33, 39, 45, 56, 70)  # of logarithms: from 1, 2, 3, 4, 5, 8, 14 on
_BANDS = (1, 3, 6, 10, 15, 28, 45)  # of coefficients that share weights
_LASTS = (1, 2, 5, 10, 20, 36, 52)  # of indices of last coefficients

Code = Callable[[int, int], int]
"""Codes a decision, and returns it: its probability of 1 in 2^16, and which it is, at which a
decoder does not look."""


class Mixture(NamedTuple):
    """Parameters of one symbol's mixture."""

    weight: Sequence[int]
    mean: Sequence[int]
    scale: Sequence[int]


class Around(NamedTuple):
    """What is known of a coefficient."""

    other: int
    """The logarithm of the same coefficient, as features.py has it, of another component, if this
    one sees any, else of the left block: Cr sees Cb, Cb luma."""
    last: int
    """Index of the last coefficient of the block."""


def steps(value: int, limits: Sequence[int]) -> int:
    """How many limits a value reaches."""
    return sum(value >= limit for limit in limits)


def logit(yes: int, no: int) -> int:
    """256 ln(yes / no), clipped; both are 1..2^29."""
    return min(max(_logarithm(yes) - _logarithm(no), -LIMIT), LIMIT)


def _logarithm(x: int) -> int:
    bits = x.bit_length() - 1
    place = x >> bits - 10 if bits > 10 else x << 10 - bits
    found: int = _tables()[3][place - MANTISSAS]
    return (bits * _OCTAVE >> 8) + found


@cache
def _tables() -> tuple[list[int], ...]:
    made = (*tables(), mantissas(), squashed())
    return tuple(array.tolist() for array in made)


def squash(x: int) -> int:
    """A probability of 16 bits of a logit."""
    return _tables()[4][min(max(x, -LIMIT), LIMIT) + LIMIT]


def cumulated(of: Mixture, symbol: int) -> int:
    """Mass below a symbol, 0..2^28."""
    table, inverse = _tables()[:2]
    total = 0
    for weight, mean, scale in zip(*of, strict=True):
        u = (16 * symbol - 8 - mean) * inverse[scale] >> 8
        place, part = divmod(min(max(u, -SATURATION), SATURATION) + SATURATION, 32)
        left, right = table[place], table[min(place + 1, len(table) - 1)]
        total += weight * (left + ((right - left) * part >> 5))
    return total


class Learner:
    """What the planes of one rank of a message have taught so far.

    They share what they teach, but what their combs are.

    Parameters
    ----------
    code : callable
        See `Code`.
    """

    def __init__(self, code: Code) -> None:
        self._code = code
        self._offsets: dict[tuple[int, ...], tuple[int, int]] = {}
        self._weights: dict[tuple[int, ...], list[int]] = {}
        self._seen = 0
        self._rate = 0
        self.plane = 0  # of which the next block is

    def begin(self) -> None:
        """Begin a batch: weights learn the slower the more decisions there were."""
        slower = (1 << _HASTE_LASTS) + self._seen
        self._rate = _RATE + (_HASTE << _HASTE_LASTS) // slower

    def last(self, of: Mixture, around: Sequence[int], value: int) -> int:
        """Code the index of the last coefficient of a block.

        `around` are those of its neighbours, in features.py's order, 0 where there is none.
        """
        low, high, node = 0, NODES, 1
        below, above = 0, _MASS
        left, top, top_left, top_right = (steps(index, _LASTS) for index in around)
        while high - low > 1:
            middle = (low + high) // 2
            mass = cumulated(of, middle)
            upper = above - mass + _LEAST_INDEX * (high - middle)
            lower = mass - below + _LEAST_INDEX * (middle - low)
            slots = (0, node), (1, left, top, node), (2, top_left, top_right, node)
            if self._decide(logit(upper, lower), slots, (0, node), int(value >= middle)):
                low, below, node = middle, mass, 2 * node + 1
            else:
                high, above, node = middle, mass, 2 * node
        return low

    def value(self, k: int, of: Mixture, around: Around, value: int) -> int:
        """Code coefficient k of a block: of DC, what it is more than predicted.

        The mixture of the last one has no 0: its symbol 0 stands for 1.
        """
        last = k > 0 and around.last == k
        band, comb = steps(k, _BANDS), self.plane % PLANES
        bucket = steps(abs(around.other), _BUCKETS)
        sign = -1 if around.other < 0 else 1

        def decide(kind: int, yes: int, no: int, sign: int, bit: int) -> int:
            other = bucket + 8 * (sign < 0 and bucket > 0)
            few = min(kind, 3)
            slots = (3, comb, k, kind), (4, k, kind, other), (5, around.last, k, few)
            return self._decide(logit(yes, no), slots, (1, band, kind), bit)

        below = cumulated(of, 0)
        above = _MASS - (below if last else cumulated(of, 1))
        if not last:
            mass = _MASS - above - below
            if decide(0, mass + _LEAST, _MASS - mass + _LEAST, sign, int(value == 0)):
                return 0
        negative = decide(1, below + _TAIL, above + _TAIL, sign, int(value < 0))
        sign = -sign if negative else sign
        first = -1 if negative else 0 if last else 1

        def tail(size: int) -> int:
            """Mass of what is as large, or larger."""
            if negative:
                return cumulated(of, first - size + 2)
            return _MASS - cumulated(of, first + size - 1)

        size, more = 1, below if negative else above
        while size <= MAGNITUDES:
            here, more = more, tail(size + 1)
            yes, no = here - more + _LEAST, more + _TAIL
            if decide(1 + size, yes, no, sign, int(abs(value) == size)):
                return -size if negative else size
            size += 1
        size += self._rest(lambda rest: tail(size + rest), abs(value) - size)
        return -size if negative else size

    def _rest(self, tail: Callable[[int], int], value: int) -> int:
        """Code what a magnitude is more than MAGNITUDES + 1, as the mixture says.

        `tail` tells the mass of what is at least so much more.
        """
        low, high = 0, 1
        for _ in range(LARGEST):
            mass = tail(low) - tail(high) + _LEAST * (high - low)
            if self._code(squash(logit(mass, tail(high) + _TAIL)), int(value < high)):
                break
            low, high = high, 2 * high + 1
        while high - low > 1:
            middle = (low + high) // 2
            upper = tail(middle) - tail(high) + _LEAST * (high - middle)
            lower = tail(low) - tail(middle) + _LEAST * (middle - low)
            if self._code(squash(logit(upper, lower)), int(value >= middle)):
                low = middle
            else:
                high = middle
        return low

    def _decide(
        self,
        told: int,
        slots: Sequence[tuple[int, ...]],
        mixed_by: tuple[int, ...],
        bit: int,
    ) -> int:
        """Code a decision of which the mixture has told a logit, and learn its outcome."""
        known = [self._offsets.get(slot, (0, 0)) for slot in slots]
        shares = [256 * 2 * count // (2 * count + 3) for _, count in known]
        x = [told]
        x += [offset * share >> 12 for (offset, _), share in zip(known, shares, strict=True)]
        weights = self._weights.setdefault(mixed_by, [ONE] + SLOTS * [_START])
        one = squash(sum((w >> 4) * value for w, value in zip(weights, x, strict=True)) >> 12)
        bit = self._code(one, bit)
        self._seen += 1
        error = ((bit << 16) - one) * self._rate >> 6
        for i, value in enumerate(x):
            moved = weights[i] + (value * error + (1 << 13) >> 14)
            weights[i] = min(max(moved, -_WEIGHT_LIMIT), _WEIGHT_LIMIT)
        for slot, (offset, count) in zip(slots, known, strict=True):
            error = (bit << 16) - squash(told + (offset >> 4))
            rate = max(640 // (2 * count + 3), 6)
            moved = offset + (error * rate + (1 << 9) >> 10)
            moved = min(max(moved, -_SLOT_LIMIT), _SLOT_LIMIT)
            self._offsets[slot] = moved, min(count + 1, _COUNT_LIMIT)
        return bit
