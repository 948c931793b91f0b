"""Which pictures may be drawn ones: they repeat their colours, or have channels of their own."""

import numpy as np

from bitswap_cli.contract import BYTES, Samples
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import MAX_PIXELS, Picture
from bitswap_cli.images.shown import shown

MOST_CHANNELS = 4
EDGE = 256  # pixels of each side that are looked at, at most
_REPEATED = 0.05  # share of pixels equal to a neighbour from which on a picture may be a drawn one


def depth(picture: Picture) -> int | None:
    """Return how many bytes a picture shows of one channel; None if it cannot be a drawn one."""
    height, width, channels = picture.pixels.shape
    if kind_of(picture.recipe.kind).alphabet != BYTES:
        return None
    own = shown(picture).dtype.itemsize
    fits = channels <= MOST_CHANNELS * own and height * width * own <= MAX_PIXELS
    alike = channels in (1, 3) and not _repeats(middle(picture.pixels))
    return own if fits and not alike else None


def middle(pixels: Samples) -> Samples:
    """Return the middle of a picture (H, W, C)."""
    top, left = (max(0, (n - EDGE) // 2) for n in pixels.shape[:2])
    return pixels[top : top + EDGE, left : left + EDGE]


def _repeats(pixels: Samples) -> bool:
    """Tell whether enough pixels (H, W, C) equal the one before them or above them."""
    beside = (pixels[1:, 1:] == pixels[1:, :-1]).all(-1)
    above = (pixels[1:, 1:] == pixels[:-1, 1:]).all(-1)
    return not beside.size or float(np.mean(beside | above)) > _REPEATED
