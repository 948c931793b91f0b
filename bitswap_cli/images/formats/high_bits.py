"""Pictures of 16 bits a sample by their highest eight, which models of bytes know; those below are
little more than noise as a rule, and are told in the description. Where that is long, as of large
pictures, it is told in parts.

A file of another format is seen as one of these as well. Samples of 10, 12 or 14 bits in 16 may
stand at either end of these; and where few of all values occur, as after a curve or in what had
fewer bits once, their ranks are what counts.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.format import Format, Kind, Pixels
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.rasters import bare, pnm
from bitswap_cli.images.formats.tiff import format as tiff
from bitswap_cli.images.picture import MAX_RECIPE, Picture, Recipe

FEATURE, IN_PARTS = "high-bits", "parts"
FEATURES = (FEATURE, IN_PARTS)
_HEAD = struct.Struct("<BBB")  # kind of the file, zeros that end each sample, lower bits
_BITS = 8  # that are samples
_VALUES = 1 << 16
_CLEARLY = 0.9  # of what planes take, and less: then ranks are told
_CHANNELS = (1, 3)  # of what models of tiles know
_AT_ONCE = 1 << 20  # samples that are looked at together, a multiple of eight
_LOOKED_AT = 1 << 22  # bytes that tell which way is the shorter one, of long ones in blocks
_BLOCK = 1 << 12
_MADE_BY: tuple[Format, ...] = (png, bare, pnm, npy, tiff)
_INNER = (3, 5, 7, 10, 14, 21, 38, 39, 46)  # numbers of kinds
_WITHIN = {
    kind.number: (form, kind) for form in _MADE_BY for kind in form.KINDS if kind.number in _INNER
}
_NAMED = {kind.name: (form, kind) for form, kind in _WITHIN.values()}
# By whether files come back byte for byte, and whether descriptions are told in parts.
_NAMES = {
    (False, False): "high-bits",
    (True, False): "high-bits-exact",
    (False, True): "high-bits-parts",
    (True, True): "high-bits-parts-exact",
}
_EXACT = {name: exact for (exact, _), name in _NAMES.items()}

MAGIC: Sequence[bytes] = ()  # their files begin as those of other formats
KINDS: Sequence[Kind] = [
    Kind(name, number, exact, plain=False, feature=FEATURES[parts], common=True, parts=parts)
    for number, ((exact, parts), name) in enumerate(_NAMES.items(), 31)
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
    """Return a picture laid by one of some ways, proved; by one that needs no parts, if there is
    any."""
    pixels, recipe = picture
    _, kind = _NAMED[recipe.kind]
    room = MAX_RECIPE - 2 - sum(map(len, recipe[1:]))
    few = tuple(way for way in ways if len(way[1]) <= room)
    high, told = _shorter(few or ways)
    description = b"".join([bytes([kind.number, zeros]), told, recipe.description])
    name = _NAMES[kind.exact, not few]
    made = Recipe(name, recipe.prefix, recipe.suffix, description)
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


def _shorter(ways: Sequence[_Way]) -> _Way:
    """Return by which way a picture had better be laid: by planes, the first one, or by ranks."""
    cut, *ranked = ways
    clearly = [way for way in ranked if _cost(way[1]) < _CLEARLY * _cost(cut[1])]
    return clearly[0] if clearly else cut


def _cost(told: bytes) -> int:
    """Return about how many bytes what tells lower bits takes."""
    step = -(-len(told) // _LOOKED_AT)
    some = b"".join(told[at : at + _BLOCK] for at in range(0, len(told), step * _BLOCK))
    return step * len(zlib.compress(some, 1))


def _cut(samples: Words, values: bytes = b"\0") -> _Way:
    """Return the highest bits of samples, and what tells the others: their number, the values that
    samples are the ranks of, and planes."""
    lower = max(0, int(samples.max()).bit_length() - _BITS)
    high = np.empty(samples.shape, np.uint8)
    planes: list[list[bytes]] = [[] for _ in range(lower)]
    for here in _parts(samples.size):
        part = samples.reshape(-1)[here]
        own = (part >> np.uint16(lower)).astype(np.uint8)
        high.reshape(-1)[here] = own
        rest = part - _expected(own, lower)
        for k, plane in enumerate(reversed(planes)):
            plane.append(np.packbits(rest >> np.uint16(k) & np.uint16(1)).tobytes())
    return high, b"".join([bytes([lower]), values, *chain(*planes)])


def _ranked(samples: Words) -> _Way:
    """Return the same of ranks among the values that occur."""
    occurs = _occurring(samples)
    ranks = (np.cumsum(occurs) - 1).astype(np.uint16)
    return _cut(ranks[samples], _packed(np.flatnonzero(occurs)))


def _apart(samples: Words, most: int) -> _Way | None:
    """Return the same of bits before so few others, at `most`, that no two values are equal in
    them; none if those are more than eight."""
    values = np.flatnonzero(_occurring(samples))
    lower = next(k for k in range(most, -1, -1) if k == 0 or np.diff(values >> k).all())
    if values[-1] >> lower >= 1 << _BITS:
        return None
    every = np.arange(int(values[-1] >> lower) + 1) << lower  # what does not occur may be any
    every[values >> lower] = values
    return (samples >> np.uint16(lower)).astype(np.uint8), b"\0" + _packed(every)


def _occurring(samples: Words) -> NDArray[np.bool_]:
    """Tell of each value whether it occurs."""
    occurs = np.zeros(_VALUES, bool)
    for here in _parts(samples.size):
        occurs[samples.reshape(-1)[here]] = True
    return occurs


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


def _parts(size: int) -> Iterator[slice]:
    """Yield which samples are looked at together."""
    return (slice(at, min(at + _AT_ONCE, size)) for at in range(0, size, _AT_ONCE))


def _pixels(told: _Told, samples: Samples) -> Bytes:
    """Return the pixels of a picture, high bytes before low ones; raise `ArchiveError` if they have
    more bits."""
    high = samples.view(np.uint8)
    height, width, channels = high.shape
    found = np.empty((height * width, 2, channels), np.uint8)
    both = np.moveaxis(found, 1, 2)  # bytes of a sample
    for here in _parts(height * width):  # pixels, of which each byte of a plane has eight samples
        own = high.reshape(-1, channels)[here]
        wide = _wide(told, own.reshape(-1), here.start * channels, high.size)
        both[here] = wide.astype(">u2").view(np.uint8).reshape(*own.shape, 2)
    return found.reshape(height, width, -1)


def _wide(told: _Told, high: Bytes, start: int, count: int) -> Words:
    """Return samples of 16 bits by their highest ones (n,), which are some of so many, the first of
    them being number `start`, a multiple of eight."""
    rest = np.zeros(high.size, np.uint16)
    for k in range(told.lower):
        place = k * -(-count // 8) + start // 8
        plane = np.frombuffer(told.planes, np.uint8, -(-high.size // 8), place)
        rest = rest << np.uint16(1) | np.unpackbits(plane, count=high.size)
    rest += _expected(high, told.lower)
    rest &= np.uint16((1 << told.lower) - 1)
    wide = high.astype(np.uint32) << told.lower | rest
    if len(told.values):
        if wide.max(initial=0) >= len(told.values):
            raise _malformed()
        wide = told.values[wide].astype(np.uint32)
    wide <<= told.zeros
    if wide.max(initial=0) >> 16:
        raise _malformed()
    return wide.astype(np.uint16)


def _unpack(recipe: Recipe, samples: int) -> _Told:
    """Read what a recipe of so many samples tells."""
    described = recipe.description
    if len(described) < _HEAD.size:
        raise _malformed()
    number, zeros, lower = _HEAD.unpack_from(described)
    form, kind = _WITHIN.get(number, (None, None))
    if form is None or kind is None or _EXACT.get(recipe.kind) != kind.exact:
        raise _malformed()
    if zeros >= 2 * _BITS or lower > _BITS:
        raise _malformed()
    reader = Reader(described[_HEAD.size :])
    values, planes = _unpacked(reader), reader.take(lower * -(-samples // 8))
    own = Recipe(kind.name, recipe.prefix, recipe.suffix, reader.rest())
    return _Told(form, own, zeros, lower, values, planes)


def _malformed() -> ArchiveError:
    return ArchiveError("the archive holds a picture by its highest bits that is malformed")
