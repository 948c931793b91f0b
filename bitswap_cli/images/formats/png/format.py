"""PNG as a format: its kinds of pictures, and what their samples show."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import once
from bitswap_cli.images.formats.deep import big_endian, high_first, whole
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.palette import colours_of, indices_of, shown_by
from bitswap_cli.images.formats.png.chunks import (
    GRAY,
    PALETTE,
    SIGNATURE,
    Head,
    chunk,
    find_pixels,
    lengths,
    read_head,
    read_palette,
)
from bitswap_cli.images.formats.png.rows import read_rows, write_rows
from bitswap_cli.images.formats.png.stream import describe, restore
from bitswap_cli.images.formats.png.turns import Turns
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe, is_held

_LEVEL, _FAST, _QUICK = 6, 1, 0  # of zlib; the last one only stores
_TURNS = Turns(MAX_PIXELS)  # to describe and restore


class _Start(NamedTuple):
    """What stands before the pixels and decides what they are."""

    head: Head
    palette: NDArray[np.uint8] | None
    """Of a palette image, else None."""
    colours: NDArray[np.uint8] | None
    """Those of it by which its samples are told, if they are, else None."""


class _Read(NamedTuple):
    """A file taken apart."""

    head: Head
    start: int
    """Where its pixels start."""
    end: int
    """Where they end."""
    idat: bytes
    stored: NDArray[np.uint8]
    """As `read_rows` returns them."""


def describe_file(data: bytes) -> bytes | None:
    """Say what the samples of a file do not tell, see stream.py; None if that is longer than what
    it describes, or the file is no picture of any kind."""
    found = once(_read_coloured, data)
    if found is None:
        return None
    head, start, end, idat, stored = found
    with _TURNS.of(head.height * head.width):
        description = describe(idat, lengths(data[start:end]), stored, head)
    return description if description is not None and len(description) < len(idat) else None


def palette_of(recipe: Recipe) -> NDArray[np.uint8] | None:
    """Read the palette of a picture by its colours; None if the recipe is malformed."""
    before = _read_start(recipe.prefix, recipe.kind.removesuffix(_EXACT))
    return None if before is None else before.colours


def _may_be_large(head: bytes, _: int) -> bool:
    """Tell whether a file has a larger picture than every archive can hold."""
    found = read_head(head)
    return found is not None and not is_held(found.height, found.width, found.unit, large=False)


_EXACT = "-exact"  # how the names of kinds end whose recipes hold a description
_PLAIN = Kind("png", 0, exact=False, plain=True, large=_may_be_large)
_SAMPLES = Kind("png-samples", 3, exact=False, plain=False, large=_may_be_large)
_COLOURS = _SAMPLES._replace(name="png-colours", number=4, palette=palette_of)
# Red, green and blue tell the alpha, which tells them worse.
_OPAQUE = _COLOURS._replace(
    name="png-opaque", number=43, feature="opaque", shows=lambda shape: (*shape[:2], 4)
)


def _described(kind: Kind, number: int) -> Kind:
    """The same with a description."""
    name = kind.name + _EXACT
    return kind._replace(name=name, number=number, exact=True, describe=describe_file)


MAGIC: Sequence[bytes] = (SIGNATURE,)
KINDS: Sequence[Kind] = (
    _PLAIN,
    _SAMPLES,
    _COLOURS,
    _described(_PLAIN, 6),
    _described(_SAMPLES, 7),
    _described(_COLOURS, 8),
    _OPAQUE,
    _described(_OPAQUE, 44),
)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`.

    "png" is 8-bit gray or RGB, "png-samples" any other image as it is stored, "png-colours" a
    palette image by its colours, "png-opaque" one that has alphas, by their red, green and blue.
    Samples of 16 bits have all their high bytes first; gray of fewer than 8 bits is scaled to
    0..255; indices are as they are. Kinds that end in "-exact" are the same with a description, by
    which the file comes back byte for byte.
    """
    pixel_kind = kind.removesuffix(_EXACT)
    before = _read_start(data, pixel_kind)
    if before is None:
        return None
    head, palette, colours = before
    coloured = pixel_kind != kind or palette is not None
    found = once(_read_coloured, data) if coloured else _read(data, colours=False)
    if found is None:
        return None
    stored = found.stored
    pixels = _samples(stored, head) if colours is None else colours_of(stored, colours)
    if pixels is None:
        return None
    return Picture(pixels, Recipe(kind, data[: found.start], data[found.end :]))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`: IDAT chunks between prefix and suffix, one if no description is asked."""
    pixels = samples.view(np.uint8)
    pixel_kind = recipe.kind.removesuffix(_EXACT)
    before = _read_start(recipe.prefix, pixel_kind)
    stored = None if before is None else _stored(before, pixels)
    if before is None or stored is None:
        raise _misfit()
    if pixel_kind == recipe.kind:
        idat = [write_rows(stored, before.head, _QUICK if quick else _LEVEL)]
    elif quick:
        idat = [write_rows(stored, before.head, _FAST)]
    else:
        with _TURNS.of(before.head.height * before.head.width):
            idat = restore(recipe.description, stored, before.head)
    return b"".join([recipe.prefix, *(chunk(b"IDAT", body) for body in idat), recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: indices as their colours, and black beyond the palette's end."""
    pixels = samples.view(np.uint8)
    pixel_kind = recipe.kind.removesuffix(_EXACT)
    before = _read_start(recipe.prefix, pixel_kind)
    if before is None:
        raise _misfit()
    head, palette, _ = before
    if palette is not None and pixel_kind != _COLOURS.name:
        stored = pixels if pixel_kind == _SAMPLES.name else _stored(before, pixels)
        if stored is None:
            raise _misfit()
        return shown_by(stored, palette)
    return whole(pixels) if head.depth == 16 else pixels


def _read_coloured(data: bytes) -> _Read | None:
    return _read(data, colours=True)


def _read(data: bytes, *, colours: bool) -> _Read | None:
    """Take a file apart; None if it is no picture, see `find_pixels`."""
    head = read_head(data)
    found = find_pixels(data, colours=colours) if head else None
    stored = read_rows(found[2], head) if head and found else None
    return None if head is None or found is None or stored is None else _Read(head, *found, stored)


def _misfit() -> ArchiveError:
    return ArchiveError("the archive holds a PNG header that does not fit its pixels")


def _read_start(data: bytes, kind: str) -> _Start | None:
    """Read header and palette; None if they are not those of a picture of this kind."""
    head = read_head(data)
    if head is None or head.is_plain != (kind == _PLAIN.name):
        return None
    if head.colour == PALETTE:
        palette = read_palette(data)
        if palette is None or (kind == _OPAQUE.name and palette.shape[1] != 4):
            return None
        told = {_COLOURS.name: palette, _OPAQUE.name: palette[:, :3].copy()}.get(kind)
        return _Start(head, palette, None if told is None else told[: 1 << head.depth])
    return None if kind in (_COLOURS.name, _OPAQUE.name) else _Start(head, None, None)


def _stored(before: _Start, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return pixels as the file stores them; None if they do not fit there."""
    head, _, colours = before
    channels = max(1, head.bits // 8) if colours is None else colours.shape[1]
    if pixels.shape != (head.height, head.width, channels):
        return None
    if colours is not None:
        return indices_of(pixels, colours)
    if head.depth == 16:
        return big_endian(pixels)
    if head.depth == 8:
        return pixels
    values, rest = np.divmod(pixels, _scale(head))
    return None if rest.any() or int(values.max()) >> head.depth else values


def _samples(stored: NDArray[np.uint8], head: Head) -> NDArray[np.uint8]:
    """Return pixels by their samples."""
    scale = _scale(head)
    return high_first(stored) if head.depth == 16 else stored if scale == 1 else stored * scale


def _scale(head: Head) -> np.uint8:
    """Return what 8-bit values are multiples of: gray of fewer bits spans the whole range."""
    return np.uint8(255 // ((1 << head.depth) - 1) if head.colour == GRAY else 1)
