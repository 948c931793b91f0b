"""What symbols cost, and the cheapest way through a stretch of a block.

See native/costs/prices.c.
"""

from collections.abc import Sequence

from bitswap_cli.images.deflate.reference.alphabet import (
    DISTANCE_EXTRA,
    DISTANCE_SYMBOL,
    DISTANCES,
    END,
    LENGTH_EXTRA,
    LENGTH_SYMBOL,
    LITERALS,
    MAX_MATCH,
    MIN_MATCH,
)
from bitswap_cli.images.deflate.reference.costs.coder import logarithm
from bitswap_cli.images.deflate.reference.costs.matches import Matches

_SCALE, _PASSES = 16, 3
_LENGTH_PRICE, _DISTANCE_PRICE, _NO_CODE = 96, 80, 1 << 12

Candidate = tuple[int, int, int]
"""Excess, less the length, distance; the length of a literal is 1, its distance 0."""


def _rarity(count: int, total: int) -> int:
    """What a symbol costs that occurs so often of so many, at least a bit."""
    if not count:
        return logarithm(max(total, 1)) + _SCALE
    return max(logarithm(total) - logarithm(count), _SCALE)


class Prices:
    """Prices of tokens, their extra bits included.

    Parameters
    ----------
    literals, distances : sequence of int
        Of both alphabets.
    scale : int
        What a bit costs.
    """

    def __init__(self, literals: Sequence[int], distances: Sequence[int], scale: int) -> None:
        self.literal = literals[:256]
        self.length = [0] * MIN_MATCH + [
            literals[257 + symbol] + scale * LENGTH_EXTRA[symbol]
            for symbol in LENGTH_SYMBOL[MIN_MATCH:]
        ]
        self.distance = [
            price + scale * extra for price, extra in zip(distances, DISTANCE_EXTRA, strict=True)
        ]

    @classmethod
    def by_lengths(cls, literals: list[int], distances: list[int]) -> "Prices":
        """Those of codes of such lengths, 0 for none."""
        return cls([n or _NO_CODE for n in literals], [n or _NO_CODE for n in distances], 1)

    @classmethod
    def by_counts(cls, literals: list[int], distances: list[int]) -> "Prices":
        """Those of symbols that occur so often."""
        all_literals, all_distances = sum(literals), sum(distances)
        return cls(
            [_rarity(n, all_literals) for n in literals],
            [_rarity(n, all_distances) for n in distances],
            _SCALE,
        )

    @classmethod
    def at_first(cls, data: bytes) -> "Prices":
        """Those for such bytes of which nothing else is known."""
        literals = [_rarity(data.count(byte), len(data)) for byte in range(256)]
        lengths = [_LENGTH_PRICE] * (LITERALS - 256)
        return cls(literals + lengths, [_DISTANCE_PRICE] * DISTANCES, _SCALE)


class Stretch:
    """Part of a block, and the matches in it.

    Parameters
    ----------
    data : bytes
    start, end : int
        Of the part.
    block_end : int
    matches : list of Matches
        Of each position.
    """

    def __init__(
        self, data: bytes, start: int, end: int, block_end: int, matches: list[Matches]
    ) -> None:
        self.start, self.end = start, end
        self._data, self._block_end, self._matches = data, block_end, matches

    def until(self, end: int) -> "Stretch":
        """The part of it that ends there."""
        return Stretch(self._data, self.start, end, self._block_end, self._matches)

    def room(self, p: int) -> int:
        """The longest match that the block has room for."""
        return min(self._block_end - p, MAX_MATCH)

    def price(self, prices: Prices) -> None:
        """Find the costs of all positions; they are 0 behind the stretch."""
        self._prices = prices
        self._cost = [0] * (self.end - self.start + MAX_MATCH + 1)
        for p in range(self.end - 1, self.start - 1, -1):
            self._cost[p - self.start] = min(self._priced(p))[0]

    def _priced(self, p: int) -> list[Candidate]:
        """Cost to the end by each token at p, less its length, and its distance."""
        prices, ahead, most = self._prices, p - self.start, self.room(p)
        found = [(self._cost[ahead + 1] + prices.literal[self._data[p]], -1, 0)]
        first = MIN_MATCH
        for last, distance in self._matches[ahead]:
            far = prices.distance[DISTANCE_SYMBOL[distance]]
            for length in range(first, min(last, most) + 1):
                cost = self._cost[ahead + length] + prices.length[length] + far
                found.append((cost, -length, distance))
            first = last + 1
        return found

    def candidates(self, p: int) -> list[Candidate]:
        """All candidates at p, those with the least excess first, longer ones before shorter."""
        own = self._cost[p - self.start]
        return sorted((cost - own, length, distance) for cost, length, distance in self._priced(p))

    def is_cheapest(self, p: int, length: int, distance: int) -> bool:
        """Whether none of the candidates at p costs less than a token, a literal's being 0."""
        return (0, -(length or 1), distance) in self.candidates(p)

    def foresee(self) -> tuple[list[int], list[int]]:
        """Count the symbols that the cheapest way through the stretch may have."""
        self.price(Prices.at_first(self._data[self.start : self.end]))
        for more in range(_PASSES - 1, -1, -1):
            literals, distances = [0] * LITERALS, [0] * DISTANCES
            literals[END] = 1
            p = self.start
            while p < self.end:
                _, length, distance = self.candidates(p)[0]
                if distance:
                    literals[257 + LENGTH_SYMBOL[-length]] += 1
                    distances[DISTANCE_SYMBOL[distance]] += 1
                else:
                    literals[self._data[p]] += 1
                p -= length
            if more:
                self.price(Prices.by_counts(literals, distances))
        return literals, distances
