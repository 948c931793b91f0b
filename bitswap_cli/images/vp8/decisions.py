"""Decisions of frames: read, coded under a mixture of what is known, written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.images.vp8.boolean import Reader, Writer
from bitswap_cli.images.vp8.state import CONTEXTS, SETS, begun
from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.mixing import Adaptive, Decision, mingle
from bitswap_cli.mixing.tables import STEPS

TABLE_BITS, RATE, KNOWN_LIMIT = 18, 60, 255
PARTITIONS = 9  # the first one, and up to eight of coefficients
PER_BYTE, AT_LEAST = 96, 1 << 14  # decisions that a frame may be made of
MOST = 1 << 28  # decisions that are coded together, at most: 45 seconds of a reader
CHECKING, ENCODING, DECODING = range(3)


class TooMany(Exception):
    """Frames take more decisions than may be coded together, or more room than is given."""


class Known(NamedTuple):
    """What is known of a decision."""

    keys: Sequence[int]
    """Of each context, 32 bits."""
    near: int
    """Which sets of weights."""
    place: int

    def branch(self, number: int) -> Known:
        """The same, of a branch of the tree of a coefficient."""
        return Known(self.keys, self.near + number, self.place + min(number, 7))


class Decisions:
    """Decisions of frames, one after the other.

    Parameters
    ----------
    task : int
        `CHECKING`, `ENCODING` or `DECODING`.
    words : uint32 array, optional
        What to decode.
    most : int
        How many there may be in all.
    """

    def __init__(
        self, task: int, words: NDArray[np.uint32] | None = None, most: int = MOST
    ) -> None:
        self.task = task
        self.checking, self.decoding = task == CHECKING, task == DECODING
        self.coder = Encoder() if words is None else Decoder(words)
        self.readers = list[Reader]()
        self.writers = list[Writer]()
        self._still, self._in_all = 0, most
        if not self.checking:
            self._adaptive = Adaptive(begun()._asdict())
            for i in range(CONTEXTS):  # counters of contexts know nothing at first
                self._adaptive.of[f"context {i}"] = defaultdict(lambda: 1 << 31)  # type: ignore[assignment]

    def begin(self, size: int) -> None:
        """Let there be as many decisions as a frame of so many bytes may be made of."""
        self._still = PER_BYTE * size + AT_LEAST
        self.readers, self.writers = [], []

    def decided(self, part: int, node: int, known: Known, probability: int) -> int:
        """Return a decision of a partition; raise `Damaged` if there are too many, or no more."""
        self._still, self._in_all = self._still - 1, self._in_all - 1
        if min(self._still, self._in_all) < 0:
            raise Damaged
        bit = 0 if self.decoding else self.readers[part].read(probability)
        if not self.checking:
            bit = self._mixed(node, known, probability, bit)
        if self.task != ENCODING:
            self.writers[part].write(probability, bit)
        return bit

    def _mixed(self, node: int, known: Known, probability: int, bit: int) -> int:
        """Code a decision under what is known, and under what VP8 knows, the probability of 0."""
        d = Decision(self._adaptive)
        d.limit = KNOWN_LIMIT
        d.inputs.append(self._adaptive.logit[65536 - (max(probability, 1) << 8)])
        d.see("alone", node)
        for i, key in enumerate(known.keys):
            d.see(f"context {i}", mingle(key, 32 * node + i) >> (32 - TABLE_BITS))
        d.inputs += [0] * (CONTEXTS + 2 - len(d.inputs))
        sets = [("by_node", node), ("by_near", known.near), ("by_place", known.place)]
        one = d.mix(sets, ("sets", node * SETS), ("steps", node * STEPS))
        bit = self.coder.code(one, bit)
        d.learn(bit, RATE)
        return bit


def level(x: int) -> int:
    """A magnitude in steps: 0 to 3, then two for each power of two."""
    if x < 4:
        return x
    bits = x.bit_length()
    return 2 * bits - 2 + (x >> (bits - 2) & 1)


def signed_level(x: int) -> int:
    """Likewise, with its sign, from 1 to 23."""
    size = min(level(abs(x)), 11)
    return 12 - size if x < 0 else 12 + size


def sign_of(x: int) -> int:
    """2, 1 or 0: above, below, or 0."""
    return 2 if x > 0 else int(x < 0)


def over(x: int, unit: int) -> int:
    """A quotient, rounded towards 0."""
    return x // unit if x >= 0 else -(-x // unit)
