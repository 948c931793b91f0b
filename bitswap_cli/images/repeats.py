"""Which pictures may be drawn ones: they repeat their colours, or have channels of their own."""

from collections.abc import Iterable

import numpy as np

from bitswap_cli.contract import BYTES, Samples
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import MAX_PIXELS, Picture
from bitswap_cli.images.shown import shown

MOST_CHANNELS = 4
MAX_HELD = 2 * MAX_PIXELS
EDGE = 256  # pixels of each side that are looked at, at most
_REPEATED = 0.05  # share of pixels equal to a neighbour from which on a picture may be a drawn one


def depth(picture: Picture) -> int | None:
    """Return how many bytes a picture shows of one channel; None if it cannot be a drawn one."""
    height, width, channels = picture.pixels.shape
    if kind_of(picture.recipe.kind).alphabet != BYTES:
        return None
    own = shown(picture).dtype.itemsize
    fits = channels <= MOST_CHANNELS * own and few([(height, width, own)])
    alike = channels in (1, 3) and not _repeats(middle(picture.pixels))
    return own if fits and not alike else None


def few(shapes: Iterable[tuple[int, int, int]]) -> bool:
    """Tell whether pictures of some heights, widths and depths have few enough pixels for a chunk.

    Those that are only high or only wide take more memory than their pixels do: a codec holds two
    rows and six columns more of each.
    """
    pixels = held = 0
    for height, width, own in shapes:
        pixels += height * width * own
        held += (height + 2) * (width + 6) * own
    return pixels <= MAX_PIXELS and held <= MAX_HELD


def middle(pixels: Samples) -> Samples:
    """Return the middle of a picture (H, W, C)."""
    top, left = (max(0, (n - EDGE) // 2) for n in pixels.shape[:2])
    return pixels[top : top + EDGE, left : left + EDGE]


def _repeats(pixels: Samples) -> bool:
    """Tell whether enough pixels (H, W, C) equal the one before them or above them."""
    beside = (pixels[1:, 1:] == pixels[1:, :-1]).all(-1)
    above = (pixels[1:, 1:] == pixels[:-1, 1:]).all(-1)
    return not beside.size or float(np.mean(beside | above)) > _REPEATED
