"""Pictures by the luma and chroma that their colours were computed from, whatever their file is.

A file of another format, whose picture has three bytes a pixel, is seen as one of these as well: as
luma and chroma of each pixel, three channels; or, where there is less chroma, as one gray picture,
luma above blue's chroma and red's, which stand side by side.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections.columns import corrected, corrections
from bitswap_cli.images.corrections.layers import read, written
from bitswap_cli.images.corrections.state import Grid
from bitswap_cli.images.formats import high_bits, qoi, ranks
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.format import Format, Kind, Pixels
from bitswap_cli.images.formats.lattice.finder import Found, find
from bitswap_cli.images.formats.lattice.kinds import WAYS, Way
from bitswap_cli.images.formats.lattice.maps import Chroma, Map, Plane, colours, spread
from bitswap_cli.images.formats.lattice.own import OWN, SIZE, own_map
from bitswap_cli.images.formats.pdf import format as pdf
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.rasters import bare, bmp, pnm, tga
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.orientation import turn, turn_back
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

_HEAD = struct.Struct("<BBI")  # kind of the file, how the picture lies, bytes of corrections
_ORIENTATIONS = 4  # where there is less chroma; else one
_GRID = Grid(0, 0, 2, 2, linked=True)  # of blocks of corrections, where these are words
_CHANNELS = 3  # of pictures, and of those with all of their chroma
_MADE_BY: tuple[Format, ...] = (
    png, bare, bmp, pnm, npy, qoi, tga, tiff, high_bits, pdf, ranks,
)  # fmt: skip
_INNER = (0, 1, 2, 3, 6, 7, 9, 10, 11, 14, 15, 16, 21, 31, 32, 46, 49, 50, 51)  # numbers of kinds
_WITHIN = {
    kind.number: (form, kind) for form in _MADE_BY for kind in form.KINDS if kind.number in _INNER
}


MAGIC: Sequence[bytes] = ()  # their files begin as those of other formats
KINDS: Sequence[Kind] = [way.kind() for way in WAYS.values()]


class _Told(NamedTuple):
    """What a recipe tells."""

    way: Way
    form: Format
    """Of the file."""
    recipe: Recipe
    """Its own."""
    orientation: int
    corrections: bytes
    map: Map


def laid(picture: Picture) -> Picture | None:
    """Return a picture by luma and chroma, proved to be the same; None if nothing tells that it was
    computed of any."""
    pixels, recipe = picture
    within = [kind for _, kind in _WITHIN.values() if kind.name == recipe.kind]
    if not within or pixels.shape[2] != _CHANNELS:
        return None
    found = find(pixels.view(np.uint8))
    if found is None:
        return None
    own = np.ascontiguousarray(turn(pixels.view(np.uint8), found.orientation))
    odd = found.how not in (Chroma.FULL, Chroma.NONE) and bool(own.shape[1] % 2)
    way = Way(found.map, found.how, odd, within[0].exact)
    planes = _planes(way, found)
    told = _corrections(way, own, _made(way, found.map, planes))
    head = _HEAD.pack(within[0].number, found.orientation, len(told))
    description = b"".join([head, told, found.map.told, recipe.description])
    if len(recipe.prefix) + len(recipe.suffix) + len(description) > MAX_RECIPE:
        return None
    made = Recipe(way.name, recipe.prefix, recipe.suffix, description)
    proved = np.array_equal(_pixels(_unpack(made), planes), pixels)
    return Picture(planes, made) if proved else None


def _planes(way: Way, found: Found) -> Plane:
    """Lay luma and chroma in one picture (H, W, C)."""
    if way.how == Chroma.FULL:
        return np.dstack([found.luma, *found.chroma])
    luma = np.pad(found.luma, ((0, 0), (0, 1)), mode="edge") if way.odd else found.luma
    parts = [luma, np.hstack(list(found.chroma))] if way.less else [luma]
    return np.concatenate(parts)[:, :, None]


def _made(way: Way, used: Map, planes: Plane) -> Plane:
    """Return the colours of a picture (H, W, C); raise `ArchiveError` if it has another shape."""
    height, width, channels = planes.shape
    if channels != (_CHANNELS if way.how == Chroma.FULL else 1):
        raise _malformed()
    if way.how == Chroma.NONE:
        return planes.repeat(_CHANNELS, 2)
    if way.how == Chroma.FULL:
        luma, blue, red = (planes[:, :, channel] for channel in range(_CHANNELS))
    else:
        rows = height - way.luma(height)
        if not rows or -(-way.luma(height) // way.tall) != rows or width % 2:
            raise _malformed()
        luma = planes[:-rows, : width - way.odd, 0]
        blue, red = np.hsplit(planes[-rows:, :, 0], 2)
    chroma = (spread(plane, way.how, *luma.shape) for plane in (blue, red))
    return colours(used, luma, *chroma)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: no file begins as one of these, `laid` makes them of others."""
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    told = _unpack(recipe)
    return told.form.join(told.recipe, _pixels(told, samples), quick=quick)


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    told = _unpack(recipe)
    return told.form.shown(told.recipe, _pixels(told, samples))


def _unpack(recipe: Recipe) -> _Told:
    way, described = WAYS[recipe.kind], recipe.description
    if len(described) < _HEAD.size:
        raise _malformed()
    number, orientation, length = _HEAD.unpack_from(described)
    end = _HEAD.size + length
    start = end + SIZE * (way.map.name == OWN)  # of the inner description
    form, kind = _WITHIN.get(number, (None, None))
    most = _ORIENTATIONS if way.less else 1
    if form is None or kind is None or kind.exact != way.exact:
        raise _malformed()
    if start > len(described) or orientation >= most:
        raise _malformed()
    own = Recipe(kind.name, recipe.prefix, recipe.suffix, described[start:])
    used = own_map(described[end:start]) if start > end else way.map
    return _Told(way, form, own, orientation, described[_HEAD.size : end], used)


def _pixels(told: _Told, samples: Samples) -> Plane:
    """Return the pixels of a picture; raise `ArchiveError` if its samples do not fit."""
    made = _made(told.way, told.map, samples.view(np.uint8))
    own = _corrected(told.way, made, told.corrections)
    return np.ascontiguousarray(turn_back(own, told.orientation))


def _corrections(way: Way, pixels: Plane, made: Plane) -> bytes:
    """Write where pixels differ from those that are made, and by what."""
    return written(pixels, made, _GRID) if way.words else corrections(pixels, made)


def _corrected(way: Way, made: Plane, told: bytes) -> Plane:
    """Invert `_corrections`."""
    return read(told, made, _GRID) if way.words else corrected(made, told)


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture by luma and chroma that is malformed")
