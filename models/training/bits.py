"""Bits of pixels and latents in training: float surrogates of the integer codecs.

They are differentiable, and equal up to about 0.001 bit a symbol. See bitswap_models.exact.mixtures
for what codes, and for sources.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
)
from bitswap_models.exact.mixtures import GAINS, LOGIT_STEPS, LOGITS, MEAN_LIMIT, SCALES
from bitswap_models.training.layers import floor


def mixture(
    out: Tensor, ref: Tensor, residual: Tensor, components: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Head integers -> logits, means (1/16 symbol) and scale indices, (B, C, K, H, W) each.

    `out` is (B, C, outputs, H, W), `ref` and `residual` are (B, C, H, W): the residuals of earlier
    channels shift the means of later ones.
    """
    k = components
    channels = torch.arange(out.shape[1], device=out.device)
    logit, mean, scale, gain = torch.split(out, [k, k, k, out.shape[2] - 3 * k], 2)
    base = 16 * ref
    if residual.shape[1] > 1:
        gain = gain.clamp(*GAINS)  # in 1/64
        share = torch.zeros_like(ref)
        for j in range(residual.shape[1] - 1):
            later = (channels > j).to(out.dtype)[:, None, None]
            share = share + later * gain[:, :, j] * residual[:, j, None]
        base = base + (floor(share * 0.25))
    mean = (mean + base[:, :, None]).clamp(-MEAN_LIMIT, MEAN_LIMIT)
    return logit.clamp(*LOGITS), mean, scale.clamp(*SCALES)


def mixture_bits(logit: Tensor, mean: Tensor, scale: Tensor, x: Tensor, soft: float) -> Tensor:
    """Bits of pixels under discretized logistic mixtures; float surrogate of the integer codec.

    Shapes (B, C, K, H, W) and x (B, C, H, W) in 0..255; `soft` is added to every probability.
    """
    inverse = torch.exp2((SCALE_OF_ONE - scale) / SCALES_PER_OCTAVE)
    distance = x[:, :, None] - mean / 16
    upper = torch.sigmoid((distance + 0.5) * inverse)
    lower = torch.sigmoid((distance - 0.5) * inverse)
    upper = torch.where(x[:, :, None] > 254.5, 1.0, upper)
    lower = torch.where(x[:, :, None] < 0.5, 0.0, lower)
    weight = torch.softmax(logit * (0.6931471805599453 / LOGIT_STEPS), 2)
    p = (weight * (upper - lower)).sum(2)
    return -torch.log2(p * (1 - 2.0**-12) + 2.0**-20 + soft)


def logistic_bits(mean: Tensor, scale: Tensor, z: Tensor, soft: float) -> Tensor:
    """Bits of latents in -128..127 under discretized logistics (float surrogate)."""
    inverse = torch.exp2((SCALE_OF_ONE - scale) / SCALES_PER_OCTAVE)
    distance = z - mean / 16
    upper = torch.sigmoid((distance + 0.5) * inverse)
    lower = torch.sigmoid((distance - 0.5) * inverse)
    upper = torch.where(z > LATENT_MAX - 0.5, 1.0, upper)
    lower = torch.where(z < LATENT_MIN + 0.5, 0.0, lower)
    return -torch.log2((upper - lower) * (1 - 2.0**-12) + 2.0**-20 + soft)
