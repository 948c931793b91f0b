"""Filters of scanlines, before they are deflated, and how a writer may choose them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.packings.filters import FILTERS, NONE, PAETH, SUB, UP, Rows

PILLOW = NONE, UP, SUB, PAETH
"""The filters that Pillow tries, in its order (its ZipEncode.c, without `optimize`)."""


def least_sums(rows: Rows, unit: int) -> NDArray[np.uint8]:
    """Return the filter of each line that makes its bytes smallest: libpng's heuristic.

    That is the least sum of absolute values of the filtered bytes, which are taken as signed ones;
    of equal sums, the first filter.
    """
    return least(engine().sums(rows, unit))


def least(found: NDArray[np.int64], tried: Sequence[int] = range(FILTERS)) -> NDArray[np.uint8]:
    """Return the filter of the least sum of each line, of those that are tried; of equal sums, the
    one that is tried first."""
    best: NDArray[np.uint8] = np.array(tried, np.uint8)[found[list(tried)].argmin(axis=0)]
    return best


def guess(number: int, left: int, up: int, corner: int) -> int:
    """Return what a filter subtracts from a byte, given those beside, above and before that one."""
    nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
    return (0, left, up, (left + up) // 2, nearest)[number]
