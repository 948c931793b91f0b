"""The shape of a pixel VAE."""

from __future__ import annotations

from dataclasses import dataclass

POOL = 4  # pixels of a side that the encoder pools first


@dataclass(frozen=True)
class Config:
    """Shape of a pixel VAE; every field is stored in the model file."""

    tile: int = 32  # pixels of a cell, which has one vector of latents
    channels: int = 3
    latents: tuple[int, ...] = (12,)  # sizes of z_1 .. z_L; none is a plain likelihood
    encoder: int = 32  # channels of q(z_1 | x)
    encoder_blocks: int = 1
    link: int = 64  # hidden units from and to a vector of latents
    radius: int = 3  # of the window
    width: int = 128  # hidden units of the likelihood
    layers: int = 3
    split: int = 48  # hidden units of each channel
    components: int = 5
    bounded: int = 0  # 1: the likelihood sees z_1 within bounds, so that strays cost little
    common: int = 0  # size of z_2, what the tiles of a group have in common; 0: there is none

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        positive = (
            self.tile, self.channels, self.encoder, self.link, self.radius, self.width,
            self.layers, self.split, self.components, *self.latents,
        )  # fmt: skip
        return (
            min(positive) > 0
            and self.channels <= 8
            and self.radius <= 5
            and self.layers <= 8
            and self.encoder_blocks <= 8
            and self.components <= 16
            and len(self.latents) <= 8
            and max(self.latents, default=0) <= 64
            and self.common <= 256
            and self.tile <= 64
            and self.tile % POOL == 0
            and (self.bounded == 0 or (self.bounded == 1 and len(self.latents) == 1))
            and (self.common == 0 or (len(self.latents) == 1 and self.channels >= 3))
        )

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return self.tile

    @property
    def margin(self) -> int:
        """Pixels above, left and right of a tile that training tells it."""
        return self.radius
