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
from bitswap_cli.images.corrections import corrected, corrections
from bitswap_cli.images.formats import bmp, pnm, qoi, tga
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.format import Format, Kind, Pixels, Shape
from bitswap_cli.images.formats.lattice.finder import Found, find
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, Plane, colours, spread
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.orientation import turn, turn_back
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

FEATURE = "lattice"
_FIRST = 64  # number of the first kind
_HEAD = struct.Struct("<BBI")  # kind of the file, how the picture lies, bytes of corrections
_ORIENTATIONS = 4  # where there is less chroma; else one
_MADE_BY: tuple[Format, ...] = (png, bmp, pnm, npy, qoi, tga, tiff)
_INNER = (0, 1, 2, 3, 6, 7, 9, 10, 11, 14, 15, 16, 21)  # numbers of kinds
_WITHIN = {
    kind.number: (form, kind) for form in _MADE_BY for kind in form.KINDS if kind.number in _INNER
}


def _rows(height: int) -> int:
    """Return how many rows of chroma there are below those of luma, twice as many or one fewer."""
    return (height + 1) // 3


def _shown(shape: Shape) -> Shape:
    """Return the shape of the picture whose luma and chroma have one."""
    height, width, _ = shape
    return height - _rows(height), width, 3


def _coloured(shape: Shape) -> Shape:
    """Return the shape of the picture whose luma has one."""
    height, width, _ = shape
    return height, width, 3


def _middle(samples: Samples, edge: int) -> Samples:
    """Cut the middle out of luma and of chroma."""
    height = len(samples) - _rows(len(samples))
    luma, chroma = samples[:height], np.hsplit(samples[height:], 2)
    top, left = (max(0, side - edge) // 4 * 2 for side in luma.shape[:2])
    part = luma[top : top + edge, left : left + edge]
    rows, columns = (slice(at // 2, (at + edge) // 2) for at in (top, left))
    return np.concatenate([part, np.hstack([plane[rows, columns] for plane in chroma])])


class _Way(NamedTuple):
    """How the pictures of one kind are had."""

    map: Map
    how: Chroma
    kind: Kind


def _way(number: int, used: Map, half: bool, exact: bool) -> _Way:
    how = used.half if half else Chroma.FULL
    name = used.name + "-half" * (half and how != Chroma.NONE) + "-exact" * exact
    place = _FIRST + 4 * number + 2 * half + exact
    kind = Kind(name, place, exact, plain=False, feature=FEATURE, common=True)
    if how == Chroma.NONE:
        kind = kind._replace(shows=_coloured)
    elif half:
        kind = kind._replace(shows=_shown, middle=_middle)
    return _Way(used, how, kind)


_WAYS = [
    _way(number, used, half, exact)
    for number, used in enumerate(MAPS)
    for half in (False, True)
    for exact in (False, True)
    if half or used.half != Chroma.NONE
]
_BY_NAME = {way.kind.name: way for way in _WAYS}
MAGIC: Sequence[bytes] = ()  # their files begin as those of other formats
KINDS: Sequence[Kind] = [way.kind for way in _WAYS]


class _Told(NamedTuple):
    """What a recipe tells."""

    way: _Way
    form: Format
    """Of the file."""
    recipe: Recipe
    """Its own."""
    orientation: int
    corrections: bytes


def laid(picture: Picture) -> Picture | None:
    """Return a picture by luma and chroma, proved to be the same; None if nothing tells that it was
    computed of any."""
    pixels, recipe = picture
    within = [kind for _, kind in _WITHIN.values() if kind.name == recipe.kind]
    if not within or pixels.shape[2] != 3:
        return None
    found = find(pixels.view(np.uint8))
    if found is None:
        return None
    own = np.ascontiguousarray(turn(pixels.view(np.uint8), found.orientation))
    planes = _planes(found)
    told = corrections(own, _made(found.map, found.how, planes))
    head = _HEAD.pack(within[0].number, found.orientation, len(told))
    description = b"".join([head, told, recipe.description])
    if len(recipe.prefix) + len(recipe.suffix) + len(description) > MAX_RECIPE:
        return None
    kind = next(
        way.kind.name
        for way in _WAYS
        if (way.map.name, way.how, way.kind.exact) == (found.map.name, found.how, within[0].exact)
    )
    made = Recipe(kind, recipe.prefix, recipe.suffix, description)
    proved = np.array_equal(_pixels(_unpack(made), planes), pixels)
    return Picture(planes, made) if proved else None


def _planes(found: Found) -> Plane:
    """Lay luma and chroma in one picture (H, W, C)."""
    if found.how == Chroma.FULL:
        return np.dstack([found.luma, *found.chroma])
    if found.how == Chroma.NONE:
        return found.luma[:, :, None]
    return np.concatenate([found.luma, np.hstack(list(found.chroma))])[:, :, None]


def _made(used: Map, how: Chroma, planes: Plane) -> Plane:
    """Return the colours of a picture (H, W, C); raise `ArchiveError` if it has another shape."""
    height, width, channels = planes.shape
    if channels != (3 if how == Chroma.FULL else 1):
        raise _malformed()
    if how == Chroma.NONE:
        return planes.repeat(3, 2)
    if how == Chroma.FULL:
        luma, blue, red = (planes[:, :, channel] for channel in range(3))
    else:
        rows = _rows(height)
        if not rows or 2 * rows - (height - rows) not in (0, 1) or width % 2:
            raise _malformed()
        luma = planes[: height - rows, :, 0]
        blue, red = np.hsplit(planes[height - rows :, :, 0], 2)
    return colours(used, luma, *(spread(plane, how, *luma.shape) for plane in (blue, red)))


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
    way, described = _BY_NAME[recipe.kind], recipe.description
    if len(described) < _HEAD.size:
        raise _malformed()
    number, orientation, length = _HEAD.unpack_from(described)
    end = _HEAD.size + length
    form, kind = _WITHIN.get(number, (None, None))
    most = _ORIENTATIONS if way.how in (Chroma.REPEATED, Chroma.BETWEEN) else 1
    if form is None or kind is None or kind.exact != way.kind.exact:
        raise _malformed()
    if end > len(described) or orientation >= most:
        raise _malformed()
    own = Recipe(kind.name, recipe.prefix, recipe.suffix, described[end:])
    return _Told(way, form, own, orientation, described[_HEAD.size : end])


def _pixels(told: _Told, samples: Samples) -> Plane:
    """Return the pixels of a picture; raise `ArchiveError` if its samples do not fit."""
    made = _made(told.way.map, told.way.how, samples.view(np.uint8))
    return np.ascontiguousarray(turn_back(corrected(made, told.corrections), told.orientation))


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture by luma and chroma that is malformed")
