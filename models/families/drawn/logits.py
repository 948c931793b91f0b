"""Tables of the logistic function, in exact integers: the same on every machine."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LIMIT = 2815  # of logits, in 1/256
REACH = 4096  # of the sigmoid of anchors, in 1/256
LEVELS = 24  # of probabilities that slots tell
COST_BITS = 12  # of the fraction of a cost in bits

_ONE = 1 << 62
_RATIO = 4593706758521714574  # 2^62 e^(-1/256), rounded
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


@cache
def tables() -> Tables:
    """Make the tables, once a process."""
    powers = [_ONE]  # e^(-i / 256)
    for _ in range(REACH):
        powers.append(powers[-1] * _RATIO >> 62)
    upper = [(_ONE << 33) // (_ONE + power) for power in powers]  # 2^33 sigmoid
    fine = np.array([(1 << 33) - v for v in upper[:0:-1]] + upper, np.int64)
    sigmoid = ((fine >> 16) + 1) >> 1
    near = fine[REACH - LIMIT : REACH + LIMIT + 1]
    middles = (2 * np.arange(1 << 16, dtype=np.int64) + 1) << 16
    logit = (np.searchsorted(near, middles, "right") - 1).clip(0) - LIMIT
    level = (logit[8::16] + 2048) * LEVELS >> 12
    return Tables(
        logit.astype(np.int16),
        sigmoid[REACH - LIMIT : REACH + LIMIT + 1].clip(1, 65535).astype(np.int32),
        sigmoid.astype(np.int32),
        level.clip(0, LEVELS - 1).astype(np.uint8),
        ((65536 * 10) // (10 * np.arange(1024) + 16)).astype(np.int32),
        np.array(_SLOT_RATES, np.int32),
        _costs(),
    )


def _costs() -> NDArray[np.int32]:
    """-log2((p + 1/2) / 4096) in 1/4096, bit by bit: squaring doubles a logarithm."""
    x = (2 * np.arange(4096, dtype=np.int64) + 1) << 17  # 2^30 stands for 1
    costs = np.zeros(4096, np.int64)
    while (small := x < 1 << 29).any():
        x[small] <<= 1
        costs[small] += 1
    x <<= 1  # in 1..2
    fraction = np.zeros(4096, np.int64)
    costs += 1
    for _ in range(COST_BITS):
        x = x * x >> 30
        doubled = x >= 1 << 31
        x[doubled] >>= 1
        fraction = 2 * fraction + doubled
    return ((costs << COST_BITS) - fraction).astype(np.int32)
