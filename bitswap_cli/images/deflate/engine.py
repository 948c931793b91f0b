"""The engine that inflates, predicts and writes: the compiled kernel, else the Python reference.

Both give the same; BITSWAP_ENGINE chooses, see bitswap_cli/ans/library.py.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import Library, address, chosen, load
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.deflate import reference
from bitswap_cli.images.deflate.columns import COLUMNS, NOTHING, Column
from bitswap_cli.images.deflate.inflated import (
    DAMAGED,
    PADDING,
    UNSEEN,
    Blocks,
    Bytes,
    Inflated,
    Predicted,
    Seen,
    Tokens,
    Told,
    Walked,
)

ABI = 8

_NO_MEMORY = -3
_AT_ONCE = 1 << 24  # bytes for which there is room without knowing whether it is needed
_NONE = [NOTHING] * COLUMNS
_PER_TOKEN, _PER_BLOCK = 5, 320  # values that telling keeps, at most, if hearing is to use them


class Engine(Protocol):
    """What does the work; `reference` documents each of these."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Either "c" or "reference"."""

    def inflate(self, stream: bytes, limit: int) -> Inflated | None: ...

    def walk(self, stream: bytes, history: int, stop: int, limit: int) -> Walked | None: ...

    def adler(self, data: Bytes, size: int) -> int: ...

    def predict(
        self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int
    ) -> Predicted: ...

    def wrong(self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int) -> int: ...

    def describe_blocks(self, inflated: Inflated, flags: int) -> list[Column]: ...

    def restore(
        self, data: Bytes, how: NDArray[np.int64], columns: Sequence[Column]
    ) -> tuple[Tokens, Blocks]: ...

    def replay(
        self, data: Bytes, how: NDArray[np.int64], columns: Sequence[Column], predicted: Predicted
    ) -> tuple[Tokens, Blocks]: ...

    def write(
        self, data: Bytes, tokens: Tokens, blocks: Blocks, flags: int,
        columns: Sequence[Column], room: int,
    ) -> bytes: ...  # fmt: skip

    def make(self, data: Bytes, how: NDArray[np.int64], room: int) -> bytes: ...

    def tell(self, inflated: Inflated, room: int) -> Told | None: ...

    def hear(self, data: Bytes, message: bytes, seen: Seen = UNSEEN) -> Inflated: ...


class Kernel:
    """The compiled engine: the functions of `reference`, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was built from another version of the sources.
    """

    NAME = "c"

    def __init__(self, path: Path) -> None:
        library = Library(path, "deflate_abi", ABI)
        self._inflate = library.bound("inflate", "pllppppp")
        self._walk = library.bound("walk", "pllllp")
        self._adler = library.bound("adler", "pl")
        self._predict = library.bound("predict", "plpplpplplllp")
        self._describe_blocks = library.bound("describe_blocks", "ppplpllppl")
        self._restore = library.bound("restore", "plppppplplppl")
        self._write = library.bound("write", "pppllppppl")
        self._make = library.bound("make", "plplpl")
        self._tell = library.bound("tell", "plpplpllplpp")
        self._hear = library.bound("hear", "plplpplpppl")

    def inflate(self, stream: bytes, limit: int) -> Inflated | None:
        """Inflate a raw deflate stream; see `reference.inflate`."""
        source = np.frombuffer(stream, np.uint8)
        found = np.zeros(6, np.int64)
        known = (address(source), len(source), limit, address(found))
        size = count = limit
        headed = 8 * len(source)  # what a head has takes a bit or more, a block ten
        rows = headed // 10 + 1
        if limit > _AT_ONCE or len(source) > _AT_ONCE:
            if self._failed(self._inflate(*known, None, None, None, None)):
                return None
            _, size, count, rows, headed, _ = (int(value) for value in found)
        data = np.empty(size + PADDING, np.uint8)
        tokens = np.empty(count, np.uint32)
        blocks = np.empty((rows, 3), np.int32)
        heads = np.empty(headed, np.uint8)
        arrays = (data, tokens, blocks, heads)
        if self._failed(self._inflate(*known, *(address(array) for array in arrays))):
            return None
        consumed, size, count, rows, headed, pad = (int(value) for value in found)
        data[size : size + PADDING] = 0
        data = data[: size + PADDING]
        return Inflated(data, tokens[:count], blocks[:rows], heads[:headed], consumed, pad)

    def walk(self, stream: bytes, history: int, stop: int, limit: int) -> Walked | None:
        """Go through blocks; see `reference.walk`."""
        source, found = np.frombuffer(stream, np.uint8), np.zeros(4, np.int64)
        known = (address(source), len(source), history, stop, limit, address(found))
        if self._failed(self._walk(*known)):
            return None
        end, size, start, last = (int(value) for value in found)
        return Walked(end, size, start, bool(last))

    def adler(self, data: Bytes, size: int) -> int:
        """Adler-32; see `reference.adler`."""
        return self._adler(address(data), size)

    def predict(
        self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int
    ) -> Predicted:
        """Compare tokens with a predictor's; see `reference.predict`."""
        tokens, blocks = inflated.tokens, inflated.blocks
        room = min(len(tokens), stop) + len(blocks) + 1
        values = np.empty((COLUMNS + 1, room), np.int32)
        stored = int(blocks[blocks[:, 0] == 0, 1].sum())
        seen = np.empty(len(tokens) + stored, np.uint32) if stop > len(tokens) else None
        wrong, counts = self._compared(inflated, how, stop, budget, values, seen)
        *columns, ranked = _cut(values, counts)
        return Predicted(wrong, columns, seen, ranked)

    def wrong(self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int) -> int:
        """How wrong a predictor is; see `reference.wrong`."""
        nowhere = np.empty((COLUMNS + 1, 1), np.int32)
        return self._compared(inflated, how, stop, budget, nowhere, None)[0]

    def _compared(
        self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int,
        values: NDArray[np.int32], seen: NDArray[np.uint32] | None,
    ) -> tuple[int, NDArray[np.int64]]:  # fmt: skip
        """How wrong it is, and how many values each column has, as far as there is room."""
        data, tokens, blocks = inflated.data, inflated.tokens, inflated.blocks
        counts = np.zeros(COLUMNS + 1, np.int64)
        wrong = self._predict(
            address(data), len(data) - PADDING, address(how), address(tokens), len(tokens),
            address(blocks), len(blocks), address(values), address(counts), values.shape[1],
            stop, budget, None if seen is None else address(seen),
        )  # fmt: skip
        return self._checked(wrong), counts

    def describe_blocks(self, inflated: Inflated, flags: int) -> list[Column]:
        """Compare blocks with what zlib would make; see `reference.describe_blocks`."""
        data, tokens, blocks, heads, _, pad = inflated
        room = int(322 * (blocks[:, 0] == 2).sum()) + len(blocks) + 1
        values, counts = np.empty((COLUMNS, room), np.int32), np.zeros(COLUMNS, np.int64)
        self._describe_blocks(
            address(data), address(tokens), address(blocks), len(blocks), address(heads),
            flags, pad, address(values), address(counts), room,
        )  # fmt: skip
        return _cut(values, counts)

    def restore(
        self, data: Bytes, how: NDArray[np.int64], columns: Sequence[Column]
    ) -> tuple[Tokens, Blocks]:
        """Make tokens and blocks; see `reference.restore`."""
        return self._restored(data, how, [*columns, NOTHING], None)

    def replay(
        self, data: Bytes, how: NDArray[np.int64], columns: Sequence[Column], predicted: Predicted
    ) -> tuple[Tokens, Blocks]:
        """Make them of predictions that were seen; see `reference.replay`."""
        return self._restored(data, how, [*columns, predicted.ranked], predicted.seen)

    def _restored(
        self,
        data: Bytes,
        how: NDArray[np.int64],
        columns: Sequence[Column],
        seen: NDArray[np.uint32] | None,
    ) -> tuple[Tokens, Blocks]:
        size = len(data) - PADDING
        tokens = np.empty(size, np.uint32)
        rows = reference.most_blocks(size, columns)
        blocks, found = np.zeros((rows, 3), np.int32), np.zeros(2, np.int64)
        values, counts, starts = _joined(columns)
        self._checked(self._restore(
            address(data), size, address(how), address(values), address(counts),
            address(starts), address(tokens), size, address(blocks), rows, address(found),
            None if seen is None else address(seen), 0 if seen is None else len(seen),
        ))  # fmt: skip
        return tokens[: found[0]], blocks[: found[1]]

    def write(
        self, data: Bytes, tokens: Tokens, blocks: Blocks, flags: int,
        columns: Sequence[Column], room: int,
    ) -> bytes:  # fmt: skip
        """Write a raw deflate stream; see `reference.write`."""
        out = np.empty(room, np.uint8)
        values, counts, starts = _joined(columns)
        length = self._checked(
            self._write(
                address(data), address(tokens), address(blocks), len(blocks), flags,
                address(values), address(counts), address(starts), address(out), room,
            )
        )  # fmt: skip
        if length > room:
            raise ArchiveError(DAMAGED)
        return out[:length].tobytes()

    def make(self, data: Bytes, how: NDArray[np.int64], room: int) -> bytes:
        """Make a raw deflate stream without corrections; see `reference.make`."""
        size, out = len(data) - PADDING, np.empty(room, np.uint8)
        most = reference.most_blocks(size, _NONE)
        length = self._checked(
            self._make(address(data), size, address(how), most, address(out), room)
        )
        if length > room:
            raise ArchiveError(DAMAGED)
        return out[:length].tobytes()

    def tell(self, inflated: Inflated, room: int) -> Told | None:
        """Tell a stream by costs; see `reference.tell`."""
        data, tokens, blocks, heads, _, pad = inflated
        size, most = len(data) - PADDING, room + inflated.consumed
        out = np.empty(most, np.uint8)
        if len(blocks) > reference.most_rows(size):
            return None
        seen = np.empty(_PER_TOKEN * len(tokens) + _PER_BLOCK * len(blocks), np.uint32)
        count = np.array([len(seen)], np.int64)
        length = self._tell(
            address(data), size, address(tokens), address(blocks), len(blocks), address(heads),
            pad, room, address(out), most, address(seen), address(count),
        )  # fmt: skip
        if self._failed(length) or length > most:
            return None
        return Told(out[:length].tobytes(), seen[: count[0]])

    def hear(self, data: Bytes, message: bytes, seen: Seen = UNSEEN) -> Inflated:
        """Hear what was told of a stream; see `reference.hear`."""
        size, source = len(data) - PADDING, np.frombuffer(message, np.uint8)
        rows = reference.most_rows(size)
        tokens, blocks = np.empty(size + 1, np.uint32), np.zeros((rows, 3), np.int32)
        heads, found = np.empty(rows * reference.MOST_HEAD, np.uint8), np.zeros(4, np.int64)
        self._checked(self._hear(
            address(data), size, address(source), len(source), address(tokens), address(blocks),
            rows, address(heads), address(found), address(seen), len(seen),
        ))  # fmt: skip
        count, rows, headed, pad = (int(value) for value in found)
        return Inflated(data, tokens[:count], blocks[:rows], heads[:headed], 0, pad)

    @staticmethod
    def _failed(result: int) -> bool:
        if result == _NO_MEMORY:
            raise MemoryError
        return result < 0

    @classmethod
    def _checked(cls, result: int) -> int:
        if cls._failed(result):
            raise ArchiveError(DAMAGED)
        return result


def _cut(values: NDArray[np.int32], counts: NDArray[np.int64]) -> list[Column]:
    return [values[place, :count] for place, count in enumerate(counts)]


def _joined(
    columns: Sequence[Column],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """All columns behind each other, their lengths, and where they start."""
    counts = np.array([len(column) for column in columns], np.int64)
    values = np.ascontiguousarray(np.concatenate(columns), np.int32)
    return values, counts, np.cumsum(counts) - counts


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


@cache
def engine() -> Engine:
    """The engine in use, chosen at the first call of the process.

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    """
    return chosen(compiled, InputError) or reference
