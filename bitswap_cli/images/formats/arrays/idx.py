"""IDX: arrays of bytes, (H, W) or (H, W, C), or many of them as one tall picture, as MNIST and data
sets like it come (The MNIST Database, "File formats for the MNIST database")."""

import struct
from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.arrays.axes import layout_of_axes
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

MAGIC: Sequence[bytes] = tuple(bytes([0, 0, 8, axes]) for axes in (2, 3, 4))
"""Two zeros, the type of unsigned bytes, and how many axes there are."""
KINDS: Sequence[Kind] = (
    Kind(
        "idx", 29, exact=True, plain=False, common=True, feature="idx",
        rows=lambda head: layout_of(head),
    ),
)  # fmt: skip

_MOST = 1 << 30  # of an axis


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`."""
    return split_rows(data, kind, layout_of(data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, layout_of(recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures of an array one below the other."""
    return with_flat(samples.view(np.uint8), recipe.description)


def layout_of(data: bytes) -> Layout | None:
    """Return how the rows lie, told by the header; None if they are no picture's."""
    if data[:4] not in MAGIC:
        return None
    start = 4 + 4 * data[3]
    if len(data) < start:
        return None
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    return layout_of_axes(start, shape, deep=False) if max(shape) <= _MOST else None
