"""p(statistics): what a picture's statistics cost, each told by those before it.

A statistic is the logarithm of a coefficient's mean magnitude in quantization steps (features.py).
Its mean is linear in those of the three neighbours at lower frequencies, in that of the component
before, and in how the quantization steps differ from theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import SCALE_LEVELS, LogisticParameters
from bitswap_cli.contract import Alphabet
from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.jpeg_vae.features import STATISTIC_MAX, STATISTIC_MIN, Integers
from bitswap_models.families.jpeg_vae.tables import zigzag

KINDS = 3  # luma; Cb; Cr
INPUTS = 9  # three neighbours and the component before, twice each, and 1
WEIGHT_BITS = 8  # weights are in 1/16 of a statistic by 2^-8
STATISTICS = Alphabet(STATISTIC_MIN, STATISTIC_MAX)
_WEIGHT_MAX = 1 << 16


@cache
def _neighbours() -> NDArray[np.int64]:
    """(64, 3): places of the left, upper and upper left coefficient, -1 where there is none."""
    cells = zigzag()
    at = {cell: k for k, cell in enumerate(cells)}
    steps = ((0, -1), (-1, 0), (-1, -1))
    return np.array([[at.get((v + y, u + x), -1) for y, x in steps] for v, u in cells])


def inputs_of(
    k: int, known: Integers, steps: Integers, before: Integers, steps_before: Integers
) -> Integers:
    """What statistic k is told by: (N, 64) each -> (N, 9).

    `known` are the statistics, of which earlier ones are looked at, `steps` the logarithms of the
    quantization steps; `before` and `steps_before` those of the component before.
    """
    columns: list[NDArray[np.integer]] = []
    for j in _neighbours()[k]:
        there = [known[:, j], steps[:, k] - steps[:, j]]
        columns += there if j >= 0 else [np.zeros_like(part) for part in there]
    columns += [before[:, k], steps[:, k] - steps_before[:, k], np.ones_like(known[:, k])]
    return np.stack(columns, 1).astype(np.int32)


class StatisticsPrior:
    """The distributions; raises ModelError where its tensors are none."""

    def __init__(self, stored: Stored) -> None:
        self.weights = stored.integers("weights", (KINDS, 64, INPUTS))
        self.scales = stored.integers("scales", (KINDS, 64))
        sound = np.abs(self.weights).max() <= _WEIGHT_MAX and self.scales.min() >= 0
        if not sound or self.scales.max() >= SCALE_LEVELS:
            raise ModelError("the distributions of statistics are none: the model file is damaged")

    def walk(
        self,
        kind: int,
        steps: Integers,
        before: tuple[Integers, Integers],
        code: Callable[[int, LogisticParameters], Integers],
    ) -> Integers:
        """Ask `code` for one statistic of N components after the other; returns all, (N, 64)."""
        known = np.zeros_like(steps)
        for k in range(64):
            x = inputs_of(k, known, steps, *before)
            mean = (x.astype(np.int64) * self.weights[kind, k]).sum(1) >> WEIGHT_BITS
            scale = np.full(len(x), self.scales[kind, k], np.int32)
            known[:, k] = code(k, LogisticParameters(mean.astype(np.int32), scale))
        return known
