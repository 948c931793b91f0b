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
KINDS: Sequence[Kind] = (
    Kind(
        "npy", 14, exact=True, plain=False, common=True, feature="npy",
        rows=lambda head: layout_of(head),
    ),
)  # fmt: skip


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of 16-bit integers, high bytes come first; pictures that
    are planar are none of these."""
    return None if planes_in(data) else split_rows(data, kind, layout_of(data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, layout_of(recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures of an array one below the other."""
    pixels, layout = samples.view(np.uint8), layout_of(recipe.prefix)
    return whole(pixels) if layout and layout.deep else with_flat(pixels, recipe.description)


def layout_of(data: bytes) -> Layout | None:
    """Return how the rows lie, told by the header; None if they are no picture's."""
    told = npy_header.read(data)
    if told is None:
        return None
    deep, little = told.type != b"|u1", told.type == b"<u2"
    return layout_of_axes(told.size, told.shape, deep=deep, little=little)
