"""The integer sigmoid: a table of 2**20 * sigmoid(t) and the inverse scales that address it.

With u the argument in 1/1024 of t, clamped to t = -16..16,

    u = clamp(((16 x - 8 - mean) * inverse[scale]) >> 8, -16384, 16384)
    g = table[i] + ((table[i + 1] - table[i]) * f >> 5),  i, f = divmod(u + 16384, 32)

The formula is over the integers. An engine may compute it in int32: with |x| <= 2048 and
|mean| < 2**15 the difference is below 2**17, and cutting it to +-saturation[scale], the smallest
difference whose u is clamped anyway, keeps the product below 2**22 + 2**18.

A mixture's S = sum of weight * g, at most 2**28, becomes a cumulative frequency C of D symbols:

    D <= 1024:  m = S >> 8,    C(x) = m - (m * D >> 20) + (x - low)             of 2**20
    D <= 4096:  m = S >> 4,    C(x) = m - ((m >> 6) * D >> 18) + (x - low)      of 2**24

and 0 at the alphabet's start, the total at its end. The products are at most 2**30. Where m grows
by 1, what is taken from it grows by at most 1, as D is below the power of two that it is divided
by; so m less that never falls, and C grows by at least 1 with each symbol. It lies in 0..total - D
before x - low is added, so that the first and the last symbol have at least 1, too: whatever the
parameters, every symbol can be pushed and every value popped.
"""

import hashlib
from decimal import Decimal, localcontext
from functools import cache
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import (
    FINE_PRECISION,
    MEAN_BITS,
    MEAN_LIMIT,
    PRECISION,
    SCALE_LEVELS,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
    WEIGHT_BITS,
    precision,
)

LIMIT = 16  # the table covers t = -LIMIT..LIMIT
STEP_BITS = 5  # 32 entries per unit of t, and 32 values of u per entry
ARGUMENT_BITS = 10  # u is t in 1/1024
INVERSE_SHIFT = 8  # fraction bits of the inverse scales, beyond those of u
SATURATION = LIMIT << ARGUMENT_BITS
SPARE_BITS = 6  # of a mass at FINE_PRECISION, dropped before it is multiplied by 4096 symbols

# SHA-256 of table, then inverse, as little-endian int32: both are part of numeric profile 1.
TABLES_SHA256 = "386b82f7e24e3e21a36ba400dcc801cbff707c35b686516fd2b0aa9acd627822"


class Tables(NamedTuple):
    """The constants of the integer sigmoid, all int32 and read-only.

    Attributes
    ----------
    table : shape (1025,)
        round(2**20 * sigmoid(t)) for t = -16, -16 + 1/32, ..., 16.
    inverse : shape (128,)
        round(16 * 1024 / sigma) of each scale index.
    saturation : shape (128,)
        Smallest difference (in 1/16 symbol) at which u is clamped, of each scale index.
    """

    table: NDArray[np.int32]
    inverse: NDArray[np.int32]
    saturation: NDArray[np.int32]


@cache
def tables() -> Tables:
    """Build the tables, in decimal arithmetic, so that no math library can change a bit of them.

    Returns
    -------
    Tables
        The same object on every call.

    Raises
    ------
    RuntimeError
        If they are not those that numeric profile 1 pins.
    """
    steps = LIMIT << STEP_BITS
    with localcontext() as context:
        context.prec = 40  # three of which go in products of 512 factors
        total, rates = Decimal(1 << PRECISION), _powers((-1 / Decimal(1 << STEP_BITS)).exp(), steps)
        upper = [int((total / (1 + rate)).to_integral_value()) for rate in rates]
        unit = Decimal(1 << ARGUMENT_BITS + INVERSE_SHIFT - MEAN_BITS)
        octave = Decimal(2).ln() / SCALES_PER_OCTAVE
        inverse = [
            int((unit * (octave * SCALE_OF_ONE).exp() * power).to_integral_value())
            for power in _powers((-octave).exp(), SCALE_LEVELS - 1)
        ]
    lower = [(1 << PRECISION) - value for value in upper[:0:-1]]
    saturation = [-(-(SATURATION << INVERSE_SHIFT) // value) for value in inverse]
    result = Tables(*(np.array(part, np.int32) for part in (lower + upper, inverse, saturation)))
    for part in result:
        part.flags.writeable = False
    pinned = result.table.astype("<i4").tobytes() + result.inverse.astype("<i4").tobytes()
    if hashlib.sha256(pinned).hexdigest() != TABLES_SHA256:
        raise RuntimeError("the tables of the integer sigmoid differ from numeric profile 1")
    return result


def _powers(base: Decimal, last: int) -> list[Decimal]:
    """base**0 to base**last, each from the one before."""
    return list(accumulate([base] * last, mul, initial=Decimal(1)))


def smooth(
    position: NDArray[np.int64], mean: NDArray[np.integer], scale: NDArray[np.integer]
) -> NDArray[np.int64]:
    """2**20 times the cumulative probability of a logistic below a symbol.

    Parameters
    ----------
    position : int64 array
        Symbols x: the boundary meant is x - 1/2.
    mean, scale : integer arrays that broadcast with `position`
        Means (1/16 symbol) and scale indices, clipped to what the profile allows.

    Returns
    -------
    int64 array
        Values of 0..2**20 that never fall as `position` grows.
    """
    constants = tables()
    clipped = np.clip(mean, -MEAN_LIMIT, MEAN_LIMIT).astype(np.int64)
    rate = constants.inverse[np.clip(scale, 0, SCALE_LEVELS - 1)].astype(np.int64)
    half = 1 << (MEAN_BITS - 1)
    argument = (((position << MEAN_BITS) - half - clipped) * rate) >> INVERSE_SHIFT
    argument = np.clip(argument, -SATURATION, SATURATION) + SATURATION
    index, fraction = argument >> STEP_BITS, argument & ((1 << STEP_BITS) - 1)
    left = constants.table[index].astype(np.int64)
    right = constants.table[np.minimum(index + 1, len(constants.table) - 1)]
    return np.asarray(left + ((right - left) * fraction >> STEP_BITS), dtype=np.int64)


def cumulative(
    index: NDArray[np.int64],
    weight: NDArray[np.integer] | None,
    mean: NDArray[np.integer],
    scale: NDArray[np.integer],
    low: int,
    size: int,
) -> NDArray[np.int64]:
    """Cumulative frequency of a discretized logistic, or of a mixture, below a symbol.

    The linear term alone gives each symbol a frequency of at least 1 (see the module's text).

    Parameters
    ----------
    index : int64 array, shape (n,) or (n, m)
        x - low, in 0..size: one symbol or m of them for each row of parameters.
    weight, mean, scale : integer arrays, shape (n, K), or None and shape (n,)
        The parameters of symbol i in row i.
    low, size : int
        First symbol and number of symbols of the alphabet.

    Returns
    -------
    int64 array of the shape of `index`
        C(low + index), 0..2**precision(size).
    """
    if index.ndim > 1:
        mean, scale = mean[:, None], scale[:, None]
    if weight is None:
        total = smooth(index + low, mean, scale) << WEIGHT_BITS
    else:
        shares = weight if index.ndim == 1 else weight[:, None]
        total = (smooth(index[..., None] + low, mean, scale) * shares).sum(axis=-1)
    bits = precision(size)
    spare = SPARE_BITS if bits == FINE_PRECISION else 0
    mass = total >> (PRECISION + WEIGHT_BITS - bits)
    inner = mass - ((mass >> spare) * size >> (bits - spare)) + index
    ends = np.where(index <= 0, 0, 1 << bits)
    return np.where((index <= 0) | (index >= size), ends, inner)
