"""p(statistics), fitted by least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Logistic, LogisticParameters
from bitswap_models.families.jpeg_vae.statistics import (
    INPUTS,
    KINDS,
    STATISTICS,
    WEIGHT_BITS,
    inputs_of,
)
from bitswap_models.training.jpeg.store import Store

RIDGE = 2.0
SCALES = range(30, 92, 2)  # that are tried


def fit(luma: Store, chroma: Store) -> dict[str, NDArray[np.int32]]:
    """Return weights and scales for `StatisticsPrior`, fitted to drawn planes."""
    weights = np.zeros((KINDS, 64, INPUTS), np.int32)
    scales = np.full((KINDS, 64), SCALES[-1], np.int32)
    own = luma.told()
    first, second = ([part[i::2] for part in chroma.told()] for i in range(2))  # Cb, Cr
    for kind, (known, steps), (before, steps_before) in (
        (0, own, (np.zeros_like(own[0]), own[1])),
        (1, first, (np.zeros_like(first[0]), first[1])),
        (2, second, first),
    ):
        if not len(known):
            continue
        for k in range(64):
            x = inputs_of(k, known, steps, before, steps_before).astype(np.float64)
            square = x.T @ x + RIDGE * np.eye(INPUTS)
            found = np.linalg.solve(square, x.T @ (16.0 * known[:, k]))
            weights[kind, k] = np.round(found * 2**WEIGHT_BITS).clip(-65536, 65536)
            mean = (x.astype(np.int64) * weights[kind, k]).sum(1) >> WEIGHT_BITS
            scales[kind, k] = min(SCALES, key=lambda s: _bits(mean, s, known[:, k]))  # noqa: B023
    return {"weights": weights, "scales": scales}


def _bits(mean: NDArray[np.int64], scale: int, x: NDArray[np.int32]) -> float:
    told = LogisticParameters(mean.astype(np.int32), np.full(len(mean), scale, np.int32))
    return float(Logistic(told, *STATISTICS).bits(x).sum())
