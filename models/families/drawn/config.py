"""The shape of a model of drawn pictures: all have one."""

from __future__ import annotations

from dataclasses import dataclass

TILE = 8


@dataclass(frozen=True)
class Config:
    """There is nothing to choose; the numbers are those of state.py."""

    def sound(self) -> bool:
        """Whether all fields are within what a file may ask for."""
        return True

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
