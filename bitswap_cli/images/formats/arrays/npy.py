"""NumPy's .npy: arrays of bytes or 16-bit integers, (H, W) or (H, W, C), or many of them as one
tall picture (NumPy's documentation, numpy.lib.format)."""

import re
import struct
from collections.abc import Sequence
from math import prod

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = (b"\x93NUMPY",)
KINDS: Sequence[Kind] = (
    Kind(
        "npy", 14, exact=True, plain=False, common=True, feature="npy",
        rows=lambda head: layout_of(head),
    ),
)  # fmt: skip

MOST = 1 << 16
"""Bytes of a header."""

_HEADER = re.compile(
    rb"\{'descr': '(\|u1|<u2|>u2)', 'fortran_order': False,"
    rb" 'shape': \((\d{1,9}(?:, \d{1,9}){1,3})\), \}\s*"
)
_CHANNELS = 4  # of a pixel, at most: the last axis is theirs if it is no longer


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of 16-bit integers, high bytes come first."""
    return split_rows(data, kind, layout_of(data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, layout_of(recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures of an array one below the other."""
    pixels, layout = samples.view(np.uint8), layout_of(recipe.prefix)
    return whole(pixels) if layout and layout.deep else with_flat(pixels, recipe.description)


def layout_of(data: bytes) -> Layout | None:
    """Return how the rows lie, told by the header; None if they are no picture's."""
    if len(data) < 12 or not data.startswith(MAGIC[0]) or data[7]:
        return None
    size: int
    if data[6] == 1:
        (size,), at = struct.unpack_from("<H", data, 8), 10
    else:
        (size,), at = struct.unpack_from("<I", data, 8), 12
    if data[6] not in (1, 2, 3) or size > MOST:
        return None
    match = _HEADER.fullmatch(data, at, at + size)
    if match is None:
        return None
    deep = match[1] != b"|u1"
    *shape, last = (int(length) for length in match[2].split(b", "))
    if len(shape) > 1 and 0 < last <= _CHANNELS:
        *shape, width = shape
        channels = last
    else:
        width, channels = last, 1
    channels *= 1 + deep
    stride = width * channels
    little = match[1] == b"<u2"
    return Layout(at + size, stride, prod(shape), width, channels, deep=deep, little=little)
