"""Distributions as networks state them: integer parameters, and their float surrogates in training.

The integer codecs themselves are in ``bitswap_cli.ans``; here are the training losses that follow
them (differentiable, equal up to about 0.001 bit a symbol) and the integer softmax of the weights
of mixtures. Sources: discretized logistic mixtures with channels that depend on earlier ones are
PixelCNN++'s (Salimans et al., ICLR 2017).
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import torch
from torch import Tensor

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_LEVELS,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
)
from bitswap_models.exact.kernel import engine
from bitswap_models.exact.layers import floor

MEAN_LIMIT = 8191  # of a pixel's mean, in 1/16 symbol
LOGIT_STEPS = 16  # logits of mixture weights count 1/16 octaves


def _powers() -> Tensor:
    """round(2^(16 - d / 16)) for d = 0..255, in decimal arithmetic: no machine's libm decides."""
    with localcontext() as context:
        context.prec = 40
        exact = [Decimal(2) ** (16 - Decimal(d) / LOGIT_STEPS) for d in range(256)]
        return torch.tensor([int(p.to_integral_value()) for p in exact], dtype=torch.int32)


POWERS = _powers()


def mixture(
    out: Tensor, ref: Tensor, residual: Tensor, components: int, first: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Head integers -> logits, means (1/16 symbol) and scale indices, (B, N, K, H, W) each.

    `out` (B, N, outputs, H, W) and `ref` (B, N, H, W) are of N channels from `first` on, `residual`
    (B, C, H, W) of all: the residuals of earlier channels shift the means of later ones.
    """
    k = components
    channels = torch.arange(first, first + out.shape[1], device=out.device)
    logit, mean, scale, gain = torch.split(out, [k, k, k, out.shape[2] - 3 * k], 2)
    base = 16 * ref
    if residual.shape[1] > 1:
        gain = gain.clamp(-127, 127)  # in 1/64
        share = torch.zeros_like(ref)
        for j in range(residual.shape[1] - 1):
            later = (channels > j).to(out.dtype)[:, None, None]
            share = share + later * gain[:, :, j] * residual[:, j, None]
        base = base + (floor(share * 0.25) if share.is_floating_point() else share >> 2)
    mean = (mean + base[:, :, None]).clamp(-MEAN_LIMIT, MEAN_LIMIT)
    return logit.clamp(-127, 128), mean, scale.clamp(0, SCALE_LEVELS - 1)


def coding_mixture(
    out: Tensor, ref: Tensor, residual: Tensor, components: int, channel: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Head integers of one channel -> weights, means, scale indices: int32 (B, H, W, K) each.

    `out` is (B, outputs, H, W); `ref` and `residual`, (B, C, H, W), are of all channels.
    """
    kernel = engine()
    if kernel is not None:
        return kernel.mixture(out, ref, residual, POWERS, components, channel)
    wide, one, rest = out[:, None].int(), ref[:, channel : channel + 1].int(), residual.int()
    terms = quantized(*mixture(wide, one, rest, components, channel))
    weight, mean, scale = (t[:, 0].permute(0, 2, 3, 1).contiguous() for t in terms)
    return weight, mean, scale


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


def quantized(logit: Tensor, mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits -> integer weights that sum to 256, rounded down; the first largest gets the rest."""
    largest = logit.amax(2, keepdim=True)
    share = POWERS[(largest - logit).int()]
    weight = share * 256 // share.sum(2, keepdim=True, dtype=torch.int32)
    rest = 256 - weight.sum(2, dtype=torch.int32)
    for k in range(logit.shape[2]):
        weight[:, :, k] += torch.where(logit[:, :, k] == largest[:, :, 0], rest, 0)
        rest = torch.where(logit[:, :, k] == largest[:, :, 0], 0, rest)
    return weight, mean, scale
