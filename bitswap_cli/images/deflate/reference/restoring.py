"""A run that reads corrections; see native/run.c."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Column
from bitswap_cli.images.deflate.inflated import DAMAGED, Bytes
from bitswap_cli.images.deflate.reference.alphabet import (
    DISTANCE,
    FIXED,
    MIN_MATCH,
    NEW_LENGTH,
    RANK,
    RIGHT_SPLIT,
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
)
from bitswap_cli.images.deflate.reference.run import RIGHTS, Chain, Run, class_of, common


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
        if self._is_right(class_of(candidate, taken)):
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
