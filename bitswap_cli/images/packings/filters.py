"""PNG's filters of scanlines in numpy (W3C, Portable Network Graphics, 9): the reference."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NONE, SUB, UP, AVERAGE, PAETH = range(5)
FILTERS = 5

_BLOCK = 1 << 17  # bytes filtered at a time

Rows = NDArray[np.uint8]


def filtered(rows: Rows, unit: int, filters: NDArray[np.uint8]) -> Rows:
    """Filter scanlines.

    Parameters
    ----------
    rows : uint8 array (lines, bytes of a line)
    unit : int
        Bytes from a pixel to the next, at least 1.
    filters : uint8 array (lines,)
        The filter of each line, 0 to 4.

    Returns
    -------
    uint8 array (lines, 1 + bytes of a line)
        The filter of a line, and its filtered bytes.
    """
    lines = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    lines[:, 0] = filters
    for block in _blocks(rows):
        for number in range(FILTERS):
            which = block[filters[block] == number]
            if which.size:
                lines[which, 1:] = _residual(rows, which, number, unit)
    return lines


def filtered_least(rows: Rows, unit: int, tried: Sequence[int]) -> Rows:
    """Filter scanlines, each by the filter that leaves the least sum; see `sums`.

    Parameters
    ----------
    rows, unit
        See `filtered`.
    tried : sequence of int
        The filters that are tried; of equal sums, the one that is tried first is taken.

    Returns
    -------
    uint8 array (lines, 1 + bytes of a line)
        See `filtered`.
    """
    return filtered(rows, unit, least(sums(rows, unit), tried))


def unfiltered(lines: Rows, unit: int) -> Rows | None:
    """Undo filters (inverse of `filtered`).

    Parameters
    ----------
    lines : uint8 array (lines, 1 + bytes of a line)
    unit : int
        Bytes from a pixel to the next, at least 1.

    Returns
    -------
    uint8 array (lines, bytes of a line), or None
        None if a filter is not 0 to 4.
    """
    if (lines[:, 0] >= FILTERS).any():
        return None
    rows: Rows = lines[:, 1:].copy()
    above = np.zeros(rows.shape[1], np.uint8)
    for row, number in zip(rows, lines[:, 0].tolist(), strict=True):
        if number == UP:
            row += above
        for at in range(0, len(row) if number in (SUB, AVERAGE, PAETH) else 0, unit):
            here = row[at : at + unit]
            left, up = row[at - unit : at][: len(here)] if at else above[:0], above[at : at + unit]
            corner = above[at - unit : at][: len(here)] if at else above[:0]
            if not at:
                left = corner = np.zeros_like(here)
            if number == SUB:
                here += left
            elif number == AVERAGE:
                here += (left & up) + ((left ^ up) >> 1)
            else:
                here += _paeth(left, up, corner)
        above = row
    return rows


def sums(rows: Rows, unit: int) -> NDArray[np.int64]:
    """Return of each filter and line the sum of absolute values of the filtered bytes, which are
    taken as signed ones.

    Parameters
    ----------
    rows : uint8 array (lines, bytes of a line)
    unit : int
        Bytes from a pixel to the next, at least 1.

    Returns
    -------
    int64 array (FILTERS, lines)
    """
    found = np.empty((FILTERS, len(rows)), np.int64)
    for block in _blocks(rows):
        for number in range(FILTERS):
            signed = _residual(rows, block, number, unit).view(np.int8)
            found[number, block] = np.abs(signed).view(np.uint8).sum(1, np.int64)
    return found


def least(found: NDArray[np.int64], tried: Sequence[int] = range(FILTERS)) -> NDArray[np.uint8]:
    """Return the filter of the least sum of each line, of those that are tried; of equal sums, the
    one that is tried first."""
    best: NDArray[np.uint8] = np.array(tried, np.uint8)[found[list(tried)].argmin(axis=0)]
    return best


def _blocks(rows: Rows) -> list[NDArray[np.intp]]:
    """Numbers of lines, in blocks that suit a processor's cache."""
    step = max(1, _BLOCK // rows.shape[1])
    return [np.arange(top, min(top + step, len(rows))) for top in range(0, len(rows), step)]


def _residual(rows: Rows, which: NDArray[np.intp], number: int, unit: int) -> Rows:
    """Return some lines less what a filter guesses of them."""
    here = rows[which]
    if number == NONE:
        return here
    if number == SUB:
        return here - _shifted(here, unit)
    above = rows[which - 1]
    above[which == 0] = 0
    if number == UP:
        return here - above
    left = _shifted(here, unit)
    if number == AVERAGE:
        return here - ((left & above) + ((left ^ above) >> 1))
    return here - _paeth(left, above, _shifted(above, unit))


def _shifted(rows: Rows, unit: int) -> Rows:
    """Return the bytes one pixel to the left, zeros before the first."""
    left = np.zeros_like(rows)
    left[:, unit:] = rows[:, :-unit]
    return left


def _paeth(left: Rows, up: Rows, corner: Rows) -> Rows:
    """Return whichever neighbour is nearest to left + up - corner; ties in this order."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up = b - c, a - c
    to_corner = np.abs(to_left + to_up)
    np.abs(to_left, out=to_left)
    np.abs(to_up, out=to_up)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where(to_left <= np.minimum(to_up, to_corner), left, nearest)
