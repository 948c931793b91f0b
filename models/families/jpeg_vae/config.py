"""The shape of a JPEG VAE."""

from __future__ import annotations

from dataclasses import dataclass

UNITS = 16  # what numbers of context units are multiples of, for the kernel's sake
CELL = 8  # rows and columns of blocks that have one vector of latents


@dataclass(frozen=True)
class Config:
    """Shape of a JPEG VAE; every field is stored in the model file.

    Two values are those of the luma and of the chroma network.
    """

    latents: tuple[int, ...] = ()  # size of z_1; none is a plain likelihood
    link: int = 32  # hidden units from and to a vector of latents
    hidden: tuple[int, ...] = (192, 128)  # units that see a block's surroundings
    context: tuple[int, ...] = (96, 64)  # units that all coefficients of a block see
    width: tuple[int, ...] = (32, 24)  # hidden units of each coefficient

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        sizes = (self.hidden, self.context, self.width)
        return (
            all(len(size) == 2 and min(size) > 0 for size in sizes)
            and len(self.latents) <= 1
            and all(0 < size <= 64 for size in (*self.latents, self.link))
            and all(size % UNITS == 0 for size in self.context)
        )

    @property
    def tile(self) -> int:
        """Blocks of a side of a cell, which is what a tile of coefficients is."""
        return CELL

    @property
    def channels(self) -> int:
        """Coefficients of a block."""
        return 64

    @property
    def stride(self) -> int:
        """Blocks between neighbours of the latent grid."""
        return CELL

    @property
    def margin(self) -> int:
        """None: what a cell's first blocks see is told them otherwise."""
        return 0
