"""Mixtures of logistics as networks state them: integer parameters, weights that sum to 256.

The codecs themselves are in ``bitswap_cli.ans``; what training sees of them is in
bitswap_models.training.bits. Source: discretized logistic mixtures with channels that depend on
earlier ones are PixelCNN++'s (Salimans et al., ICLR 2017).
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import SCALE_LEVELS, WEIGHT_BITS, MixtureParameters
from bitswap_models.exact.kernel import engine

MEAN_LIMIT = 8191  # of a pixel's mean, in 1/16 symbol
LOGIT_STEPS = 16  # logits of mixture weights count 1/16 octaves
LOGITS = (-127, 128)
GAINS = (-127, 127)  # of earlier channels' residuals
SCALES = (0, SCALE_LEVELS - 1)
WEIGHTS = 1 << WEIGHT_BITS


def _powers() -> NDArray[np.int32]:
    """round(2^(16 - d / 16)) for d = 0..255, in decimal arithmetic: no machine's libm decides."""
    with localcontext() as context:
        context.prec = 40
        octave = [2 ** (16 - Decimal(step) / LOGIT_STEPS) for step in range(LOGIT_STEPS)]
        exact = [power / 2**octaves for octaves in range(16) for power in octave]
        return np.array([int(p.to_integral_value()) for p in exact], np.int32)


POWERS = _powers()


def weights_of(logit: NDArray[np.integer]) -> NDArray[np.int32]:
    """Logits (..., K) -> weights that sum to 256, rounded down; the first largest gets the rest."""
    first = logit.argmax(-1, keepdims=True)
    share = POWERS[np.take_along_axis(logit, first, -1) - logit]
    weight: NDArray[np.int32] = share * WEIGHTS // share.sum(-1, keepdims=True, dtype=np.int32)
    rest = WEIGHTS - weight.sum(-1, keepdims=True, dtype=np.int32)
    np.put_along_axis(weight, first, np.take_along_axis(weight, first, -1) + rest, -1)
    return weight


def of_channel(
    out: NDArray[np.integer],
    ref: NDArray[np.integer],
    residual: NDArray[np.integer],
    components: int,
    channel: int,
) -> MixtureParameters:
    """Head integers of one channel -> mixtures: int32 (B, H, W, K) each.

    `out` is (B, H, W, outputs); `ref` and `residual`, (B, H, W, C), are of all channels: the
    residuals of earlier channels shift the means of later ones.
    """
    kernel = engine()
    if kernel is not None:
        return kernel.mixture(out, ref, residual, POWERS, components, channel)
    k = components
    wide = out.astype(np.int32)
    gain = wide[..., 3 * k : 3 * k + channel].clip(*GAINS)  # in 1/64
    shift = (gain * residual[..., :channel]).sum(-1, dtype=np.int32) >> 2
    base = 16 * ref[..., channel].astype(np.int32) + shift
    mean = (wide[..., k : 2 * k] + base[..., None]).clip(-MEAN_LIMIT, MEAN_LIMIT)
    scale = wide[..., 2 * k : 3 * k].clip(*SCALES)
    return MixtureParameters(weights_of(wide[..., :k].clip(*LOGITS)), mean, scale)
