"""Tables of the logistic function, in exact integers: the same on every machine."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.mixing.logits import LIMIT, costs, fine_sigmoid, squashed

REACH = 4096  # of the sigmoid of anchors, in 1/256
COUNTS, LEVELS = 16, 24  # of slots, and of the probabilities that they tell
STATES = COUNTS * LEVELS
INPUTS = 32  # of a set of weights
STEPS = 33  # of a refinement
STEP = 2 * LIMIT // (STEPS - 1)

_LOCK = Lock()
_SLOT_RATES = (
    32768, 24000, 18000, 14500, 12000, 10500, 9300, 8400,
    7600, 7000, 6400, 6000, 5600, 5200, 4900, 4600,
)  # fmt: skip


class Tables(NamedTuple):
    """Read only, in the order in which the kernel is told them."""

    logit: NDArray[np.int16]
    """256 ln(p / (1 - p)) of probabilities of 16 bits, rounded down, (65536,)."""
    squashed: NDArray[np.int32]
    """The inverse, from -LIMIT on, 1..65535, (2 LIMIT + 1,)."""
    sigmoid: NDArray[np.int32]
    """2^16 / (1 + e^(-i / 256)), i from -REACH on, (2 REACH + 1,)."""
    level: NDArray[np.uint8]
    """Of probabilities of 12 bits, 0..LEVELS-1, (4096,)."""
    rate: NDArray[np.int32]
    """What share of the way, in 1/65536, a counter goes at its n-th time, (1024,)."""
    slot_rate: NDArray[np.int32]
    """Likewise a slot, (16,)."""
    cost: NDArray[np.int32]
    """-log2 of probabilities of 12 bits, in 1/4096, (4096,)."""


def tables() -> Tables:
    """Return the tables, the same ones in a process: kernels know where they lie."""
    with _LOCK:  # `cache` has two threads make two of them
        return _made()


def counters(logits: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Counters of probabilities, that have not counted yet."""
    found: NDArray[np.uint32] = tables().squashed[logits + LIMIT].astype(np.uint32) << np.uint32(16)
    return found


@cache
def _made() -> Tables:
    fine = fine_sigmoid(REACH)
    sigmoid = ((fine >> 16) + 1) >> 1
    near = fine[REACH - LIMIT : REACH + LIMIT + 1]
    middles = (2 * np.arange(1 << 16, dtype=np.int64) + 1) << 16
    logit = (np.searchsorted(near, middles, "right") - 1).clip(0) - LIMIT
    level = (logit[8::16] + 2048) * LEVELS >> 12
    return Tables(
        logit.astype(np.int16),
        squashed(),
        sigmoid.astype(np.int32),
        level.clip(0, LEVELS - 1).astype(np.uint8),
        ((65536 * 10) // (10 * np.arange(1024) + 16)).astype(np.int32),
        np.array(_SLOT_RATES, np.int32),
        costs(),
    )
