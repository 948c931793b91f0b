"""Pictures by the ranks of their samples among the values that occur in a channel.

What changes brightness or contrast of a picture of eight bits, or bends or equalizes its histogram,
leaves out values: models know such pictures better as they were before, without gaps.

A file of another format is seen as one of these as well.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import qoi
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.format import Format, Kind, Pixels
from bitswap_cli.images.formats.pdf import format as pdf
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.rasters import bare, bmp, pnm, tga
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

FEATURE = "ranks"
_LEVELS = 256
_MASK = _LEVELS // 8  # bytes
_CHANNELS = (1, 3)  # of what models of tiles know
_SMALLEST = 1 << 13  # pixels
_SAMPLE = 1 << 14  # pixels that are asked first
_ENDS = 0.01  # of all samples are below, and above, where gaps count
_GAPS = 1 / 16  # of the values there do not occur, at least
_MADE_BY: tuple[Format, ...] = (png, bare, bmp, pnm, npy, qoi, tga, tiff, pdf)
_INNER = (0, 1, 2, 3, 6, 7, 9, 10, 11, 14, 15, 16, 21, 46, 49)  # numbers of kinds
_WITHIN = {
    kind.number: (form, kind) for form in _MADE_BY for kind in form.KINDS if kind.number in _INNER
}
_NUMBERED = {kind.name: kind for _, kind in _WITHIN.values()}
_NAMES = {False: "ranks", True: "ranks-exact"}  # by whether files come back byte for byte

MAGIC: Sequence[bytes] = ()  # their files begin as those of other formats
KINDS: Sequence[Kind] = [
    Kind(name, 50 + exact, exact, plain=False, feature=FEATURE, common=True)
    for exact, name in _NAMES.items()
]

Bytes = NDArray[np.uint8]


class _Told(NamedTuple):
    """What a recipe tells."""

    form: Format
    """Of the file."""
    recipe: Recipe
    """Its own."""
    values: list[Bytes]
    """That occur in each channel, ascending."""


def laid(picture: Picture) -> Picture | None:
    """Return a gray or RGB picture by ranks; None if it is none, or has few gaps."""
    pixels, recipe = picture
    kind, (height, width, channels) = _NUMBERED.get(recipe.kind), pixels.shape
    if kind is None or channels not in _CHANNELS or height * width < _SMALLEST:
        return None
    flat = pixels.view(np.uint8).reshape(-1, channels)
    if not _has_gaps(flat[:: max(1, len(flat) // _SAMPLE) | 1]):
        return None
    counts = _counts(flat)
    if not any(map(_gaps, counts)):
        return None
    occurs = counts > 0
    table: Bytes = (np.cumsum(occurs, axis=1) - occurs).astype(np.uint8)
    ranks = np.stack([own[flat[:, k]] for k, own in enumerate(table)], 1).reshape(pixels.shape)
    told = bytes([kind.number]) + np.packbits(occurs).tobytes() + recipe.description
    if sum(map(len, recipe[1:3])) + len(told) > MAX_RECIPE:
        return None
    return Picture(ranks, Recipe(_NAMES[kind.exact], recipe.prefix, recipe.suffix, told))


def _has_gaps(sample: Bytes) -> bool:
    """Tell whether there are gaps in some channel of a sample (n, C)."""
    return any(map(_gaps, _counts(sample)))


def _counts(flat: Bytes) -> NDArray[np.int64]:
    """Return how often each value occurs in each channel of (n, C)."""
    return np.stack([np.bincount(own, minlength=_LEVELS) for own in flat.T])


def _gaps(counts: NDArray[np.int64]) -> bool:
    """Tell whether values are left out that are no rare ones."""
    below = np.cumsum(counts)
    low, high = np.searchsorted(below, [int(share * below[-1]) for share in (_ENDS, 1 - _ENDS)])
    return bool(np.count_nonzero(counts[low : high + 1] == 0) > _GAPS * (high + 1 - low))


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: no file begins as one of these, `laid` makes them of others."""
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    told = _unpack(recipe, samples.shape[2])
    return told.form.join(told.recipe, _pixels(told, samples), quick=quick)


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    told = _unpack(recipe, samples.shape[2])
    return told.form.shown(told.recipe, _pixels(told, samples))


def _pixels(told: _Told, samples: Samples) -> Bytes:
    """Return the pixels of a picture; raise `ArchiveError` if there are no values of its ranks."""
    ranks = samples.view(np.uint8)
    found = np.empty_like(ranks)
    for k, values in enumerate(told.values):
        own = ranks[..., k]
        if own.max() >= len(values):
            raise _malformed()
        found[..., k] = values[own]
    return found


def _unpack(recipe: Recipe, channels: int) -> _Told:
    """Read what a recipe of so many channels tells."""
    described = recipe.description
    end = 1 + channels * _MASK
    if channels not in _CHANNELS or len(described) < end:
        raise _malformed()
    form, kind = _WITHIN.get(described[0], (None, None))
    if form is None or kind is None or _NAMES[kind.exact] != recipe.kind:
        raise _malformed()
    masks = np.frombuffer(described, np.uint8, end - 1, 1).reshape(channels, _MASK)
    values = [np.flatnonzero(own).astype(np.uint8) for own in np.unpackbits(masks, axis=1)]
    own = Recipe(kind.name, recipe.prefix, recipe.suffix, described[end:])
    return _Told(form, own, values)


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture by the ranks of its samples that is malformed")
