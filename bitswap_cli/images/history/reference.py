"""The decoder in numpy: coefficients -> pixels, as libjpeg's slow one makes them (docs/format.md).

The arithmetic is that of the Independent JPEG Group's `jidctint.c`, `jdsample.c` and `jdcolor.c`,
which libjpeg-turbo and mozjpeg keep to the bit.
"""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

ZIGZAG = np.array([
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
])  # fmt: skip
"""The place of each coefficient of a block, row by row."""


def _pass(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """One pass of the inverse DCT over the first axis, of eight."""
    even = (a[2] + a[6]) * 4433
    e2, e3 = even - a[6] * 15137, even + a[2] * 6270
    e0, e1 = (a[0] + a[4]) * 8192, (a[0] - a[4]) * 8192
    odd = (a[7] + a[3] + a[5] + a[1]) * 9633
    z1, z2 = (a[7] + a[1]) * -7373, (a[5] + a[3]) * -20995
    z3, z4 = (a[7] + a[3]) * -16069 + odd, (a[5] + a[1]) * -3196 + odd
    o0, o1 = a[7] * 2446 + z1 + z3, a[5] * 16819 + z2 + z4
    o2, o3 = a[3] * 25172 + z2 + z3, a[1] * 12299 + z1 + z4
    sums = [e0 + e3, e1 + e2, e1 - e2, e0 - e3]
    odds = [o3, o2, o1, o0]
    above = [s + o for s, o in zip(sums, odds, strict=True)]
    below = [s - o for s, o in zip(sums, odds, strict=True)]
    return np.stack(above + below[::-1])


def plane(blocks: NDArray[np.int16], steps: NDArray[np.int32]) -> Plane:
    """Return the samples, (8 rows, 8 columns), of blocks (rows, columns, 64) in zigzag order."""
    rows, columns, _ = blocks.shape
    ordered = np.empty((64, rows, columns), np.int64)
    ordered[ZIGZAG] = np.moveaxis(blocks * steps.astype(np.int64), 2, 0)
    between = (_pass(ordered.reshape(8, 8, rows, columns)) + 1024) >> 11
    done = (_pass(between.swapaxes(0, 1)) + 131072) >> 18  # (x, y, rows, columns)
    samples = np.clip(done + 128, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(samples.transpose(2, 1, 3, 0).reshape(8 * rows, 8 * columns))


def upsample(
    samples: Plane, height: int, width: int, vertical: int, horizontal: int, fancy: bool
) -> Plane:
    """Return the first (height, width) samples of a plane, so many times as high and wide.

    `fancy` interpolates linearly, as libjpeg does unless told otherwise; else samples are repeated.
    """
    own = samples[:height, :width].astype(np.int32)
    if horizontal == 1 or not fancy:
        return own.repeat(vertical, 0).repeat(horizontal, 1).astype(np.uint8)
    if vertical == 1:
        return _interlaced(own, 1, 2, 2)
    padded = np.pad(own, ((1, 1), (0, 0)), mode="edge")
    rows = np.stack((3 * own + padded[:-2], 3 * own + padded[2:]), 1)
    return _interlaced(rows.reshape(2 * height, width), 8, 7, 4)


def _interlaced(own: NDArray[np.int32], even: int, odd: int, bits: int) -> Plane:
    padded = np.pad(own, ((0, 0), (1, 1)), mode="edge")
    pair = (3 * own + padded[:, :-2] + even) >> bits, (3 * own + padded[:, 2:] + odd) >> bits
    return np.stack(pair, 2).reshape(len(own), -1).astype(np.uint8)


def colour(y: Plane, cb: Plane, cr: Plane) -> Plane:
    """Return red, green and blue, (H, W, 3), of luma and chroma (H, W)."""
    luma, blue, red = y.astype(np.int32), cb.astype(np.int32) - 128, cr.astype(np.int32) - 128
    channels = (
        luma + ((91881 * red + 32768) >> 16),
        luma + ((-22554 * blue - 46802 * red + 32768) >> 16),
        luma + ((116130 * blue + 32768) >> 16),
    )
    return np.stack([np.clip(c, 0, 255) for c in channels], 2).astype(np.uint8)


def mapped(tables: NDArray[np.int32], shift: int, y: Plane, blue: Plane, red: Plane) -> Plane:
    """Return red, green and blue, (H, W, 3), of luma and chroma (H, W) by tables of a map, as
    formats/lattice/maps.py has them."""
    own, blues, reds, of_blue, of_red = tables
    green = of_blue[blue] + of_red[red]
    channels = (own[y] + added >> shift for added in (reds[red], green, blues[blue]))
    return np.stack([np.clip(c, 0, 255) for c in channels], 2).astype(np.uint8)
