"""The shape of a model of drawn pictures: that of its memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TILE = 8
LEAST, MOST = 12, 19  # bits of the number of a memory's entries


@dataclass(frozen=True)
class Config:
    """Shape of a model; the other numbers are those of state.py."""

    memory: int = MOST  # bits of the number of a memory's entries, at most
    ways: int = 1  # entries among which a context's own one lies

    def sound(self) -> bool:
        """Whether all fields are within what a file may ask for."""
        return LEAST <= self.memory <= MOST and self.ways in (1, 2)

    def bits(self, shapes: Iterable[tuple[int, ...]]) -> int:
        """Bits of the number of a memory's entries, for pictures of these shapes (H, W, C)."""
        pixels = sum(height * width for height, width, *_ in shapes)
        return min(max((pixels - 1).bit_length(), LEAST), self.memory)

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
