"""Decisions to bytes and back: the law of bitswap_cli/ans with one lane, whose head begins at 1.

See native/costs/coder.c.
"""

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.inflated import DAMAGED

Key = tuple[str | int, ...]
"""Of a counter: what is decided, and where."""

TRIES, GAPS = 12, 16
_COUNTS = 158
_PRECISION, _EVEN, _HEAD_MIN = 16, 1 << 15, 1 << 31

_CANDIDATES = (
    (28000, 62500, 64900, 65200, 65400),
    (18000, 62000, 63400, 63800, 65000),
    (10600, 53500, 59500, 59700, 63000),
    (2400, 33600, 41300, 53500, 60000),
)
_PLANNED = ((64800, 32768, 32768, 40000), (37000, 34000, 56500, 36000))
_EXPECTED = {
    "size": 60000, "unused": 2500, "off": 8000, "least sent": 64500, "many": 64500,
    "longest": 64500, "padded": 1500, "stored": 1500, "fixed": 12000, "last": 48000,
    "literal": 4000,
}  # fmt: skip


def _expected(key: Key) -> int:
    """What is likely at first, of 2^16."""
    name, *where = key
    if name == "candidate":
        tried, gap = map(int, where)
        return _CANDIDATES[tried][min(gap, 4)]
    if name == "planned":
        kind, plan, place = map(int, where)
        return _PLANNED[plan > 0][place] if kind < 2 else 61000
    if name == "repeated":
        return 56000 if where[0] else 64000
    return _EXPECTED.get(str(name), _EVEN)


def logarithm(x: int) -> int:
    """log2 x, in sixteenths, rounded down."""
    found = x.bit_length() - 1
    y = x << 31 - found
    for _ in range(4):
        y = y * y >> 31
        found = 2 * found + (y >> 32)
        y >>= y >> 32
    return found


class Coder:
    """Takes decisions, or gives them.

    Parameters
    ----------
    message : bytes, optional
        What to decode; None encodes.
    """

    def __init__(self, message: bytes | None = None) -> None:
        self.decoding = message is not None
        self.cost = 0
        """Of an encoder's decisions, about, in sixteenths of bits."""
        self._counters: dict[Key, tuple[int, int]] = {}
        self._pending: list[tuple[int, int]] = []  # start and frequency
        self._head, self._from, self._at = 1, message or b"", 0
        if message is not None:
            if not message or not message[0]:
                raise ArchiveError(DAMAGED)
            self._at = (len(message) + 3) % 4 + 1
            self._head = int.from_bytes(message[: self._at], "big")

    def _code(self, one: int, bit: int) -> int:
        if self.decoding:
            if self._head < _HEAD_MIN and len(self._from) - self._at >= 4:
                word = self._from[self._at : self._at + 4]
                self._head = self._head << 32 | int.from_bytes(word, "big")
                self._at += 4
            low = self._head & 0xFFFF
            bit = int(low < one)
        start, freq = (0, one) if bit else (one, 65536 - one)
        if self.decoding:
            self._head = freq * (self._head >> _PRECISION) + low - start
        else:
            self._pending.append((start, freq))
            self.cost += 16 * _PRECISION - 1 - logarithm(freq)
        return bit

    def decide(self, key: Key, bit: int) -> int:
        """Code a bit; a decoder returns it."""
        p, n = self._counters.get(key) or (_expected(key) << 6, 0)
        bit = self._code(max(p >> 6, 1), int(bit))
        p += ((1 << 22) - p) // (n + 2) if bit else -(p // (n + 2))
        self._counters[key] = p, min(n + 1, _COUNTS)
        return bit

    def plain(self, bits: int, value: int) -> int:
        """Code the lowest bits of a value, all equally likely."""
        found = 0
        for at in range(bits - 1, -1, -1):
            found = found << 1 | self._code(_EVEN, value >> at & 1)
        return found

    def number(self, value: int) -> int:
        """Code a number below 2^31, by how many bits it has."""
        bits, wanted = 0, (value + 1).bit_length() - 1
        while bits < 31 and self.decide(("size", bits), wanted > bits):
            bits += 1
        return (1 << bits | self.plain(bits, value + 1)) - 1

    def finish(self) -> bytes:
        """An encoder's bytes; a decoder's are none, and `ArchiveError` if it has not read all."""
        if self.decoding:
            if self._at != len(self._from) or self._head != 1:
                raise ArchiveError(DAMAGED)
            return b""
        head, tail = 1, b""
        for start, freq in reversed(self._pending):
            if head >= freq << 63 - _PRECISION:
                tail = (head & 0xFFFFFFFF).to_bytes(4, "big") + tail
                head >>= 32
            head = (head // freq << _PRECISION) + head % freq + start
        return head.to_bytes(8, "big").lstrip(b"\0") + tail
