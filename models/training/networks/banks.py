"""Banks: integer layers side by side, which see different inputs; see IntegerConv of layers.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_models.exact.layers import ACTIVATION_MAX, EXACT_INT32, UNIT, Layer
from bitswap_models.training.layers import START, requantize, round_

SHIFT = 16
_BIAS_MAX = 2**29
_HEADROOM = EXACT_INT32 - 2**10


class Integers(NamedTuple):
    """Integer-valued floats, with gradients."""

    weight: Tensor
    """(count, outputs, inputs)"""
    scale: Tensor
    """(count, outputs) and"""
    bias: Tensor
    """(count, outputs)"""


class Bank(nn.Module):
    """Layers of 8-bit weights.

    Parameters
    ----------
    count, inputs, outputs : int
        Layers, and the inputs and outputs of each.
    spread : float, or one for each output
        Deviation of the outputs that the data-dependent start aims at.
    mask : (count, inputs) tensor, optional
        0 where a layer has no weight.
    """

    mask: Tensor | None

    def __init__(
        self,
        count: int,
        inputs: int,
        outputs: int,
        *,
        spread: float | tuple[float, ...] = UNIT,
        mask: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.spread = spread
        self.v = nn.Parameter(torch.randn(count, outputs, inputs) * START)
        self.g = nn.Parameter(torch.ones(count, outputs))
        self.b = nn.Parameter(torch.zeros(count, outputs))
        self.register_buffer("mask", mask, persistent=False)
        self.starting = False

    def integers(self) -> Integers:
        """Those of all layers."""
        v = self.v if self.mask is None else self.v * self.mask[:, None]
        w = round_(v * (127 / v.detach().abs().amax(2, keepdim=True).clamp_min(1e-8)))
        b = round_(self.b * 2.0**SHIFT).clamp(-_BIAS_MAX, _BIAS_MAX)
        reach = w.detach().abs().sum(2) * ACTIVATION_MAX
        limit = ((_HEADROOM - b.detach().abs()) / reach.clamp_min(1.0)).floor()
        m = round_(self.g * (2.0**SHIFT / _norm(w)))
        return Integers(w, torch.minimum(torch.maximum(m, -limit), limit), b)

    def forward(
        self, sums: Tensor, integers: Integers, some: slice, *, active: bool = False
    ) -> Tensor:
        """What some of the layers make of their sums, (layers, outputs, N).

        With `active` it goes through `activation`.
        """
        if self.starting:
            self._start(sums.detach(), integers.weight.detach(), some)
            integers = self.integers()
        scale, bias = (t[some].flatten() * 2.0**-SHIFT for t in integers[1:])
        # a channel for each output of each layer
        rows = sums.reshape(1, len(scale), sums.shape[2], 1)
        return requantize(rows, scale, bias, None, active).view(sums.shape)

    @torch.no_grad()
    def _start(self, sums: Tensor, w: Tensor, some: slice) -> None:
        unit = sums / _norm(w)[some, :, None]
        single = sums.shape[2] == 1
        deviation = torch.ones_like(self.g[some]) if single else unit.std(2).clamp_min(1e-2)
        spread = torch.as_tensor(self.spread, device=sums.device)
        self.g[some] = (spread / deviation).clamp(max=64.0)
        self.b[some] = -unit.mean(2) * self.g[some]

    @torch.no_grad()
    def thaw(self, stored: Sequence[Layer], columns: Sequence[NDArray[np.intp]]) -> None:
        """Start training from stored layers; see `IntegerConv.thaw`.

        `columns` say which of the bank's inputs are those of each layer.
        """
        w = torch.zeros_like(self.v)
        for row, layer, some in zip(w, stored, columns, strict=True):
            row[:, some] = torch.tensor(layer.weight[:, :, 0, 0]).to(w)
        counts = torch.tensor([len(some) for some in columns]).to(w)[:, None, None]
        size = (w.square().sum(2, keepdim=True) / counts).sqrt()
        self.v.copy_(torch.where(size > 0, w * (START / size), self.v))
        scale, bias = (
            torch.tensor(np.stack(arrays)).to(w)
            for arrays in zip(*((layer.scale, layer.bias) for layer in stored), strict=True)
        )
        self.g.copy_(scale * _norm(w) * 2.0**-SHIFT)
        self.b.copy_(bias * 2.0**-SHIFT)

    @torch.no_grad()
    def freeze(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Weights int8 (count, outputs, inputs), scales and offsets int32 (count, outputs)."""
        w, m, b = (t.cpu().numpy() for t in self.integers())
        return w.astype(np.int8), m.astype(np.int32), b.astype(np.int32)


def _norm(w: Tensor) -> Tensor:
    return w.square().sum(2).clamp_min(1.0).sqrt()
