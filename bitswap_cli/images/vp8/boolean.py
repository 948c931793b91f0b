"""The boolean coder of VP8 (RFC 6386, section 7): decisions under probabilities that both sides
know, as bytes."""

from __future__ import annotations

BEYOND = 8  # bytes that may be told behind the end of a partition


class Reader:
    """Reads a partition; behind its end are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 2
        self._value = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        self._range, self._waiting = 255, 8

    def read(self, probability: int) -> int:
        """A bit whose probability of 0 is so many 256ths."""
        split = 1 + ((self._range - 1) * probability >> 8)
        bit = int(self._value >> 8 >= split)
        self._value -= split << 8 if bit else 0
        self._range = self._range - split if bit else split
        while self._range < 128:
            self._value, self._range = self._value << 1, self._range << 1
            self._waiting -= 1
            if not self._waiting:
                self._value |= self._data[self._at] if self._at < len(self._data) else 0
                self._at, self._waiting = self._at + 1, 8
        return bit


class Writer:
    """Writes a partition; its low bits are a number that grows without end."""

    def __init__(self) -> None:
        self._value, self._range, self._bits = 0, 255, 0

    def write(self, probability: int, bit: int) -> None:
        """A bit whose probability of 0 is so many 256ths."""
        split = 1 + ((self._range - 1) * probability >> 8)
        self._value += split if bit else 0
        self._range = self._range - split if bit else split
        shift = 8 - self._range.bit_length()
        self._value, self._range = self._value << shift, self._range << shift
        self._bits += shift

    def data(self, size: int) -> bytes | None:
        """The partition as endless zeros would end it, of so many bytes; None if what was written
        does not fit in."""
        if max(self._bits - 1, 0) // 8 > size + BEYOND:  # bytes that are determined
            return None
        shift = 8 * size - 8 - self._bits
        found = self._value << shift if shift > 0 else self._value >> -shift
        return found.to_bytes(size, "big")
