"""The writer of deflate streams; see native/trees.c."""

from collections.abc import Sequence

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Column
from bitswap_cli.images.deflate.inflated import DAMAGED
from bitswap_cli.images.deflate.reference.alphabet import (
    CODE_ORDER,
    CODES,
    DISTANCE_BASE,
    DISTANCE_EXTRA,
    DISTANCE_SYMBOL,
    DYNAMIC,
    END,
    FIXED,
    FIXED_LENGTHS,
    KIND,
    LENGTH_BASE,
    LENGTH_EXTRA,
    LENGTH_SYMBOL,
    OPERATION_BITS,
    PAD,
    STORED,
    distance_of,
    first_codes,
    length_of,
    span,
)
from bitswap_cli.images.deflate.reference.trees import Head, correct_head, plan

Codes = dict[int, tuple[int, int]]  # bits, lowest first, and how many, by symbol


def _assign(lengths: list[int]) -> Codes:
    first = first_codes(lengths)
    if first is None:
        raise ArchiveError(DAMAGED)
    codes = {}
    for symbol, length in enumerate(lengths):
        if length:
            codes[symbol] = int(f"{first[length]:0{length}b}"[::-1], 2), length
            first[length] += 1
    return codes


class Writer:
    """A deflate stream being written.

    Parameters
    ----------
    data : bytes
        The inflated bytes.
    columns : sequence of int32 arrays
        Corrections.
    room : int
        The most bytes that the stream may have.
    """

    def __init__(self, data: bytes, columns: Sequence[Column], room: int) -> None:
        self._data, self._room, self._at = data, room, 0
        self._columns = [iter(column.tolist()) for column in columns]
        self._out, self._bits, self._held = bytearray(), 0, 0

    def block(self, kind: int, tokens: list[int], size: int, last: bool, flags: int) -> None:
        """Write a block of tokens, or of so many bytes if its kind is STORED."""
        if kind == STORED:
            self._send(int(last), 3)
            self._pad()
            self._send(size | (size ^ 0xFFFF) << 16, 32)
            self._out += self._data[self._at : self._at + size]
            self._at += size
        else:
            head, fixed = plan(self._data[self._at :], tokens, flags)
            fixed ^= next(self._columns[KIND], 0) != 0
            self._send(int(last) | (FIXED if fixed else DYNAMIC) << 1, 3)
            if fixed:
                codes = _assign(FIXED_LENGTHS), _assign([5] * 32)
            else:
                codes = self._head(correct_head(head, self._columns, flags))
            self._tokens(tokens, *codes)
        if len(self._out) > self._room:
            raise ArchiveError(DAMAGED)

    def finish(self) -> bytes:
        """Pad the last byte, and return all."""
        self._pad()
        if len(self._out) > self._room:
            raise ArchiveError(DAMAGED)
        return bytes(self._out)

    def _send(self, value: int, count: int) -> None:
        self._bits |= value << self._held
        self._held += count
        while self._held >= 8:
            self._out.append(self._bits & 255)
            self._bits >>= 8
            self._held -= 8

    def _pad(self) -> None:
        count, bits = -self._held % 8, next(self._columns[PAD], 0)
        if bits >> count:
            raise ArchiveError(DAMAGED)
        self._send(bits, count)

    def _symbol(self, codes: Codes, symbol: int) -> None:
        if symbol not in codes:
            raise ArchiveError(DAMAGED)
        self._send(*codes[symbol])

    def _head(self, head: Head) -> tuple[Codes, Codes]:
        counts = (len(head.literals) - 257, len(head.distances) - 1, len(head.codes) - 4)
        for value, bits in zip(counts, (5, 5, 4), strict=True):
            self._send(value, bits)
        lengths = [0] * CODES
        for symbol, length in zip(CODE_ORDER, head.codes, strict=False):
            lengths[symbol] = length
            self._send(length, 3)
        codes = _assign(lengths)
        for symbol, repeat in head.operations:
            self._symbol(codes, symbol)
            self._send(repeat, OPERATION_BITS.get(symbol, 0))
        return _assign(head.literals), _assign(head.distances)

    def _tokens(self, tokens: list[int], literals: Codes, distances: Codes) -> None:
        for token in tokens:
            if not token:
                self._symbol(literals, self._data[self._at])
            else:
                near = LENGTH_SYMBOL[length_of(token)]
                far = DISTANCE_SYMBOL[distance_of(token)]
                self._symbol(literals, 257 + near)
                self._send(length_of(token) - LENGTH_BASE[near], LENGTH_EXTRA[near])
                self._symbol(distances, far)
                self._send(distance_of(token) - DISTANCE_BASE[far], DISTANCE_EXTRA[far])
            self._at += span(token)
        self._symbol(literals, END)
