"""What training asks of a network, whatever its family."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_models.exact.model import ExactModel
from bitswap_models.families.family import Config


class Network(nn.Module):
    """A network in training; for a family that codes, it simulates the model that codes."""

    family: str
    """The name of its family in the register."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config: Any = config
        self.tile, self.channels = config.tile, config.channels
        self.share = 1.0  # of a tile's pixels that a step looks at

    @abstractmethod
    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """What `elbo` of so many tiles needs of chance."""

    @abstractmethod
    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Bits of a batch of tiles, split into terms.

        Parameters
        ----------
        x : (B, C, T, T) float tensor of integers 0..255
            With the config's margin above, left and right, or without.
        noise : list of Tensor
            As from `noise`.
        soft : float
            Added to every probability.
        bordered : (B,) bool tensor, optional
            Tiles that must not see their margin.

        Returns
        -------
        dict
            Sums over a tile: (B,), or (B, C) per channel for free bits of the terms ``kl1``..
        """

    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it."""

    def start_from(self, base: ExactModel) -> None:
        """Take from another model what is in none of its layers, where that fits."""

    def settle(self) -> None:
        """Become what its file holds, if that is not the same anyway."""
