"""Tokens by what they cost more than the cheapest way; see native/costs/costs.c."""

import numpy as np

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.inflated import (
    DAMAGED,
    PADDING,
    Bytes,
    Inflated,
    Told,
)
from bitswap_cli.images.deflate.reference.alphabet import (
    COPY,
    DISTANCES,
    DYNAMIC,
    FIXED,
    FIXED_LENGTHS,
    LITERALS,
    MIN_MATCH,
    STORED,
    distance_of,
    length_of,
    match_of,
    span,
)
from bitswap_cli.images.deflate.reference.costs.coder import GAPS, TRIES, Coder
from bitswap_cli.images.deflate.reference.costs.heads import tell_head
from bitswap_cli.images.deflate.reference.costs.matches import MatchFinder
from bitswap_cli.images.deflate.reference.costs.prices import Prices, Stretch
from bitswap_cli.images.deflate.reference.trees import Head, parse

_STRETCH = 1 << 18
_LEAST = 1 << 12  # tokens before which nobody gives up because of what they take
_GLANCE = 1 << 14  # bytes of which the tokens are looked at before
_NOBODY = Head([], [], [], [])


class _Hopeless(Exception):  # noqa: N818
    """An encoder gives up."""


def most_rows(size: int) -> int:
    """The most blocks of a stream that is told by costs."""
    return 64 + size // 512


class Teller:
    """A stream that is told, or heard.

    Parameters
    ----------
    data : uint8 array
        The inflated bytes, and PADDING zeros behind them.
    coder : Coder
    told : Inflated, optional
        What an encoder tells.
    room : int
        Bytes that it may take.
    """

    def __init__(
        self, data: Bytes, coder: Coder, told: Inflated | None = None, room: int = 0
    ) -> None:
        self._data, self._c = data[: len(data) - PADDING].tobytes(), coder
        self._finder = MatchFinder(self._data)
        self._true = told.tokens.tolist() if told else []
        self._rows = told.blocks.tolist() if told else []
        self._sent = iter(told.heads.tolist() if told else [])
        self._room = room
        self._pad = told.pad if told else 0
        self.tokens: list[int] = []
        self.blocks: list[tuple[int, int, int]] = []
        self.heads: list[int] = []

    def run(self) -> int:
        """Code all blocks; returns the padding bits at the end."""
        p, last = 0, 0
        while not last:
            if len(self.blocks) == most_rows(len(self._data)):
                raise ArchiveError(DAMAGED)
            last = self._c.decide(("last",), len(self.blocks) == len(self._rows) - 1)
            p = self._block(p, last)
        return self._padding(self._pad)

    def _padding(self, pad: int) -> int:
        return self._c.plain(7, pad) if self._c.decide(("padded",), pad != 0) else 0

    def _block(self, p: int, last: int) -> int:
        """Code one block at p; returns where it ends."""
        c, row = self._c, len(self.blocks)
        kind, size, pad = self._rows[row] if row < len(self._rows) else (DYNAMIC, 0, 0)
        true = self._true[len(self.tokens) :][:size]
        head = parse(self._sent) if self._rows and kind == DYNAMIC else _NOBODY
        if c.decide(("stored",), kind == STORED):
            kind = STORED
        else:
            kind = FIXED if c.decide(("fixed",), kind == FIXED) else DYNAMIC
        if last:
            size = len(self._data) - p
        else:
            size = c.number(size if kind == STORED else sum(map(span, true)))
        if size > len(self._data) - p or (kind == STORED and size > 65535):
            raise ArchiveError(DAMAGED)
        if kind == STORED:
            self.blocks.append((STORED, size, self._padding(pad)))
            return p + size
        count = self._tokens(p, p + size, kind, head, true)
        self.blocks.append((kind, count, 0))
        return p + size

    def _tokens(self, p: int, block_end: int, kind: int, head: Head, true: list[int]) -> int:
        """Code the head of a block, and its tokens; returns how many there are."""
        stretch = self._stretch(p, block_end)
        literals, distances = FIXED_LENGTHS[:LITERALS], [5] * DISTANCES
        if kind == DYNAMIC and not self._c.decoding:
            literals, distances = self._lengths(head)
        if true and not self.tokens and self._is_careless(stretch, literals, distances, true):
            raise _Hopeless
        if kind == DYNAMIC:
            head = tell_head(self._c, head, *stretch.foresee())
            self._keep(head)
            literals, distances = self._lengths(head)
        prices, first = Prices.by_lengths(literals, distances), len(self.tokens)
        own = iter(true)
        while True:
            stretch.price(prices)
            while p < stretch.end:
                self.tokens.append(self._token(stretch, p, next(own, 0)))
                p += span(self.tokens[-1])
                if self._hopeless():
                    raise _Hopeless
            if p >= block_end:
                return len(self.tokens) - first
            stretch = self._stretch(p, block_end)

    @staticmethod
    def _lengths(head: Head) -> tuple[list[int], list[int]]:
        """Both alphabets' code lengths in full."""
        literals = head.literals + [0] * (LITERALS - len(head.literals))
        return literals, head.distances + [0] * (DISTANCES - len(head.distances))

    def _is_careless(
        self, stretch: Stretch, literals: list[int], distances: list[int], true: list[int]
    ) -> bool:
        """Whether so many of a block's first tokens are not the cheapest, by its code lengths, that
        a byte for each would not leave room."""
        glance = stretch.until(min(stretch.end, stretch.start + _GLANCE))
        glance.price(Prices.by_lengths(literals, distances))
        p, count, dear = glance.start, 0, 0
        while p < glance.end:
            dear += not glance.is_cheapest(p, length_of(true[count]), distance_of(true[count]))
            p += span(true[count])
            count += 1
        return dear * len(self._true) > self._room * count

    def _hopeless(self) -> bool:
        """Whether an encoder had better give up: it takes so much that in the end it will hardly
        take two thirds of its room."""
        done, all_ = len(self.tokens), len(self._true)
        if self._c.decoding or done < _LEAST:
            return False
        return self._c.cost // 128 > self._room // 3 * 2 * (4 * done + all_) // (4 * all_)

    def _stretch(self, start: int, block_end: int) -> Stretch:
        end = min(block_end, start + _STRETCH)
        return Stretch(self._data, start, end, block_end, self._finder.find(start, end))

    def _token(self, stretch: Stretch, p: int, true: int) -> int:
        candidates = stretch.candidates(p)
        for tried, (excess, length, distance) in enumerate(candidates[:TRIES]):
            gap = GAPS - 1
            if tried + 1 < len(candidates):
                gap = min(candidates[tried + 1][0] - excess, GAPS - 2)
            token = match_of(-length, distance) if distance else 0
            if self._c.decide(("candidate", min(tried, 3), gap), token == true):
                return token
        return self._other(stretch, p, true)

    def _other(self, stretch: Stretch, p: int, true: int) -> int:
        """Code a token that none of the candidates is."""
        if self._c.decide(("literal",), not true):
            return 0
        length = MIN_MATCH + self._c.plain(8, length_of(true) - MIN_MATCH)
        distance = 1 + self._c.plain(15, distance_of(true) - 1)
        start = p - distance
        if length > stretch.room(p) or start < 0:
            raise ArchiveError(DAMAGED)
        if self._data[start : start + length] != self._data[p : p + length]:
            raise ArchiveError(DAMAGED)
        return match_of(length, distance)

    def _keep(self, head: Head) -> None:
        """Write a head as inflate keeps it."""
        self.heads += [len(head.literals) - 257, len(head.distances) - 1, len(head.codes) - 4]
        self.heads += head.codes
        for symbol, repeat in head.operations:
            self.heads += [symbol, repeat] if symbol >= COPY else [symbol]


def tell(inflated: Inflated, room: int) -> Told | None:
    """Tell a stream; None if it seems to take more bytes, or has too many blocks."""
    if len(inflated.blocks) > most_rows(len(inflated.data) - PADDING):
        return None
    coder = Coder()
    try:
        Teller(inflated.data, coder, inflated, room).run()
    except _Hopeless:
        return None
    return Told(coder.finish())


def hear(data: Bytes, message: bytes) -> Inflated:
    """Hear what was told of a stream; `ArchiveError` if it is none of these data."""
    coder = Coder(message)
    teller = Teller(data, coder)
    pad = teller.run()
    coder.finish()
    return Inflated(
        data,
        np.array(teller.tokens, np.uint32),
        np.array(teller.blocks, np.int32).reshape(-1, 3),
        np.array(teller.heads, np.uint8),
        0,
        pad,
    )
