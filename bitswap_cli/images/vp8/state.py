"""What adapts while frames are coded, and how it begins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import INPUTS, STEP, STEPS, counters

CONTEXTS, SETS = 18, 3
EACH = 16  # decisions of a coefficient
OF_BLOCKS = 64 * EACH  # of all places in all types of blocks
NODES = OF_BLOCKS + 256
NEAR, PLACES = 1024, 2048  # sets of weights
_STATIC, _ALONE, _KNOWN = 24000, 8000, 6000  # weights at first

Array = NDArray[Any]


class State(NamedTuple):
    """What adapts, in the order in which the kernel is told it: counters, uint32, of 22 bits of
    probability over 10 of a count, and weights, int32. Counters of contexts know nothing."""

    alone: Array
    """What decisions are without more."""
    steps: Array
    """Refinements of probabilities: decision, logit."""
    by_node: Array
    """Sets of weights: decision."""
    by_near: Array
    """Likewise: how large coefficients next to it are."""
    by_place: Array
    """Likewise: what pixels next to it tell."""
    sets: Array
    """Weights of the sets: decision."""


def begun() -> State:
    """The state in which frames begin."""
    weights = np.zeros(INPUTS, np.int32)
    weights[:2] = _STATIC, _ALONE
    weights[2 : 2 + CONTEXTS] = _KNOWN
    return State(
        counters(np.zeros(NODES, np.int64)),
        np.tile(counters(np.arange(STEPS) * STEP - LIMIT), (NODES, 1)),
        np.tile(weights, (NODES, 1)),
        np.tile(weights, (NEAR, 1)),
        np.tile(weights, (PLACES, 1)),
        np.full((NODES, SETS), 65536 // SETS, np.int32),
    )
