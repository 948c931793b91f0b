"""The engine that codes: the compiled kernel where there is one, else the numpy reference.

Both give the same bytes; library.py says how one is chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import reference
from bitswap_cli.ans.errors import NoEngine, Underflow
from bitswap_cli.ans.library import Library, address, chosen, load
from bitswap_cli.ans.message import Message
from bitswap_cli.ans.parameters import PRECISION, WEIGHT_BITS
from bitswap_cli.ans.sigmoid import tables

ABI = 5

T = TypeVar("T")
Int32s = NDArray[np.int32]
UInt32s = NDArray[np.uint32]

_UNDERFLOW, _BAD_SYMBOL, _BAD_WEIGHTS = -1, -2, -3


@dataclass
class Native:
    """A message as the compiled engine sees it, for another kernel that pops by itself.

    `function` is the address of ``bitswap_pop_logistic``, the rest are its first arguments. Whoever
    pops sets `top` to what its last call returned; the heads are a copy.
    """

    function: int
    head: int
    lanes: int
    words: int
    top: int
    end: int


class Engine(Protocol):
    """What codes; `reference` documents each of these."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Either "c" or "reference"."""

    def push(
        self, message: Message, start: UInt32s, freq: UInt32s, bits: int = PRECISION
    ) -> None: ...

    def push_batches(
        self,
        message: Message,
        start: UInt32s,
        freq: UInt32s,
        batches: Int32s,
        bits: int = PRECISION,
    ) -> None: ...

    def push_decisions(self, message: Message, told: UInt32s) -> None: ...

    def pop_uniform(self, message: Message, count: int, bits: int) -> Int32s: ...

    def pop_table(self, message: Message, count: int, table: UInt32s) -> Int32s: ...

    def push_logistic(
        self,
        message: Message,
        symbols: Int32s,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> None: ...

    def pop_logistic(
        self,
        message: Message,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> Int32s: ...

    def intervals_logistic(
        self,
        symbols: Int32s,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> tuple[UInt32s, UInt32s]: ...

    def pop_natively(
        self, message: Message, work: Callable[[Native], T], low: int, size: int
    ) -> T | None: ...


class Kernel:
    """The compiled engine: the functions of `reference`, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was built from another version of kernel.c.
    """

    NAME = "c"

    def __init__(self, path: Path) -> None:
        library = Library(path, "abi", ABI)
        library.bound("setup", "ppp", void=True)(*(address(part) for part in tables()))
        self._push = library.bound("push", "plplppll")
        self._pop_uniform = library.bound("pop_uniform", "plpllpll")
        self._pop_table = library.bound("pop_table", "plpllplpll")
        self._push_logistic = library.bound("push_logistic", "plplplppplll")
        self._pop_logistic = library.bound("pop_logistic", "plpllplppplll")
        self._native = library.address("pop_logistic")
        self._intervals_logistic = library.bound("intervals_logistic", "plppppplll")
        self.intervals = library.address("intervals_logistic")
        """The address of ``bitswap_intervals_logistic``, for another kernel."""
        self._push_batches = library.bound("push_batches", "plplpppll")
        self._push_decisions = library.bound("push_decisions", "pplpl")

    @staticmethod
    def _room(message: Message, count: int) -> tuple[int, int, int, int]:
        message._reserve(count)
        return address(message.head), message.lanes, address(message._words), message._top

    @staticmethod
    def _held(message: Message) -> tuple[int, int, int, int, int]:
        words = address(message._words)
        return address(message.head), message.lanes, words, message._top, message._end

    @staticmethod
    def _checked(result: int, low: int, size: int) -> int:
        if result == _UNDERFLOW:
            raise Underflow
        if result == _BAD_SYMBOL:
            raise ValueError(f"symbols must be in {low}..{low + size - 1}")
        if result == _BAD_WEIGHTS:
            raise ValueError(f"the weights of a mixture must sum to {1 << WEIGHT_BITS}")
        return result

    def push(self, message: Message, start: UInt32s, freq: UInt32s, bits: int = PRECISION) -> None:
        """Push n intervals; see `reference.push`."""
        start, freq = np.ascontiguousarray(start), np.ascontiguousarray(freq)
        room = self._room(message, len(start))
        message._top = self._push(*room, address(start), address(freq), len(start), bits)

    def push_batches(
        self,
        message: Message,
        start: UInt32s,
        freq: UInt32s,
        batches: Int32s,
        bits: int = PRECISION,
    ) -> None:
        """Push batches, the last one first; see `reference.push_batches`."""
        start, freq = np.ascontiguousarray(start), np.ascontiguousarray(freq)
        batches = np.ascontiguousarray(batches, np.int32)
        if (batches < 0).any() or batches.sum(dtype=np.int64) != len(start):
            raise ValueError("the batches are not the symbols")
        room = self._room(message, len(start))
        parts = (address(start), address(freq), address(batches))
        message._top = self._push_batches(*room, *parts, len(batches), bits)

    def push_decisions(self, message: Message, told: UInt32s) -> None:
        """Push yes and no, the last one first; see `reference.push_decisions`."""
        told = np.ascontiguousarray(told)
        head, _, words, top = self._room(message, len(told))
        message._top = self._push_decisions(head, words, top, address(told), len(told))

    def pop_uniform(self, message: Message, count: int, bits: int) -> Int32s:
        """Pop uniform symbols; see `reference.pop_uniform`."""
        symbols = np.empty(count, np.int32)

        def attempt() -> Int32s:
            held = self._held(message)
            top = self._pop_uniform(*held, address(symbols), count, bits)
            message._top = self._checked(top, 0, 1 << bits)
            return symbols

        return message._popping(attempt)

    def pop_table(self, message: Message, count: int, table: UInt32s) -> Int32s:
        """Pop symbols by cumulative frequencies; see `reference.pop_table`."""
        symbols, table = np.empty(count, np.int32), np.ascontiguousarray(table)
        size = table.shape[-1] - 1
        stride = 0 if table.ndim == 1 else size + 1

        def attempt() -> Int32s:
            held = self._held(message)
            row = (address(table), stride, size)
            top = self._pop_table(*held, address(symbols), count, *row)
            message._top = self._checked(top, 0, size)
            return symbols

        return message._popping(attempt)

    def push_logistic(
        self,
        message: Message,
        symbols: Int32s,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> None:
        """Push symbols of logistics or mixtures; see `reference.push_logistic`."""
        room = self._room(message, len(symbols))
        shares = None if weight is None else address(weight)
        parameters = (shares, address(mean), address(scale), mean.shape[-1], low, size)
        top = self._push_logistic(*room, address(symbols), len(symbols), *parameters)
        message._top = self._checked(top, low, size)

    def pop_logistic(
        self,
        message: Message,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> Int32s:
        """Pop symbols of logistics or mixtures; see `reference.pop_logistic`."""
        symbols = np.empty(len(mean), np.int32)
        shares = None if weight is None else address(weight)
        parameters = (shares, address(mean), address(scale), mean.shape[-1], low, size)

        def attempt() -> Int32s:
            held = self._held(message)
            top = self._pop_logistic(*held, address(symbols), len(symbols), *parameters)
            message._top = self._checked(top, low, size)
            return symbols

        return message._popping(attempt)

    def intervals_logistic(
        self,
        symbols: Int32s,
        weight: Int32s | None,
        mean: Int32s,
        scale: Int32s,
        low: int,
        size: int,
    ) -> tuple[UInt32s, UInt32s]:
        """Return what symbols would be pushed with; see `reference.intervals_logistic`."""
        start, freq = np.empty((2, len(symbols)), np.uint32)
        shares = None if weight is None else address(weight)
        parameters = (shares, address(mean), address(scale), mean.shape[-1], low, size)
        into = (address(start), address(freq))
        result = self._intervals_logistic(address(symbols), len(symbols), *into, *parameters)
        self._checked(result, low, size)
        return start, freq

    def pop_natively(
        self, message: Message, work: Callable[[Native], T], low: int, size: int
    ) -> T | None:
        """Let another kernel pop symbols of an alphabet, see `Native`. Returns what `work` does."""

        def attempt() -> T:
            head = message.head.copy()
            words = address(message._words)
            native = Native(
                self._native, address(head), len(head), words, message._top, message._end
            )
            result = work(native)
            message._top = self._checked(native.top, low, size)
            message.head[:] = head
            return result

        return message._popping(attempt)


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


@cache
def engine() -> Engine:
    """The engine in use, chosen at the first call of the process.

    Raises
    ------
    NoEngine
        If BITSWAP_ENGINE asks for one that is not there.
    """
    return chosen(compiled, NoEngine) or reference


def engine_name() -> str:
    """Name of the engine in use: "c" or "reference"."""
    return engine().NAME
