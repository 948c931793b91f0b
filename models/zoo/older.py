"""An older version of a model file, kept as what differs from a newer one.

Archives name the SHA-256 of their model's file, so the older file comes back to the byte, header
and all. ``<its SHA-256>.older`` holds the SHA-256 of the newer file (32 bytes), the lengths of the
next two parts (uint32 each), zlib of the header and of the levels below (the newer file's header is
the dictionary), the differences of all tensors but the int8 weights (exact/difference.py), and the
words of the weights. Where the newer file has a larger tensor its first rows and columns are meant,
and 0 where it has none.

A weight w is coded around the newer weight v under a mixture of two logistics of mean v: a narrow
one for the weights that stayed, and a wide one. Training moves some rows of a layer far more than
others, some columns, and large weights more than small ones. The level of the wide scale, in thirds
of an octave, is therefore the sum of three, all stored: of the row, of the column and of the size
of v. The narrow one's share goes with the size of v.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from math import gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged, LogisticMixture, Message, MixtureParameters
from bitswap_cli.ans.parameters import MEAN_BITS, SCALE_LEVELS, WEIGHT_BITS
from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models.exact import difference

SUFFIX = ".older"
WEIGHT = 127  # weights are in -127..127
SIZES = 8  # classes of |v|: 0, 1, 2..3, 4..7, ..., 64..127
STEP = 4  # scale indices a level
EVEN = 16  # the level of columns and sizes that changes nothing
SHARES = (0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 255)  # of 256, that a writer tries
SWEEPS = 4
ROW = 512  # weights of one axis that share a level, at most
MOST = 1 << 24  # bytes of a header and levels
_TYPES = {"I32": "<i4", "I16": "<i2", "U16": "<u2", "I8": "<i1", "U8": "<u1"}
_HEAD = struct.Struct("<32s2I")

Array = NDArray[np.integer]
Tensors = dict[str, Array]


class Levels(NamedTuple):
    """The prior of a tensor of weights (rows, columns): uint8 arrays.

    Attributes
    ----------
    rows, columns, sizes : shapes (rows,), (columns,) and (SIZES,)
        Levels whose sum, less EVEN for the last two each, is that of the wide scale.
    shares : shape (SIZES,)
        Of the narrow logistic, of 256.
    """

    rows: NDArray[np.uint8]
    columns: NDArray[np.uint8]
    sizes: NDArray[np.uint8]
    shares: NDArray[np.uint8]


def keep(newer: Path, older: Path) -> Path:
    """Write what gives an older model file back into the folder of the newer one; return its path.

    Raises
    ------
    OSError, ValueError
        If a file cannot be read or written, or is no model file of integers.
    """
    content = older.read_bytes()
    path = newer.with_name(hashlib.sha256(content).hexdigest() + SUFFIX)
    path.write_bytes(encode(newer.read_bytes(), content))
    return path


def rebuild(newest: Path, sha256: str) -> bytes:
    """Return the older model file of a hash, by way of all versions between it and the newest.

    Parameters
    ----------
    newest : Path
        Model file, beside which older ones are kept.
    sha256 : str

    Raises
    ------
    ModelError
        If it is not kept there, or something on the way is damaged.
    """
    try:
        content = newest.read_bytes()
        newest_hash, way = hashlib.sha256(content).hexdigest(), {}
        while sha256 != newest_hash and sha256 not in way:
            way[sha256] = newest.with_name(sha256 + SUFFIX).read_bytes()
            sha256 = way[sha256][:32].hex()
    except OSError as error:
        raise ModelError(
            f"cannot read {error.filename}: {error.strerror}; install bitswap again"
        ) from error
    if sha256 != newest_hash:
        raise ModelError(f"older versions of {newest} name each other: install bitswap again")
    for version, blob in reversed(way.items()):
        content = decode(content, blob)
        if hashlib.sha256(content).hexdigest() != version:
            path = newest.with_name(version + SUFFIX)
            raise ModelError(f"{path} is damaged: install bitswap again")
    return content


def encode(newer: bytes, older: bytes) -> bytes:
    """Return what gives an older model file, for those who have a newer one.

    Parameters
    ----------
    newer, older : bytes
        Safetensors files of int8, uint8, int16 and int32 tensors.

    Raises
    ------
    ValueError
        If they are not that, or a weight of the older file is -128.
    """
    (dictionary, near), (header, tensors) = _read(newer), _read(older)
    base = {name: _cut(near.get(name), tensor) for name, tensor in tensors.items()}
    weights = [name for name, tensor in tensors.items() if tensor.dtype == np.int8]
    rest = {name: _bits(tensor) for name, tensor in tensors.items() if name not in weights}
    small = difference.encode({name: _bits(base[name]) for name in rest}, rest)
    pairs = [(_matrix(base[name]), _matrix(tensors[name])) for name in weights]
    levels = [_search(v, w) for v, w in pairs]
    message = Message(difference.LANES)
    for (v, w), level in zip(reversed(pairs), reversed(levels), strict=True):
        _prior(v, level).push(message, w)
    plain = b"".join(part.tobytes() for level in levels for part in level)
    deflate = zlib.compressobj(9, zdict=dictionary)
    large = deflate.compress(struct.pack("<I", len(header)) + header + plain) + deflate.flush()
    head = _HEAD.pack(hashlib.sha256(newer).digest(), len(large), len(small))
    return head + large + small + message.to_words().astype("<u4").tobytes()


def decode(newer: bytes, blob: bytes) -> bytes:
    """Invert `encode`: return the older file, whose SHA-256 the caller has yet to check.

    Raises
    ------
    ModelError
        If it is seen that either is damaged, or that they do not belong together.
    """
    try:
        return _decode(newer, blob)
    except (ValueError, struct.error, zlib.error, Damaged, ArchiveError) as error:
        raise ModelError(
            f"an older version of a model is damaged ({error}): install bitswap again"
        ) from error


def _decode(newer: bytes, blob: bytes) -> bytes:
    dictionary, near = _read(newer)
    _, *lengths = _HEAD.unpack_from(blob)
    begin, middle, end = np.cumsum((_HEAD.size, *lengths)).tolist()
    inflate = zlib.decompressobj(zdict=dictionary)
    plain = inflate.decompress(blob[begin:middle], MOST)
    if not inflate.eof:  # its checksum comes last
        raise ValueError("its header breaks off")
    (length,) = struct.unpack_from("<I", plain)
    header, levels = plain[4 : 4 + length], np.frombuffer(plain, np.uint8, offset=4 + length)
    base = {name: _cut(near.get(name), like) for name, like in _blank(header)}
    rest = {name: _bits(array) for name, array in base.items() if array.dtype != np.int8}
    tensors: Tensors = dict(difference.decode(rest, blob[middle:end]))
    message = Message.from_words(np.frombuffer(blob, "<u4", offset=end), difference.LANES)
    parts = []
    for name, array in base.items():
        if array.dtype == np.int8:
            v = _matrix(array)
            *level, levels = np.split(levels, np.cumsum((*v.shape, SIZES, SIZES)))
            tensors[name] = _prior(v, Levels(*level)).pop(message)
        elif array.dtype == np.uint8:
            tensors[name] = np.packbits(tensors[name])
        parts.append(tensors[name].astype(array.dtype).tobytes())
    if message != Message(difference.LANES) or len(levels):
        raise ValueError("something is left over")
    return header + b"".join(parts)


def _read(content: bytes) -> tuple[bytes, Tensors]:
    """Header and tensors of a file, in the order of their bytes, between which are no gaps."""
    (length,) = struct.unpack_from("<Q", content)
    header, at = content[: 8 + length], 8 + length
    tensors: Tensors = {}
    for name, like in _blank(header):
        tensors[name] = np.frombuffer(content, like.dtype, like.size, at).reshape(like.shape)
        at += like.nbytes
    return header, tensors


def _blank(header: bytes) -> Iterator[tuple[str, Array]]:
    """The tensors that a header tells of, all 0."""
    table = json.loads(header[8:])
    rows = [(name, row) for name, row in table.items() if name != "__metadata__"]
    for name, row in sorted(rows, key=lambda item: item[1]["data_offsets"][0]):
        if row["dtype"] not in _TYPES:
            raise ValueError(f"its tensors are {row['dtype']}")
        yield name, np.zeros(row["shape"], _TYPES[row["dtype"]])


def _cut(given: Array | None, like: Array) -> Array:
    """A newer tensor, cut or filled with 0 to the shape and type of the older one."""
    out = np.zeros_like(like)
    if given is not None and (given.dtype, given.ndim) == (like.dtype, like.ndim):
        both = tuple(slice(min(pair)) for pair in zip(given.shape, like.shape, strict=True))
        out[both] = given[both]
    return out


def _bits(tensor: Array) -> Array:
    """Packed signs one by one; integers as they are."""
    return np.unpackbits(tensor.astype(np.uint8)) if tensor.dtype == np.uint8 else tensor


def _matrix(weights: Array) -> Array:
    """Weights of one axis are those of many small layers, one after the other."""
    rows = len(weights) if weights.ndim > 1 else weights.size // gcd(weights.size, ROW)
    return weights.reshape(rows, -1)


def _size(v: Array) -> Array:
    """Class of |v|: the number of its binary digits."""
    return np.frexp(np.abs(v.astype(np.float64)))[1]


def _prior(v: Array, levels: Levels) -> LogisticMixture:
    """Of older weights, given the newer ones (rows, columns)."""
    size = _size(v)
    level = levels.rows.astype(np.int32)[:, None] + levels.columns + levels.sizes[size] - 2 * EVEN
    return _mixture(v, STEP * level, levels.shares[size], WEIGHT)


def _mixture(mean: Array, scale: Array, share: Array, limit: int) -> LogisticMixture:
    """Scales below and above those there are become the first and the last (ans/distributions)."""
    share = share.astype(np.int32)
    means = np.stack([mean.astype(np.int32) << MEAN_BITS] * 2, -1)
    weights = np.stack([share, (1 << WEIGHT_BITS) - share], -1)
    scales = np.stack([np.zeros_like(scale), scale], -1)
    return LogisticMixture(MixtureParameters(weights, means, scales), -limit, limit)


@cache
def _costs() -> NDArray[np.float32]:
    """Bits of w - v = -254..254, far from the ends of the alphabet, (SHARES, levels, 509)."""
    differences = np.arange(-2 * WEIGHT, 2 * WEIGHT + 1)
    shares, levels = np.array(SHARES), np.arange(SCALE_LEVELS // STEP)
    shape = (len(shares), len(levels), len(differences))
    scale, share = STEP * levels[:, None], shares[:, None, None]
    mean, scale, share = (np.broadcast_to(a, shape) for a in (0 * differences, scale, share))
    bits = _mixture(mean, scale, share, 2 * WEIGHT).bits(np.broadcast_to(differences, shape))
    return bits.astype(np.float32)


def _search(v: Array, w: Array) -> Levels:
    """Levels under which the weights w cost little: each part in turn, while the others stay."""
    at = w.astype(np.int32) - v + 2 * WEIGHT
    if w.min(initial=0) < -WEIGHT or at.min(initial=0) < 0:
        raise ValueError(f"a weight is below {-WEIGHT}")
    costs, size = _costs(), _size(v)
    most = costs.shape[1] - 1
    columns, sizes = np.full(v.shape[1], EVEN), np.full(SIZES, EVEN)
    rows, shares = np.zeros(len(v), np.int64), np.full(SIZES, len(SHARES) // 2)

    def bits(level: Array, share: Array | int) -> NDArray[np.float32]:
        found: NDArray[np.float32] = costs[share, np.clip(level - 2 * EVEN, 0, most), at]
        return found

    def of_sizes(cost: NDArray[np.float32]) -> Array | NDArray[np.float64]:
        return np.bincount(size.ravel(), cost.ravel(), SIZES)

    for _ in range(SWEEPS):
        share, held = shares[size], columns + sizes[size]
        rows = np.stack([bits(k + held, share).sum(1) for k in range(most)]).argmin(0)
        held = rows[:, None] + sizes[size]
        columns = np.stack([bits(k + held, share).sum(0) for k in range(most)]).argmin(0)
        held = rows[:, None] + columns
        sizes = np.stack([of_sizes(bits(k + held, share)) for k in range(most)]).argmin(0)
        held = held + sizes[size]
        shares = np.stack([of_sizes(bits(held, k)) for k in range(len(SHARES))]).argmin(0)
    parts = (rows, columns, sizes, np.array(SHARES)[shares])
    return Levels(*(part.astype(np.uint8) for part in parts))
