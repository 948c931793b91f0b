"""Multi-scale likelihood: a tile's pixels in planes, each predicted from the planes before it.

    levels = 2: every 4th pixel both ways is the *base* plane, coded from latents alone;
    then the other three phases of the grid of every 2nd pixel, then of every pixel.

    base . . .     B . b .     phases of one level, in this order:   00 known
    .    . . .     . . . .                                           11 between four 00
    .    . . .     b . b .                                           01 between 00 and 11
    .    . . .     . . . .                                           10 between 00 and 11

A plane's pixels are predicted around a *reference*, the mean of their four known neighbours, so one
network call codes a whole plane: 1 + 3 * levels calls a tile, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.contract import Plane, Step
from bitswap_models.exact.chain import Integers
from bitswap_models.exact.distributions import coding_mixture
from bitswap_models.exact.layers import IntegerConv, activation, residual_blocks

Phase = tuple[int, int]
PHASES: tuple[Phase, ...] = ((1, 1), (0, 1), (1, 0))
SPLIT = 32  # hidden units of each channel


def coding_order(levels: int) -> tuple[Plane, ...]:
    """Planes of a tile, the base plane first."""
    planes = [Plane(0, 0, 2**levels)]
    for level in range(levels):
        half = 2**levels >> (level + 1)
        planes += [Plane(y * half, x * half, 2 * half) for y, x in PHASES]
    return tuple(planes)


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
    total = total + 2
    return (total * 0.25).floor() if total.is_floating_point() else total >> 2


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

    def channel(self, trunk: Tensor, residual: Tensor, channel: int) -> Tensor:
        """One channel of `forward`, while coding: (B, outputs, H, W)"""
        part = slice(channel * SPLIT, (channel + 1) * SPLIT)
        h = trunk[:, part]
        if self.coded is None:
            h = activation(h)
        else:
            h = self.coded(residual, part=part, add=h, active=True)
        out: Tensor = self.heads[channel](h)
        return out


def code_channels(
    head: PlaneHead,
    trunk: Tensor,
    ref: Tensor,
    plane: Plane,
    code: Callable[[Step], Integers],
    call: Callable[..., Tensor] = lambda network, *inputs: network(*inputs),
) -> Tensor:
    """Code a plane, one channel after the other; returns its pixels, (B, C, H, W).

    Parameters
    ----------
    head : PlaneHead
    trunk : (B, C * SPLIT, H, W), of `PlaneHead.trunk`
    ref : (B, C, H, W)
    plane : Plane
    code : callable
        Told each step, returns its pixels, (B, H, W).
    call : callable
        Runs a network.
    """
    ref = ref.contiguous(memory_format=torch.channels_last)
    residual = torch.zeros_like(ref)
    for c in range(head.channels):
        out = call(lambda t, r: head.channel(t, r, c), trunk, residual)  # noqa: B023
        terms = coding_mixture(out, ref, residual, head.components, c)
        step = Step(plane, c, MixtureParameters(*(t.numpy() for t in terms)))
        residual[:, c] = torch.from_numpy(code(step)) - ref[:, c]
    return ref + residual


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
