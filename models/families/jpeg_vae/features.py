"""What the network sees of a block: integers of its neighbours and of other components.

A block's neighbours are the left, top, top left and top right one; where there is none, zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_models.exact.products import product
from bitswap_models.families.jpeg_vae.tables import (
    BASIS_BITS,
    GRAY_BITS,
    STEP_BITS,
    signed,
    tables,
)

COEFFICIENT_MAX = 2047  # of a dequantized coefficient, beyond it is clipped
PIXEL_MAX = 8191  # of a pixel, in 1/8 gray
RECIPROCAL_BITS = 20
BORDER = 32  # pixels that predictors see: two columns to the left, two rows above
SHOWN = 60  # pixels that the network sees
SIGNED = 15  # coefficients of the left and top block of which it sees signs

LEFT, TOP, TOP_LEFT, TOP_RIGHT = range(4)
_PIXELS = np.arange(64).reshape(8, 8)
SHOWN_OF = (
    (LEFT, _PIXELS[:, 5:].T[::-1].ravel()),  # three columns, the nearest first
    (TOP, _PIXELS[5:][::-1].ravel()),  # three rows, the nearest first
    (TOP_LEFT, _PIXELS[6:, 6:].ravel()),
    (TOP_RIGHT, _PIXELS[6:, :4].ravel()),
)

Integers = NDArray[np.int32]
Bytes = NDArray[np.int8]


class Blocks(NamedTuple):
    """N blocks of one component, as the network sees them."""

    pixels: Bytes
    """(N, 60) around the block, less the mean of what touches it."""
    border: NDArray[np.int16]
    """(N, 32), those of them in 1/8 gray that predictors see."""
    mean: NDArray[np.int16]
    """(N,), that mean in 1/8 gray."""
    around: Bytes
    """(N, 4, 64), logarithms of the neighbours' coefficients, with signs; of DC 0."""
    near: Bytes
    """(N, 64), logarithms of their mean magnitudes."""
    flags: Bytes
    """(N, 8): the index of the last coefficient of each neighbour, and whether there is one."""


def reciprocals(steps: NDArray[np.integer]) -> NDArray[np.int64]:
    """2^20 / q of quantization steps."""
    q = np.maximum(steps.astype(np.int64), 1)
    return ((1 << RECIPROCAL_BITS) + (q >> 1)) // q


def log_steps(steps: NDArray[np.integer]) -> Integers:
    """Logarithms of quantization steps."""
    table = tables().step
    found: Integers = table[np.minimum(steps, len(table) - 1)]
    return found


def dequantized(x: NDArray[np.integer], steps: NDArray[np.integer]) -> Integers:
    """Coefficients in grays, clipped."""
    grays = x.astype(np.int32) * steps.astype(np.int32)  # at most 2^15 times 2^16 - 1
    return grays.clip(-COEFFICIENT_MAX, COEFFICIENT_MAX)


def in_steps(x: NDArray[np.integer], reciprocal: NDArray[np.int64]) -> Integers:
    """Coefficients in 1/16 gray -> in 1/16 of a step, clipped to 16 bits."""
    scaled = (x.astype(np.int64) * reciprocal) >> RECIPROCAL_BITS
    return scaled.clip(-32767, 32767).astype(np.int32)


def pixels_of(grays: Integers, which: NDArray[np.integer] | slice = slice(None)) -> Integers:
    """Dequantized coefficients (N, 64) -> pixels in 1/8 gray, clipped, (N, 64) or some of them."""
    sums = product(grays, tables().basis[:, which])
    shift = BASIS_BITS - GRAY_BITS
    return ((sums + (1 << (shift - 1))) >> shift).clip(-PIXEL_MAX, PIXEL_MAX).astype(np.int32)


def transformed(pixels: Integers) -> NDArray[np.int64]:
    """Pixels in 1/8 gray, (N, 64) -> coefficients in 1/16 gray."""
    return product(pixels, tables().basis.T) >> (BASIS_BITS + GRAY_BITS - STEP_BITS)


def last_of(x: NDArray[np.integer]) -> Integers:
    """Index of the last coefficient but DC that is not 0, or 0: (N, 64) -> (N,)"""
    some = x[..., 1:] != 0
    last = 63 - some[..., ::-1].argmax(-1)
    return np.where(some.any(-1), last, 0).astype(np.int32)


def of_blocks(
    around: NDArray[np.integer], there: NDArray[np.bool_], steps: NDArray[np.integer]
) -> Blocks:
    """Look at the neighbours of N blocks.

    Parameters
    ----------
    around : integer array (N, 4, 64)
        Coefficients of the neighbours, 0 where there is none.
    there : bool array (N, 4)
        Whether there is one.
    steps : integer array (64,) or (N, 64)
    """
    made = tables()
    seen = [
        np.where(there[:, i, None], pixels_of(dequantized(around[:, i], steps), which), 0)
        for i, which in SHOWN_OF
    ]
    left, top = there[:, LEFT], there[:, TOP]
    total = seen[0][:, :8].sum(1) * left + seen[1][:, :8].sum(1) * top
    shift = 2 + left.astype(np.int64) + top
    mean = np.where(left | top, (total + (1 << (shift - 1))) >> shift, 0)
    differences = [
        np.where(there[:, i, None], part - mean[:, None], 0)
        for part, (i, _) in zip(seen, SHOWN_OF, strict=True)
    ]
    logs = signed(made.log, around)
    logs[:, :, 0] = 0
    sums = np.abs(around.astype(np.int64)).clip(0, 255)
    weighed = (
        5 * (sums[:, LEFT] + sums[:, TOP]) + 3 * (sums[:, TOP_LEFT] + sums[:, TOP_RIGHT])
    ) >> 1
    near = signed(made.near, weighed)
    near[:, 0] = 0
    return Blocks(
        signed(made.gray, np.concatenate(differences, 1)),
        np.concatenate((differences[0][:, :16], differences[1][:, :16]), 1)
        .clip(-PIXEL_MAX, PIXEL_MAX)
        .astype(np.int16),
        mean.astype(np.int16),
        logs,
        near,
        np.concatenate((2 * last_of(around), 64 * there), 1).astype(np.int8),
    )


def neighbours(x: NDArray[np.integer]) -> tuple[Integers, NDArray[np.bool_]]:
    """Of all blocks of a component, (R, C, 64) -> around (R C, 4, 64), there (R C, 4)."""
    rows, columns, _ = x.shape
    padded = np.zeros((rows + 1, columns + 2, 64), np.int32)
    padded[1:, 1:-1] = x
    known = np.zeros((rows + 1, columns + 2), bool)
    known[1:, 1:-1] = True
    places = ((1, 0), (0, 1), (0, 0), (0, 2))
    parts = [padded[y : y + rows, z : z + columns] for y, z in places]
    flags = [known[y : y + rows, z : z + columns] for y, z in places]
    return np.stack(parts, 2).reshape(-1, 4, 64), np.stack(flags, 2).reshape(-1, 4)


def colocated(
    luma: Integers, sampling: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Luma where another component's blocks are, as coefficients in 1/16 gray, (R C, 64).

    Parameters
    ----------
    luma : int32 array (R', C', 64)
        Dequantized.
    sampling : (int, int)
        How many rows and columns of luma's pixels one of the component's covers.
    shape : (int, int)
        R and C.
    """
    rows, columns = shape
    down, across = sampling
    r, c, _ = luma.shape
    plane = pixels_of(luma.reshape(-1, 64)).reshape(r, c, 8, 8).swapaxes(1, 2).reshape(8 * r, 8 * c)
    high, wide = 8 * rows * down, 8 * columns * across
    plane = np.pad(plane, ((0, max(0, high - 8 * r)), (0, max(0, wide - 8 * c))), "edge")
    boxes = np.zeros((8 * rows, 8 * columns), np.int32)
    for y, x in np.ndindex(down, across):
        boxes += plane[y:high:down, x:wide:across]
    boxes //= down * across
    cut = boxes.reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 64)
    return transformed(cut)


def companded(coefficients: NDArray[np.integer], reciprocal: NDArray[np.int64]) -> Bytes:
    """Coefficients in 1/16 gray -> logarithms of them in steps, with signs; of DC 0."""
    logs = signed(tables().fine, in_steps(coefficients, reciprocal))
    logs[..., 0] = 0
    return logs


def statistics_of(x: NDArray[np.integer]) -> NDArray[np.int8]:
    """Thirds of octaves of the mean magnitude of each coefficient, (R, C, 64) -> (64,)."""
    blocks = x.reshape(-1, 64)
    sums = np.abs(blocks.astype(np.int32)).sum(0, dtype=np.int64)
    return np.array([_thirds(int(s), len(blocks)) for s in sums], np.int8)


STATISTIC_MIN, STATISTIC_MAX = -30, 31


def _thirds(total: int, count: int) -> int:
    """3 log2(total / count), rounded down: the largest t with total^3 >= 2^t count^3."""
    if not total:
        return STATISTIC_MIN
    a, b = total**3, count**3
    t = a.bit_length() - b.bit_length()
    if (a << max(0, -t)) < (b << max(0, t)):
        t -= 1
    return min(max(t, STATISTIC_MIN), STATISTIC_MAX)
