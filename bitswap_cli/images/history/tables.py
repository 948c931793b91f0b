"""Quantization tables: the Independent JPEG Group's, mozjpeg's, Photoshop's, and what coefficients
say of theirs."""

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
# Photoshop's of luma and chroma in zigzag order, as Pillow's JpegPresets has them: for the web,
# from low to maximum, and others, likewise.
_PHOTOSHOP = (
    (
        "1410101912192717172732261f26322e262626262e3e35353535353e44414141"
        "4141414444444444444444444444444444444444444444444444444444444444",
        "151919201c2026181826362620263644362b2b36444444423542444444444444"
        "4444444444444444444444444444444444444444444444444444444444444444",
    ),
    (
        "100b0b0b0c0b100c0c10170f0d0f171b141010141b1f17171717171f1e171a1a"
        "1a1a171e1e23252725231e2f2f33332f2f404040404040404040404040404040",
        "110f0f1113111512121514111411141a141616141a261a1a1c1a1a2630231e1e"
        "1e1e23302b2e2727272e2b35353030353540403f404040404040404040404040",
    ),
    (
        "0604040405040605050609060506090b080606080b0c0a0a0b0a0a0c100c0c0c"
        "0c0c0c100c0e0f100f0e0c1313141413131c1b1b1b1c1f1f1f1f1f1f1f1f1f1f",
        "0707070d0c0d181010181a1511151a1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"
        "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
    ),
    (
        "0202020202020202020203020202030403020203040504040404040506050505"
        "050505060607070807070609090a0a09090c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "030303050405090606090d0b090b0d0f0e0e0e0e0f0f0c0c0c0c0c0f0f0c0c0c"
        "0c0c0c0f0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    ),
    (
        "0101010101010101010101010101010101010101010101010101010101010101"
        "0101010101010101010101020202020202020202020203030303030303030303",
        "0101010101010201010202020102020303030303030303030303030303030303"
        "0303030303030303030303030303030303030303030303030303030303030303",
    ),
    (
        "120e0e0e100e151010151e1311131e231a15151a2322171717171722110c0c0c"
        "0c0c0c110c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "1413131619161b17171b140e0e0e14140e0e0e0e14110c0c0c0c0c11110c0c0c"
        "0c0c0c110c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    ),
    (
        "0c08080809080c09090c110b0a0b11150f0c0c0f1518131315131318110c0c0c"
        "0c0c0c110c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "0d0b0b0d0e0d100e0e10140e0e0e14140e0e0e0e14110c0c0c0c0c11110c0c0c"
        "0c0c0c110c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    ),
    (
        "0604040405040605050609060506090b080606080b0c0a0a0b0a0a0c100c0c0c"
        "0c0c0c100c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "0707070d0c0d18101018140e0e0e14140e0e0e0e14110c0c0c0c0c11110c0c0c"
        "0c0c0c110c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    ),
    (
        "0202020202020202020203020202030403020203040504040404040506050505"
        "050505060607070807070609090a0a09090c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
        "030303050405090606090d0a090a0d0f0e0e0e0e0f0f0c0c0c0c0c0f0f0c0c0c"
        "0c0c0c0f0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    ),
)
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


@cache
def photoshops(chroma: bool) -> Steps:
    """Return Photoshop's, (9, 64)."""
    packed = b"".join(bytes.fromhex(own[chroma]) for own in _PHOTOSHOP)
    return np.frombuffer(packed, np.uint8).reshape(-1, 64).astype(np.int32)


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


def chromas_of(luma: Steps) -> list[Steps]:
    """Return the tables of chroma that go with one of luma; none if that is not known."""
    quality = quality_of(luma)
    if quality is not None:
        return [standard(chroma=True)[quality]]
    if (mozjpegs() == luma).all(1).any():
        return [luma]
    return list(photoshops(chroma=True)[(photoshops(chroma=False) == luma).all(1)])


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
    """Return the table, of the standard's, mozjpeg's and Photoshop's, that explains most, and its
    score."""
    tables = np.concatenate([photoshops(chroma), mozjpegs(), standard(chroma)])[::-1]
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
