"""The coder in numpy: always there, and what the C kernel is checked against, byte for byte.

Symbol i of n lies on lane i mod N. Rows are pushed first to last and popped last to first; all
functions either succeed or leave the message as it was.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.errors import Underflow
from bitswap_cli.ans.message import Message
from bitswap_cli.ans.parameters import PRECISION, WEIGHT_BITS, precision
from bitswap_cli.ans.sigmoid import cumulative

NAME = "reference"

DECISION_SHIFT = PRECISION - 16  # from a decision's probability to a frequency
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)
_MIN = np.uint64(1 << 31)
_RADIX = 32  # an alphabet is searched digit by digit
_DIGITS = np.arange(1, _RADIX)

Int32s = NDArray[np.int32]
Interval = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def push(
    message: Message, start: NDArray[np.uint32], freq: NDArray[np.uint32], bits: int = PRECISION
) -> None:
    """Push n intervals.

    Parameters
    ----------
    message : Message
    start, freq : uint32 arrays, shape (n,)
        Intervals [start, start + freq) of [0, 2**bits), none of them empty.
    bits : int
        20 or 24.
    """
    count, lanes = len(start), message.lanes
    shift, room = np.uint64(bits), np.uint64(63 - bits)  # a lane overflows from freq << room on
    message._reserve(count)
    head, words, top = message.head.copy(), message._words, message._top
    starts, freqs = start.astype(np.uint64), freq.astype(np.uint64)
    for first in range(0, count, lanes):
        row = slice(first, min(first + lanes, count))
        state, width = head[: row.stop - first], freqs[row]
        over = state >= width << room
        emitted = (state[over] & _LOW).astype(np.uint32)
        words[top - len(emitted) : top] = emitted
        top -= len(emitted)
        state[over] >>= _WORD
        quotient = state // width
        state[:] = (quotient << shift) + (state - quotient * width) + starts[row]
    message.head[:], message._top = head, top


def push_batches(
    message: Message,
    start: NDArray[np.uint32],
    freq: NDArray[np.uint32],
    batches: Int32s,
    bits: int = PRECISION,
) -> None:
    """Push batches of intervals, the last one first, so that pops get the first one first.

    Parameters
    ----------
    message : Message
    start, freq : uint32 arrays, shape (n,)
        As of `push`; the batches one after another.
    batches : int32 array, shape (m,)
        How many intervals each batch has; they come to n.
    bits : int
        As of `push`.
    """
    ends = np.cumsum(batches, dtype=np.int64)
    for end, size in zip(ends[::-1], batches[::-1], strict=True):
        push(message, start[end - size : end], freq[end - size : end], bits)


def push_decisions(message: Message, told: NDArray[np.uint32]) -> None:
    """Push yes and no, the last one first, so that pops get the first one first.

    Parameters
    ----------
    message : Message
        Of one lane.
    told : uint32 array, shape (n,)
        Which, 0 or 1, times 2**16, and the probability of 1 in 2**16, 1..65535; 1 has the lower
        interval.
    """
    ones = (told & 0xFFFF) << DECISION_SHIFT
    yes = told >> 16 == 1
    start = np.where(yes, 0, ones).astype(np.uint32)
    freq = np.where(yes, ones, (1 << PRECISION) - ones).astype(np.uint32)
    push(message, start[::-1], freq[::-1])


def _pop(
    message: Message,
    count: int,
    invert: Callable[[slice, Int32s], Interval],
    bits: int = PRECISION,
) -> Int32s:
    """Pop symbols; `invert(rows, cf)` gives the symbols at cf, their starts and their freqs."""
    lanes = message.lanes
    symbols = np.empty(count, np.int32)
    shift, low = np.uint64(bits), np.uint64((1 << bits) - 1)
    head, top = message.head.copy(), message._top
    for first in reversed(range(0, count, lanes)):
        row = slice(first, min(first + lanes, count))
        state = head[: row.stop - first]
        cf = (state & low).astype(np.int32)
        symbols[row], start, freq = invert(row, cf)
        state[:] = freq.astype(np.uint64) * (state >> shift) + (cf - start).astype(np.uint64)
        under = state < _MIN
        wanted = int(under.sum())
        if wanted > message._end - top:
            raise Underflow
        state[under] = state[under] << _WORD | message._words[top : top + wanted]
        top += wanted
    message.head[:], message._top = head, top
    return symbols


def pop_uniform(message: Message, count: int, bits: int) -> Int32s:
    """Pop symbols that are uniform over 2**bits values.

    Parameters
    ----------
    message : Message
    count : int
        Number n of symbols.
    bits : int
        0..20.

    Returns
    -------
    int32 array, shape (n,)

    Raises
    ------
    Underflow
    """
    shift = PRECISION - bits

    def invert(row: slice, cf: Int32s) -> Interval:
        symbol = cf.astype(np.int64) >> shift
        return symbol, symbol << shift, np.full_like(symbol, 1 << shift)

    return message._popping(lambda: _pop(message, count, invert))


def pop_table(message: Message, count: int, table: NDArray[np.uint32]) -> Int32s:
    """Pop symbols by tables of their cumulative frequencies.

    Parameters
    ----------
    message : Message
    count : int
        Number n of symbols.
    table : uint32 array, shape (K + 1,) or (n, K + 1)
        Rows that never fall, from 0 to 2**20; one for all symbols or one each.

    Returns
    -------
    int32 array, shape (n,)
        Symbols of 0..K - 1.

    Raises
    ------
    Underflow
    """
    size = table.shape[-1] - 1

    def invert(row: slice, cf: Int32s) -> Interval:
        rows = np.broadcast_to(table if table.ndim == 1 else table[row], (len(cf), size + 1))
        symbol = (rows[:, 1:] <= cf[:, None]).sum(axis=-1)
        each = np.arange(len(cf))
        start = rows[each, symbol].astype(np.int64)
        return symbol, start, rows[each, symbol + 1] - start

    return message._popping(lambda: _pop(message, count, invert))


def check_weights(weight: NDArray[np.int32] | None) -> None:
    """Raise ValueError unless all weights are positive or zero and each row sums to 256."""
    if weight is not None and (
        np.any(weight < 0) or np.any(weight.sum(axis=-1, dtype=np.int64) != 1 << WEIGHT_BITS)
    ):
        raise ValueError(f"the weights of a mixture must sum to {1 << WEIGHT_BITS}")


def push_logistic(
    message: Message,
    symbols: Int32s,
    weight: Int32s | None,
    mean: Int32s,
    scale: Int32s,
    low: int,
    size: int,
) -> None:
    """Push symbols of discretized logistics, or of mixtures of them.

    Parameters
    ----------
    message : Message
    symbols : int32 array, shape (n,)
        Symbols of low..low + size - 1.
    weight, mean, scale : int32 arrays, shape (n, K), or None and shape (n,)
    low, size : int
        First symbol and number of symbols of the alphabet.

    Raises
    ------
    ValueError
        If a symbol is not in the alphabet, or weights do not sum to 256.
    """
    push(message, *intervals_logistic(symbols, weight, mean, scale, low, size), precision(size))


def intervals_logistic(
    symbols: Int32s, weight: Int32s | None, mean: Int32s, scale: Int32s, low: int, size: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the start and freq that `push_logistic` would push each symbol with: (n,) each."""
    index = symbols.astype(np.int64) - low
    if np.any(index < 0) or np.any(index >= size):
        raise ValueError(f"symbols must be in {low}..{low + size - 1}")
    check_weights(weight)
    start = cumulative(index, weight, mean, scale, low, size)
    end = cumulative(index + 1, weight, mean, scale, low, size)
    return start.astype(np.uint32), (end - start).astype(np.uint32)


def pop_logistic(
    message: Message, weight: Int32s | None, mean: Int32s, scale: Int32s, low: int, size: int
) -> Int32s:
    """Pop symbols of discretized logistics, or of mixtures of them: the inverse of the push.

    Parameters
    ----------
    message : Message
    weight, mean, scale : int32 arrays, shape (n, K), or None and shape (n,)
    low, size : int
        First symbol and number of symbols of the alphabet.

    Returns
    -------
    int32 array, shape (n,)
        Symbols of low..low + size - 1.

    Raises
    ------
    ValueError
        If weights do not sum to 256.
    Underflow
    """
    check_weights(weight)
    strides = [1]
    while strides[0] * _RADIX < size:
        strides.insert(0, strides[0] * _RADIX)

    def invert(row: slice, cf: Int32s) -> Interval:
        part = (None if weight is None else weight[row], mean[row], scale[row], low, size)
        index = np.zeros(len(cf), np.int64)
        for stride in strides:  # invariant: C(index) <= cf < C(index + _RADIX * stride)
            further = np.minimum(index[:, None] + stride * _DIGITS, size)
            index += stride * (cumulative(further, *part) <= cf[:, None]).sum(axis=-1)
        start = cumulative(index, *part)
        return index + low, start, cumulative(index + 1, *part) - start

    return message._popping(lambda: _pop(message, len(mean), invert, precision(size)))


def pop_natively(message: Message, work: Callable[..., object], low: int, size: int) -> None:
    """Return None: there is nothing here that a compiled kernel could call."""
