"""The local autoregressive likelihood of the pixel VAE: windows of pixels -> mixtures.

Every component's mean starts at an *anchor*, a fixed prediction such as the west neighbour, and
follows the error that the same anchor made in the earlier channels: steps of chroma that are
exactly 0 are then a narrow component around an exact mean. A linear layer and the perceptron add
to it. pixels.c computes the same.

Sources: mixtures with channels that depend on earlier ones, PixelCNN++ (Salimans et al., ICLR
2017); local autoregressive likelihoods, NeLLoC (Zhang, Zhang and McDonagh, NeurIPS 2021); scale
and shift of hidden units, FiLM (Perez et al., AAAI 2018).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import SCALE_LEVELS
from bitswap_models.exact.distributions import MEAN_LIMIT
from bitswap_models.exact.layers import UNIT, IntegerConv, activation, floor, saturated
from bitswap_models.families.pixel_vae.window import taps

if TYPE_CHECKING:
    from bitswap_models.families.pixel_vae.model import Config

GAIN = 64  # stands for 1.0
# Means in quarters of W, N, NW, NE, one for each component in turn
ANCHORS = ((2, 2, 0, 0), (4, 0, 0, 0), (0, 4, 0, 0), (4, 4, -4, 0), (2, 2, -1, 1))


class Terms(NamedTuple):
    """What the mixtures of N pixels are made of besides the outputs of the heads."""

    trunk: Tensor  # (N, C * split, 1, 1)
    skip: Tensor  # (C, K, N), added to means, 1/16 symbol
    anchors: Tensor  # (C, K, N), in symbols
    reference: Tensor  # (C, N)


def _halved(x: Tensor, times: int) -> Tensor:
    """Divide integers by 2^times, rounding down."""
    return floor(x * 2.0**-times) if x.is_floating_point() else x >> times


class PixelNet(nn.Module):
    """p(x_i | window, earlier channels, gains and shifts of z_1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        c, k = config.channels, config.components
        window = taps(config.radius)
        self.near = [window.index(tap) for tap in ((0, -1), (-1, 0), (-1, -1), (-1, 1))]
        inputs = len(window) * c + 3 * config.radius
        self.skip = IntegerConv(inputs, c * k, input_max=255, spread=8)
        widths = [inputs] + [config.width] * (config.layers - 1)
        self.trunk = nn.ModuleList(IntegerConv(i, config.width) for i in widths)
        self.splits = IntegerConv(config.width, c * config.split)
        self.coded = (
            IntegerConv(c, c * config.split, input_max=255, spread=16, causal=True)
            if c > 1
            else None
        )
        starts = (  # (mean, deviation) at the start
            [(0.0, 4.0)] * k + [(0.0, 16.0)] * k + [(84.0, 6.0)] * k + [(48.0, 4.0)] * k * (c - 1)
        )
        offset, spread = (tuple(column) for column in zip(*starts, strict=True))
        self.mixes = nn.ModuleList(IntegerConv(config.split, config.split) for _ in range(c))
        self.heads = nn.ModuleList(
            IntegerConv(config.split, len(starts), offset=offset, spread=spread) for _ in range(c)
        )

    def terms(self, window: Tensor, border: Tensor, film: Tensor | None) -> Terms:
        """All that does not depend on the pixels themselves.

        Parameters
        ----------
        window : (N, taps, C), what each of N pixels sees; int32 while coding
        border : (N, 3 radius), see `borders`
        film : (B, 2, layers, width), optional
            Gains and shifts for the pixels of B cells, N / B each.
        """
        n, count, c = window.shape
        k = self.config.components
        west, north, corner, east = (window[:, i].T.contiguous() for i in self.near)  # (C, N)
        reference = _halved(west + north + 1, 1)
        near = window[:, self.near[0]] + window[:, self.near[1]]
        difference = window - _halved(near + 1, 1)[:, None]
        x = torch.cat((difference.reshape(n, count * c), border * UNIT), 1)[:, :, None, None]
        anchors = []
        for at in range(k):
            w, n_, nw, ne = ANCHORS[at % len(ANCHORS)]
            anchors.append(_halved(w * west + n_ * north + nw * corner + ne * east + 2, 2))
        with torch.autocast(x.device.type, enabled=False):
            skip = self.skip(x)[:, :, 0, 0].T.reshape(c, k, n)
        h = x
        for i, layer in enumerate(self.trunk):
            h = layer(h)
            if film is not None:
                cells = h.view(len(film), -1, self.config.width)
                gain, shift = film[:, None, 0, i], film[:, None, 1, i]
                if h.is_floating_point():
                    cells = saturated(cells + floor(cells * gain * (1 / GAIN)) + shift)
                else:
                    cells = saturated(cells + (cells.int() * gain >> 6) + shift)
                h = cells.view(n, -1, 1, 1)
            h = activation(h)
            h = h if h.is_floating_point() else h.to(torch.int16)
        return Terms(self.splits(h), skip, torch.stack(anchors, 1), reference)

    def channel(self, c: int, terms: Terms, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, means (1/16 symbol), scale indices, (K, N) each, of channel c.

        `known` (C, N) holds the pixels; channels from c on are not looked at.
        """
        k, s = self.config.components, self.config.split
        part = slice(c * s, (c + 1) * s)
        h = terms.trunk[:, part]
        if self.coded is None:
            h = activation(h)
        else:
            residual = (known - terms.reference).T[:, :, None, None]
            if not residual.is_floating_point():
                residual[:, c:] = 0
                h = self.coded(residual, part=part, add=h, active=True)
            else:
                h = activation(saturated(h + self.coded(residual)[:, part]))
        out = self.heads[c](self.mixes[c](h, active=True))[:, :, 0, 0].T.contiguous()
        out = out if out.is_floating_point() else out.int()
        base = 16 * terms.anchors[c] + terms.skip[c]  # 32 bit while coding
        if c:
            gain = out[3 * k : (3 + c) * k].clamp(-127, 127).view(c, k, -1)
            share = (gain * (known[:c, None] - terms.anchors[:c])).sum(0)
            base = base + _halved(share, 2)
        mean = (out[k : 2 * k] + base).clamp(-MEAN_LIMIT, MEAN_LIMIT)
        return out[:k].clamp(-127, 128), mean, out[2 * k : 3 * k].clamp(0, SCALE_LEVELS - 1)
