"""Pictures of 16 bits a sample by their highest eight, which models of bytes know; those below are
little more than noise as a rule, and are told in the description.

A file of another format is seen as one of these as well. Samples of 10, 12 or 14 bits in 16 may
stand at either end of these; and where few of all values occur, as after a curve or in what had
fewer bits once, their ranks are what counts.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats import pnm
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.format import Format, Kind, Pixels
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

FEATURE = "high-bits"
_HEAD = struct.Struct("<BBB")  # kind of the file, zeros that end each sample, lower bits
_BITS = 8  # that are samples
_VALUES = 1 << 16
_CLEARLY = 0.9  # of what planes take, and less: then ranks are told
_CHANNELS = (1, 3)  # of what models of tiles know
_MADE_BY: tuple[Format, ...] = (png, pnm, npy, tiff)
_INNER = (3, 5, 7, 10, 14, 21)  # numbers of kinds
_WITHIN = {
    kind.number: (form, kind) for form in _MADE_BY for kind in form.KINDS if kind.number in _INNER
}
_NAMED = {kind.name: (form, kind) for form, kind in _WITHIN.values()}
_NAMES = {False: "high-bits", True: "high-bits-exact"}

MAGIC: Sequence[bytes] = ()  # their files begin as those of other formats
KINDS: Sequence[Kind] = [
    Kind(name, 31 + exact, exact, plain=False, feature=FEATURE, common=True)
    for exact, name in _NAMES.items()
]

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
_Way = tuple[Bytes, bytes]


class _Told(NamedTuple):
    """What a recipe tells."""

    form: Format
    """Of the file."""
    recipe: Recipe
    """Its own."""
    zeros: int
    lower: int
    values: Words
    """That samples have, if these are told by their ranks, else none."""
    planes: bytes
    """Of the lower bits, the highest first."""


def laid(picture: Picture) -> Picture | None:
    """Return a gray or RGB picture of 16 bits a sample by its highest ones, or by ranks; None if it
    is none."""
    found = _samples(picture)
    if found is None:
        return None
    zeros, samples = found
    return _by(picture, zeros, _cut(samples), _ranked(samples))


def levels(picture: Picture) -> Picture | None:
    """Return such a picture as it was when it had eight bits, of which luma and chroma may be
    found: as many of its highest bits as tell all values apart; None if eight do not."""
    found = _samples(picture)
    told = _apart(found[1], _BITS - found[0]) if found else None
    return _by(picture, found[0], told) if found and told else None


def _samples(picture: Picture) -> tuple[int, Words] | None:
    """Return how many zeros end all samples, at most eight, and what stands before them (H, W, C);
    None if it is no gray or RGB picture of 16 bits."""
    pixels, recipe = picture
    within = _NAMED.get(recipe.kind)
    if within is None or pixels.shape[2] not in [2 * channels for channels in _CHANNELS]:
        return None
    if within[0].shown(recipe, pixels).dtype != np.uint16:
        return None
    samples = whole(pixels.view(np.uint8))
    used = int(np.bitwise_or.reduce(samples, axis=None))
    zeros = min((used & -used).bit_length() - 1, _BITS) if used else 0
    samples >>= np.uint16(zeros)
    return zeros, samples


def _by(picture: Picture, zeros: int, *ways: _Way) -> Picture | None:
    """Return a picture laid by one of some ways, proved; None if all take too much."""
    pixels, recipe = picture
    _, kind = _NAMED[recipe.kind]
    room = MAX_RECIPE - 2 - sum(map(len, recipe[1:]))
    ways = tuple(way for way in ways if len(way[1]) <= room)
    if not ways:
        return None
    high, told = ways[0] if len(ways) == 1 else _shorter(*ways)
    description = b"".join([bytes([kind.number, zeros]), told, recipe.description])
    made = Recipe(_NAMES[kind.exact], recipe.prefix, recipe.suffix, description)
    proved = np.array_equal(_pixels(_unpack(made, high.size), high), pixels)
    return Picture(high, made) if proved else None


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: no file begins as one of these, `laid` makes them of others."""
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    told = _unpack(recipe, samples.size)
    return told.form.join(told.recipe, _pixels(told, samples), quick=quick)


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    told = _unpack(recipe, samples.size)
    return told.form.shown(told.recipe, _pixels(told, samples))


def _shorter(cut: _Way, ranked: _Way) -> _Way:
    """Return by which way a picture had better be laid."""
    planes, ranks = (len(zlib.compress(told, 1)) for _, told in (cut, ranked))
    return ranked if ranks < _CLEARLY * planes else cut


def _cut(samples: Words, values: bytes = b"\0") -> _Way:
    """Return the highest bits of samples, and what tells the others: their number, the values that
    samples are the ranks of, and planes."""
    lower = max(0, int(samples.max()).bit_length() - _BITS)
    high = (samples >> np.uint16(lower)).astype(np.uint8)
    rest = samples - _expected(high, lower) & np.uint16((1 << lower) - 1)
    return high, b"".join([bytes([lower]), values, *_planes(rest, lower)])


def _ranked(samples: Words) -> _Way:
    """Return the same of ranks among the values that occur."""
    occurs = np.bincount(samples.ravel(), minlength=_VALUES) > 0
    ranks = (np.cumsum(occurs) - 1).astype(np.uint16)
    return _cut(ranks[samples], _packed(np.flatnonzero(occurs)))


def _apart(samples: Words, most: int) -> _Way | None:
    """Return the same of bits before so few others, at `most`, that no two values are equal in
    them; none if those are more than eight."""
    values = np.flatnonzero(np.bincount(samples.ravel(), minlength=_VALUES))
    lower = next(k for k in range(most, -1, -1) if k == 0 or np.diff(values >> k).all())
    if values[-1] >> lower >= 1 << _BITS:
        return None
    every = np.arange(int(values[-1] >> lower) + 1) << lower  # what does not occur may be any
    every[values >> lower] = values
    return (samples >> np.uint16(lower)).astype(np.uint8), b"\0" + _packed(every)


def _packed(values: NDArray[np.int64]) -> bytes:
    """Return how many values there are, and how many others come before each (varints)."""
    gaps = np.diff(values, prepend=-1) - 1
    return b"".join(map(varint, [len(values), *gaps.tolist()]))


def _unpacked(reader: Reader) -> Words:
    """Invert `_packed`."""
    count = reader.varint()
    if count > _VALUES:
        raise _malformed()
    gaps = np.array([min(reader.varint(), _VALUES) for _ in range(count)], np.int64)
    values = np.cumsum(gaps + 1) - 1
    if count and values[-1] >= _VALUES:
        raise _malformed()
    return values.astype(np.uint16)


def _expected(high: Bytes, lower: int) -> Words:
    """Return what lower bits are where a sample of 8 bits was made longer: its highest ones."""
    return high.astype(np.uint16) >> np.uint16(_BITS - lower)


def _planes(values: Words, bits: int) -> list[bytes]:
    """Return the lowest bits of values as planes, the highest first, the first value in the highest
    bit of a byte."""
    return [np.packbits(values >> np.uint16(k) & 1).tobytes() for k in range(bits - 1, -1, -1)]


def _pixels(told: _Told, samples: Samples) -> Bytes:
    """Return the pixels of a picture, high bytes before low ones; raise `ArchiveError` if they have
    more bits."""
    high = samples.view(np.uint8)
    rest = np.zeros(high.size, np.uint16)
    size = -(-high.size // 8)
    for k in range(told.lower):
        plane = np.frombuffer(told.planes, np.uint8, size, k * size)
        rest = rest << np.uint16(1) | np.unpackbits(plane, count=high.size)
    rest = rest.reshape(high.shape) + _expected(high, told.lower)
    rest &= np.uint16((1 << told.lower) - 1)
    wide = high.astype(np.uint32) << told.lower | rest
    if len(told.values):
        if wide.max(initial=0) >= len(told.values):
            raise _malformed()
        wide = told.values[wide].astype(np.uint32)
    wide <<= told.zeros
    if wide.max(initial=0) >> 16:
        raise _malformed()
    return np.concatenate([wide >> 8, wide & 255], axis=2).astype(np.uint8)


def _unpack(recipe: Recipe, samples: int) -> _Told:
    """Read what a recipe of so many samples tells."""
    described = recipe.description
    if len(described) < _HEAD.size:
        raise _malformed()
    number, zeros, lower = _HEAD.unpack_from(described)
    form, kind = _WITHIN.get(number, (None, None))
    if form is None or kind is None or _NAMES[kind.exact] != recipe.kind:
        raise _malformed()
    if zeros >= 2 * _BITS or lower > _BITS:
        raise _malformed()
    reader = Reader(described[_HEAD.size :])
    values, planes = _unpacked(reader), reader.take(lower * -(-samples // 8))
    own = Recipe(kind.name, recipe.prefix, recipe.suffix, reader.rest())
    return _Told(form, own, zeros, lower, values, planes)


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture by its highest bits that is malformed")
