"""BMP, uncompressed: 24 bits, or 8 bits with the plain gray palette."""

import struct
from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = (b"BM",)
KINDS: Sequence[Kind] = (Kind("bmp", 1, exact=True, plain=True),)

_HEADERS = {40, 52, 56, 108, 124}  # BITMAPINFOHEADER and its successors, by their length
_GRAY_PALETTE = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(256, 3)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`."""
    return split_rows(data, kind, _layout(data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, _layout(recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    return samples.view(np.uint8)


def _layout(data: bytes) -> Layout | None:
    if len(data) < 54 or data[:2] not in MAGIC:
        return None
    start, header, width, height, planes, depth, packing = struct.unpack_from("<IIiiHHI", data, 10)
    if header not in _HEADERS or width <= 0 or height == 0 or planes != 1 or packing:
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
    return Layout(start, stride, abs(height), width, channels, height > 0, channels == 3)
