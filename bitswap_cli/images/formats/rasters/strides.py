"""Finds rows of pixels of which no header tells: frames, volumes, elevations and textures that have
none, and what programs keep behind headers of their own.

Rows are like the ones above, so bytes are like those a stride before them. Those of tables are,
too; but pixels are also like the ones beside them, and what both tell together tells more.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.rows import Layout

SMALLEST = 1 << 12
"""Bytes of a file that is looked at."""
LARGEST = 1 << 26
SAMPLE = 1 << 14
"""Of these, so many are looked at first, at most."""
_WINDOW, _WIDE = 1 << 18, 1 << 20  # bytes that tell of all rows, and of a few of these
_WINDOWS = 8  # of these, the busiest one tells
_CHANNELS = (1, 2, 3, 4)
_PIXELS = (*_CHANNELS, 6, 8)  # bytes of one
_LIKE = 0.95  # of bits, at most, are left of samples that are like others
_NOISE = 0.98  # likewise, of those that are no noise
_FEW = 1.5  # bits of a byte: most have one value
_BOTH, _CLEARLY = 1.05, 0.9  # of the bits left by one neighbour, at most, are left by two; clearly
_MORE = 0.02  # bits of a byte for which a pixel had better have one more
# The largest step from byte to byte, by the place in a pixel, is so many times the least: where
# pixels are more alike than what lies nearer, and in any case.
_UNLIKE, _CHANGED = 1.5, 4
_SHORTEST = 24  # samples of a row
_TRIALS, _NEAR, _PROMINENT = 6, (16, 96), 1.1  # strides that are tried: against others near by
_SOFTLY, _LEAST = 0.01, 1e-9  # of the mean, at least, is added to what is to be small
_EXACT = 11  # bits of what is multiplied, and a sign
_ASIDE = 2  # pixels that rows may be longer or shorter than they seem
_WORSE = 1.05  # times the least bits are looked at closely
# Bits count so many times: of numbers of 16 bits, and where nothing tells where rows begin.
_WORDS, _LOOSE = 1.1, 1.04
_SEAM = 2.0  # times the step that is usual, at least, is the one to the first pixel of a row
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])

Values = NDArray[np.int32]


class _Way(NamedTuple):
    """One way in which bytes may be samples."""

    channels: int
    each: int = 1
    """Bytes of a sample."""
    little: bool = False
    signed: bool = False

    def values(self, data: NDArray[np.uint8]) -> Values:
        """Return the samples of an even number of bytes."""
        if self.each == 1:
            return data.astype(np.int32)
        words = data.view("<u2" if self.little else ">u2").astype(np.int32)
        return words - (words >> 15 << 16) if self.signed else words

    def cost(self, values: Values) -> float:
        """Return the bits of a byte of samples or differences, if all bytes are told alone."""
        return sum(_entropy(values >> 8 * k) for k in range(self.each)) / self.each


class _Rows(NamedTuple):
    """Rows by one of these ways."""

    way: _Way
    length: int
    """Samples of a row."""
    bits: float
    """That a byte takes by the samples above and beside it."""

    @property
    def stride(self) -> int:
        """Bytes of a row."""
        return self.length * self.way.each

    @property
    def weight(self) -> float:
        """How unlikely they are."""
        return self.bits * (_WORDS if self.way.each > 1 else 1)


def may_lie_in(size: int, read: Callable[[int, int], bytes]) -> bool:
    """Tell from a little of its middle whether there may be rows in a file; in most, there are not.

    Parameters
    ----------
    size : int
        Bytes of the file.
    read : callable
        Returns some of them: from which on, how many.
    """
    if not SMALLEST <= size <= LARGEST:
        return False
    length = min(size, SAMPLE)
    sample = read((size - length) // 2, length)
    if len(sample) < length or not sample.translate(None, _TEXT):
        return False
    values = np.frombuffer(sample, np.uint8).astype(np.int32)
    alone = _entropy(values)
    return alone <= _FEW or min(_by_distance(values).values()) <= _LIKE * alone


def find(data: bytes) -> Layout | None:
    """Find how rows of pixels lie in a file; None if there seem to be none.

    Samples are bytes of up to 4 channels, or numbers of 16 bits, the high or the low byte first,
    signed or not. The last row ends where the file does, unless rows clearly begin elsewhere.
    """
    if not may_lie_in(len(data), lambda start, length: data[start : start + length]):
        return None
    window = _busiest(data)
    found = [rows for way in _ways(window) for rows in _tried(way, way.values(window))]
    if not found:
        return None
    least = min(rows.weight for rows in found)
    close = [rows for rows in found if rows.weight <= _WORSE * least]
    rows, start = min((_placed(rows, data) for rows in close), key=lambda one: one[0].weight)
    way = rows.way
    height, channels = (len(data) - start) // rows.stride, way.channels * way.each
    return Layout(
        start, rows.stride, height, rows.length // way.channels, channels,
        deep=way.each > 1, little=way.little, signed=way.signed,
    )  # fmt: skip


def _middle(data: bytes | memoryview, length: int) -> tuple[NDArray[np.uint8], int]:
    """Return bytes in the middle of a file, an even number, and where they begin: as far from its
    end as whole samples are, so that headers of odd lengths do no harm."""
    length = min(len(data), length) & ~1
    start = ((len(data) - length) // 2 & ~1) + len(data) % 2
    return np.frombuffer(data, np.uint8, length, start), start


def _busiest(data: bytes) -> NDArray[np.uint8]:
    """Return the bytes of a file among which there are the most different neighbours."""
    own = np.frombuffer(data, np.uint8, offset=len(data) % 2)  # whole samples, as in `_middle`
    length = min(len(own), _WINDOW)
    places = np.linspace(0, len(own) - length, min(_WINDOWS, -(-len(own) // length))).astype(int)
    windows = [own[at & ~1 :][:length] for at in places]
    return max(windows, key=lambda window: np.count_nonzero(window[1:] != window[:-1]))


def _entropy(values: Values) -> float:
    """Return the bits of the lowest eight of values, if each is told alone; rounded, so that it is
    the same everywhere."""
    counts = np.bincount(values.astype(np.uint8), minlength=256)
    shares = counts[counts > 0] / len(values)
    return round(float(-(shares * np.log2(shares)).sum()), 9)


def _by_distance(values: Values) -> dict[int, float]:
    """Return the bits of a byte by the one of the pixel before, for all sizes of pixels."""
    return {far: _entropy(values[far:] - values[:-far]) for far in _PIXELS}


def _ways(window: NDArray[np.uint8]) -> Iterator[_Way]:
    """Yield in which ways bytes may be samples of pixels of the likeliest size."""
    size = _size(window.astype(np.int32))
    if size in _CHANNELS:
        yield _Way(size)
    if size % 2 == 0:
        far = size // 2
        bytes_ = (window[at::2].astype(np.int32) for at in range(2))
        first, second = (_entropy(own[far:] - own[:-far]) for own in bytes_)
        way = _Way(far, 2, second < first)  # high bytes are more alike than low ones
        signed = way._replace(signed=True)
        yield min(way, signed, key=lambda own: int(np.ptp(own.values(window))))


def _size(values: Values) -> int:
    """Return how many bytes a pixel has, most likely."""
    bits = _by_distance(values)
    best = min(bits, key=lambda size: bits[size] + _MORE * size)
    if best > 2 and bits[best] > _FEW:
        return best
    # flat pixels, and channels that are alike, are told by the places where bytes change
    steps, unlike = np.abs(np.diff(values)), dict[int, float]()
    for size in _CHANNELS[1:]:
        by_place = steps[: len(steps) // size * size].reshape(-1, size).sum(0)
        unlike[size] = int(by_place.max()) / max(int(by_place.min()), 1)
    size = max(unlike, key=lambda size: unlike[size])
    least = _UNLIKE if bits[size] < bits[size - 1] else _CHANGED
    return size if unlike[size] > least and best % size else best


def _tried(way: _Way, values: Values) -> Iterator[_Rows]:
    """Yield the rows that samples may lie in."""
    far = way.channels
    if not all(_is_like(way, values[channel::far]) for channel in range(far)):
        return
    alone, before = way.cost(values), way.cost(values[far:] - values[:-far])
    aside = range(-_ASIDE * far, _ASIDE * far + 1, far)
    for length in sorted({own + step for own in _lengths(values, far) for step in aside}):
        if not _SHORTEST * far <= length < len(values) - far:
            continue
        above, both = _together(way, values, length)
        like = max(above, before) <= _LIKE * alone and both <= _BOTH * min(above, before)
        if like or both <= _CLEARLY * min(above, before, alone):
            yield _Rows(way, length, both)


def _is_like(way: _Way, values: Values) -> bool:
    """Tell whether samples of a channel are like the ones before, or most have one value."""
    alone = way.cost(values)
    return alone <= _FEW or way.cost(np.diff(values)) <= _NOISE * alone


def _together(way: _Way, values: Values, length: int) -> tuple[float, float]:
    """Return the bits of a byte by the sample above, and by that and the one beside."""
    far = way.channels
    here, left = values[length + far :], values[length:-far]
    above, corner = values[far:-length], values[: -length - far]
    low, high = np.minimum(left, above), np.maximum(left, above)
    gradient = np.clip(left + above - corner, low, high)
    by_above, *by_both = (way.cost(here - o) for o in (above, gradient, left + above >> 1))
    return by_above, min(by_above, *by_both)


def _lengths(values: Values, far: int) -> Iterator[int]:
    """Yield after how many values there are like ones, more so than after a few pixels more or
    less."""
    apart = _apart(values)
    sums, places = np.append(0, np.cumsum(apart)), np.arange(len(apart))
    prominent = np.zeros(len(apart))
    least = max(_LEAST, _SOFTLY * sums[-1] / len(apart))
    for pixels in _NEAR:
        low = (places - pixels * far).clip(0)
        high = (places + pixels * far + 1).clip(max=len(apart))
        near = (sums[high] - sums[low]) / (high - low)
        prominent = np.maximum(prominent, near / (apart + least))
    prominent[:_SHORTEST] = 0
    for _ in range(_TRIALS):
        length = int(prominent.argmax())
        if prominent[length] < _PROMINENT:
            return
        yield length
        prominent[max(0, length - _NEAR[0] // 2) : length + _NEAR[0] // 2 + 1] = 0


def _apart(values: Values) -> NDArray[np.float64]:
    """Return the mean square of the difference of values that are 0, 1, 2, ... places apart, up to
    a quarter of them; by how they correlate, which is exact as they are cut to 12 bits."""
    count = len(values)
    own = values - int(values.sum(dtype=np.int64)) // count
    own = (own >> max(0, int(np.abs(own).max()).bit_length() - _EXACT)).astype(np.int64)
    waves = np.fft.rfft(own, 1 << (2 * count).bit_length())  # which is soonest
    alike = np.fft.irfft(waves.real**2 + waves.imag**2)[: count // 4]
    squares, far = np.append(0, np.cumsum(own**2)), np.arange(count // 4)
    sums = (
        squares[count - far] + squares[count] - squares[far] - 2 * np.rint(alike).astype(np.int64)
    )
    mean: NDArray[np.float64] = sums / (count - far)
    return mean


def _placed(rows: _Rows, data: bytes) -> tuple[_Rows, int]:
    """Return rows as a larger part of a file tells them, and where the first one begins: with the
    file or where steps from pixel to pixel are largest, which both speak for them, or else so that
    the last one ends with the file."""
    window, at = _middle(data, _WIDE)
    values, length, far = rows.way.values(window), rows.length, rows.way.channels
    _, bits = _together(rows.way, values, length)
    told = len(data) % rows.stride
    if told == 0:
        return rows._replace(bits=bits), 0
    steps = np.abs(values[far:] - values[:-far])
    whole, first = len(steps) // length, at // rows.way.each + far
    by_place = np.roll(steps[: whole * length].reshape(whole, length).sum(0), first % length)
    by_pixel = np.convolve(np.append(by_place, by_place[: far - 1]), np.ones(far), "valid")
    seam = int(by_pixel.argmax())
    usual = max(by_pixel[told // rows.way.each], np.median(by_pixel))
    if by_pixel[seam] > _SEAM * usual:
        return rows._replace(bits=bits), seam * rows.way.each + at % rows.way.each
    clear = by_pixel[told // rows.way.each] > _SEAM * np.median(by_pixel)
    return rows._replace(bits=bits if clear else _LOOSE * bits), told
