"""The decoders in numpy: coefficients -> pixels, as programs make them (docs/format.md).

The arithmetic is that of the Independent JPEG Group's `jidctint.c`, `jidctfst.c`, `jdsample.c` and
`jdcolor.c`, which libjpeg-turbo and mozjpeg keep to the bit; and of FFmpeg's `simple_idct`.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

ZIGZAG = np.array([
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
])  # fmt: skip
"""The place of each coefficient of a block, row by row."""


class Method(IntEnum):
    """An inverse DCT."""

    SLOW = 0
    """libjpeg's by default."""
    FAST = 1
    """libjpeg's `JDCT_IFAST`."""
    SIMPLE = 2
    """FFmpeg's."""


FAST_SCALES = np.array([
    16384, 22725, 21407, 19266, 16384, 12873, 8867, 4520, 22725, 31521, 29692, 26722, 22725, 17855,
    12299, 6270, 21407, 29692, 27969, 25172, 21407, 16819, 11585, 5906, 19266, 26722, 25172, 22654,
    19266, 15137, 10426, 5315, 16384, 22725, 21407, 19266, 16384, 12873, 8867, 4520, 12873, 17855,
    16819, 15137, 12873, 10114, 6967, 3552, 8867, 12299, 11585, 10426, 8867, 6967, 4799, 2446, 4520,
    6270, 5906, 5315, 4520, 3552, 2446, 1247,
], np.int64)[ZIGZAG]  # fmt: skip
"""2^14 times what the passes of a fast inverse DCT multiply with less, in zigzag order."""


def _pass(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """One pass of the slow inverse DCT over the first axis, of eight."""
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


def _fast(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """One pass of the fast inverse DCT over the first axis, of eight."""
    s, t = a[2] + a[6], ((a[2] - a[6]) * 362 >> 8) - (a[2] + a[6])
    even = [a[0] + a[4] + s, a[0] - a[4] + t, a[0] - a[4] - t, a[0] + a[4] - s]
    z10, z11, z12, z13 = a[5] - a[3], a[1] + a[7], a[1] - a[7], a[5] + a[3]
    z5 = (z10 + z12) * 473 >> 8
    o0 = z11 + z13
    o1 = (z10 * -669 >> 8) + z5 - o0
    o2 = ((z11 - z13) * 362 >> 8) - o1
    o3 = -((z12 * 277 >> 8) - z5 + o2)
    odd = [o0, o1, o2, o3]
    above = [e + o for e, o in zip(even, odd, strict=True)]
    below = [e - o for e, o in zip(even, odd, strict=True)]
    return np.stack(above + below[::-1])


def _simple(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """One pass of FFmpeg's inverse DCT over the first axis, of eight."""
    e0, e1 = (a[0] + a[4]) * 16383, (a[0] - a[4]) * 16383
    e2, e3 = a[2] * 8867 - a[6] * 21407, a[2] * 21407 + a[6] * 8867
    even = [e0 + e3, e1 + e2, e1 - e2, e0 - e3]
    odd = [
        22725 * a[1] + 19266 * a[3] + 12873 * a[5] + 4520 * a[7],
        19266 * a[1] - 4520 * a[3] - 22725 * a[5] - 12873 * a[7],
        12873 * a[1] - 22725 * a[3] + 4520 * a[5] + 19266 * a[7],
        4520 * a[1] - 12873 * a[3] + 19266 * a[5] - 22725 * a[7],
    ]
    above = [e + o for e, o in zip(even, odd, strict=True)]
    below = [e - o for e, o in zip(even, odd, strict=True)]
    return np.stack(above + below[::-1])


def _wide(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """One pass of the inverse DCT over the first axis, from eight to sixteen."""
    base, z = a[0] * 8192, a[2] - a[6]
    halves = [
        (base + 10703 * a[4], 11363 * z + 20995 * a[6]),
        (base + 4433 * a[4], 2260 * z + 7373 * a[2]),
        (base - 4433 * a[4], 11363 * z - 4926 * a[2]),
        (base - 10703 * a[4], 2260 * z - 4176 * a[6]),
    ]
    even = [sum_ + more for sum_, more in halves] + [sum_ - more for sum_, more in halves[::-1]]
    a13, a15, a17 = 11086 * (a[1] + a[3]), 10217 * (a[1] + a[5]), 8956 * (a[1] + a[7])
    s17, b15, s13 = 7350 * (a[1] - a[7]), 5461 * (a[1] + a[5]), 3363 * (a[1] - a[3])
    a35, s53, s75 = 1136 * (a[3] + a[5]), 11529 * (a[5] - a[3]), 3363 * (a[7] - a[5])
    p37, q37, a57 = -5461 * (a[3] + a[7]), -10217 * (a[3] + a[7]), -11086 * (a[5] + a[7])
    odd = [
        a13 + a15 + a17 - 18730 * a[1],
        a13 + a35 + 589 * a[3] + p37,
        a15 + a35 - 9222 * a[5] + a57,
        a17 + p37 + 8728 * a[7] + a57,
        s17 + q37 + 25733 * a[7] + s75,
        b15 + s53 - 6278 * a[5] + s75,
        s13 + s53 + 16154 * a[3] + q37,
        s17 + b15 + s13 - 15038 * a[1],
    ]
    above = [e + o for e, o in zip(even, odd, strict=True)]
    below = [e - o for e, o in zip(even, odd, strict=True)]
    return np.stack(above + below[::-1])


def factors(steps: NDArray[np.int32], method: int) -> NDArray[np.int64]:
    """Return what coefficients are multiplied by before the passes of an inverse DCT."""
    own = steps.astype(np.int64)
    return (own * FAST_SCALES + 2048) >> 12 if method == Method.FAST else own


def plane(blocks: NDArray[np.int16], steps: NDArray[np.int32], method: int = Method.SLOW) -> Plane:
    """Return the samples, (8 rows, 8 columns), of blocks (rows, columns, 64) in zigzag order."""
    a = _ordered(blocks, factors(steps, method))  # (v, u, rows, columns)
    if method == Method.SLOW:
        done = (_pass(((_pass(a) + 1024) >> 11).swapaxes(0, 1)) + 131072) >> 18
    elif method == Method.FAST:
        done = _fast(_fast(a).swapaxes(0, 1)) >> 5
    else:
        a[0, 0] += 1024
        flat = ~a[:, 1:].any(1, keepdims=True)  # rows of zeros but for the first
        full = (_simple(a.swapaxes(0, 1)).swapaxes(0, 1) + 1024) >> 11
        between = np.where(flat, 8 * a[:, :1], full)
        done = ((_simple(between) + 16383 * 32) >> 20).swapaxes(0, 1) - 128
    return _laid(done)


def wide(blocks: NDArray[np.int16], steps: NDArray[np.int32], vertical: int) -> Plane:
    """Return the samples, (8 vertical rows, 16 columns), of blocks (rows, columns, 64), as a
    decoder makes them that upsamples by the inverse DCT."""
    first = _pass if vertical == 1 else _wide
    between = (first(_ordered(blocks, steps.astype(np.int64))) + 1024) >> 11
    return _laid((_wide(between.swapaxes(0, 1)) + 131072) >> 18)


def _ordered(blocks: NDArray[np.int16], factors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return coefficients times factors, (8, 8, rows, columns): of vertical waves, of horizontal
    ones."""
    rows, columns, _ = blocks.shape
    ordered = np.empty((64, rows, columns), np.int64)
    ordered[ZIGZAG] = np.moveaxis(blocks * factors, 2, 0)
    return ordered.reshape(8, 8, rows, columns)


def _laid(done: NDArray[np.int64]) -> Plane:
    """(x, y, rows, columns), around 0 -> (y rows, x columns)"""
    wide, high, rows, columns = done.shape
    samples = np.clip(done + 128, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(samples.transpose(2, 1, 3, 0).reshape(high * rows, wide * columns))


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
