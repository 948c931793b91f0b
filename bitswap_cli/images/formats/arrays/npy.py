"""NumPy's .npy: arrays of bytes or 16-bit integers, (H, W) or (H, W, C), or many of them as one
tall picture (NumPy's documentation, numpy.lib.format)."""

from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.arrays import npy_header
from bitswap_cli.images.formats.arrays.axes import layout_of_axes
from bitswap_cli.images.formats.arrays.planar import planes_in
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = (npy_header.MAGIC,)
_PLAIN = Kind(
    "npy", 14, exact=True, plain=False, common=True, feature="npy",
    rows=lambda head: layout_of(head),
)  # fmt: skip
_OTHER = Kind(
    "npy-other", 38, exact=True, plain=False, common=True, feature="npy-other",
    rows=lambda head: _layout_of_other(head),
)  # fmt: skip
KINDS: Sequence[Kind] = (_PLAIN, _OTHER)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of 16-bit integers, high bytes come first; pictures that are planar are
    none of these. "npy-other" is of signed integers, or in Fortran's order."""
    return None if planes_in(data) else split_rows(data, kind, _layout(kind, data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, _layout(recipe.kind, recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures of an array one below the other; of signed integers, how many
    they are more than the least."""
    pixels, layout = samples.view(np.uint8), _layout(recipe.kind, recipe.prefix)
    return whole(pixels) if layout and layout.deep else with_flat(pixels, recipe.description)


def layout_of(data: bytes) -> Layout | None:
    """Return how the rows lie, told by the header; None if they are no picture's."""
    told = npy_header.read(data)
    if told is None:
        return None
    deep, little = told.type != b"|u1", told.type == b"<u2"
    return layout_of_axes(told.size, told.shape, deep=deep, little=little)


def _layout(kind: str, data: bytes) -> Layout | None:
    return layout_of(data) if kind == _PLAIN.name else _layout_of_other(data)


def _layout_of_other(data: bytes) -> Layout | None:
    """Return the same of what is in Fortran's order, as rows of columns, or of signed integers."""
    told = npy_header.read_any(data)
    if told is None or not (told.signed or (told.backwards and told.type.endswith(b"2"))):
        return None
    deep, little = told.type.endswith(b"2"), told.type.startswith(b"<")
    found = layout_of_axes(told.size, told.shape, deep=deep, little=little)
    return found._replace(signed=told.signed)
