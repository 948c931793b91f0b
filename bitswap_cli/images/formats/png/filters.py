"""Filters of scanlines, before they are deflated, and how a writer may choose them."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.packings.filters import NONE, PAETH, SUB, UP, Rows
from bitswap_cli.images.packings.filters import least as least

PILLOW = NONE, UP, SUB, PAETH
"""The filters that Pillow tries, in its order (its ZipEncode.c, without `optimize`)."""


def least_sums(rows: Rows, unit: int) -> NDArray[np.uint8]:
    """Return the filter of each line that makes its bytes smallest: libpng's heuristic.

    That is the least sum of absolute values of the filtered bytes, which are taken as signed ones;
    of equal sums, the first filter.
    """
    return least(engine().sums(rows, unit))


def guess(number: int, left: int, up: int, corner: int) -> int:
    """Return what a filter subtracts from a byte, given those beside, above and before that one."""
    nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
    return (0, left, up, (left + up) // 2, nearest)[number]
