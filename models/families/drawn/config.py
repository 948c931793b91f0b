"""The shape of a model of drawn pictures: that of its memory, and of what it asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import INPUTS

TILE = 8
LEAST, MOST = 12, 19  # bits of the number of a memory's entries
CONTEXTS = {11: tuple(range(11)), 6: (0, 1, 2, 4, 6, 10)}
"""Which contexts a value has, by how many these are."""


@dataclass(frozen=True)
class Config:
    """Shape of a model; the other numbers are those of state.py."""

    memory: int = MOST  # bits of the number of a memory's entries, at most
    ways: int = 1  # entries among which a context's own one lies
    contexts: int = 11  # of a value
    asked: int = 0  # the least score of a candidate that is asked about, a logit in 1/256; 0: all

    def sound(self) -> bool:
        """Whether all fields are within what a file may ask for."""
        known = LEAST <= self.memory <= MOST and self.ways in (1, 2)
        return known and self.contexts in CONTEXTS

    def bits(self, shapes: Iterable[tuple[int, ...]]) -> int:
        """Bits of the number of a memory's entries, for pictures of these shapes (H, W, C)."""
        pixels = sum(height * width for height, width, *_ in shapes)
        return min(max((pixels - 1).bit_length(), LEAST), self.memory)

    @property
    def least(self) -> int:
        """The least score of a candidate that is asked about."""
        return self.asked or -LIMIT

    @property
    def chosen(self) -> tuple[int, ...]:
        """Which contexts a value has."""
        return CONTEXTS[self.contexts]

    @property
    def few(self) -> bool:
        """Whether these are few: each is heard once then, and weights learn faster."""
        return self.contexts < max(CONTEXTS)

    @property
    def inputs(self) -> int:
        """Of a set of weights for a value."""
        return INPUTS // 2 if self.few else INPUTS

    @property
    def tile(self) -> int:
        """Height and width of what known answers are of; pictures have any size."""
        return TILE

    @property
    def channels(self) -> int:
        """Most channels of a picture."""
        return 4

    @property
    def stride(self) -> int:
        """There are no latents."""
        return 1

    @property
    def margin(self) -> int:
        """None."""
        return 0
