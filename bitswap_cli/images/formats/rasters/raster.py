"""What formats of a header and rows have in common: a palette, maybe, and rows, packed or not."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Pixels
from bitswap_cli.images.formats.palette import colours_of, indices_of, shown_by
from bitswap_cli.images.formats.rows import Layout, join_rows, misfit, scaled, split_rows
from bitswap_cli.images.picture import Picture, Recipe

Bytes = NDArray[np.uint8]
Unpack = Callable[[bytes, str, Layout], Picture | None]
"""Splits a file of a kind whose rows, as a layout has them, are packed; None if that is damaged."""
Pack = Callable[[Recipe, Bytes, Layout], bytes]
"""Packs the rows of a recipe and its samples, as a layout has them; `ArchiveError` if these do not
belong together."""


class Head(NamedTuple):
    """What stands before the rows."""

    layout: Layout
    palette: Bytes | None = None
    """Colours (entries, 3 or 4) where there are indices."""
    packed: bool = False
    """Whether rows are packed."""


def split_raster(data: bytes, kind: str, head: Head | None, unpack: Unpack) -> Picture | None:
    """Split a file of a kind with a header, None if it has none; by colours where the kind's name
    ends so (see `Format.split`)."""
    if head is None:
        return None
    packed = unpack(data, kind, head.layout) if head.packed else None
    picture = packed if head.packed else split_rows(data, kind, head.layout)
    if picture is None or head.palette is None or not _by_colours(kind):
        return picture
    pixels = colours_of(picture.pixels.view(np.uint8), head.palette)
    return None if pixels is None else picture._replace(pixels=pixels)


def join_raster(recipe: Recipe, samples: Samples, head: Head | None, pack: Pack) -> bytes:
    """Invert `split_raster` (see `Format.join`)."""
    pixels: Bytes | None = samples.view(np.uint8)
    if pixels is not None and head and head.palette is not None and _by_colours(recipe.kind):
        pixels = indices_of(pixels, head.palette)
    if head is None or pixels is None or head.layout.start != len(recipe.prefix):
        raise misfit(recipe)
    if not head.packed:
        return join_rows(recipe, pixels, head.layout)
    return b"".join([recipe.prefix, pack(recipe, pixels, head.layout), recipe.suffix])


def shown_raster(recipe: Recipe, samples: Samples, head: Head | None, flat: bytes) -> Pixels:
    """Return what a picture shows, as far as its header tells, if it has one; the description tells
    that a channel is `flat`."""
    pixels = samples.view(np.uint8)
    if head is None:
        return with_flat(pixels, flat)
    if head.palette is not None and not _by_colours(recipe.kind):
        return shown_by(pixels, head.palette)
    return scaled(recipe, with_flat(pixels, flat), head.layout)


def rows_of(head: Head | None) -> Layout | None:
    """Return how rows lie behind a header, if they are not packed (see `Kind.rows`)."""
    return None if head is None or head.packed else head.layout


def _by_colours(kind: str) -> bool:
    return kind.endswith("-colours")
