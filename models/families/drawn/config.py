"""The shape of a model of drawn pictures: that of its memory, and of what it asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bitswap_cli.mixing.logits import LIMIT
from bitswap_cli.mixing.tables import INPUTS

TILE = 8
LEAST, MOST = 12, 19  # bits of the number of a memory's entries


class Numbers(NamedTuple):
    """By what models differ that have another number of contexts."""

    chosen: tuple[int, ...]
    """Which contexts a value has."""
    inputs: int
    """Of a set of weights for a value; of half as many, each context is one instead of two."""
    rate: int
    """At which these weights learn, 2^haste times as fast."""
    haste: int
    colour_rate: int
    """At which those of candidates learn."""
    each_source: int
    """What the score of a candidate gains by each source that names it."""
    scale: int
    """Of logistics, in 1/16 of the mean error of the past."""
    slowness: int
    """Of this mean: it moves by 2^-slowness of what an error differs from it."""

    @property
    def few(self) -> bool:
        """Whether contexts are few."""
        return self.inputs < INPUTS


NUMBERS = {
    11: Numbers(tuple(range(11)), INPUTS, 32, 0, 40, 100, 12, 5),
    6: Numbers((0, 1, 2, 4, 6, 10), INPUTS // 2, 110, 1, 70, 70, 10, 4),
}
"""By the number of contexts."""


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
        return known and self.contexts in NUMBERS and 0 <= self.asked <= LIMIT

    def bits(self, shapes: Iterable[tuple[int, ...]]) -> int:
        """Bits of the number of a memory's entries, for pictures of these shapes (H, W, C)."""
        pixels = sum(height * width for height, width, *_ in shapes)
        return min(max((pixels - 1).bit_length(), LEAST), self.memory)

    @property
    def least(self) -> int:
        """The least score of a candidate that is asked about."""
        return self.asked or -LIMIT

    @property
    def numbers(self) -> Numbers:
        """Those of a model with so many contexts."""
        return NUMBERS[self.contexts]

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
