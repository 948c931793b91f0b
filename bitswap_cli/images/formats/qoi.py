"""QOI (qoiformat.org, the specification), as the reference encoder writes it."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.flat import with_flat, without_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.picture import Picture, Recipe, is_held

MAGIC: Sequence[bytes] = (b"qoif",)
KINDS: Sequence[Kind] = (
    Kind(
        "qoi", 15, exact=True, plain=False, common=True, feature="qoi",
        large=lambda data, _: (head := _head(data)) is not None and head.is_large,
    ),
)  # fmt: skip

_HEAD = 14


class _Head(NamedTuple):
    height: int
    width: int
    channels: int

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def is_large(self) -> bool:
        return not is_held(self.height, self.width, 4, large=False)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`."""
    head = _head(data)
    if head is None:
        return None
    found = engine().qoi_read(data[_HEAD:], head.pixels)
    if found is None:
        return None
    every, length = found
    pixels, flat = without_flat(every.reshape(head.height, head.width, 4)[..., : head.channels])
    recipe = Recipe(kind, data[:_HEAD], data[_HEAD + length :], flat)
    return Picture(np.ascontiguousarray(pixels), recipe)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    head = _head(recipe.prefix)
    pixels = with_flat(samples.view(np.uint8), recipe.description)
    if head is None or len(recipe.prefix) != _HEAD or pixels.shape != head:
        raise misfit(recipe)
    every = np.full((head.pixels, 4), 255, np.uint8)
    every[:, : head.channels] = pixels.reshape(-1, head.channels)
    return b"".join([recipe.prefix, engine().qoi_write(every), recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    return with_flat(samples.view(np.uint8), recipe.description)


def _head(data: bytes) -> _Head | None:
    if len(data) < _HEAD or data[:4] not in MAGIC:
        return None
    width, height, channels = struct.unpack_from(">IIB", data, 4)
    if channels not in (3, 4) or not is_held(height, width, 4, large=True):
        return None
    return _Head(height, width, channels)
