"""What a decision's probability is made of: counters, slots, sets of weights, a refinement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import INPUTS, LEVELS, STEP, STEPS, tables

COUNTER_LIMIT = 127
WEIGHT_LIMIT = 4 * 65536 - 16
FRESH = 2048 << 4  # a slot that knows nothing
_MASK = (1 << 64) - 1


def clip(value: int, low: int, high: int) -> int:
    """A value, or the nearer of two bounds."""
    return min(max(value, low), high)


def mingle(a: int, b: int) -> int:
    """A hash of two integers of 32 bits: 32 bits."""
    h = (a * 0x9E3779B97F4A7C15 ^ b * 0xC2B2AE3D27D4EB4F) & _MASK
    h ^= h >> 29
    return (h * 0xBF58476D1CE4E5B9 & _MASK) >> 32


class Adaptive:
    """Counters and weights as lists, by their names, and what counts in them."""

    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.of = {name: array.ravel().tolist() for name, array in state.items()}
        known = tables()
        self.logit = known.logit.tolist()
        self.squashed = known.squashed.tolist()
        self.sigmoid = known.sigmoid.tolist()
        self._level = known.level.tolist()
        self._rate = known.rate.tolist()
        self._slot_rate = known.slot_rate.tolist()

    def teach(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Write the lists into arrays."""
        for name, array in state.items():
            array[:] = np.array(self.of[name], array.dtype).reshape(array.shape)

    def squash(self, logit: int) -> int:
        """A probability of 16 bits."""
        found: int = self.squashed[clip(logit, -LIMIT, LIMIT) + LIMIT]
        return found

    def chance(self, name: str, at: int) -> int:
        """The probability that a counter tells, of 16 bits."""
        found: int = self.of[name][at] >> 16
        return found

    def count(self, name: str, at: int, bit: int, limit: int = COUNTER_LIMIT) -> None:
        """Let a counter, 22 bits of probability over 10 of a count, learn."""
        n, p = self.of[name][at] & 1023, self.of[name][at] >> 10
        p += (((1 << 22) - 1 if bit else 0) - p) * self._rate[n] >> 16
        self.of[name][at] = p << 10 | min(n + 1, max(n, limit))

    def count_slot(self, slots: list[int], at: int, bit: int) -> None:
        """Let a slot, 12 bits of probability over 4 of a count, learn."""
        n, p = slots[at] & 15, slots[at] >> 4
        p += ((4095 if bit else 0) - p) * self._slot_rate[n] >> 16
        slots[at] = p << 4 | min(n + 1, 15)

    def state_of(self, slot: int) -> int:
        """What a slot says, as a number."""
        found: int = (slot & 15) * LEVELS + self._level[slot >> 4]
        return found


class Decision:
    """One decision: what is known of it, its probability, and what its outcome teaches.

    Parameters
    ----------
    adaptive : Adaptive
    width : int
        How many inputs there may be: INPUTS or half as many.
    haste : int
        Weights move 2^haste times as far.
    """

    def __init__(self, adaptive: Adaptive, width: int = INPUTS, haste: int = 0) -> None:
        self.adaptive = adaptive
        self._width, self._haste = width, haste
        self.inputs: list[int] = []
        self.limit = COUNTER_LIMIT
        """Of the counts of counters that take part."""
        self._counters: list[tuple[str, int]] = []
        self._slots: list[tuple[list[int], int]] = []
        self._steps: list[tuple[str, int]] = []

    def see(self, name: str, at: int) -> None:
        """Let a counter take part."""
        self._counters.append((name, at))
        self.inputs.append(self.adaptive.logit[self.adaptive.chance(name, at)])

    def see_slot(
        self, slots: list[int], at: int, name: str, first: int, *, twice: bool = True
    ) -> None:
        """Let a slot, and what slots in its state were worth so far, take part: by its logit, and
        by the probability as such, if it is heard `twice`."""
        counter = first + self.adaptive.state_of(slots[at])
        p, known = self.adaptive.chance(name, counter), slots[at] & 15
        self._slots.append((slots, at))
        self._counters.append((name, counter))
        heard = [self.adaptive.logit[p], (p - 32768) >> 5] if known else [0, 0]
        self.inputs += heard[: 1 + twice]

    def mix(
        self, sets: list[tuple[str, int]], of_sets: tuple[str, int], steps: tuple[str, int]
    ) -> int:
        """The probability of 1, of 16 bits."""
        a = self.adaptive
        self.inputs.append(256)
        self.inputs += [0] * (self._width - len(self.inputs))
        self._sets, self._of_sets = sets, of_sets
        self._outputs = []
        for name, at in sets:
            weights = a.of[name][at * self._width : (at + 1) * self._width]
            total = sum((w >> 4) * x for w, x in zip(weights, self.inputs, strict=True))
            self._outputs.append(clip(total >> 12, -LIMIT, LIMIT))
        name, at = of_sets
        weighed = sum(a.of[name][at + i] * x for i, x in enumerate(self._outputs))
        self._logit = clip(weighed >> 16, -LIMIT, LIMIT)
        self._mixed = a.squash(self._logit)
        return clip((3 * self._mixed + self.refine(*steps)) >> 2, 1, 65535)

    def refine(self, name: str, first: int) -> int:
        """A refinement: the probability that steps from `first` on tell for what was mixed."""
        place, over = divmod(self._logit + LIMIT, STEP)
        if place > STEPS - 2:
            place, over = STEPS - 2, STEP
        self._steps.append((name, first + place + (over > STEP // 2)))
        refined = self.adaptive.chance(name, first + place) * (STEP - over)
        refined += self.adaptive.chance(name, first + place + 1) * over
        return refined // STEP

    def learn(self, bit: int, rate: int) -> None:
        """Let all that took part learn the outcome."""
        a, target, bits = self.adaptive, bit << 16, 14 - self._haste
        error = (target - self._mixed) >> 5
        of_sets, first = a.of[self._of_sets[0]], self._of_sets[1]
        for i, ((name, at), output) in enumerate(zip(self._sets, self._outputs, strict=True)):
            moved = of_sets[first + i] + ((output * error + (1 << 13)) >> 14)
            of_sets[first + i] = clip(moved, -WEIGHT_LIMIT, WEIGHT_LIMIT)
            own, weights = (target - a.squash(output)) * rate >> 8, a.of[name]
            for k, x in enumerate(self.inputs, at * self._width):
                moved = weights[k] + ((x * own + (1 << (bits - 1))) >> bits)
                weights[k] = clip(moved, -WEIGHT_LIMIT, WEIGHT_LIMIT)
        for name, at in self._steps:
            a.count(name, at, bit)
        for name, at in self._counters:
            a.count(name, at, bit, self.limit)
        for slots, at in self._slots:
            a.count_slot(slots, at, bit)
