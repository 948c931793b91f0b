"""p(z_L) of the pictures at hand: of each latent, the logistic that codes it in fewest bits."""

from __future__ import annotations

import torch
from torch import Tensor

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, SCALE_LEVELS
from bitswap_models.exact.latents import MEANS
from bitswap_models.training.bits import logistic_bits

SYMBOLS = torch.arange(LATENT_MIN, LATENT_MAX + 1)
SCALES = torch.arange(0, SCALE_LEVELS, 2)
STEP = 4  # 1/16 symbol, between means that are tried


def prior_bits(prior: Tensor, z: Tensor) -> float:
    """Bits of latents (N, D) under a prior, (2, D): means (1/16 symbol) and scale indices."""
    return float(logistic_bits(prior[0], prior[1], z.float(), 0.0).sum())


def top_prior(z: Tensor) -> Tensor:
    """Choose the top prior of latents (N, D): int32 (2, D), as `prior_bits` takes it."""
    chosen = []
    for column in z.T.to(torch.int64):
        count = torch.bincount(column - LATENT_MIN, minlength=len(SYMBOLS)).float()
        middle = 16 * column.float().mean(), 16 * column.median()
        means = torch.arange(int(min(middle)) - 16, int(max(middle)) + 17, STEP)
        grid = torch.cartesian_prod(means.clamp(*MEANS), SCALES)
        bits = logistic_bits(grid[:, :1], grid[:, 1:], SYMBOLS.float(), 0.0) @ count
        chosen.append(grid[bits.argmin()])
    return torch.stack(chosen, 1).to(torch.int32)
