"""Codecs of single distributions: what is pushed under one is popped under the same one.

Each has `push(message, symbols)`, `pop(message)` and `bits(symbols)`; arrays may have any shape
and are coded in C order. For every message m, `pop(push(m, x)) == (m, x)`, and the other way
round, as bits-back needs: `push(pop(m)) == m` for any bits that m holds.
"""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitswap_cli.ans.kernel import engine
from bitswap_cli.ans.message import Message
from bitswap_cli.ans.parameters import (
    LARGE_ALPHABET,
    MAX_COMPONENTS,
    PRECISION,
    LogisticParameters,
    MixtureParameters,
    precision,
)

TOTAL = 1 << PRECISION

Symbols = NDArray[np.int32]


class Codec(Protocol):
    """What every distribution offers."""

    def push(self, message: Message, symbols: ArrayLike) -> None:
        """Push symbols of the distribution's shape onto the message."""

    def pop(self, message: Message) -> Symbols:
        """Pop what `push` pushed, an int32 array of the distribution's shape."""

    def bits(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Information content of each symbol, -log2(freq / total), in bits."""


def _as_symbols(symbols: ArrayLike, shape: tuple[int, ...]) -> Symbols:
    array = np.asarray(symbols)
    if array.shape != shape:
        raise ValueError(f"symbols of shape {array.shape} for a distribution of shape {shape}")
    if array.dtype.kind not in "iub":
        raise ValueError(f"symbols must be integers, not {array.dtype}")
    if array.dtype.itemsize >= 4 and array.dtype != np.int32:
        # An unchecked cast would turn an impossible symbol into a possible one.
        array = np.clip(array, -(1 << 30), 1 << 30)
    return np.ascontiguousarray(array, np.int32).reshape(-1)


def _as_parameters(array: NDArray[np.integer]) -> NDArray[np.int32]:
    converted = np.asarray(array)
    if converted.dtype.kind not in "iub":
        raise ValueError(f"parameters must be integers, not {converted.dtype}")
    return np.ascontiguousarray(converted, np.int32)


def information(
    freq: NDArray[np.integer], shape: tuple[int, ...], precision_bits: int = PRECISION
) -> NDArray[np.float64]:
    """Bits of symbols that are pushed with `freq` of 2**precision_bits, in `shape`."""
    return np.asarray(precision_bits - np.log2(freq.astype(np.float64))).reshape(shape)


def _check_symbols(symbols: Symbols, size: int) -> None:
    if len(symbols) and (symbols.min() < 0 or symbols.max() >= size):
        raise ValueError(f"symbols must be in 0..{size - 1}")


class _Sigmoid:
    """What a logistic and a mixture of logistics have in common.

    Attributes
    ----------
    precision : int
        Frequencies sum to 2**precision: 20 up to 1,024 symbols, 24 beyond.
    """

    _weight: NDArray[np.int32] | None
    _mean: NDArray[np.int32]
    _scale: NDArray[np.int32]

    def __init__(self, shape: tuple[int, ...], low: int, high: int) -> None:
        if not -LARGE_ALPHABET // 2 <= low <= high < LARGE_ALPHABET // 2:
            raise ValueError(f"an alphabet of {low}..{high} is too large or empty")
        self.shape = shape
        self._low, self._size = low, high - low + 1
        self.precision = precision(self._size)

    def push(self, message: Message, symbols: ArrayLike) -> None:
        """Push symbols of low..high.

        Parameters
        ----------
        message : Message
        symbols : integer array of the parameters' shape

        Raises
        ------
        ValueError
            If a symbol is not in low..high, or the parameters are not valid.
        """
        flat = _as_symbols(symbols, self.shape)
        parameters = (self._weight, self._mean, self._scale)
        engine().push_logistic(message, flat, *parameters, self._low, self._size)

    def pop(self, message: Message) -> Symbols:
        """Pop symbols of low..high.

        Returns
        -------
        int32 array of the parameters' shape

        Raises
        ------
        Underflow
            If the message holds too few words; it is left as it was.
        ValueError
            If the parameters are not valid.
        """
        parameters = (self._weight, self._mean, self._scale)
        popped: Symbols = engine().pop_logistic(message, *parameters, self._low, self._size)
        return popped.reshape(self.shape)

    def bits(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Information content of symbols of low..high, in bits, float64 of the same shape."""
        return information(self.intervals(symbols)[1], self.shape, self.precision)

    def intervals(self, symbols: ArrayLike) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Starts and freqs of 2**precision that `push` would push symbols with, flat."""
        flat = _as_symbols(symbols, self.shape)
        parameters = (self._weight, self._mean, self._scale)
        return engine().intervals_logistic(flat, *parameters, self._low, self._size)


class Logistic(_Sigmoid):
    """Discretized logistics over low..high, whose outer symbols have the tails' mass.

    Parameters
    ----------
    parameters : LogisticParameters
        Integer arrays of one shape; out of range values are clipped to the profile's limits.
    low, high : int
        First and last symbol, within -2048..2047.

    Raises
    ------
    ValueError
        If the arrays or the alphabet are not as said.
    """

    def __init__(self, parameters: LogisticParameters, low: int, high: int) -> None:
        mean, scale = (_as_parameters(array) for array in parameters)
        if mean.shape != scale.shape:
            raise ValueError(f"means of shape {mean.shape}, but scales of shape {scale.shape}")
        super().__init__(mean.shape, low, high)
        self._weight = None
        self._mean, self._scale = mean.reshape(-1), scale.reshape(-1)


class LogisticMixture(_Sigmoid):
    """Mixtures of K discretized logistics over low..high.

    Parameters
    ----------
    parameters : MixtureParameters
        Integer arrays of one shape (..., K), K in 1..16; means and scales are clipped to the
        profile's limits, and weights that do not sum to 256 are refused when they are used.
    low, high : int
        First and last symbol, within -2048..2047.

    Raises
    ------
    ValueError
        If the arrays or the alphabet are not as said.
    """

    def __init__(self, parameters: MixtureParameters, low: int, high: int) -> None:
        weight, mean, scale = (_as_parameters(array) for array in parameters)
        if not weight.shape == mean.shape == scale.shape:
            shapes = f"{weight.shape}, {mean.shape} and {scale.shape}"
            raise ValueError(f"weights, means and scales of different shapes {shapes}")
        if not mean.ndim or not 1 <= mean.shape[-1] <= MAX_COMPONENTS:
            raise ValueError(f"a mixture has 1..{MAX_COMPONENTS} components on its last axis")
        super().__init__(mean.shape[:-1], low, high)
        flat = (-1, mean.shape[-1])
        self._weight = weight.reshape(flat)
        self._mean, self._scale = mean.reshape(flat), scale.reshape(flat)


class Uniform:
    """Symbols that are uniform over 0..2**precision_bits - 1.

    Parameters
    ----------
    precision_bits : int
        0..20.
    shape : tuple of int
        Shape of the symbols.

    Raises
    ------
    ValueError
        If precision_bits is not in 0..20.
    """

    def __init__(self, precision_bits: int, shape: tuple[int, ...]) -> None:
        if not 0 <= precision_bits <= PRECISION:
            raise ValueError(f"uniform symbols have 0..{PRECISION} bits, not {precision_bits}")
        self.shape = shape
        self._bits = precision_bits

    def push(self, message: Message, symbols: ArrayLike) -> None:
        """Push symbols of 0..2**precision_bits - 1; ValueError for any other."""
        flat = _as_symbols(symbols, self.shape)
        _check_symbols(flat, 1 << self._bits)
        shift = PRECISION - self._bits
        start = flat.astype(np.uint32) << np.uint32(shift)
        engine().push(message, start, np.full(len(flat), 1 << shift, np.uint32))

    def pop(self, message: Message) -> Symbols:
        """Pop an int32 array of the shape; `Underflow` if the message holds too few words."""
        count = int(np.prod(self.shape, dtype=np.int64))
        popped: Symbols = engine().pop_uniform(message, count, self._bits)
        return popped.reshape(self.shape)

    def bits(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Information content: precision_bits for every symbol."""
        flat = _as_symbols(symbols, self.shape)
        _check_symbols(flat, 1 << self._bits)
        return np.full(self.shape, float(self._bits))


class Categorical:
    """Symbols 0..K - 1 with given frequencies.

    Parameters
    ----------
    freqs : integer array, shape (K,) or shape + (K,)
        Frequencies, at least 1 each, that sum to 2**20 over the last axis (see `quantize`);
        one row for all symbols, or one for each.
    shape : tuple of int
        Shape of the symbols.

    Raises
    ------
    ValueError
        If the frequencies are not as said.
    """

    def __init__(self, freqs: ArrayLike, shape: tuple[int, ...]) -> None:
        rows = np.asarray(freqs)
        if rows.dtype.kind not in "iu" or not rows.ndim or not rows.shape[-1]:
            raise ValueError("frequencies must be integers, at least one on the last axis")
        if rows.ndim > 1 and rows.shape[:-1] != shape:
            raise ValueError(f"frequencies of shape {rows.shape} for symbols of shape {shape}")
        if np.any(rows < 1) or np.any(rows > TOTAL):
            raise ValueError(f"frequencies must be in 1..{TOTAL}")
        ends = np.cumsum(rows, axis=-1, dtype=np.int64)
        if np.any(ends[..., -1] != TOTAL):
            raise ValueError(f"frequencies must sum to {TOTAL}")
        self.shape = shape
        self._size = rows.shape[-1]
        table = np.zeros((*rows.shape[:-1], self._size + 1), np.uint32)
        table[..., 1:] = ends
        self._table = table if rows.ndim == 1 else table.reshape(-1, self._size + 1)

    def _interval(self, symbols: ArrayLike) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        flat = _as_symbols(symbols, self.shape)
        _check_symbols(flat, self._size)
        if self._table.ndim == 1:
            start, end = self._table[flat], self._table[flat + 1]
        else:
            each = np.arange(len(flat))
            start, end = self._table[each, flat], self._table[each, flat + 1]
        return start, end - start

    def push(self, message: Message, symbols: ArrayLike) -> None:
        """Push symbols of 0..K - 1; ValueError for any other."""
        engine().push(message, *self._interval(symbols))

    def pop(self, message: Message) -> Symbols:
        """Pop an int32 array of the shape; `Underflow` if the message holds too few words."""
        count = int(np.prod(self.shape, dtype=np.int64))
        popped: Symbols = engine().pop_table(message, count, self._table)
        return popped.reshape(self.shape)

    def bits(self, symbols: ArrayLike) -> NDArray[np.float64]:
        """Information content of symbols of 0..K - 1, in bits, float64 of the same shape."""
        return information(self._interval(symbols)[1], self.shape)


class Bernoulli(Categorical):
    """Symbols 0 and 1.

    Parameters
    ----------
    freq_of_one : integer array, any shape
        Frequency of 1, in 1..2**20 - 1; the symbols have this shape.

    Raises
    ------
    ValueError
        If a frequency is out of range.
    """

    def __init__(self, freq_of_one: ArrayLike) -> None:
        ones = np.asarray(freq_of_one, np.int64)
        super().__init__(np.stack([TOTAL - ones, ones], axis=-1), ones.shape)


def quantize(counts: ArrayLike) -> NDArray[np.int64]:
    """Frequencies that sum to 2**20, near in proportion to counts.

    Each symbol gets 1, the rest is shared in proportion, rounded down, and what rounding leaves
    goes to the largest count, the first of these.

    Parameters
    ----------
    counts : integer array, shape (..., K)
        Counts of 0..2**40, not all zero, of 1..2**19 symbols.

    Returns
    -------
    int64 array, shape (..., K)
        Frequencies for `Categorical`, at least 1 each.

    Raises
    ------
    ValueError
        If the counts are not as said.
    """
    array = np.asarray(counts)
    if array.dtype.kind not in "iu" or not array.ndim or not 1 <= array.shape[-1] <= TOTAL >> 1:
        raise ValueError("counts must be integers, 1..2**19 of them on the last axis")
    if np.any(array < 0) or np.any(array > 1 << 40):
        raise ValueError("counts must be in 0..2**40")
    array = array.astype(np.int64)
    total = array.sum(axis=-1, keepdims=True)
    if np.any(total == 0):
        raise ValueError("counts must not all be zero")
    share = TOTAL - array.shape[-1]
    freqs: NDArray[np.int64] = 1 + array * share // total  # products below 2**60
    largest = array.argmax(axis=-1)[..., None]
    missing = TOTAL - freqs.sum(axis=-1, keepdims=True)
    np.put_along_axis(freqs, largest, np.take_along_axis(freqs, largest, -1) + missing, -1)
    return freqs
