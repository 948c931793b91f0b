"""Latents, as all hierarchical VAEs here have them: integers in -128..127 under logistics.

`Latents` is what all share, p(z_L); `LatentChain` adds the Markov chain of Kingma, Abbeel and Ho
(ICML 2019):

    p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2)        q(z_1 | x) q(z_2 | z_1) ... q(z_L | z_{L-1})
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, SCALE_LEVELS, LogisticParameters
from bitswap_cli.contract import Integers
from bitswap_models.exact.model import ExactModel, Listener
from bitswap_models.exact.tensors import Stored

LATENT_MEAN_LIMIT = 2047  # 1/16 symbol
MEANS = (-LATENT_MEAN_LIMIT, LATENT_MEAN_LIMIT)
SCALES = (0, SCALE_LEVELS - 1)


def channels_last(x: NDArray[np.integer]) -> NDArray[np.int16]:
    """(B, C, H, W) as the coder has them -> (B, H, W, C) as layers read them."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1), np.int16)


def planar(x: NDArray[np.integer]) -> Integers:
    """(B, H, W, C) as layers give them -> (B, C, H, W) as the coder reads them."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.int32)


def middle(posterior: LogisticParameters) -> Integers:
    """Latents in the middle of their posterior."""
    z: Integers = np.clip(posterior.mean >> 4, LATENT_MIN, LATENT_MAX).astype(np.int32)
    return z


class Latents(ExactModel):
    """A model with `latents`, the channels of z_1 .. z_L.

    `top` are mean (1/16 symbol) and scale index of p(z_L), per channel: int32 (2, C_L).
    """

    def __init__(self, latents: Sequence[int], stored: Stored) -> None:
        super().__init__(stored)
        self.depth = len(latents)
        self.top: Integers | None = None
        if latents:
            self.top = stored.integers("top", (2, latents[-1]))


class LatentChain(Latents):
    """A model whose latents are a Markov chain."""

    @abstractmethod
    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), layer = 1..L; z_0 is x. Arrays are (B, C, H, W)."""

    @abstractmethod
    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), layer = 1..L-1. Arrays are (B, C, H, W)."""

    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L) for a batch of tiles. Arrays are (B, C_L, H, W)."""
        if self.top is None:
            raise ValueError("a model without latents has no p(z_L)")
        grid = self.tile // self.stride
        shape = batch, self.top.shape[1], grid, grid
        terms = (np.broadcast_to(t[:, None, None], shape) for t in self.top)
        return LogisticParameters(*(np.ascontiguousarray(t) for t in terms))

    def tell_latents(self, x: Integers, told: Listener) -> Integers | None:
        """Tell all that the chain says of its latents; returns z_1, see `ExactModel.tell`."""
        z = [x]
        for layer in range(1, self.depth + 1):
            posterior = self.posterior(layer, z[-1])
            told.tiles(*posterior)
            z.append(middle(posterior))
        for layer in range(1, self.depth):
            told.tiles(*self.prior(layer, z[layer + 1]))
        if not self.depth:
            return None
        told.once(np.stack(self.top_prior(1)))
        return z[1]
