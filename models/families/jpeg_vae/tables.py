"""Integer tables of the JPEG VAE: cosines, and what makes 8-bit inputs of large numbers.

They are part of the model: `TABLES_SHA256` pins them, so that no machine's math library decides.
All coefficients are in zigzag order; grays are those of samples less 128.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BASIS_BITS = 11  # fraction bits of the cosine transform
GRAY_BITS = 3  # pixels are in 1/8 gray
STEP_BITS = 4  # predictions are in 1/16 of a quantization step
INPUT_MAX = 127  # of what networks see
TABLES_SHA256 = "039678b4726b3dde9f94d3615c6a317b31a67605e8b6d2a62c3b6098889f151b"

Integers = NDArray[np.int32]


class Tables(NamedTuple):
    """See the module; all int32 and read-only."""

    basis: Integers
    """(64, 64): 2^11 times what a coefficient of 1 adds to each of the 8x8 pixels of its block."""
    log: Integers
    """(128,): logarithm of 1 + m; 127 for m = 127."""
    fine: Integers
    """(2033,): the same of 1 + m / 16."""
    near: Integers
    """(1024,): logarithm of 1 + m; 127 for m = 1023."""
    gray: Integers
    """(2048,): inverse hyperbolic sine of m / 16; 127 for m = 2047."""
    rest: Integers
    """(64,): logarithm of 1 + m; 127 for m = 63."""
    step: Integers
    """(65536,): 8 times the binary logarithm of a quantization step, at most 127."""


def zigzag() -> list[tuple[int, int]]:
    """Rows and columns of the coefficients of a block, in zigzag order."""
    cells = [(v, u) for v in range(8) for u in range(8)]
    return sorted(cells, key=lambda c: (sum(c), c[0] if sum(c) % 2 else c[1]))


def _cosine(frequency: int, place: int) -> float:
    norm = math.sqrt(1 / 8) if frequency == 0 else 0.5
    return norm * math.cos((2 * place + 1) * frequency * math.pi / 16)


def _logs(count: int, unit: float, peak: float) -> list[int]:
    return [
        round(peak / math.log2(1 + (count - 1) / unit) * math.log2(1 + m / unit))
        for m in range(count)
    ]


@cache
def tables() -> Tables:
    """Build the tables, the same object on every call; RuntimeError unless they are as pinned."""
    cells = [(y, x) for y in range(8) for x in range(8)]
    basis = [
        [round(2**BASIS_BITS * _cosine(v, y) * _cosine(u, x)) for y, x in cells]
        for v, u in zigzag()
    ]
    peak = INPUT_MAX / math.asinh(2047 / 16)
    gray = [round(peak * math.asinh(m / 16)) for m in range(2048)]
    logs = _logs(128, 1, 127), _logs(2033, 16, 127), _logs(1024, 1, 127)
    step = np.round(8 * np.log2(np.maximum(np.arange(1 << 16), 1))).clip(0, INPUT_MAX)
    made = Tables(*(np.array(t, np.int32) for t in (basis, *logs, gray, _logs(64, 1, 127), step)))
    for table in made:
        table.flags.writeable = False
    digest = hashlib.sha256(b"".join(t.astype("<i4").tobytes() for t in made)).hexdigest()
    if digest != TABLES_SHA256:
        raise RuntimeError("the tables of the JPEG VAE differ from those it was trained with")
    return made


def signed(table: Integers, x: NDArray[np.integer]) -> NDArray[np.int8]:
    """Look up magnitudes, beyond the table's end its last entry, and keep signs."""
    found = table[np.minimum(np.abs(x.astype(np.int64)), len(table) - 1)]
    return np.where(x < 0, -found, found).astype(np.int8)
