"""The multi-scale likelihood in training; see bitswap_models.families.planes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitswap_models.families.planes import SPLIT, Phase
from bitswap_models.training.layers import IntegerConv, activation
from bitswap_models.training.networks.blocks import residual_blocks


def _right(p: Tensor) -> Tensor:
    return torch.cat((p[..., 1:], p[..., -1:]), -1)


def _down(p: Tensor) -> Tensor:
    return torch.cat((p[..., 1:, :], p[..., -1:, :]), -2)


def _left(p: Tensor) -> Tensor:
    return torch.cat((p[..., :1], p[..., :-1]), -1)


def _up(p: Tensor) -> Tensor:
    return torch.cat((p[..., :1, :], p[..., :-1, :]), -2)


def reference(phase: Phase, known: dict[Phase, Tensor]) -> Tensor:
    """Mean of the four known neighbours of every pixel of a phase, rounded. (B, C, H, W)"""
    p = known[0, 0]
    if phase == (1, 1):
        total = p + _right(p) + _down(p) + _down(_right(p))
    elif phase == (0, 1):
        total = p + _right(p) + known[1, 1] + _up(known[1, 1])
    else:
        total = p + _down(p) + known[1, 1] + _left(known[1, 1])
    return ((total + 2) * 0.25).floor()


class PlaneHead(nn.Module):
    """Features and known planes -> mixture parameters of the next plane, every channel.

    When training starts, means are the reference's, give or take `spread` (1/16 symbol).
    """

    def __init__(
        self,
        features: int,
        known: int,
        channels: int,
        hidden: int,
        components: int,
        spread: float = 24.0,
    ) -> None:
        super().__init__()
        c, k = channels, components
        self.channels, self.components = channels, components
        self.outputs = 3 * k + c - 1  # logits, means, scales, shares of earlier channels
        self.from_features = IntegerConv(features, hidden)
        self.from_planes = (
            IntegerConv(known * c, hidden, 3, relative=c, input_max=255) if known else None
        )
        self.mix = IntegerConv(hidden, hidden)
        self.split = IntegerConv(hidden, c * SPLIT)
        # channel j sees the residuals of the channels before it
        self.coded = (
            IntegerConv(c, c * SPLIT, input_max=255, spread=8, causal=True) if c > 1 else None
        )
        starts = (  # (mean, deviation) at the start; components start apart, and wide
            [(0.0, 4.0)] * k
            + [(160.0 * (j + 0.5) / k - 80.0, spread) for j in range(k)]
            + [(84.0, 6.0)] * k
            + [(40.0, 4.0)] * (c - 1)
        )
        offset, deviation = (tuple(column) for column in zip(*starts, strict=True))
        self.heads = nn.ModuleList(
            IntegerConv(SPLIT, self.outputs, offset=offset, spread=deviation) for _ in range(c)
        )

    def trunk(
        self, features: Tensor, ref: Tensor | None = None, planes: Tensor | None = None
    ) -> Tensor:
        """Shared part: (B, F, H, W), (B, C, H, W), (B, P*C, H, W) -> (B, C*SPLIT, H, W)"""
        if self.from_planes is None or planes is None:
            h = self.from_features(features, active=True)
        else:
            h = self.from_features(features)
            h = self.from_planes(planes, ref, add=h, active=True)
        trunk: Tensor = self.split(self.mix(h, active=True))
        return trunk

    def forward(self, trunk: Tensor, residual: Tensor) -> Tensor:
        """Integers (B, C, outputs, H, W); channel c depends on residuals of channels < c only."""
        if self.coded is None:
            h = activation(trunk)
        else:
            h = self.coded(residual, add=trunk, active=True)
        parts = h.chunk(self.channels, 1)
        return torch.stack([head(p) for head, p in zip(self.heads, parts, strict=True)], 1)


class FinerLevel(nn.Module):
    """Features of the next finer level: its known image, relative to each pixel, and the coarser
    level's features, lifted to twice the grid."""

    def __init__(self, features: int, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.lift = IntegerConv(features, 4 * width, spread=32)
        self.stem = IntegerConv(channels, width, 5, relative=channels, input_max=255)
        self.blocks = residual_blocks(width, blocks)

    def forward(self, image: Tensor, features: Tensor) -> Tensor:  # (B,C,2H,2W), (B,F,H,W)
        lifted = nn.functional.pixel_shuffle(self.lift(features), 2)
        return activation(self.blocks(self.stem(image, image, add=lifted)))
