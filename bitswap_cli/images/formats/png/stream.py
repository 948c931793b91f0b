"""The contents of IDAT <-> samples and a description of all that a PNG's writer decided.

docs/format.md ("PNG descriptions") says how a description is written. Three things are told:
which filter each line has, how the zlib stream was made (`bitswap_cli.images.deflate`), and where
it is cut into chunks.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import deflate
from bitswap_cli.images.deflate import makers
from bitswap_cli.images.deflate.columns import (
    COLUMNS,
    NOTHING,
    Column,
    Reader,
    decode,
    encode,
    varint,
)
from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.filters import (
    PILLOW,
    guess,
    least,
)
from bitswap_cli.images.formats.png.rows import scanlines
from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.packings.filters import FILTERS, NONE, Rows

# How filters are predicted: always this one (0 to 4), that of the line before, the least sum of all
# filters, or of those that Pillow tries.
_SAME, _LEAST, _PILLOW = 5, 6, 7
_TOLD = 8  # flag: the length of each chunk is told

_FILTERS, _UNUSED, _LENGTHS = 3, 4, 5  # columns of corrections

_SHORT = 32  # bytes of a description that is kept
_MOST_LINES = 1 << 20  # whose unused bits are looked at one by one
_CHUNKS, _PER_CHUNK = 1 << 16, 1 << 10  # as many chunks, and one more for each so many bytes


def describe(
    stream: bytes, lengths: Sequence[int], stored: NDArray[np.uint8], head: Head
) -> bytes | None:
    """Say what the samples do not tell of the contents of IDAT.

    Parameters
    ----------
    stream : bytes
        Contents of all IDAT chunks, which `read_rows` could read.
    lengths : sequence of int
        Their lengths, chunk by chunk.
    stored : uint8 array (H, W, bytes of a pixel)
        What `read_rows` read.
    head : Head

    Returns
    -------
    bytes or None
        None if the stream cannot be described so, or has far too many chunks. That `restore`
        gives all back is still to be proved.
    """
    planes = scanlines(stored, head)
    size = _size(planes)
    described = deflate.describe(stream, size, _feeds(planes))
    if described is None or len(lengths) > _most_chunks(size):
        return None
    lines = _lines(described.inflated, planes)
    filters = np.concatenate([plane[:, 0] for plane in lines])
    unused = _unused(lines, planes, head)
    if unused is None:
        return None
    _fill(planes, unused)
    predictor, corrections = _choose(filters, planes, head.unit)
    if predictor == _PILLOW:
        makers.note(makers.PILLOW)
    constant = _constant(lengths)
    told = [] if constant is not None else [length + 1 for length in lengths]
    columns = {_FILTERS: corrections, _UNUSED: unused, _LENGTHS: np.array(told, np.int32)}
    coded = encode(_columns(columns))
    start = bytes([predictor | _TOLD * (constant is None)])
    start += b"" if constant is None else varint(constant)
    return b"".join([start, varint(len(coded)), coded, described.description])


def restore(description: bytes, stored: NDArray[np.uint8], head: Head) -> list[bytes]:
    """Rebuild the contents of IDAT, chunk by chunk.

    Parameters
    ----------
    description : bytes
        Of `describe`.
    stored : uint8 array (H, W, bytes of a pixel)
    head : Head

    Returns
    -------
    list of bytes

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to these samples.
    """
    planes = scanlines(stored, head)
    size, count = _size(planes), sum(len(rows) for rows in planes)
    read = _known if len(description) <= _SHORT else _read
    told = read(description, count, size, _unused_bits(head))
    if len(told.unused):
        _fill(planes, _whole(told.unused, count))
    made = _filtered(told.corrections, told.predictor, planes, head.unit)
    inflated = b"".join(plane.tobytes() for plane in made)
    return _cut(deflate.restore(inflated, told.stream), told.lengths, size)


class _Told(NamedTuple):
    """What a description tells."""

    predictor: int
    corrections: Column
    """Of filters."""
    unused: Column
    lengths: int | Column
    """See `_cut`."""
    stream: bytes
    """The description of the zlib stream."""


def _read(description: bytes, count: int, size: int, bits: int) -> _Told:
    """Read a description of so many lines, bytes of them, and unused bits at the end of each."""
    reader = Reader(description)
    (first,) = reader.take(1)
    predictor, told = first & 7, first >> 3
    constant = 0 if told else reader.varint()
    columns = decode(reader.take(reader.varint()), 2 * count + _most_chunks(size))
    corrections, unused, lengths = (columns[place] for place in (_FILTERS, _UNUSED, _LENGTHS))
    known = len(corrections) + len(unused) + len(lengths)
    if told > 1 or sum(len(column) for column in columns) != known:
        raise _damaged()
    if max(len(corrections), len(unused)) > count or bool(len(lengths)) != bool(told):
        raise _damaged()
    if corrections.max(initial=0) > FILTERS or unused.max(initial=0) >> bits:
        raise _damaged()
    return _Told(predictor, corrections, unused, lengths if told else constant, reader.rest())


_known = lru_cache(256)(_read)  # many small files have one in common


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds a damaged description of a PNG file")


def _size(planes: Sequence[Rows]) -> int:
    """Bytes of all lines with their filters."""
    return sum(len(rows) + rows.size for rows in planes)


def _feeds(planes: Sequence[Rows]) -> list[int]:
    """Bytes that deflate may have been given at a time: a line."""
    return [1 + planes[-1].shape[1]]


def _most_chunks(size: int) -> int:
    return _CHUNKS + size // _PER_CHUNK


def _columns(used: dict[int, Column]) -> list[Column]:
    return [used.get(place, NOTHING) for place in range(COLUMNS)]


def _whole(column: Column, count: int) -> Column:
    """Return a column with the zeros at its end."""
    return np.concatenate([column, np.zeros(count - len(column), np.int32)])


def _by_plane(values: NDArray[np.uint8], planes: Sequence[Rows]) -> list[NDArray[np.uint8]]:
    """Return what belongs to the lines of each plane."""
    return np.split(values, np.cumsum([len(rows) for rows in planes])[:-1])


def _lines(inflated: bytes, planes: Sequence[Rows]) -> list[Rows]:
    """Return inflated bytes as lines with their filters."""
    found, at = [], 0
    for rows in planes:
        height, length = len(rows), rows.shape[1] + 1
        found.append(np.frombuffer(inflated, np.uint8, height * length, at).reshape(height, length))
        at += height * length
    return found


# Unused bits


def _unused_bits(head: Head) -> int:
    """The most bits at the end of a line that no pixel uses."""
    return 8 - head.depth if head.depth < 8 else 0


def _unused(lines: Sequence[Rows], planes: Sequence[Rows], head: Head) -> Column | None:
    """Return the unused bits at the end of each line; None if there are too many lines."""
    count = sum(len(rows) for rows in planes)
    zeros = np.zeros(count, np.int32)
    if head.depth >= 8 or all(
        np.array_equal(engine().filtered(rows, head.unit, told[:, 0]), told)
        for rows, told in zip(planes, lines, strict=True)
    ):
        return zeros
    if count > _MOST_LINES:
        return None
    mask, found = (1 << _unused_bits(head)) - 1, []
    for rows, told in zip(planes, lines, strict=True):
        before = rows[:, -2].tolist() if rows.shape[1] > 1 else [0] * len(rows)
        up = corner = 0
        for number, last, left in zip(told[:, 0], told[:, -1].tolist(), before, strict=True):
            up = last + guess(number, left, up, corner) & 255
            corner = left
            found.append(up)
    ends = np.concatenate([rows[:, -1] for rows in planes])
    unused: Column = ((np.array(found, np.uint8) ^ ends) & mask).astype(np.int32)
    return unused


def _fill(planes: Sequence[Rows], unused: Column) -> None:
    """Put unused bits into lines."""
    if unused.any():
        for rows, bits in zip(planes, _by_plane(unused.astype(np.uint8), planes), strict=True):
            rows[:, -1] |= bits


# Filters


def _filtered(corrections: Column, predictor: int, planes: Sequence[Rows], unit: int) -> list[Rows]:
    """Return lines with the filters that corrections lead to."""
    if not len(corrections):
        always = {_SAME: (NONE,), _LEAST: range(FILTERS), _PILLOW: PILLOW}
        tried = always.get(predictor, (predictor,))
        return [engine().filtered_least(rows, unit, tried) for rows in planes]
    told = _whole(corrections, sum(len(rows) for rows in planes))
    filters = _by_plane(_corrected(told, predictor, planes, unit), planes)
    make = engine().filtered
    return [make(rows, unit, own) for rows, own in zip(planes, filters, strict=True)]


def _sums(planes: Sequence[Rows], unit: int) -> NDArray[np.int64]:
    """Return the sums of all filters and lines."""
    return np.concatenate([engine().sums(rows, unit) for rows in planes], 1)


def _of_sums(predictor: int, found: NDArray[np.int64]) -> NDArray[np.uint8]:
    return least(found) if predictor == _LEAST else least(found, PILLOW)


def _choose(filters: NDArray[np.uint8], planes: Sequence[Rows], unit: int) -> tuple[int, Column]:
    """Return the predictor that is wrong about the fewest filters, and its corrections."""
    usual = int(np.bincount(filters).argmax())
    best = usual, filters != usual
    fewest = np.count_nonzero(best[1])
    if fewest:
        for predictor, predicted in _predictions(filters, planes, unit):
            wrong = filters != predicted
            count = np.count_nonzero(wrong)
            if count < fewest:
                best, fewest = (predictor, wrong), count
            if not fewest:
                break
    predictor, wrong = best
    return predictor, np.where(wrong, filters + 1, 0).astype(np.int32)


def _predictions(
    filters: NDArray[np.uint8], planes: Sequence[Rows], unit: int
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield predictors that know other filters or lines, and what they say."""
    yield _SAME, np.append(np.uint8(0), filters[:-1])
    every = _sums(planes, unit)
    yield from ((predictor, _of_sums(predictor, every)) for predictor in (_LEAST, _PILLOW))


def _corrected(
    corrections: Column, predictor: int, planes: Sequence[Rows], unit: int
) -> NDArray[np.uint8]:
    """Return the filters that corrections lead to."""
    told = corrections.astype(np.uint8)
    if predictor == _SAME:
        last = np.maximum.accumulate(np.where(told > 0, np.arange(len(told)), 0))
        return np.maximum(told[last], 1) - np.uint8(1)
    predicted: NDArray[np.uint8] = np.full(len(told), predictor, np.uint8)
    if predictor in (_LEAST, _PILLOW) and not told.all():
        predicted = _of_sums(predictor, _sums(planes, unit))
    return np.where(told > 0, told - np.uint8(1), predicted)


# Chunks


def _constant(lengths: Sequence[int]) -> int | None:
    """Return the length of all chunks but a shorter last one, 0 for a single one, or None."""
    if len(lengths) == 1:
        return 0
    first, last = lengths[0], lengths[-1]
    return first if set(lengths[:-1]) == {first} and 0 < last <= first else None


def _cut(stream: bytes, how: int | Column, size: int) -> list[bytes]:
    """Cut a stream into chunks of one length, 0 for a single chunk, or as a column tells."""
    step = how if isinstance(how, int) and how else len(stream)
    count = -(-len(stream) // step) if isinstance(how, int) else len(how)
    if count > _most_chunks(size):
        raise _damaged()
    if isinstance(how, int):
        ends = [*range(step, len(stream), step), len(stream)]
    else:
        ends = (how.astype(np.int64) - 1).cumsum().tolist()
        if how.min() < 1 or ends[-1] != len(stream):
            raise _damaged()
    return [stream[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
