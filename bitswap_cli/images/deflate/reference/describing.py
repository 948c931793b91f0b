"""A run that writes corrections; see native/run.c."""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.deflate.columns import COLUMNS
from bitswap_cli.images.deflate.inflated import Inflated, Predicted
from bitswap_cli.images.deflate.reference.alphabet import (
    DISTANCE,
    MIN_MATCH,
    NEW_LENGTH,
    RANK,
    RIGHT_SPLIT,
    SAME_LENGTH,
    SPLIT,
    STORED,
    STORED_GAP,
    STORED_SIZE,
    WRONG_DEFERRED,
    WRONG_TAKEN,
    distance_of,
    length_of,
)
from bitswap_cli.images.deflate.reference.run import RIGHTS, Chain, Run, class_of


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
        self._was(class_of(candidate, taken), right)
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
