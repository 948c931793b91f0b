"""Decisions to words and back: messages of one lane, of SEGMENT decisions each but the last.

A message is 32-bit words: how many follow, then the message in craystack's order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged, Message, reference
from bitswap_cli.mixing.tables import tables

SEGMENT = 1 << 18
PRECISION = 16
_HEAD_MIN, _HEAD_LIMIT = 1 << 31, 1 << 63


class Encoder:
    """Takes decisions, and gives words."""

    decoding = False

    def __init__(self) -> None:
        self.cost = 0
        """Of all decisions so far, in 1/4096 bit."""
        self._costs = tables().cost.tolist()
        self._pending: list[tuple[int, int]] = []
        self._words: list[NDArray[np.uint32]] = []

    def code(self, one: int, bit: int) -> int:
        """Take a decision whose probability of 1 is `one` / 2^16."""
        freq = one if bit else 65536 - one
        self.cost += self._costs[freq >> 4]
        self._pending.append((0 if bit else one, freq))
        if len(self._pending) == SEGMENT:
            self._flush()
        return bit

    def _flush(self) -> None:
        if self._pending:
            start, freq = np.array(self._pending[::-1], np.uint32).T
            message = Message(1)
            own = np.ascontiguousarray(start), np.ascontiguousarray(freq)
            reference.push(message, *own, PRECISION)
            words = message.to_words()
            self._words += [np.array([len(words)], np.uint32), words]
            self._pending = []

    @property
    def messages(self) -> int:
        """How many are whole."""
        return len(self._words) // 2

    def words(self) -> NDArray[np.uint32]:
        """All messages."""
        self._flush()
        return np.concatenate(self._words) if self._words else np.zeros(0, np.uint32)


class Decoder:
    """Gives decisions."""

    decoding = True
    cost = messages = 0

    def __init__(self, words: NDArray[np.uint32]) -> None:
        self._words: list[int] = words.tolist()
        self._at = self._end = self._left = 0
        self._head = _HEAD_MIN

    def code(self, one: int, bit: int = 0) -> int:
        """Pop a decision; raise `Damaged` if there is none."""
        if not self._left:
            self._next()
        self._left -= 1
        low = self._head & 0xFFFF
        bit = int(low < one)
        start, freq = (0, one) if bit else (one, 65536 - one)
        self._head = freq * (self._head >> PRECISION) + low - start
        if self._head < _HEAD_MIN:
            if self._at == self._end:
                raise Damaged
            self._head = self._head << 32 | self._words[self._at]
            self._at += 1
        return bit

    def _next(self) -> None:
        rest = len(self._words) - self._end
        if self._at != self._end or self._head != _HEAD_MIN or rest < 3:
            raise Damaged
        size, high, low = self._words[self._end : self._end + 3]
        if not 2 <= size < rest:
            raise Damaged
        self._head = high << 32 | low
        if not _HEAD_MIN <= self._head < _HEAD_LIMIT:
            raise Damaged
        self._at, self._end = self._end + 3, self._end + 1 + size
        self._left = SEGMENT

    def words(self) -> NDArray[np.uint32]:
        """None, where all words have been read; raise `Damaged` if that was not to the bit."""
        if not self._at == self._end == len(self._words) or self._head != _HEAD_MIN:
            raise Damaged
        return np.zeros(0, np.uint32)
