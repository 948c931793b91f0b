"""A run of a predictor over the inflated bytes, told after each token what it really was.

This is native/run.h and native/run.c: describing (describing.py), the truth comes from the stream's
tokens and corrections are written; restoring (restoring.py), it comes from the corrections.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.inflated import DAMAGED, PADDING, Bytes
from bitswap_cli.images.deflate.parameters import LD_HASHED, NG_QUICK
from bitswap_cli.images.deflate.reference.alphabet import (
    LOOKAHEAD,
    MAX_MATCH,
    RIGHT_DEFERRED,
    RIGHT_PLAIN,
    RIGHT_SPLIT,
    RIGHT_TAKEN,
    WINDOW,
    span,
)
from bitswap_cli.images.deflate.reference.splitting import Splitter

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
        if self.predictor >= LD_HASHED:
            self.split = Splitter(self.data, self.size, p, self.predictor)

    def reach(self, p: int) -> int:
        """The longest match that the data's end allows."""
        return min(self.size - p, MAX_MATCH)

    def _ends(self, p: int) -> int:
        """Whether the predicted splitter ends a block before p: 0 no, 1 yes, 2 as the last."""
        if self.predictor >= LD_HASHED:
            due = self.split.due
            return 0 if due == 2 else 2 if p == self.size else due
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
        if self.predictor >= LD_HASHED:
            self.split.watch(p, truth)
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


def class_of(candidate: int, taken: bool) -> int:
    if not candidate:
        return RIGHT_PLAIN
    return RIGHT_TAKEN if taken else RIGHT_DEFERRED
