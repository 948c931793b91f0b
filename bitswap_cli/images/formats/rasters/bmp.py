"""BMP: 16, 24 or 32 bits, or indices of 8, 4 or 1 bits into a palette; those of 8 bits as runs,
too."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.bits import fields_of
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rasters.raster import (
    Head,
    join_raster,
    rows_of,
    shown_raster,
    split_raster,
)
from bitswap_cli.images.formats.rows import Layout, from_rows, to_rows
from bitswap_cli.images.picture import Picture, Recipe

_PLAIN = Kind("bmp", 1, exact=True, plain=True, rows=lambda data: rows_of(_read(data, "bmp")))
_FOUR = Kind(
    "bmp-32", 11, exact=True, plain=False, common=True, feature="bmp",
    rows=lambda data: rows_of(_read(data, "bmp-32")),
)  # fmt: skip
_INDICES = Kind("bmp-indices", 12, exact=True, plain=False, feature="bmp")
_COLOURS = Kind(
    "bmp-colours", 13, exact=True, plain=False, feature="bmp",
    palette=lambda recipe: head.palette if (head := _read(recipe.prefix, recipe.kind)) else None,
)  # fmt: skip
_WORDS = Kind(
    "bmp-16", 35, exact=True, plain=False, common=True, feature="rgb-16",
    rows=lambda data: rows_of(_read(data, "bmp-16")),
)  # fmt: skip

MAGIC: Sequence[bytes] = (b"BM",)
KINDS: Sequence[Kind] = (_PLAIN, _FOUR, _INDICES, _COLOURS, _WORDS)

_HEADERS = {40, 52, 56, 108, 124}  # BITMAPINFOHEADER and its successors, by their length
_NONE, _RUNS, _MASKS = 0, 1, 3  # ways of packing
_LONGEST = 255  # pixels of a run
_BGR, _RGB = (0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000)  # masks of red, green and blue
_FIVES = 31 << 10, 31 << 5, 31  # those of 16 bits where none are told
_GRAY_PALETTE = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(256, 3)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "bmp" is gray or RGB, "bmp-32" has a fourth byte, "bmp-16" has samples of
    fewer bits, "bmp-indices" and "bmp-colours" are palette images by the former or the latter."""
    return split_raster(data, kind, _read(data, kind), _unpacked)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    head = _read(recipe.prefix, recipe.kind)
    return join_raster(recipe, samples, head, lambda *told: _packed(to_rows(*told)))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    head = _read(recipe.prefix, recipe.kind)
    return shown_raster(recipe, samples, head, recipe.description)


def _unpacked(data: bytes, kind: str, layout: Layout) -> Picture | None:
    """Split a file whose rows, with what fills them up, are nothing but runs, each row ended, and
    all of them, as ImageMagick writes them."""
    pairs = np.frombuffer(data, np.uint8, (len(data) - layout.start) // 2 * 2, layout.start)
    lengths, values = pairs.reshape(-1, 2).T
    ends = np.flatnonzero((lengths == 0) & (values == 1))
    count = int(ends[0]) if len(ends) else 0
    size = layout.stride * layout.height
    if not layout.fits or int(lengths[:count].sum(dtype=np.int64)) != size:
        return None
    rows = np.repeat(values[:count], lengths[:count]).reshape(layout.height, layout.stride)
    if _packed(rows) != pairs[: 2 * count + 2].tobytes():
        return None
    pixels, _ = from_rows(rows, layout)
    after = layout.start + 2 * count + 2
    return Picture(pixels, Recipe(kind, data[: layout.start], data[after:]))


def _packed(rows: NDArray[np.uint8]) -> bytes:
    """Invert `_unpacked`, of rows (H, stride)."""
    last = np.ones(rows.shape, bool)  # of a run
    last[:, :-1] = rows[:, 1:] != rows[:, :-1]
    places = np.flatnonzero(last)
    lengths = np.diff(places, prepend=-1)
    parts = -(-lengths // _LONGEST)
    runs = np.full((int(parts.sum()), 2), _LONGEST, np.uint8)
    final = np.cumsum(parts) - 1
    runs[final, 0] = lengths - _LONGEST * (parts - 1)
    runs[:, 1] = np.repeat(rows.reshape(-1)[places], parts)
    ended = final[places % rows.shape[1] == rows.shape[1] - 1] + 1
    return np.insert(runs, ended, 0, axis=0).tobytes() + b"\0\1"


def _read(data: bytes, kind: str) -> Head | None:
    """Read what stands before the rows; None if it is not that of a picture of this kind."""
    head = _head(data)
    if head is None:
        return None
    gray = head.palette is not None and np.array_equal(head.palette, _GRAY_PALETTE)
    if gray and not head.packed:
        head = head._replace(palette=None)  # indices are gray values
    if head.palette is None:
        own = _FOUR if head.layout.channels == 4 else _PLAIN
        return head if kind == (_WORDS if head.layout.fields else own).name else None
    return head if kind in (_INDICES.name, _COLOURS.name) else None


def _head(data: bytes) -> Head | None:
    if len(data) < 54 or data[:2] not in MAGIC:
        return None
    start, header, width, height, planes, depth, packing = struct.unpack_from("<IIiiHHI", data, 10)
    if header not in _HEADERS or width <= 0 or height == 0 or planes != 1:
        return None
    colours_at, palette, masks = 14 + header, None, _FIVES if depth == 16 else _BGR
    if depth in (16, 32) and packing == _MASKS and len(data) >= 66:
        masks = struct.unpack_from("<III", data, 54)
        colours_at = max(colours_at, 66)
    elif packing != _NONE and (packing, depth) != (_RUNS, 8):
        return None
    fields = fields_of(masks) if depth == 16 else ()
    if not fields and masks not in (_BGR, _RGB):
        return None
    if depth in (1, 4, 8):
        entries = struct.unpack_from("<I", data, 46)[0] or 1 << depth
        if entries > 1 << depth or colours_at + 4 * entries > len(data):
            return None
        palette = np.frombuffer(data, np.uint8, 4 * entries, colours_at).reshape(-1, 4)[:, 2::-1]
        colours_at += 4 * entries
    elif depth not in (16, 24, 32):
        return None
    if start < colours_at or start > len(data):
        return None
    stride, channels = -(-width * depth // 32) * 4, len(fields) or max(1, depth // 8)
    bgr = palette is None and masks == _BGR
    return Head(
        Layout(
            start, stride, abs(height), width, channels, height > 0, bgr, depth=min(depth, 8),
            fields=fields,
        ),
        palette,
        packing == _RUNS,
    )  # fmt: skip
