"""TGA (Truevision, TGA file format 2.0): gray, RGB with or without alpha, palettes, with runs or
without."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader
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
from bitswap_cli.images.packings import runs
from bitswap_cli.images.picture import Picture, Recipe

_PLAIN = Kind(
    "tga", 16, exact=True, plain=False, common=True, feature="tga",
    rows=lambda data: rows_of(_read(data, "tga")),
)  # fmt: skip
_INDICES = Kind("tga-indices", 17, exact=True, plain=False, feature="tga")
_COLOURS = Kind(
    "tga-colours", 18, exact=True, plain=False, feature="tga",
    palette=lambda recipe: head.palette if (head := _read(recipe.prefix, recipe.kind)) else None,
)  # fmt: skip
_WORDS = Kind(
    "tga-16", 36, exact=True, plain=False, common=True, feature="rgb-16",
    rows=lambda data: rows_of(_read(data, "tga-16")),
)  # fmt: skip

KINDS: Sequence[Kind] = (_PLAIN, _INDICES, _COLOURS, _WORDS)

_HEAD = 18
_PALETTE, _RGB, _GRAY, _RUNS = 1, 2, 3, 8  # types, the last added to the others
_TOP, _RIGHT = 32, 16  # flags: the first row is the top one; the first pixel is the last one
_CHANNELS = {
    (_PALETTE, 8): 1,
    (_RGB, 24): 3,
    (_RGB, 32): 4,
    (_RGB, 15): 4,
    (_RGB, 16): 4,
    (_GRAY, 8): 1,
    (_GRAY, 16): 2,
}
_FIELDS = fields_of((31 << 10, 31 << 5, 31))  # of 16 bits, the highest of which is no colour

# There is no magic; all that is known is what type there is, and the first bytes of a palette.
MAGIC: Sequence[bytes] = tuple(
    bytes([length, maps, kind + runs_too]) + (b"\0\0" if maps else bytes(5))
    for length in range(256)
    for maps, kind in ((1, _PALETTE), (0, _RGB), (0, _GRAY))
    for runs_too in (0, _RUNS)
)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "tga-indices" and "tga-colours" are palette images by the former or the
    latter, "tga-16" has samples of fewer than 8 bits, "tga" are all others."""
    return split_raster(data, kind, _read(data, kind), _unpacked)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_raster(recipe, samples, _read(recipe.prefix, recipe.kind), _packed)


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    head, told = _read(recipe.prefix, recipe.kind), recipe.description
    flat = told[1 : 1 + told[0]] if head and head.packed and told else told
    return shown_raster(recipe, samples, head, flat)


def _unpacked(data: bytes, kind: str, layout: Layout) -> Picture | None:
    """Split a file with runs: the description is that of its flat channel, behind the length of
    that, and that of its packets."""
    if not layout.fits:
        return None
    count = layout.height * layout.width
    found = runs.read(data, layout.start, count, _unit(layout), tiff=False)
    if found is None:
        return None
    told = runs.describe(found.units, found.packets, layout.width)
    if told is None or len(told) >= found.end - layout.start:
        return None
    pixels, flat = from_rows(found.units.reshape(layout.height, layout.stride), layout)
    description = bytes([len(flat)]) + flat + told
    return Picture(pixels, Recipe(kind, data[: layout.start], data[found.end :], description))


def _packed(recipe: Recipe, pixels: NDArray[np.uint8], layout: Layout) -> bytes:
    """Invert `_unpacked`."""
    reader = Reader(recipe.description)
    flat = reader.take(reader.varint())
    units = to_rows(recipe._replace(description=flat), pixels, layout)
    packed = runs.write(units.reshape(-1, _unit(layout)), reader, layout.width, tiff=False)
    if reader.rest():
        raise ArchiveError("the archive holds a damaged description of a TGA file")
    return packed


def _unit(layout: Layout) -> int:
    """Return how many bytes a pixel has in the file."""
    return 2 if layout.fields else layout.channels


def _read(data: bytes, kind: str) -> Head | None:
    """Read what stands before the rows; None if it is not that of a picture of this kind."""
    head = _head(data)
    if head is None:
        return None
    own = _WORDS if head.layout.fields else _PLAIN
    wanted = (own.name,) if head.palette is None else (_INDICES.name, _COLOURS.name)
    return head if kind in wanted else None


def _head(data: bytes) -> Head | None:
    if len(data) < _HEAD:
        return None
    length, maps, kind, first, entries, bits, _, _, width, height, depth, flags = (
        struct.unpack_from("<BBBHHBHHHHBB", data)
    )
    packed, kind = kind & _RUNS > 0, kind & ~_RUNS
    channels = _CHANNELS.get((kind, depth))
    if channels is None or maps != (kind == _PALETTE) or flags & ~(_TOP | 15):
        return None
    start, palette = _HEAD + length, None
    if maps:
        size = bits // 8 * entries
        colours = data[start : start + size]
        if first or bits not in (24, 32) or not 0 < entries <= 256 or len(colours) < size:
            return None
        palette = np.frombuffer(colours, np.uint8).reshape(entries, -1)
        palette = palette[:, [2, 1, 0, 3][: bits // 8]]
        start += size
    elif first or entries or start > len(data):
        return None
    fields = _FIELDS if kind == _RGB and depth <= 16 else ()
    stride, bgr = width * (2 if fields else channels), kind == _RGB and not fields
    layout = Layout(start, stride, height, width, channels, not flags & _TOP, bgr, fields=fields)
    return Head(layout, palette, packed)
