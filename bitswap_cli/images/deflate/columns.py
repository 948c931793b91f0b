"""Columns of integers, coded with rANS: the corrections of a description.

An integer below 16 is a class of its own; a larger one of n bits is the class of n and of its
second highest bit, and the n - 2 bits below, which are uniform. Each column has one table for its
classes, told in half octaves, or none: then classes are uniform, which suits a few values.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Categorical, Damaged, Message, Uniform, quantize
from bitswap_cli.errors import ArchiveError

Column = NDArray[np.int32]

COLUMNS = 20  # how many there are; native/deflate.h says what each holds
RIGHTS = (0, 1, 2, 9, 11)  # columns whose end is told by their length; others end in zeros

DIRECT = 16
NOTHING: Column = np.empty(0, np.int32)

CLASSES = DIRECT + 2 * 27  # values of up to 31 bits
LEVEL_BITS = 5
# A level k > 0 stands for a count near 2**((k - 1) / 2).
_WEIGHTS = np.array([0, *((isqrt(1 << 10 + k) + 1) // 2 for k in range(31))], np.int64)
_HALF = 16  # extra bits are coded in parts of at most so many

_DAMAGED = "the compressed data is damaged: its corrections cannot be read"


def _classes(values: Column) -> NDArray[np.int32]:
    large = np.maximum(values, DIRECT)
    bits = np.frexp(large.astype(np.float64))[1]  # exact: values are below 2**53
    second = large >> (bits - 2) & 1
    return np.where(values < DIRECT, values, DIRECT + 2 * (bits - 5) + second).astype(np.int32)


def _base(number: int) -> tuple[int, int]:
    """Least value of a class, and how many bits lie below it."""
    if number < DIRECT:
        return number, 0
    extra = 3 + (number - DIRECT) // 2
    return (2 + (number - DIRECT) % 2) << extra, extra


def _levels(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """The level of each count, as near as half octaves are."""
    scaled = np.maximum(counts * 16, 1)[:, None]
    nearest = np.abs(np.log2(scaled) - np.log2(_WEIGHTS[1:])).argmin(axis=1) + 1
    return np.where(counts == 0, 0, nearest).astype(np.int32)


def _table(levels: NDArray[np.int32]) -> NDArray[np.int64]:
    return quantize(_WEIGHTS[levels] if len(levels) else np.ones(CLASSES, np.int64))


def _choose(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Levels for classes with such counts, or none if that takes fewer bits."""
    last = int(np.flatnonzero(counts)[-1]) + 1
    levels = _levels(counts[:last])
    told = LEVEL_BITS * last - (counts[:last] * np.log2(_table(levels) / 2**20)).sum()
    return levels if told < counts.sum() * np.log2(CLASSES) else levels[:0]


def _lanes(total: int) -> int:
    return 1 if total < 1 << 13 else 8 if total < 1 << 20 else 32


def _parts(extra: int) -> list[tuple[int, int]]:
    """Shift and width of the parts in which extra bits are coded, the lowest first."""
    return [(at, min(_HALF, extra - at)) for at in range(0, extra, _HALF)]


def _push(message: Message, values: Column, levels: NDArray[np.int32]) -> None:
    classes = _classes(values)
    for number in np.unique(classes)[::-1]:
        base, extra = _base(int(number))
        rest = values[classes == number] - base
        for shift, width in reversed(_parts(extra)):
            Uniform(width, rest.shape).push(message, rest >> shift & (1 << width) - 1)
    Categorical(_table(levels), classes.shape).push(message, classes)


def _pop(message: Message, count: int, levels: NDArray[np.int32]) -> Column:
    classes = Categorical(_table(levels), (count,)).pop(message)
    values = np.zeros(count, np.int64)
    for number in np.unique(classes):
        base, extra = _base(int(number))
        which = classes == number
        rest = np.full(int(which.sum()), base, np.int64)
        for shift, width in _parts(extra):
            rest += Uniform(width, rest.shape).pop(message).astype(np.int64) << shift
        values[which] = rest
    return values.astype(np.int32)


def varint(value: int) -> bytes:
    """A natural number, seven bits a byte, the lowest first."""
    parts = bytearray()
    while value >= 128:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


class Reader:
    """Bytes of a description, read from the front.

    Parameters
    ----------
    data : bytes
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """The next bytes; ArchiveError if there are fewer."""
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise ArchiveError(_DAMAGED)
        self._at += count
        return taken

    def varint(self) -> int:
        """The next number, below 2**42; ArchiveError if it is larger or cut."""
        value = 0
        for shift in range(0, 42, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ArchiveError(_DAMAGED)

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)


def encode(columns: Sequence[Column]) -> bytes:
    """Code columns of integers in 0..2**31 - 1.

    Parameters
    ----------
    columns : COLUMNS int32 arrays
        Zeros at the end of a column are left out, but for those of RIGHTS.

    Returns
    -------
    bytes
        Empty if nothing is to be said.
    """
    kept = [
        _without_end(column, place) if len(column) else NOTHING
        for place, column in enumerate(columns)
    ]
    places = [place for place, column in enumerate(kept) if len(column)]
    if not places:
        return b""
    levels = {place: _choose(np.bincount(_classes(kept[place]))) for place in places}
    message = Message(_lanes(sum(len(column) for column in kept)))
    for place in reversed(places):
        _push(message, kept[place], levels[place])
        Uniform(LEVEL_BITS, levels[place].shape).push(message, levels[place])
    head = varint(sum(1 << place for place in places))
    for place in places:
        head += varint(len(kept[place])) + bytes([len(levels[place])])
    words = message.to_words().astype(">u4").tobytes()
    return head + words[:4].lstrip(b"\0").rjust(1, b"\0") + words[4:]


def about(columns: Sequence[Column]) -> float:
    """About how many bits `encode` takes for columns."""
    bits = 0.0
    for place, column in enumerate(columns):
        kept = _without_end(column, place) if len(column) else NOTHING
        if not len(kept):
            continue
        counts = np.bincount(_classes(kept))
        used = counts[counts > 0]
        alone = len(kept) * np.log2(CLASSES)
        told = LEVEL_BITS * len(counts) + (used * np.log2(len(kept) / used)).sum()
        large = counts[DIRECT:]
        bits += 8 + 8 * len(varint(len(kept)))
        bits += min(alone, told) + ((3 + np.arange(len(large)) // 2) * large).sum()
    return bits


def _without_end(column: Column, place: int) -> Column:
    if place in RIGHTS or column[-1]:
        return column
    used = column.nonzero()[0]
    return column[: int(used[-1]) + 1] if len(used) else column[:0]


def decode(data: bytes, most: int) -> list[Column]:
    """Read what `encode` wrote, at most `most` integers.

    Returns
    -------
    list of int32 arrays

    Raises
    ------
    ArchiveError
        If the bytes are not what an encoder writes, or hold more.
    """
    columns = [NOTHING] * COLUMNS
    if not data:
        return columns
    reader = Reader(data)
    present = reader.varint()
    if not 0 < present < 1 << COLUMNS:
        raise ArchiveError(_DAMAGED)
    places = [place for place in range(COLUMNS) if present >> place & 1]
    sizes = [(reader.varint(), reader.take(1)[0]) for _ in places]
    total = sum(count for count, _ in sizes)
    words = reader.rest()
    words = bytes(-len(words) % 4) + words
    if total > most or any(not n or k > CLASSES for n, k in sizes):
        raise ArchiveError(_DAMAGED)
    try:
        message = Message.from_words(np.frombuffer(words, ">u4"), _lanes(total))
        for place, (count, classes) in zip(places, sizes, strict=True):
            levels = Uniform(LEVEL_BITS, (classes,)).pop(message)
            if classes and not levels.any():
                raise ArchiveError(_DAMAGED)
            columns[place] = _pop(message, count, levels)
    except Damaged:
        raise ArchiveError(_DAMAGED) from None
    if message != Message(message.lanes):
        raise ArchiveError(_DAMAGED)
    return columns
