"""z_2 of the pixel VAE in training; see bitswap_models.families.pixel_vae.common."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_models.exact.latents import MEANS
from bitswap_models.exact.tensors import Tensors
from bitswap_models.families.pixel_vae.common import LARGEST, STATISTICS
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.training.latents import prior_integers, thawed_prior
from bitswap_models.training.layers import IntegerConv, floor


class Common(nn.Module):
    """Statistics of groups -> z_2, (N, STATISTICS, 1, 1) -> (N, D, 1, 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.hidden = IntegerConv(STATISTICS, config.link, input_max=LARGEST)
        self.mean = IntegerConv(config.link, config.common)
        self.prior = nn.Parameter(torch.zeros(2, config.common))  # p(z_2), see `prior_integers`
        centre = torch.zeros(STATISTICS, dtype=torch.int32)  # of the statistics
        self.register_buffer("centre", centre)
        self.centre: Tensor

    def prior_integers(self) -> tuple[Tensor, Tensor]:
        """Means (1/16 symbol) and scale indices of p(z_2). (D,) each"""
        return prior_integers(self.prior)

    @torch.no_grad()
    def start_from(self, tensors: Tensors) -> None:
        """Take from a stored model what is in no layer, where its z_2 is of this size."""
        prior = tensors.get("common.prior")
        if prior is not None and prior.shape == self.prior.shape:
            self.prior.copy_(thawed_prior(torch.tensor(prior)))
            self.centre.copy_(torch.tensor(tensors["common.centre"]))

    @torch.no_grad()
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it besides layers."""
        prior = torch.stack(self.prior_integers())
        stored = {"common.prior": prior, "common.centre": self.centre}
        return {name: t.cpu().numpy().astype(np.int32) for name, t in stored.items()}

    def forward(self, statistics: Tensor) -> Tensor:
        centred = (statistics - self.centre[:, None, None]).clamp(-LARGEST, LARGEST)
        mean = self.mean(self.hidden(centred, active=True)).clamp(*MEANS)
        return floor((mean + 8) / 16).clamp(LATENT_MIN, LATENT_MAX)
