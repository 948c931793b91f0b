"""What adapts while pictures are coded: counters and weights, and where a chunk begins.

A counter is a probability of 22 bits over a count of 10. The model's file holds those that begin
with what training taught them, in 8 bits: logits in 1/11.6, weights in 1/32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import COUNTS, INPUTS, LEVELS, STEP, STEPS, tables
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.drawn.config import Config

SOURCES, ROLES, CONFIDENCES = 20, 3, 32
CHANNELS, CANDIDATES, SETS = 4, 8, 3
COLOURS = 256  # of a palette, at most
COLOUR_CONTEXTS, ANCHORS, AGREEMENTS = 4, 6, 2
AGREED, ACTIVITIES = 81 * 16 * 8, 64

LOGIT_UNIT = 22  # of stored logits, in 1/256
WEIGHT_BITS = 11  # stored weights are in 1/32, the others in 1/65536
SCALE_BITS = 8  # stored scales are in 1/256
_BEGUN, _BEGUN_FLAT = 3, 60  # how often counters have counted where a chunk begins


Array = NDArray[Any]
"""Of uint32 if it holds counters or scales, of int32 if weights."""


class State(NamedTuple):
    """The arrays of one chunk, changed in place, in the order in which the kernel is told them."""

    flat: Array
    """Whether a flat area ends: says of the place, its run, of what is ahead, channels."""
    hit: Array
    """Whether a candidate is right: source, its role, its confidence."""
    right: Array
    """Whether a source is right: source, its confidence."""
    colour_slots: Array
    """What states of slots are worth: context, count, level."""
    value_slots: Array
    """Likewise: context, channel, count, level."""
    agree: Array
    """The next bit, given what four known values say of it."""
    scale: Array
    """Mean errors of anchors, in 1/65536: anchor, channel, activity."""
    colour_steps: Array
    """Refinements of probabilities: sources, logit."""
    value_steps: Array
    """Likewise: channel, bits so far, logit."""
    colour_by_rank: Array
    """Sets of weights: channels, rank."""
    colour_by_sources: Array
    """Likewise: the pattern of sources that agree."""
    value_by_bit: Array
    """Likewise: channels, channel, bit."""
    value_by_prefix: Array
    """Likewise: channel, bits so far."""
    value_by_activity: Array
    """Likewise: channel, activity, how well these channels' values are known."""
    colour_sets: Array
    """Weights of the sets: rank."""
    value_sets: Array
    """Likewise: channel, bit."""

    def copy(self) -> State:
        """Arrays of their own."""
        return State(*(array.copy() for array in self))

    def become(self, other: State) -> None:
        """Let the arrays hold what another's do."""
        for own, its in zip(self, other, strict=True):
            np.copyto(own, its)


STORED = (
    "flat", "hit", "right", "colour_slots", "value_slots", "scale", "colour_steps",
    "colour_by_rank", "colour_by_sources", "value_by_bit", "value_by_activity",
    "colour_sets", "value_sets",
)  # fmt: skip
"""What the file holds; the others begin alike for every model, as training gains nothing there."""


def untrained(config: Config) -> State:
    """The state in which training begins."""
    ladder = np.arange(STEPS) * STEP - LIMIT
    levels = np.arange(LEVELS) * 4096 // LEVELS - 2048 + 85
    states = np.where(np.arange(COUNTS)[:, None] > 0, levels, 0).reshape(-1)
    colours = _weights(INPUTS, (8000, SOURCES), (6000, 2 * COLOUR_CONTEXTS))
    contexts, inputs = config.contexts, config.numbers.inputs
    heard = (11000, contexts) if config.numbers.few else (6000, 2 * contexts)
    values = _weights(inputs, (12000, ANCHORS), heard, (6000, AGREEMENTS), (20000, 1))
    return State(
        np.full((3 * 16, 2, 2), 4000 << 10, np.uint32),
        np.full((SOURCES, ROLES, CONFIDENCES), 1 << 31, np.uint32),
        np.full((SOURCES, CONFIDENCES), 1 << 31, np.uint32),
        _spread(_counters(states, 0), COLOUR_CONTEXTS),
        _spread(_counters(states, 0), config.contexts, CHANNELS),
        np.full((AGREEMENTS, CHANNELS, AGREED), 1 << 31, np.uint32),
        np.full((ANCHORS, CHANNELS, ACTIVITIES), 8 << 16, np.uint32),
        _spread(_counters(ladder, 0), 1024),
        _spread(_counters(ladder, 0), CHANNELS, 256),
        _spread(colours, CHANNELS, CANDIDATES),
        _spread(colours, 1024),
        _spread(values, CHANNELS, CHANNELS, 8),
        _spread(values, CHANNELS, 256),
        _spread(values, CHANNELS, 3, COUNTS),
        np.full((CANDIDATES, SETS), 65536 // 2, np.int32),
        np.full((CHANNELS, 8, SETS), 65536 // 3, np.int32),
    )


def loaded(config: Config, stored: Stored) -> State:
    """The state in which a chunk begins, as a model's file tells it."""
    begun = untrained(config)
    return begun._replace(
        **{name: _load(name, stored, getattr(begun, name).shape) for name in STORED}
    )


def saved(state: State) -> dict[str, Array]:
    """What a model's file holds of a state, by names."""
    return {name: _save(name, getattr(state, name)) for name in STORED}


def _load(name: str, stored: Stored, shape: tuple[int, ...]) -> Array:
    if name == "scale":
        scales: NDArray[np.uint32] = stored.integers(name, shape, np.uint16).astype(np.uint32)
        return scales << SCALE_BITS
    values = stored.integers(name, shape, np.int8).astype(np.int32)
    if name.endswith(("_by_rank", "_by_sources", "_by_bit", "_by_activity", "_sets")):
        return values << WEIGHT_BITS
    return _counters(values * LOGIT_UNIT, _BEGUN_FLAT if name == "flat" else _BEGUN)


def _save(name: str, array: Array) -> Array:
    if name == "scale":
        return (array >> SCALE_BITS).clip(0, 65535).astype(np.uint16)
    if array.dtype == np.int32:
        return ((array + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS).clip(-127, 127).astype(np.int8)
    logits = tables().logit[array >> 16].astype(np.int32)
    units: Array = ((logits + LOGIT_UNIT // 2) // LOGIT_UNIT).clip(-127, 127).astype(np.int8)
    return units


def _counters(logits: Array, begun: int) -> NDArray[np.uint32]:
    """Counters of these probabilities, that have counted so often."""
    squashed = tables().squashed[logits.clip(-LIMIT, LIMIT) + LIMIT].astype(np.uint32)
    found: NDArray[np.uint32] = squashed << np.uint32(16) | np.uint32(begun)
    return found


def _spread(row: Array, *shape: int) -> Array:
    """Copies of a row."""
    return np.tile(row, (*shape, 1))


def _weights(inputs: int, *values: tuple[int, int]) -> NDArray[np.int32]:
    """A set of weights: each value so many times; that of what is always 1, and the rest, are 0."""
    row = np.zeros(inputs, np.int32)
    own = np.repeat(*np.array(values).T)
    row[: len(own)] = own
    return row
