"""Latents in training: how they are drawn, what they cost, and p(z_L).

See bitswap_models.exact.latents for what codes.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    PRECISION,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
)
from bitswap_models.exact.latents import MEANS, SCALES
from bitswap_models.exact.model import ExactModel
from bitswap_models.training.bits import logistic_bits
from bitswap_models.training.layers import frozen, layers, round_
from bitswap_models.training.network import Network

STRAYS = (LATENT_MAX - LATENT_MIN + 1) / 2**PRECISION  # share of latents
SCALE_WIDE = SCALE_OF_ONE + 36  # sigma = 8 symbols: where priors start


def draw(mean: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
    """Draw latents from logistics (1/16 symbol, scale index) as popping random bits does.

    `noise`, (2, ...), is as from `latent_noise`.
    """
    logistic, strays = noise
    deviation = torch.exp2((scale - SCALE_OF_ONE) / SCALES_PER_OCTAVE)
    z = round_(mean / 16 + logistic * deviation).clamp(LATENT_MIN, LATENT_MAX)
    return torch.where(strays.isnan(), z, strays)


def latent_noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard logistic noise and strays. (2, *shape)

    The coder gives every symbol a frequency of at least 1, so that one latent in 4,096 comes from
    anywhere in the alphabet, however narrow its distribution: such a stray is a number, others are
    NaN. Networks that never met one in training are led astray by it.
    """
    u, v, w = torch.rand((3, *shape), generator=generator, device=generator.device)
    anywhere = torch.floor(v * (LATENT_MAX - LATENT_MIN + 1)) + LATENT_MIN
    strays = torch.where(w < STRAYS, anywhere, torch.nan)
    return torch.stack((torch.logit(u.clamp(1e-6, 1 - 1e-6)), strays))


def prior_integers(prior: Tensor) -> tuple[Tensor, Tensor]:
    """Means (1/16 symbol) and scale indices of a prior in training: means in symbols and scales in
    octaves from `SCALE_WIDE`, (2, D) -> (D,) each, with gradients."""
    mean, scale = prior
    mean = round_(mean * 16).clamp(*MEANS)
    return mean, round_(SCALE_WIDE + scale * SCALES_PER_OCTAVE).clamp(*SCALES)


def thawed_prior(stored: Tensor) -> Tensor:
    """Undo `prior_integers`: (2, D) -> (2, D)."""
    mean, scale = stored.float()
    return torch.stack((mean / 16, (scale - SCALE_WIDE) / SCALES_PER_OCTAVE))


class LatentNetwork(Network):
    """A network with `latents`, the channels of z_1 .. z_L."""

    top: Tensor  # p(z_L): mean in symbols and scale in octaves from SCALE_WIDE, (2, C)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.depth = len(config.latents)
        if self.depth:
            self.top = nn.Parameter(torch.zeros(2, config.latents[-1]))

    def top_integers(self) -> tuple[Tensor, Tensor]:
        """Mean (1/16 symbol) and scale index of p(z_L), per channel. (C_L,) each"""
        return prior_integers(self.top)

    @torch.no_grad()
    def start_from(self, base: ExactModel) -> None:
        """See `Network.start_from`: p(z_L)."""
        top = base.tensors().get("top")
        if top is not None and self.depth and top.shape == self.top.shape:
            self.top.copy_(thawed_prior(torch.tensor(top)))

    @torch.no_grad()
    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `Network.tensors`."""
        stored: dict[str, NDArray[Any]] = {}
        if self.depth:
            stored["top"] = torch.stack(self.top_integers()).cpu().numpy().astype(np.int32)
        return stored | frozen(layers(self))


class ChainNetwork(LatentNetwork):
    """A network whose latents are a Markov chain."""

    @abstractmethod
    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale index of q(z_layer | z_{layer-1}); z_0 is x."""

    @abstractmethod
    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale index of p(z_layer | z_{layer+1}), layer < L."""

    def latent_terms(
        self, x: Tensor, noise: list[Tensor], soft: float
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Draw z_1 .. z_L from the posteriors with the noise of each, as from `latent_noise`.

        Returns [x, z_1, .. z_L] and the KL of each layer, ``kl1``.. (B, C_l), in bits, summed over
        the grid.
        """
        zs = [x]
        terms: dict[str, Tensor] = {}
        for layer in range(1, self.depth + 1):
            mean, scale = self._posterior(layer, zs[-1])
            zs.append(draw(mean, scale, noise[layer - 1]))
            terms[f"kl{layer}"] = -logistic_bits(mean, scale, zs[-1], soft).sum((2, 3))
        for layer in range(1, self.depth + 1):
            if layer < self.depth:
                mean, scale = self._prior(layer, zs[layer + 1])
            else:
                mean, scale = (t[None, :, None, None] for t in self.top_integers())
            bits = logistic_bits(mean, scale, zs[layer], soft)
            terms[f"kl{layer}"] = terms[f"kl{layer}"] + bits.sum((2, 3))
        return zs, terms
