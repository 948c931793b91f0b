"""Uncompressed rows between a header and whatever follows, both verbatim: BMP, PGM and PPM."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.deep import big_endian, high_first
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe


class Layout(NamedTuple):
    """How the rows lie in the file."""

    start: int
    stride: int
    height: int
    width: int
    channels: int
    bottom_up: bool = False
    bgr: bool = False
    deep: bool = False
    """Whether samples have two bytes, the high one first."""


def split_rows(data: bytes, kind: str, layout: Layout | None) -> Picture | None:
    """Split a file with a layout; None if there is none, or the file is too short or too large.

    Returns
    -------
    Picture or None
        Its pixels are a uint8 array (H, W, C), C = 1 or 3, of deep rows 2 or 6.
    """
    if layout is None or not 0 < layout.height * layout.width <= MAX_PIXELS:
        return None
    size = layout.stride * layout.height
    if layout.start + size > len(data):
        return None
    rows = np.frombuffer(data, np.uint8, size, layout.start).reshape(layout.height, layout.stride)
    pixels = rows[:, : layout.width * layout.channels]
    pixels = pixels.reshape(layout.height, layout.width, layout.channels)
    recipe = Recipe(kind, data[: layout.start], data[layout.start + size :])
    if layout.deep:
        pixels = high_first(pixels)
    return Picture(np.ascontiguousarray(_turned(pixels, layout)), recipe)


def join_rows(recipe: Recipe, samples: Samples, layout: Layout | None) -> bytes:
    """Write samples as rows between a recipe's prefix, whose layout is given, and its suffix.

    Raises
    ------
    ArchiveError
        If there is no layout, or it is not that of the samples.
    """
    pixels = samples.view(np.uint8)
    fits = (
        layout is not None
        and layout.start == len(recipe.prefix)
        and pixels.shape == (layout.height, layout.width, layout.channels)
    )
    if layout is None or not fits:
        raise ArchiveError(
            f"the archive holds a {recipe.kind.upper()} header that does not fit its pixels"
        )
    rows = np.zeros((layout.height, layout.stride), np.uint8)
    turned = _turned(big_endian(pixels) if layout.deep else pixels, layout)
    rows[:, : layout.width * layout.channels] = turned.reshape(layout.height, -1)
    return b"".join([recipe.prefix, rows.tobytes(), recipe.suffix])


def _turned(pixels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Swap between the file's order of rows and channels and top to bottom RGB (an involution)."""
    if layout.bottom_up:
        pixels = pixels[::-1]
    return pixels[..., ::-1] if layout.bgr else pixels
