"""The logistic function and logarithms in exact integers: the same on every machine."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

LIMIT = 2815  # of logits, in 1/256
MANTISSAS = 1024  # of the logarithm's table
COST_BITS = 12  # of the fraction of a cost in bits

_ONE = 1 << 62
_RATIO = 4593706758521714574  # 2^62 e^(-1/256), rounded


def fine_sigmoid(reach: int) -> NDArray[np.int64]:
    """2^33 / (1 + e^(-i / 256)) rounded down, i from -reach on: (2 reach + 1,)"""
    powers = [_ONE]  # e^(-i / 256)
    for _ in range(reach):
        powers.append(powers[-1] * _RATIO >> 62)
    upper = [(_ONE << 33) // (_ONE + power) for power in powers]
    return np.array([(1 << 33) - v for v in upper[:0:-1]] + upper, np.int64)


@cache
def squashed() -> NDArray[np.int32]:
    """Probabilities of 16 bits, 1..65535, of logits from -LIMIT on: (2 LIMIT + 1,)"""
    found: NDArray[np.int32] = (((fine_sigmoid(LIMIT) >> 16) + 1) >> 1).clip(1, 65535)
    return found.astype(np.int32)


@cache
def mantissas() -> NDArray[np.int32]:
    """256 ln(1 + i / 1024), rounded, (1024,)."""
    with localcontext() as context:
        context.prec = 40
        logs = [256 * (1 + Decimal(i) / MANTISSAS).ln() for i in range(MANTISSAS)]
        return np.array([int(log.to_integral_value()) for log in logs], np.int32)


@cache
def costs() -> NDArray[np.int32]:
    """-log2((p + 1/2) / 4096) of probabilities of 12 bits, in 1/4096, (4096,)."""
    # bit by bit: squaring doubles a logarithm
    x = (2 * np.arange(4096, dtype=np.int64) + 1) << 17  # 2^30 stands for 1
    whole = np.zeros(4096, np.int64)
    while (small := x < 1 << 29).any():
        x[small] <<= 1
        whole[small] += 1
    x <<= 1  # in 1..2
    fraction = np.zeros(4096, np.int64)
    whole += 1
    for _ in range(COST_BITS):
        x = x * x >> 30
        doubled = x >= 1 << 31
        x[doubled] >>= 1
        fraction = 2 * fraction + doubled
    return ((whole << COST_BITS) - fraction).astype(np.int32)
