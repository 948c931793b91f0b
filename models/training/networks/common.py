"""z_2 of the pixel VAE in training; see bitswap_models.families.pixel_vae.common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_models.exact.latents import MEANS
from bitswap_models.families.pixel_vae.common import LARGEST, STATISTICS
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.training.latents import SCALE_WIDE
from bitswap_models.training.layers import IntegerConv, floor


class Common(nn.Module):
    """Statistics of groups -> z_2, (N, STATISTICS, 1, 1) -> (N, D, 1, 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.hidden = IntegerConv(STATISTICS, config.link, input_max=LARGEST)
        self.mean = IntegerConv(config.link, config.common)
        prior = torch.zeros((2, config.common), dtype=torch.int32)
        prior[1] = SCALE_WIDE
        self.register_buffer("prior", prior)  # p(z_2): means (1/16 symbol) and scale indices
        self.prior: Tensor
        centre = torch.zeros(STATISTICS, dtype=torch.int32)  # of the statistics
        self.register_buffer("centre", centre)
        self.centre: Tensor

    def forward(self, statistics: Tensor) -> Tensor:
        centred = (statistics - self.centre[:, None, None]).clamp(-LARGEST, LARGEST)
        mean = self.mean(self.hidden(centred, active=True)).clamp(*MEANS)
        return floor((mean + 8) / 16).clamp(LATENT_MIN, LATENT_MAX)
