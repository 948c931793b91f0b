"""Arrays as pictures: which axes are rows, columns and channels."""

from collections.abc import Sequence
from math import prod

from bitswap_cli.images.formats.rows import Layout

_CHANNELS = 4  # of a pixel, at most: the last axis is theirs if it is no longer


def layout_of_axes(start: int, shape: Sequence[int], *, deep: bool, little: bool = False) -> Layout:
    """Return how the rows of an array in C order lie: those of many pictures follow each other.

    Parameters
    ----------
    start : int
        Where the array begins in its file.
    shape : sequence of int
        Two axes at least.
    deep, little : bool
        Whether elements have two bytes, and the low one comes first.
    """
    *axes, last = shape
    if len(axes) > 1 and 0 < last <= _CHANNELS:
        *axes, width = axes
        channels = last
    else:
        width, channels = last, 1
    channels *= 1 + deep
    return Layout(start, width * channels, prod(axes), width, channels, deep=deep, little=little)
