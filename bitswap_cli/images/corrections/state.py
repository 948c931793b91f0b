"""Where blocks of a picture lie, and what adapts while its corrections are coded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import COUNTS, INPUTS, LEVELS, STATES, STEP, STEPS, counters

CONTEXTS = 7
BLOCKS, PIXELS, NUMBERS, SUBJECTS = range(4)  # what is decided
NODES, CASES, SETS = 256, 64, 3
_KNOWN, _SURE, _OTHER = 8000, 1000, 8000  # weights of a slot's two inputs, and of others, at first
_SELDOM = -1000  # what speaks for a block's being wrong at first, in 1/256

Array = NDArray[Any]


class Grid(NamedTuple):
    """Where blocks lie."""

    top: int
    """Rows of the blocks that are above the picture."""
    left: int
    """Columns before it."""
    tall: int
    """Blocks that an MCU is tall."""
    wide: int
    """And wide."""
    linked: bool
    """Whether channels are red, green and blue, which differ alike."""


class State(NamedTuple):
    """What adapts, in the order in which the kernel is told it: counters, uint32, of 22 bits of
    probability over 10 of a count, and weights, int32."""

    states: Array
    """What states of slots are worth: subject, context, state."""
    alone: Array
    """What decisions are without more."""
    steps: Array
    """Refinements of probabilities: decision, logit."""
    by_node: Array
    """Sets of weights: decision."""
    by_near: Array
    """Likewise: subject, what is next to it."""
    by_place: Array
    """Likewise: subject, where it is."""
    sets: Array
    """Weights of the sets: decision."""


def begun() -> State:
    """The state in which corrections begin."""
    levels = np.arange(LEVELS) * 4096 // LEVELS - 2048 + 85
    states = counters(np.tile(levels, SUBJECTS * CONTEXTS * COUNTS))
    weights = np.full(INPUTS, _OTHER, np.int32)
    weights[: 2 * CONTEXTS] = np.tile((_KNOWN, _SURE), CONTEXTS)
    alone = np.zeros(NODES, np.int64)
    alone[0] = _SELDOM
    return State(
        states.reshape(SUBJECTS, CONTEXTS, STATES),
        counters(alone),
        np.tile(counters(np.arange(STEPS) * STEP - LIMIT), (NODES, 1)),
        np.tile(weights, (NODES, 1)),
        np.tile(weights, (SUBJECTS, CASES, 1)),
        np.tile(weights, (SUBJECTS, CASES, 1)),
        np.full((NODES, SETS), 65536 // SETS, np.int32),
    )
