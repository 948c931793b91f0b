"""Bytes, bit by bit, each under a mixture of what followed the same bytes before: the definition of
what the kernel computes.

A *context* is some of the bytes before, hashed. It has a bucket for either half of the next byte: a
check, and a slot for each of the 15 nodes of a tree of four bits; where there are two ways, that is
the one by its hash, or the one beside it. Beside contexts stands what followed where the same bytes
were before: a *match*, which goes on while it is right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.mixing.decisions import Decoder, Encoder
from bitswap_cli.mixing.mixing import FRESH, Adaptive, Decision, clip, mingle
from bitswap_cli.mixing.state import BYTE_BITS, SETS, STEP_BITS, Shape, begun
from bitswap_cli.mixing.tables import COUNTS, STATES, STEPS

BUCKET = 16
LEAST_MATCH, MOST_MATCH = 5, 400
TEXT, LIKE_TEXT, LONGEST_RECORD, SURE = 4095, 2800, 4095, 6


class Octets:
    """Bytes in work.

    Parameters
    ----------
    shape : Shape
    data : bytearray
        To encode, or of the size to decode.
    words : uint32 array, optional
        What to decode; None encodes.
    """

    def __init__(
        self, shape: Shape, data: bytearray, words: NDArray[np.uint32] | None = None
    ) -> None:
        self.data, self._shape, self._bits = data, shape, shape.bits
        self._coder = Encoder() if words is None else Decoder(words)
        self._adaptive = Adaptive(begun(shape)._asdict())
        self._buckets: dict[tuple[int, int], list[int]] = {}
        self._places: dict[int, int] = {}
        self._near = self._far = self._word = self._previous = self._before = 0
        self._line = self._above = self._first = self._at = self._length = self._expected = 0
        self._text, self._record, self._candidate, self._sure = TEXT, 0, 0, 0
        self._last, self._gaps = [0] * 256, [0] * 256

    def coded(self) -> NDArray[np.uint32]:
        """Code all bytes, or find them; words of an encoder. Raises `Damaged`."""
        for i in range(len(self.data)):
            self._look(i)
            keys = self._contexts(i)
            if self._shape.apt:
                self._apt_contexts(i, keys)
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
            if self._shape.apt:
                self._liken(partial & 0xFF, i)
        return self._coder.words()

    def _look(self, i: int) -> None:
        """Look for the same bytes before, unless what was found goes on."""
        place = mingle(self._near, mingle(self._far & 0xFFFF, 13)) >> (30 - self._bits)
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
        keys = [
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
            mingle(near & 0xFFFF0000, 13),
        ]
        return keys[: self._shape.contexts]

    def _apt_contexts(self, i: int, keys: list[int]) -> None:
        """Contexts that are others where bytes look like text, or like records."""
        record, word, last = self._record, self._word, self._near & 0xFF
        if self._text >= LIKE_TEXT:
            keys[10] = mingle(word, mingle(self._before, 14))
            keys[12] = mingle(word, mingle(self._first, 15))
            keys[13] = mingle(word, mingle(self._previous, mingle(self._before, 16)))
        elif record and i > 2 * record:
            up = i - record
            beside, above, after = self.data[up - 1 : up + 2]
            keys[6] = mingle(above, mingle(self.data[up - record], 17))
            keys[7] = mingle(above, mingle(last, mingle((beside - last) & 0xFF, 18)))
            keys[8] = mingle(above, mingle(i % record, 19))
            keys[11] = mingle(above, mingle(after, 20))

    def _bucket(self, k: int, key: int) -> list[int]:
        """The bucket of context k, emptied if it was that of another one."""
        at, check = key >> (32 - self._bits), (key | 1) & 0xFFFF
        ways = at, at ^ (self._shape.ways - 1)
        found, other = (self._buckets.setdefault((k, way), [0] * BUCKET) for way in ways)
        if found[0] != check and (other[0] == check or other[1] % COUNTS < found[1] % COUNTS):
            found = other
        if found[0] != check:
            found[:] = [check] + [FRESH] * (BUCKET - 1)
        return found

    def _code_bit(self, buckets: list[list[int]], partial: int, shift: int, bit: int) -> int:
        """Code a bit of a byte of which `partial` is known, behind a leading 1."""
        a, d = self._adaptive, Decision(self._adaptive)
        d.limit = self._shape.limit
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
        if self._shape.refined:
            step = mingle(self._near & 0xFF, partial) >> (32 - BYTE_BITS)
            one = clip((one + d.refine("by_byte", step * STEPS)) >> 1, 1, 65535)
        bit = self._coder.code(one, bit)
        d.learn(bit, self._shape.rate)
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
            self._before, self._previous, self._word = self._previous, self._word, 0
        if byte == 10:
            self._above, self._line, self._first = self._line, i + 1, 0
        elif i - self._line < 3:
            self._first = self._first << 8 | byte
        if self._length:
            self._at += 1
            self._length = min(self._length + 1, MOST_MATCH)

    def _liken(self, byte: int, i: int) -> None:
        """Let the history know whether a byte is text, and what it tells of records: equal bytes
        that lie equally far from each other."""
        is_text = 32 <= byte < 127 or byte in b"\n\t"
        self._text += ((TEXT if is_text else 0) - self._text) >> 6
        gap = i - self._last[byte]
        if 1 < gap == self._gaps[byte] and gap <= LONGEST_RECORD:
            if gap == self._candidate:
                self._sure += 1
            elif self._sure:
                self._sure -= 1
            else:
                self._candidate = gap
            if self._sure > SURE:
                self._record, self._sure = self._candidate, SURE - 2
        self._gaps[byte], self._last[byte] = gap, i


def class_of(length: int) -> int:
    """The class of a match's length, 0..29."""
    if length < 16:
        return length
    if length < 32:
        return 12 + (length >> 2)
    return 16 + (length >> 3) if length < 64 else 23 + (length >> 6)


def encode(shape: Shape, data: bytes) -> NDArray[np.uint32]:
    """Words of some bytes."""
    return Octets(shape, bytearray(data)).coded()


def decode(shape: Shape, words: NDArray[np.uint32], size: int) -> bytes:
    """So many bytes of words; raise `Damaged` if they are none that an encoder left."""
    octets = Octets(shape, bytearray(size), words)
    if len(octets.coded()):
        raise Damaged
    return bytes(octets.data)
