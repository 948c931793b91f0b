"""Which pictures may be drawn ones: they have few colours, repeat them, or have other channels."""

from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import BYTES, Samples
from bitswap_cli.images.formats import high_bits
from bitswap_cli.images.formats.lattice.kinds import FEATURES as LATTICES
from bitswap_cli.images.formats.register import kind_of
from bitswap_cli.images.picture import MAX_PIXELS, Picture
from bitswap_cli.images.shown import shown

MOST_CHANNELS = 4
MAX_HELD = 3 * MAX_PIXELS // 2
EDGE = 256  # pixels of each side that are looked at, at most
_SOME, _MOST = 0.2, 0.5  # shares of pixels equal to a neighbour above which a picture may be drawn
_MANY = 1 << 14  # pixels from which on colours are counted
_SCALE, _STEP = 64, 8  # colours of a scale at least, and from one to the next at most
_BLUES = 2.0  # blues that a photograph has at least for each red and green


def depth(picture: Picture) -> int | None:
    """Return how many bytes of one channel are samples; None if it cannot be coded whole, or
    had better be coded in tiles: a photograph, unless its colours are those of a palette."""
    height, width, channels = picture.pixels.shape
    kind = kind_of(picture.recipe.kind)
    if kind.alphabet != BYTES or height * width > MAX_PIXELS:
        return None
    laid = kind.feature in (*LATTICES, *high_bits.FEATURES)  # which is bytes, of whatever file
    own = 1 if laid else shown(picture).dtype.itemsize
    if channels > MOST_CHANNELS * own or not few([(height, width, own)]):
        return None
    may_be_photograph = kind.palette is None and channels in (1, 3)
    return None if may_be_photograph and not is_drawn(middle_of(picture)) else own


def repeats_itself(picture: Picture) -> bool:
    """Tell whether a picture of 8 bits may be coded whole, and repeats its colours so much that no
    other way is better: more than half of its pixels equal a neighbour."""
    return depth(picture) == 1 and _repeated(middle_of(picture)) > _MOST


def by_palette(pictures: Sequence[Picture]) -> bool:
    """Tell whether a file can be seen as indices and as the colours that a palette gives them, and
    these are neither all gray nor a scale: such indices are not to each other as samples are."""
    wide = [picture.pixels for picture in pictures if kind_of(picture.recipe.kind).wide]
    if len(wide) < 2:
        return False
    indices, colours = wide[-2:]
    others = range(1, colours.shape[2])
    gray = all((colours[..., k] == colours[..., 0]).all() for k in others)
    return not gray and not _by_scale(indices, colours)


def _by_scale(indices: Samples, colours: Samples) -> bool:
    """Tell whether many indices are in use and not repeated much, and those next to each other have
    nearly the same colours, as where a photograph of one channel is shown by a scale: it may have
    been a JPEG."""
    if indices.shape != (*colours.shape[:2], 1) or indices.dtype != np.uint8:
        return False
    if _repeated(middle(indices, EDGE)) > _MOST:
        return False
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=1))
    if len(used) < _SCALE:
        return False
    palette = np.zeros((256, colours.shape[2]), np.int64)
    palette[indices[..., 0]] = colours
    steps = abs(np.diff(palette[used], axis=0))
    return bool((steps <= _STEP * np.diff(used)[:, None]).all())


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


def middle_of(picture: Picture, edge: int = EDGE) -> Samples:
    """Return the samples of the middle of what a picture shows: at most so many pixels of each
    side."""
    own = kind_of(picture.recipe.kind).middle
    return own(picture.pixels, edge) if own else middle(picture.pixels, edge)


def middle(pixels: Samples, edge: int = EDGE) -> Samples:
    """Return the middle of a picture (H, W, C): at most so many pixels of each side."""
    top, left = (max(0, (n - edge) // 2) for n in pixels.shape[:2])
    return pixels[top : top + edge, left : left + edge]


def is_drawn(pixels: Samples) -> bool:
    """Tell whether a gray or RGB picture (H, W, C) repeats its colours, or has few for its red and
    green: drawn ones do, and scans of few inks, or in which other colours cannot be (Photo CD)."""
    repeated = _repeated(pixels)
    if pixels.shape[2] == 1 or pixels[..., 0].size < _MANY:
        return repeated > _SOME
    red, green, blue = (pixels[..., k].astype(np.uint32).ravel() for k in range(3))
    pairs = np.zeros(1 << 16, np.bool_)
    pairs[red << 8 | green] = True
    every = np.sort(red << 16 | green << 8 | blue)  # np.unique would import what it has no need of
    colours = 1 + int(np.count_nonzero(every[1:] != every[:-1]))
    return repeated > _MOST or colours < _BLUES * int(pairs.sum())


def _repeated(pixels: Samples) -> float:
    """Return the share of pixels that equal their left or upper neighbour."""
    height, width, channels = pixels.shape
    if height < 2 or width < 2:
        return 1.0
    rows = pixels.reshape(height, -1)
    here, left, above = rows[1:, channels:], rows[1:, :-channels], rows[:-1, channels:]
    same = (_everywhere(here == other, channels) for other in (left, above))
    return float(np.count_nonzero(np.logical_or(*same)) / ((height - 1) * (width - 1)))


def _everywhere(rows: NDArray[np.bool_], channels: int) -> NDArray[np.bool_]:
    """Return where something is true of all channels of a pixel; for few, sooner than `np.all`."""
    pixels = rows.reshape(len(rows), -1, channels)
    return reduce(np.logical_and, (pixels[..., k] for k in range(channels)))
