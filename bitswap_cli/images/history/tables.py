"""Quantization tables: the Independent JPEG Group's, mozjpeg's, and what coefficients say of
theirs."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.reference import ZIGZAG

# ITU-T T.81, tables K.1 and K.2, row by row.
_LUMA = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]  # fmt: skip
_CHROMA = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, *[99] * 38,
]  # fmt: skip
# What mozjpeg takes by default, of luma and of chroma (N. Robidoux's).
_MOZJPEG = [
    16, 16, 16, 18, 25, 37, 56, 85, 16, 17, 20, 27, 34, 40, 53, 75, 16, 20, 24, 31, 43, 62, 91, 135,
    18, 27, 31, 40, 53, 74, 106, 156, 25, 34, 43, 53, 69, 94, 131, 189, 37, 40, 62, 74, 94, 124,
    169, 238, 56, 53, 91, 106, 131, 169, 226, 311, 85, 75, 135, 156, 189, 238, 311, 418,
]  # fmt: skip
Steps = NDArray[np.int32]

_FAR = 128  # sixteenths; what is farther from a multiple is as good as that
SCALE = 256  # of scores: a nat


@cache
def standard(chroma: bool) -> Steps:
    """Return the tables that libjpeg makes of the standard's, of qualities 0 (as 1) to 100, each in
    zigzag order, (101, 64)."""
    return _scaled(_CHROMA if chroma else _LUMA)


@cache
def mozjpegs() -> Steps:
    """Return the tables that mozjpeg makes of its own, likewise."""
    return _scaled(_MOZJPEG)


def _scaled(table: list[int]) -> Steps:
    base = np.array(table, np.int64)[ZIGZAG]
    quality = np.maximum(np.arange(101), 1)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    steps: NDArray[np.int64] = (base * scale[:, None] + 50) // 100
    return steps.clip(1, 255).astype(np.int32)


def quality_of(steps: Steps, chroma: bool = False) -> int | None:
    """Return the quality that libjpeg has a table for; None if there is none."""
    found = np.nonzero((standard(chroma) == steps).all(1))[0]
    return int(found[-1]) if len(found) else None


def chroma_of(luma: Steps) -> Steps | None:
    """Return the table of chroma that goes with one of luma; None if that is not known."""
    quality = quality_of(luma)
    if quality is not None:
        same: Steps = standard(chroma=True)[quality]
        return same
    return luma if (mozjpegs() == luma).all(1).any() else None


@cache
def likelihoods(spread: float, tail: float) -> NDArray[np.int32]:
    """Return the table that `Searcher.comb` asks for: how much likelier a coefficient is under a
    step than under none, by its distance to the step's next multiple.

    Errors are a mixture of normal ones: `spread` is the deviation of most, `tail` that of a fifth.
    """
    rows = np.zeros((256, _FAR + 1), np.int32)
    near = [0.8 * _normal(d / 16, spread) + 0.2 * _normal(d / 16, tail) for d in range(_FAR + 1)]
    for step in range(2, 256):
        rows[step] = [round(SCALE * math.log(step * p + 0.01)) for p in near]
    return rows


def _normal(x: float, spread: float) -> float:
    return math.exp(-x * x / (2 * spread * spread)) / (spread * math.sqrt(2 * math.pi))


def evidence(scores: NDArray[np.int64]) -> int:
    """Return how much speaks for there being steps at all: of each place the best one's score, but
    no more than 100 nats."""
    best = scores[1:, 2:].max(1)
    return int(np.clip(best, 0, 100 * SCALE).sum()) // SCALE


def score(scores: NDArray[np.int64], steps: Steps) -> int:
    """Return how much a table explains."""
    return int(scores[np.arange(64), steps].sum())


def best_known(scores: NDArray[np.int64], chroma: bool) -> tuple[Steps, int]:
    """Return the table, of the standard's and mozjpeg's, that explains most, and its score."""
    tables = np.concatenate([mozjpegs(), standard(chroma)])[::-1]
    told = scores[np.arange(64), tables].sum(1)
    best = int(told.argmax())
    return tables[best], int(told[best])


def free(scores: NDArray[np.int64], count: NDArray[np.int64]) -> tuple[Steps, int]:
    """Return the steps that explain most, each of its place alone, and their score.

    Parameters
    ----------
    scores : array (64, 256)
    count : array (64,)
        How many coefficients speak at each place; where few do, steps near those of the neighbours
        are preferred.
    """
    steps = scores.argmax(1)
    steps[scores.max(1) <= 0] = 1
    sure = count >= 8
    told = score(scores, steps)
    rows, columns = ZIGZAG // 8, ZIGZAG % 8
    for k in np.nonzero(~sure)[0]:
        near = [
            j for j in np.nonzero(sure)[0]
            if abs(rows[j] - rows[k]) + abs(columns[j] - columns[k]) <= 2
        ]  # fmt: skip
        twin = np.nonzero((rows == columns[k]) & (columns == rows[k]))[0][0]
        others = steps[near] if near else steps[sure]
        guess = steps[twin] if sure[twin] else others.max(initial=1)
        prior = -3 * SCALE * np.abs(np.log(np.maximum(np.arange(256), 1) / guess))
        total = scores[k] + prior
        total[0] = -np.inf
        steps[k] = int(total.argmax())
    return steps.astype(np.int32), told
