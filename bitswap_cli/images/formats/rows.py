"""Uncompressed rows between a header and whatever follows, both verbatim."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.bits import Field, packed, put, taken, unpacked
from bitswap_cli.images.formats.deep import big_endian, high_first
from bitswap_cli.images.formats.flat import with_flat, without_flat
from bitswap_cli.images.picture import CHANNELS, MAX_ROWS, Picture, Recipe, is_held


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
    little: bool = False
    """Whether the low one is first instead."""
    depth: int = 8
    """Bits of a sample that is not deep; fewer than 8 of one channel only, the first in the highest
    bits."""
    fields: tuple[Field, ...] = ()
    """Where the samples of each channel are if a pixel is a number of 16 bits."""
    signed: bool = False
    """Whether samples may be negative: the least becomes 0."""

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.height * self.width

    @property
    def sound(self) -> bool:
        """Whether there may be such a picture, be it had by strips only, and its rows hold it."""
        return (
            self.channels in CHANNELS
            and self.height > 0
            and self.width > 0
            and self.pixels <= MAX_ROWS
            and self.width * (16 if self.fields else self.channels * self.depth) <= 8 * self.stride
        )

    @property
    def fits(self) -> bool:
        """Whether it is sound, and small enough to be held as a whole."""
        return self.sound and is_held(self.height, self.width, self.channels, large=True)


def split_rows(data: bytes, kind: str, layout: Layout | None) -> Picture | None:
    """Split a file with a layout; None if there is none, or the file is too short or too large.

    Returns
    -------
    Picture or None
        Its pixels are a uint8 array (H, W, C) of the layout's channels, or one fewer where the last
        of 2 or 4 is the same everywhere: the description tells it.
    """
    if layout is None or not layout.fits:
        return None
    size = layout.stride * layout.height
    if layout.start + size > len(data):
        return None
    rows = np.frombuffer(data, np.uint8, size, layout.start).reshape(layout.height, layout.stride)
    pixels, description = from_rows(rows, layout)
    recipe = Recipe(kind, data[: layout.start], data[layout.start + size :], description)
    return Picture(pixels, recipe)


def from_rows(rows: NDArray[np.uint8], layout: Layout) -> tuple[NDArray[np.uint8], bytes]:
    """Return the samples of rows (H, stride), and what tells a channel that is left out."""
    pixels = samples_of(rows, layout)
    kept, description = (pixels, b"") if layout.deep else without_flat(pixels)
    return np.ascontiguousarray(kept), description


def samples_of(rows: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Return the samples of rows (H, stride), of all channels."""
    if layout.depth < 8:
        pixels = unpacked(rows, layout.depth)[:, : layout.width]
    elif layout.fields:
        pixels = taken(rows[:, : 2 * layout.width], layout.fields)
    else:
        pixels = rows[:, : layout.width * layout.channels]
    pixels = pixels.reshape(layout.height, layout.width, layout.channels)
    if layout.deep:
        pixels = high_first(_swapped(pixels) if layout.little else pixels)
    return _turned(_unsigned(pixels, layout), layout)


def join_rows(recipe: Recipe, samples: Samples, layout: Layout | None) -> bytes:
    """Write samples as rows between a recipe's prefix, whose layout is given, and its suffix.

    Raises
    ------
    ArchiveError
        If there is no layout, or it is not that of the samples.
    """
    if layout is None or layout.start != len(recipe.prefix):
        raise misfit(recipe)
    rows = to_rows(recipe, samples, layout)
    return b"".join([recipe.prefix, rows.tobytes(), recipe.suffix])


def to_rows(recipe: Recipe, samples: Samples, layout: Layout) -> NDArray[np.uint8]:
    """Invert `from_rows`, what lies between rows being zero; raise `ArchiveError` if the layout is
    not that of the samples."""
    pixels = samples.view(np.uint8)
    if not layout.deep:
        pixels = with_flat(pixels, recipe.description)
    if not layout.sound or pixels.shape != (layout.height, layout.width, layout.channels):
        raise misfit(recipe)
    pixels = _unsigned(pixels, layout)
    if layout.deep:
        pixels = _swapped(big_endian(pixels)) if layout.little else big_endian(pixels)
    pixels = _turned(pixels, layout)
    if layout.fields:
        words = put(pixels, layout.fields)
        if words is None:
            raise misfit(recipe)
        pixels = words
    turned = pixels.reshape(layout.height, -1)
    if layout.depth < 8:
        if int(turned.max()) >> layout.depth:
            raise misfit(recipe)
        turned = packed(turned, layout.depth)
    rows = np.zeros((layout.height, layout.stride), np.uint8)
    rows[:, : turned.shape[1]] = turned
    return rows


def scaled(recipe: Recipe, pixels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Return samples of all channels as if each had 8 bits, where pixels are numbers of 16; raise
    `ArchiveError` if there are other channels."""
    if not layout.fields:
        return pixels
    if pixels.shape[2] != layout.channels:
        raise misfit(recipe)
    highest = np.array([field.highest for field in layout.fields], np.uint16)
    return (pixels.astype(np.uint16) * 255 // highest).clip(max=255).astype(np.uint8)


def misfit(recipe: Recipe) -> ArchiveError:
    """Return the error to raise where a recipe and samples do not belong together."""
    return ArchiveError(
        f"the archive holds a {recipe.kind.upper()} header that does not fit its pixels"
    )


def _turned(pixels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Swap between the file's order of rows and channels and top to bottom RGB (an involution)."""
    if layout.bottom_up:
        pixels = pixels[::-1]
    if not layout.bgr:
        return pixels
    return pixels[..., [2, 1, 0, 3]] if layout.channels == 4 else pixels[..., ::-1]


def _unsigned(pixels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Swap between signed samples, high bytes first, and how many they are more than the least."""
    if not layout.signed:
        return pixels
    signs = np.zeros(layout.channels, np.uint8)
    signs[: layout.channels // 2 if layout.deep else layout.channels] = 128
    return pixels ^ signs


def _swapped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Swap the two bytes of each sample."""
    return pixels.reshape(*pixels.shape[:2], -1, 2)[..., ::-1].reshape(pixels.shape)
