"""The likelihood of the pixel VAE in training; see bitswap_models.families.pixel_vae.pixel_net."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bitswap_models.exact.layers import UNIT
from bitswap_models.exact.mixtures import GAINS, LOGITS, MEAN_LIMIT, SCALES
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.pixel_net import ANCHORS, GAIN, NEAR
from bitswap_models.families.pixel_vae.window import taps
from bitswap_models.training.layers import IntegerConv, activation, floor, saturated


class Terms(NamedTuple):
    """What the mixtures of N pixels are made of besides the outputs of the heads."""

    trunk: Tensor  # (N, C * split, 1, 1)
    skip: Tensor  # (C, K, N), added to means, 1/16 symbol
    anchors: Tensor  # (C, K, N), in symbols
    reference: Tensor  # (C, N)
    hidden: list[Tensor]  # of the trunk's layers, rectified, (N, width, 1, 1)


def _halved(x: Tensor, times: int) -> Tensor:
    """Divide integers by 2^times, rounding down."""
    return floor(x * 2.0**-times)


class PixelNet(nn.Module):
    """p(x_i | window, earlier channels, gains and shifts of z_1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        c, k = config.channels, config.components
        window = taps(config.radius)
        self.near = [window.index(tap) for tap in NEAR]
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
        window : (N, taps, C), what each of N pixels sees
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
        h, hidden = x, []
        for i, layer in enumerate(self.trunk):
            h = layer(h)
            if film is not None:
                cells = h.view(len(film), -1, self.config.width)
                gain, shift = film[:, None, 0, i], film[:, None, 1, i]
                cells = saturated(cells + floor(cells * gain * (1 / GAIN)) + shift)
                h = cells.view(n, -1, 1, 1)
            h = activation(h)
            hidden.append(h)
        return Terms(self.splits(h), skip, torch.stack(anchors, 1), reference, hidden)

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
            h = activation(saturated(h + self.coded(residual)[:, part]))
        out = self.heads[c](self.mixes[c](h, active=True))[:, :, 0, 0].T.contiguous()
        base = 16 * terms.anchors[c] + terms.skip[c]
        if c:
            gain = out[3 * k : (3 + c) * k].clamp(*GAINS).view(c, k, -1)
            share = (gain * (known[:c, None] - terms.anchors[:c])).sum(0)
            base = base + _halved(share, 2)
        mean = (out[k : 2 * k] + base).clamp(-MEAN_LIMIT, MEAN_LIMIT)
        return out[:k].clamp(*LOGITS), mean, out[2 * k : 3 * k].clamp(*SCALES)
