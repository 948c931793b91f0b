"""PGM (P5) and PPM (P6): with maxval 255 as they are, above it with two bytes a sample."""

import re
from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, join_rows, split_rows
from bitswap_cli.images.picture import Picture, Recipe

_PLAIN = Kind("pnm", 2, exact=True, plain=True)
_DEEP = Kind("pnm-16", 5, exact=True, plain=False)

MAGIC: Sequence[bytes] = (b"P5", b"P6")
KINDS: Sequence[Kind] = (_PLAIN, _DEEP)

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(
    rb"P([56])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})\s"
)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of the deep kind, high bytes come first."""
    return split_rows(data, kind, _layout(kind, data))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    return join_rows(recipe, samples, _layout(recipe.kind, recipe.prefix))


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: of the deep kind 0..maxval, as they are."""
    pixels = samples.view(np.uint8)
    return whole(pixels) if recipe.kind == _DEEP.name else pixels


def _layout(kind: str, data: bytes) -> Layout | None:
    match = _HEADER.match(data)
    if match is None:
        return None
    channels = 1 if match[1] == b"5" else 3
    width, height = int(match[2]), int(match[3])
    deep = kind == _DEEP.name
    if deep and 255 < int(match[4]) < 1 << 16:
        channels *= 2
    elif deep or match[4] != b"255":
        return None
    return Layout(match.end(), width * channels, height, width, channels, deep=deep)
