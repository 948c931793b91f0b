"""Inflate that keeps what deflate decided, as native/inflate.c does."""

from contextlib import suppress

from bitswap_cli.images.deflate.reference.alphabet import (
    CODE_ORDER,
    CODES,
    COPY,
    DISTANCE_BASE,
    DISTANCE_EXTRA,
    DISTANCES,
    DYNAMIC,
    END,
    FIXED,
    FIXED_LENGTHS,
    LENGTH_BASE,
    LENGTH_EXTRA,
    LITERALS,
    MAX_MATCH,
    OPERATION_BITS,
    OPERATION_LEAST,
    STORED,
    first_codes,
    match_of,
)

Code = dict[tuple[int, int], int]  # symbols by length and code


class Damaged(Exception):  # noqa: N818
    """The input is no deflate stream, or inflates to too much."""


def _code(lengths: list[int], loose: bool) -> Code:
    """Build a code; a loose one may be empty, or have one symbol of one bit."""
    first = first_codes(lengths)
    unused = (1 << 15) - sum(1 << 15 - length for length in lengths if length)
    if first is None or (unused and not (loose and max(lengths) <= 1)):
        raise Damaged
    code = {}
    for symbol, length in enumerate(lengths):
        if length:
            code[length, first[length]] = symbol
            first[length] += 1
    return code


class Inflater:
    """A deflate stream being read.

    Parameters
    ----------
    stream : bytes
    limit : int
        The most bytes that it may inflate to.

    Attributes
    ----------
    data : bytearray
    tokens, blocks, heads : list
        As `Inflated` has them.
    """

    def __init__(self, stream: bytes, limit: int) -> None:
        self._stream, self._limit, self._at = stream, limit, 0  # in bits
        self.data = bytearray()
        self.tokens: list[int] = []
        self.blocks: list[tuple[int, int, int]] = []
        self.heads = bytearray()

    def run(self) -> None:
        """Read all blocks; Damaged if they cannot be read."""
        while not self._block():
            pass

    def walk(self, history: int, stop: int) -> tuple[int, int, int, int] | None:
        """Read whole blocks, before which there are so many bytes, until they inflate to `stop`
        bytes and end with a byte, or as far as they do; return the bit behind them, how many bytes
        they inflate to, the bit at which the last of them begins, and whether it is the last of
        all."""
        self.data = bytearray(history)
        found: tuple[int, int, int, int] | None = None
        last = 0
        with suppress(Damaged):
            while not last:
                start = self._at
                last = self._block()
                if last or not self._at % 8:
                    found = self._at, len(self.data) - history, start, last
                    if found[1] >= stop:
                        break
        return found

    def _block(self) -> int:
        """Read a block; return whether it is the last one."""
        last, kind = self._take(1), self._take(2)
        if kind == STORED:
            self._stored()
        elif kind in (FIXED, DYNAMIC):
            before = len(self.tokens)
            if kind == FIXED:
                codes = _code(FIXED_LENGTHS, False), _code([5] * 32, False)
            else:
                codes = self._codes()
            self._tokens(*codes)
            self.blocks.append((kind, len(self.tokens) - before, 0))
        else:
            raise Damaged
        return last

    def finish(self) -> tuple[int, int]:
        """Bytes of the stream, and the value of its last padding bits."""
        pad = self._take(-self._at % 8)
        return self._at // 8, pad

    def _take(self, count: int) -> int:
        value = 0
        for bit in range(count):
            if self._at >= 8 * len(self._stream):
                raise Damaged
            value |= (self._stream[self._at >> 3] >> (self._at & 7) & 1) << bit
            self._at += 1
        return value

    def _symbol(self, code: Code) -> int:
        value = 0
        for length in range(1, 16):
            value = value << 1 | self._take(1)
            if (length, value) in code:
                return code[length, value]
        raise Damaged

    def _stored(self) -> None:
        pad = self._take(-self._at % 8)
        length, other = self._take(16), self._take(16)
        start = self._at // 8
        if length != other ^ 0xFFFF or start + length > len(self._stream):
            raise Damaged
        if len(self.data) + length > self._limit:
            raise Damaged
        self.data += self._stream[start : start + length]
        self._at += 8 * length
        self.blocks.append((STORED, length, pad))

    def _codes(self) -> tuple[Code, Code]:
        counts = [self._take(5), self._take(5), self._take(4)]
        self.heads += bytes(counts)
        literals, distances = counts[0] + 257, counts[1] + 1
        if literals > LITERALS or distances > DISTANCES:
            raise Damaged
        sent = [self._take(3) for _ in range(counts[2] + 4)]
        self.heads += bytes(sent)
        operations = _code([dict(zip(CODE_ORDER, sent, strict=False)).get(k, 0)
                            for k in range(CODES)], False)  # fmt: skip
        lengths: list[int] = []
        while len(lengths) < literals + distances:
            symbol = self._symbol(operations)
            self.heads.append(symbol)
            if symbol < COPY:
                lengths.append(symbol)
                continue
            more = self._take(OPERATION_BITS[symbol])
            if symbol == COPY and not lengths:
                raise Damaged
            self.heads.append(more)
            length = lengths[-1] if symbol == COPY else 0
            lengths += [length] * (more + OPERATION_LEAST[symbol])
        if len(lengths) > literals + distances or not lengths[END]:
            raise Damaged
        return _code(lengths[:literals], True), _code(lengths[literals:], True)

    def _tokens(self, literals: Code, distances: Code) -> None:
        while (symbol := self._symbol(literals)) != END:
            if symbol < END:
                if len(self.data) >= self._limit:
                    raise Damaged
                self.data.append(symbol)
                self.tokens.append(0)
                continue
            near = symbol - 257
            if near > 28:
                raise Damaged
            length = LENGTH_BASE[near] + self._take(LENGTH_EXTRA[near])
            far = self._symbol(distances)
            if far >= DISTANCES:
                raise Damaged
            distance = DISTANCE_BASE[far] + self._take(DISTANCE_EXTRA[far])
            if distance > len(self.data) or (length == MAX_MATCH and near != 28):
                raise Damaged
            if len(self.data) + length > self._limit:
                raise Damaged
            for _ in range(length):
                self.data.append(self.data[-distance])
            self.tokens.append(match_of(length, distance))
