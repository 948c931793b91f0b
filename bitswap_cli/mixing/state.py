"""How bytes are coded: by which version, and the state in which they begin."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import COUNTS, INPUTS, LEVELS, STATES, STEP, STEPS, counters

SETS = 3
STEP_BITS, BYTE_BITS = 12, 14
_LEAST_BITS = 10  # of the number of buckets of a context
_KNOWN, _SURE, _OTHER = 14000, 3000, 8000  # weights of a slot's two inputs, and of others, at first

Array = NDArray[Any]


class Shape(NamedTuple):
    """Numbers in which versions differ, in the order in which the kernel is told them, int32."""

    bits: int
    """Of the number of buckets of a context; of a version, at most."""
    contexts: int
    """How many there are."""
    ways: int
    """Buckets among which a context's own one lies: 1 or 2."""
    rate: int
    """Of weights."""
    limit: int
    """Of the counts of what states of slots are worth, and of the bits so far."""
    refined: bool
    """Whether probabilities are refined by the last byte alone, too."""
    apt: bool
    """Whether some contexts are others where bytes look like text, or like records."""

    def of(self, size: int) -> Shape:
        """The shape for so many bytes."""
        fits = max((size - 1).bit_length() - 3, _LEAST_BITS)
        return self._replace(bits=min(fits, self.bits))


VERSIONS = {
    1: Shape(bits=17, contexts=13, ways=1, rate=18, limit=127, refined=False, apt=False),
    2: Shape(bits=18, contexts=14, ways=2, rate=64, limit=255, refined=True, apt=False),
    3: Shape(bits=18, contexts=14, ways=2, rate=64, limit=255, refined=True, apt=True),
}
NEWEST = 3


class State(NamedTuple):
    """What adapts, in the order in which the kernel is told it: counters, uint32, of 22 bits of
    probability over 10 of a count, and weights, int32."""

    slots: Array
    """What states of slots are worth: context, state."""
    partial: Array
    """The next bit: of the bits of the byte so far, behind a leading 1."""
    matched: Array
    """Whether a match is right: the class of its length."""
    steps: Array
    """Refinements of probabilities: a hash of two bytes and the bits so far, logit."""
    by_byte: Array
    """Likewise, of the second version: a hash of the last byte and the bits so far, logit."""
    by_match: Array
    """Sets of weights: class of the match's length, how many contexts are known."""
    by_partial: Array
    """Likewise: the bits of the byte so far."""
    by_last: Array
    """Likewise: the last byte."""
    sets: Array
    """Weights of the sets: whether there is a match."""


def begun(shape: Shape) -> State:
    """The state in which bytes begin."""
    contexts = shape.contexts
    levels = np.arange(LEVELS) * 4096 // LEVELS - 2048 + 85
    states = counters(np.tile(levels, contexts * COUNTS))
    ladder = counters(np.arange(STEPS) * STEP - LIMIT)
    weights = np.full(INPUTS, _OTHER, np.int32)
    weights[: 2 * contexts] = np.tile((_KNOWN, _SURE), contexts)
    by_match, by_partial, by_last = (np.tile(weights, (256, 1)) for _ in range(SETS))
    return State(
        states.reshape(contexts, STATES),
        counters(np.zeros(256, np.int64)),
        counters(np.zeros(32, np.int64)),
        np.tile(ladder, (1 << STEP_BITS, 1)),
        np.tile(ladder, (shape.refined << BYTE_BITS, 1)),
        by_match,
        by_partial,
        by_last,
        np.full((2, SETS), 65536 // SETS, np.int32),
    )
