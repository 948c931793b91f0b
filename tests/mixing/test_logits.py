"""Tables of the logistic function and of logarithms."""

import numpy as np

from bitswap_cli.mixing.logits import (
    COST_BITS,
    LIMIT,
    MANTISSAS,
    costs,
    fine_sigmoid,
    mantissas,
    squashed,
)


def test_probabilities_are_those_of_logits() -> None:
    x = np.arange(-LIMIT, LIMIT + 1) / 256
    assert np.abs(squashed() - 65536 / (1 + np.exp(-x))).max() <= 1
    assert squashed().min() == 1
    assert squashed().max() == 65535
    assert np.abs(fine_sigmoid(LIMIT) / 2**33 - 1 / (1 + np.exp(-x))).max() < 2**-32


def test_logarithms_are_rounded() -> None:
    assert np.abs(mantissas() - 256 * np.log1p(np.arange(MANTISSAS) / MANTISSAS)).max() <= 0.5


def test_costs_are_bits() -> None:
    expected = -np.log2((np.arange(4096) + 0.5) / 4096)
    assert np.abs(costs() / 2**COST_BITS - expected).max() < 2 / 2**COST_BITS
