"""p(statistics), fitted by least squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Logistic, LogisticParameters
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.families.jpeg_vae.statistics import (
    INPUTS,
    KINDS,
    STATISTICS,
    WEIGHT_BITS,
    inputs_of,
)

RIDGE = 2.0
SCALES = range(30, 92, 2)  # that are tried


def fit(files: Sequence[Sequence[Plane]]) -> dict[str, NDArray[np.int32]]:
    """Return weights and scales for `StatisticsPrior`, fitted to the planes of files."""
    weights = np.zeros((KINDS, 64, INPUTS), np.int32)
    scales = np.full((KINDS, 64), SCALES[-1], np.int32)
    for kind in range(KINDS):
        told = [_seen(planes, kind) for planes in files if kind == 0 or len(planes) > 2]
        if not told:
            continue
        known, steps, before, steps_before = (np.stack(part) for part in zip(*told, strict=True))
        for k in range(64):
            x = inputs_of(k, known, steps, before, steps_before).astype(np.float64)
            square = x.T @ x + RIDGE * np.eye(INPUTS)
            found = np.linalg.solve(square, x.T @ (16.0 * known[:, k]))
            weights[kind, k] = np.round(found * 2**WEIGHT_BITS).clip(-65536, 65536)
            mean = (x.astype(np.int64) * weights[kind, k]).sum(1) >> WEIGHT_BITS
            scales[kind, k] = min(SCALES, key=lambda s: _bits(mean, s, known[:, k]))  # noqa: B023
    return {"weights": weights, "scales": scales}


def _seen(planes: Sequence[Plane], kind: int) -> tuple[NDArray[np.int32], ...]:
    """Statistics and logarithms of steps of a plane, and of the one before."""
    mine, before = planes[kind], planes[kind - 1] if kind == 2 else None
    own = (mine.statistics.astype(np.int32), mine.logs.astype(np.int32))
    if before is None:
        return (*own, np.zeros_like(own[0]), own[1])
    return (*own, before.statistics.astype(np.int32), before.logs.astype(np.int32))


def _bits(mean: NDArray[np.int64], scale: int, x: NDArray[np.int32]) -> float:
    told = LogisticParameters(mean.astype(np.int32), np.full(len(mean), scale, np.int32))
    return float(Logistic(told, *STATISTICS).bits(x).sum())
