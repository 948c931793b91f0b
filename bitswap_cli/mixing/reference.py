"""Bytes, bit by bit, each under a mixture of what followed the same bytes before: the definition of
what the kernel computes.

A *context* is some of the bytes before, hashed. It has a bucket for either half of the next byte: a
check, and a slot for each of the 15 nodes of a tree of four bits. Beside contexts stands what
followed where the same bytes were before: a *match*, which goes on while it is right.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.mixing import FRESH, Adaptive, Decision, mingle
from bitswap_cli.mixing.tables import COUNTS, INPUTS, LEVELS, STATES, STEP, STEPS, counters

CONTEXTS, BUCKET, SETS = 13, 16, 3
LEAST_MATCH, MOST_MATCH = 5, 400
STEP_BITS, RATE = 12, 18
LEAST_BITS, MOST_BITS = 10, 17  # of the number of buckets of a context
_KNOWN, _SURE, _OTHER = 14000, 3000, 8000  # weights of a slot's two inputs, and of others, at first

Array = NDArray[Any]


class State(NamedTuple):
    """What adapts, in the order in which the kernel is told it: counters, uint32, of 22 bits of
    probability over 10 of a count, and weights, int32."""

    slots: Array
    """What states of slots are worth: context, state."""
    partial: Array
    """The next bit: of the bits of the byte so far, behind a leading 1."""
    matched: Array
    """Whether a match is right: the class of its length."""
    steps: Array
    """Refinements of probabilities: a hash of two bytes and the bits so far, logit."""
    by_match: Array
    """Sets of weights: class of the match's length, how many contexts are known."""
    by_partial: Array
    """Likewise: the bits of the byte so far."""
    by_last: Array
    """Likewise: the last byte."""
    sets: Array
    """Weights of the sets: whether there is a match."""


def begun() -> State:
    """The state in which bytes begin."""
    levels = np.arange(LEVELS) * 4096 // LEVELS - 2048 + 85
    states = counters(np.tile(levels, CONTEXTS * COUNTS))
    ladder = np.arange(STEPS) * STEP - LIMIT
    weights = np.full(INPUTS, _OTHER, np.int32)
    weights[: 2 * CONTEXTS] = np.tile((_KNOWN, _SURE), CONTEXTS)
    by_match, by_partial, by_last = (np.tile(weights, (256, 1)) for _ in range(SETS))
    return State(
        states.reshape(CONTEXTS, STATES),
        counters(np.zeros(256, np.int64)),
        counters(np.zeros(32, np.int64)),
        np.tile(counters(ladder), (1 << STEP_BITS, 1)),
        by_match,
        by_partial,
        by_last,
        np.full((2, SETS), 65536 // SETS, np.int32),
    )


def bits_of(size: int) -> int:
    """Bits of the number of buckets of a context, for so many bytes."""
    return min(max((size - 1).bit_length() - 3, LEAST_BITS), MOST_BITS)


class Octets:
    """Bytes in work.

    Parameters
    ----------
    data : bytearray
        To encode, or of the size to decode.
    words : uint32 array, optional
        What to decode; None encodes.
    """

    def __init__(self, data: bytearray, words: NDArray[np.uint32] | None = None) -> None:
        self.data, self._bits = data, bits_of(len(data))
        self._coder = Encoder() if words is None else Decoder(words)
        self._adaptive = Adaptive(begun()._asdict())
        self._buckets: dict[tuple[int, int], list[int]] = {}
        self._places: dict[int, int] = {}
        self._near = self._far = self._word = self._previous = 0
        self._line = self._above = self._at = self._length = self._expected = 0

    def coded(self) -> NDArray[np.uint32]:
        """Code all bytes, or find them; words of an encoder. Raises `Damaged`."""
        for i in range(len(self.data)):
            self._look(i)
            keys = self._contexts(i)
            buckets = [self._bucket(k, key) for k, key in enumerate(keys)]
            partial, byte = 1, self.data[i]
            for shift in range(7, -1, -1):
                if shift == 3:
                    keys = [mingle(key, partial) for key in keys]
                    buckets = [self._bucket(k, key) for k, key in enumerate(keys)]
                bit = self._code_bit(buckets, partial, shift, byte >> shift & 1)
                partial = partial << 1 | bit
            self.data[i] = partial & 0xFF
            self._remember(partial & 0xFF, i)
        return self._coder.words()

    def _look(self, i: int) -> None:
        """Look for the same bytes before, unless what was found goes on."""
        place = mingle(self._near, mingle(self._far & 0xFFFF, CONTEXTS)) >> (30 - self._bits)
        data = self.data
        if not self._length:
            self._at = self._places.get(place, 0)
            most, length = min(self._at, MOST_MATCH), 0
            while length < most and data[self._at - 1 - length] == data[i - 1 - length]:
                length += 1
            self._length = length if length >= LEAST_MATCH else 0
        self._places[place] = i
        self._expected = data[self._at] | 256 if self._length else 0

    def _contexts(self, i: int) -> list[int]:
        """Keys of the contexts."""
        near, last, two = self._near, self._near & 0xFF, self._near & 0xFFFF
        column = i - self._line
        above = self.data[self._above + column] if self._above + column < self._line else 10
        return [
            mingle(last, 0),
            mingle(two, 1),
            mingle(near & 0xFFFFFF, 2),
            mingle(near, 3),
            mingle(near, mingle(self._far & 0xFF, 4)),
            mingle(near, mingle(self._far & 0xFFFF, 5)),
            mingle(self._word, mingle(last, 6)),
            mingle(self._word, mingle(self._previous, 7)),
            mingle(above, mingle(last, mingle(min(column, 255), 8))),
            mingle(self._expected, mingle(last, mingle(min(self._length, 15), 9))),
            mingle(near & 0xFF00FF00, 10),
            mingle(above, mingle(two, 11)),
            mingle(near & 0x00FFFF00, 12),
        ]

    def _bucket(self, k: int, key: int) -> list[int]:
        """The bucket of context k, emptied if it was that of another one."""
        place, check = (k, key >> (32 - self._bits)), (key | 1) & 0xFFFF
        found = self._buckets.get(place)
        if found is None or found[0] != check:
            found = self._buckets[place] = [check] + [FRESH] * (BUCKET - 1)
        return found

    def _code_bit(self, buckets: list[list[int]], partial: int, shift: int, bit: int) -> int:
        """Code a bit of a byte of which `partial` is known, behind a leading 1."""
        a, d = self._adaptive, Decision(self._adaptive)
        low = 1 << max(3 - shift, 0)
        node = partial if shift > 3 else low | partial & (low - 1)
        known = sum((b[node] & 15) != 0 for b in buckets)
        for k, b in enumerate(buckets):
            d.see_slot(b, node, "slots", k * STATES)
        d.see("partial", partial)
        matches = self._length > 0 and self._expected >> (shift + 1) == partial
        guess, length = self._expected >> shift & 1, class_of(self._length) if matches else 0
        p, sign = a.chance("matched", length), 2 * guess - 1 if matches else 0
        d.inputs += [sign * a.logit[p], sign * (p - 32768 >> 5)]
        sets = [
            ("by_match", (length + 1) // 2 * 16 + known),
            ("by_partial", partial),
            ("by_last", self._near & 0xFF),
        ]
        step = mingle(self._near & 0xFFFF, partial) >> (32 - STEP_BITS)
        one = d.mix(sets, ("sets", matches * SETS), ("steps", step * STEPS))
        bit = self._coder.code(one, bit)
        d.learn(bit, RATE)
        if matches:
            a.count("matched", length, bit == guess)
            self._length = self._length if bit == guess else 0
        return bit

    def _remember(self, byte: int, i: int) -> None:
        """Let the history know a byte."""
        self._far = (self._far << 8 | self._near >> 24) & 0xFFFFFFFF
        self._near = (self._near << 8 | byte) & 0xFFFFFFFF
        lower = byte + 32 if 65 <= byte <= 90 else byte
        if 97 <= lower <= 122 or byte >= 128:
            self._word = mingle(self._word, lower + 1)
        elif self._word:
            self._previous, self._word = self._word, 0
        if byte == 10:
            self._above, self._line = self._line, i + 1
        if self._length:
            self._at += 1
            self._length = min(self._length + 1, MOST_MATCH)


def class_of(length: int) -> int:
    """The class of a match's length, 0..29."""
    if length < 16:
        return length
    if length < 32:
        return 12 + (length >> 2)
    return 16 + (length >> 3) if length < 64 else 23 + (length >> 6)


def encode(data: bytes) -> NDArray[np.uint32]:
    """Words of some bytes."""
    return Octets(bytearray(data)).coded()


def decode(words: NDArray[np.uint32], size: int) -> bytes:
    """So many bytes of words; raise `Damaged` if they are none that an encoder left."""
    octets = Octets(bytearray(size), words)
    if len(octets.coded()):
        raise Damaged
    return bytes(octets.data)
