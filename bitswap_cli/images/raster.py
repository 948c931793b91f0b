"""BMP, PGM and PPM: uncompressed rows between a header and whatever follows, all verbatim."""

import re
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe, big_endian, high_first

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PNM = re.compile(
    rb"P([56])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s"
)
_BMP_HEADERS = {40, 52, 56, 108, 124}  # BITMAPINFOHEADER and its successors, by their length
_GRAY_PALETTE = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(256, 3)


class _Layout(NamedTuple):
    """How the rows lie in the file."""

    start: int
    stride: int
    height: int
    width: int
    channels: int
    bottom_up: bool = False
    bgr: bool = False
    deep: bool = False


def split(data: bytes, kind: str) -> Picture | None:
    """Split a file into pixels and recipe; None if it is no picture of this kind.

    Parameters
    ----------
    data : bytes
        The whole file.
    kind : str
        "bmp" and "pnm" are 8-bit gray or RGB, "pnm-16" has two bytes a sample.

    Returns
    -------
    Picture or None
        Its pixels are a uint8 array (H, W, C), C = 1 or 3; for "pnm-16" 2 or 6, high bytes first.
    """
    layout = _read_layout(kind, data)
    if layout is None or layout.start + layout.stride * layout.height > len(data):
        return None
    size = layout.stride * layout.height
    rows = np.frombuffer(data, np.uint8, size, layout.start).reshape(layout.height, layout.stride)
    pixels = rows[:, : layout.width * layout.channels]
    pixels = pixels.reshape(layout.height, layout.width, layout.channels)
    recipe = Recipe(kind, data[: layout.start], data[layout.start + size :])
    if layout.deep:
        pixels = high_first(pixels)
    return Picture(np.ascontiguousarray(_turned(pixels, layout)), recipe)


def join(recipe: Recipe, pixels: NDArray[np.uint8]) -> bytes:
    """Write pixels as rows between a recipe's prefix and suffix.

    Raises
    ------
    ArchiveError
        If the header in the prefix is none of the recipe's kind and the shape of the pixels.
    """
    layout = _read_layout(recipe.kind, recipe.prefix)
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


def _turned(pixels: NDArray[np.uint8], layout: _Layout) -> NDArray[np.uint8]:
    """Swap between the file's order of rows and channels and top to bottom RGB (an involution)."""
    if layout.bottom_up:
        pixels = pixels[::-1]
    return pixels[..., ::-1] if layout.bgr else pixels


def _read_layout(kind: str, data: bytes) -> _Layout | None:
    layout = _read_bmp(data) if kind == "bmp" else _read_pnm(kind, data)
    return layout if layout and 0 < layout.height * layout.width <= MAX_PIXELS else None


def _read_pnm(kind: str, data: bytes) -> _Layout | None:
    match = _PNM.match(data)
    if match is None:
        return None
    channels = 1 if match[1] == b"5" else 3
    width, height = int(match[2]), int(match[3])
    deep = kind == "pnm-16"
    if deep and 255 < int(match[4]) < 1 << 16:
        channels *= 2
    elif deep or match[4] != b"255":
        return None
    return _Layout(match.end(), width * channels, height, width, channels, deep=deep)


def _read_bmp(data: bytes) -> _Layout | None:
    if len(data) < 54 or data[:2] != b"BM":
        return None
    start, header, width, height, planes, depth, packing = struct.unpack_from("<IIiiHHI", data, 10)
    if header not in _BMP_HEADERS or width <= 0 or height == 0 or planes != 1 or packing:
        return None
    colours_at = 14 + header
    if depth == 24:
        channels = 3
    elif depth == 8 and struct.unpack_from("<I", data, 46)[0] in (0, 256):
        channels = 1
        palette = np.frombuffer(data[colours_at : colours_at + 1024], np.uint8)
        if palette.size != 1024 or np.any(palette.reshape(256, 4)[:, :3] != _GRAY_PALETTE):
            return None
        colours_at += 1024
    else:
        return None
    if start < colours_at or start > len(data):
        return None
    stride = -(-width * channels // 4) * 4
    return _Layout(start, stride, abs(height), width, channels, height > 0, channels == 3)
