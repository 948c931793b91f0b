"""A run of a predictor over the inflated bytes, told after each token what it really was.

This is native/run.h and native/run.c: describing, the truth comes from the stream's tokens and
corrections are written; restoring, it comes from the corrections.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import COLUMNS, Column
from bitswap_cli.images.deflate.inflated import DAMAGED, PADDING, Bytes, Inflated, Predicted
from bitswap_cli.images.deflate.parameters import NG_QUICK
from bitswap_cli.images.deflate.reference.alphabet import (
    DISTANCE,
    FIXED,
    LOOKAHEAD,
    MAX_MATCH,
    MIN_MATCH,
    NEW_LENGTH,
    RANK,
    RIGHT_DEFERRED,
    RIGHT_PLAIN,
    RIGHT_SPLIT,
    RIGHT_TAKEN,
    SAME_LENGTH,
    SPLIT,
    STORED,
    STORED_GAP,
    STORED_SIZE,
    WINDOW,
    WRONG_DEFERRED,
    WRONG_TAKEN,
    distance_of,
    length_of,
    match_of,
    span,
)

RIGHTS = RIGHT_PLAIN, RIGHT_DEFERRED, RIGHT_TAKEN, RIGHT_SPLIT
RANKS = 1024  # candidates looked at to name a distance by its rank
Chain = list[int]  # by position modulo its length: the last earlier position, 0 for none


def common(data: bytes, a: int, b: int, most: int) -> int:
    """Bytes that the data have in common from two places on, at most `most`."""
    length = 0
    while length < most and data[a + length] == data[b + length]:
        length += 1
    return length


class Run(ABC):
    """What describing and restoring have in common: the block, and where a splitter ends it.

    Parameters
    ----------
    data : uint8 array
        The inflated bytes and their padding.
    how : int64 array
        The predictor's parameters.
    """

    def __init__(self, data: Bytes, how: NDArray[np.int64]) -> None:
        self.data, self.size = data.tobytes(), len(data) - PADDING
        self.predictor, self.good, self.lazy, self.nice, self.chain = how[:5].tolist()
        self.hash_bits, self.window_bits, self.full, self.feed, self.flags = how[5:].tolist()
        self.tokens: list[int] = []
        self.done = False
        self._begin(0)

    def _begin(self, p: int) -> None:
        self.start = self.before = p
        self.edge = self.size
        self.in_block = 0
        self.clipped = self.stored = self.last = False
        self.told: int | None = None

    def reach(self, p: int) -> int:
        """The longest match that the data's end allows."""
        return min(self.size - p, MAX_MATCH)

    def _ends(self, p: int) -> int:
        """Whether the predicted splitter ends a block before p: 0 no, 1 yes, 2 as the last."""
        if self.in_block >= self.full:
            return int(self.in_block == self.full)
        if self.predictor == NG_QUICK and self.feed and self.size - self.start >= LOOKAHEAD:
            if self.size - self.before < LOOKAHEAD:
                return 0
            if self.size - p < LOOKAHEAD:
                return 1
        return 2 if p == self.size else 0

    def turn(self, p: int) -> None:
        """End blocks that end before p, and begin the next."""
        while not self.done:
            if self.told is None:
                end = self._ends(p)
            elif self.stored:
                end = 1 + self.last if p == self.edge else 0
            else:
                end = 1 + self.last if self.in_block == self.told else 0
            if not end:
                return
            self._close(p, end)
            if end == 2:
                self.done = True
                if p != self.size:
                    raise ArchiveError(DAMAGED)
            else:
                self._open(p)

    def settle(self, p: int, candidate: int, taken: bool, chain: Chain | None) -> int:
        """Settle the token at p: a candidate, whether it is taken, and what it really is."""
        if p >= self.size:
            raise ArchiveError(DAMAGED)
        predicted = truth = candidate if taken else 0
        if self.stored:
            if span(predicted) > self.edge - p:
                truth, self.clipped = 0, True
        else:
            truth = self._truth(p, candidate, taken, chain)
        self.in_block += 1
        self.before = p
        self.turn(p + span(truth))
        return truth

    def _ranked(self, p: int, length: int, chain: Chain | None) -> Iterator[int]:
        """Distances of the chain's positions before p that match as far, the nearest first."""
        if chain is None:
            return
        before, at = p, chain[p % len(chain)]
        for _ in range(RANKS):
            if not at or at >= before or p - at > WINDOW:
                return
            if common(self.data, at, p, length) == length:
                yield p - at
            before, at = at, chain[at % len(chain)]

    @abstractmethod
    def _open(self, p: int) -> None:
        """Begin a block at p: `told` is its length if it is not as predicted."""

    @abstractmethod
    def _close(self, p: int, end: int) -> None:
        """End the block before p, `end` as `_ends` has it."""

    @abstractmethod
    def _truth(self, p: int, candidate: int, taken: bool, chain: Chain | None) -> int:
        """The token that is really at p, 0 for a literal."""


def _class(candidate: int, taken: bool) -> int:
    if not candidate:
        return RIGHT_PLAIN
    return RIGHT_TAKEN if taken else RIGHT_DEFERRED


class Describing(Run):
    """A run that writes corrections.

    Parameters
    ----------
    inflated : Inflated
    how : int64 array
    stop, budget : int
        Give up behind so many tokens, or when more corrections weigh more than this.
    """

    def __init__(self, inflated: Inflated, how: NDArray[np.int64], stop: int, budget: int) -> None:
        super().__init__(inflated.data, how)
        self._true = inflated.tokens.tolist()
        self._rows = inflated.blocks.tolist()
        self._row = self._gap = self._wrong = 0
        self._stop = stop if stop < len(self._true) else len(self._true) + 1
        self._budget = budget
        self._right = dict.fromkeys(RIGHTS, 0)
        self.columns: list[list[int]] = [[] for _ in range(COLUMNS)]
        self._open(0)
        self.turn(0)

    def result(self) -> Predicted:
        return Predicted(self._wrong, [np.array(column, np.int32) for column in self.columns])

    def _was(self, which: int, right: bool) -> None:
        if right:
            self._right[which] += 1
        else:
            self.columns[which].append(self._right[which])
            self._right[which] = 0

    def _open(self, p: int) -> None:
        self._begin(p)
        kind, self.told, _ = self._rows[self._row]
        self._row += 1
        self.last = self._row == len(self._rows)
        self.stored = kind == STORED
        if self.stored:
            self.edge = p + self.told
            self.columns[STORED_GAP].append(self._gap)
            self._gap = 0
        else:
            self._gap += 1

    def _close(self, p: int, end: int) -> None:
        right = self._ends(p) == end
        if self.stored:
            size = p - self.start
            right = right and not self.clipped
            self.columns[STORED_SIZE].append(0 if right else 2 * size + (end == 2) + 1)
        else:
            self._was(RIGHT_SPLIT, right)
            if not right:
                self.columns[SPLIT].append(2 * self.in_block + (end == 2))

    def _truth(self, p: int, candidate: int, taken: bool, chain: Chain | None) -> int:
        truth = int(self._true[len(self.tokens)])
        self.tokens.append(truth)
        right = truth == (candidate if taken else 0)
        self._was(_class(candidate, taken), right)
        if not right:
            self._tell(p, candidate, taken, truth, chain)
            self._wrong += 1
        if len(self.tokens) >= self._stop or self._wrong > self._budget:
            self.done = True
        return truth

    def _tell(self, p: int, candidate: int, taken: bool, truth: int, chain: Chain | None) -> None:
        columns = self.columns
        if candidate:
            same = truth and distance_of(candidate) == distance_of(truth)
            which = 0 if truth in (0, candidate) else 1 if same else 2
            columns[WRONG_TAKEN if taken else WRONG_DEFERRED].append(which)
            if which == 0:
                return
            if which == 1:
                shorter = length_of(candidate) - length_of(truth)
                columns[SAME_LENGTH].append(-2 * shorter - 1 if shorter < 0 else 2 * shorter - 2)
                self._wrong += 1
                return
        columns[NEW_LENGTH].append(length_of(truth) - MIN_MATCH)
        ranks = list(self._ranked(p, length_of(truth), chain))
        if distance_of(truth) in ranks:
            columns[RANK].append(ranks.index(distance_of(truth)) + 1)
            self._wrong += 2
        else:
            columns[RANK].append(0)
            columns[DISTANCE].append(distance_of(truth) - 1)
            self._wrong += 4


class Restoring(Run):
    """A run that reads corrections.

    Parameters
    ----------
    data : uint8 array
    how : int64 array
    columns : sequence of int32 arrays
    most : int
        The most blocks that there may be.
    """

    def __init__(
        self, data: Bytes, how: NDArray[np.int64], columns: Sequence[Column], most: int
    ) -> None:
        super().__init__(data, how)
        self._columns = [iter(column.tolist()) for column in columns]
        self._most = most
        self._left = {which: next(self._columns[which], -1) for which in RIGHTS}
        self._gap = next(self._columns[STORED_GAP], -1)
        self.blocks: list[tuple[int, int, int]] = []
        self._open(0)
        self.turn(0)

    def _is_right(self, which: int) -> bool:
        if self._left[which]:
            self._left[which] -= self._left[which] > 0
            return True
        self._left[which] = next(self._columns[which], -1)
        return False

    def _open(self, p: int) -> None:
        self._begin(p)
        if len(self.blocks) >= self._most:
            raise ArchiveError(DAMAGED)
        self.stored = self._gap == 0
        if self.stored:
            size = next(self._columns[STORED_SIZE], 0)
            self._gap = next(self._columns[STORED_GAP], -1)
            if size > 0:
                self.told, self.last = (size - 1) >> 1, bool(size - 1 & 1)
                self.edge = p + self.told
            if size < 0 or self.edge > self.size:
                raise ArchiveError(DAMAGED)
            return
        self._gap -= self._gap > 0
        if not self._is_right(RIGHT_SPLIT):
            size = next(self._columns[SPLIT], 0)
            if size < 0:
                raise ArchiveError(DAMAGED)
            self.told, self.last = size >> 1, bool(size & 1)

    def _close(self, p: int, end: int) -> None:
        size = p - self.start if self.stored else self.in_block
        if self.stored and size > 65535:
            raise ArchiveError(DAMAGED)
        self.blocks.append((STORED if self.stored else FIXED, size, 0))

    def _truth(self, p: int, candidate: int, taken: bool, chain: Chain | None) -> int:
        if self._is_right(_class(candidate, taken)):
            truth = candidate if taken else 0
        else:
            truth = self._read(p, candidate, taken, chain)
        self.tokens.append(truth)
        return truth

    def _read(self, p: int, candidate: int, taken: bool, chain: Chain | None) -> int:
        columns = self._columns
        if candidate:
            which = next(columns[WRONG_TAKEN if taken else WRONG_DEFERRED], 0)
            if which == 0:
                return 0 if taken else candidate
            if which == 1:
                value = next(columns[SAME_LENGTH], 0)
                longer = (value + 1) // 2 if value & 1 else -((value + 2) // 2)
                return self._match(p, length_of(candidate) + longer, distance_of(candidate))
        length = next(columns[NEW_LENGTH], 0) + MIN_MATCH
        rank = next(columns[RANK], 0)
        if not MIN_MATCH <= length <= self.reach(p) or rank < 0:
            raise ArchiveError(DAMAGED)
        if rank:
            ranks = list(self._ranked(p, length, chain))
            distance = ranks[rank - 1] if rank <= len(ranks) else -1
        else:
            distance = next(columns[DISTANCE], 0) + 1
        return self._match(p, length, distance)

    def _match(self, p: int, length: int, distance: int) -> int:
        if (
            not MIN_MATCH <= length <= self.reach(p)
            or not 1 <= distance <= min(p, WINDOW)
            or common(self.data, p, p - distance, length) != length
        ):
            raise ArchiveError(DAMAGED)
        return match_of(length, distance)
