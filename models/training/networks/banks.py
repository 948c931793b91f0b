"""Banks: integer layers side by side, which see different inputs; see IntegerConv of layers.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_models.exact.layers import ACTIVATION_MAX, EXACT_INT32, UNIT
from bitswap_models.training.layers import START, floor, round_, saturated

SHIFT = 16
_BIAS_MAX = 2**29
_HEADROOM = EXACT_INT32 - 2**10


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

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights, scales and offsets as integer-valued floats, with gradients."""
        v = self.v if self.mask is None else self.v * self.mask[:, None]
        w = round_(v * (127 / v.detach().abs().amax(2, keepdim=True).clamp_min(1e-8)))
        b = round_(self.b * 2.0**SHIFT).clamp(-_BIAS_MAX, _BIAS_MAX)
        reach = w.detach().abs().sum(2) * ACTIVATION_MAX
        limit = ((_HEADROOM - b.detach().abs()) / reach.clamp_min(1.0)).floor()
        m = round_(self.g * (2.0**SHIFT / _norm(w)))
        return w, torch.minimum(torch.maximum(m, -limit), limit), b

    def forward(self, x: Tensor) -> Tensor:
        """(count, N, inputs) -> (count, N, outputs), integers."""
        w, m, b = self.integers()
        sums = x @ w.transpose(1, 2)
        if self.starting:
            self._start(sums.detach(), w.detach())
            w, m, b = self.integers()
        return saturated(floor((sums * m[:, None] + b[:, None]) * 2.0**-SHIFT))

    @torch.no_grad()
    def _start(self, sums: Tensor, w: Tensor) -> None:
        unit = sums / _norm(w)[:, None]
        deviation = unit.std(1).clamp_min(1e-2) if sums.shape[1] > 1 else torch.ones_like(self.g)
        spread = torch.as_tensor(self.spread, device=sums.device)
        self.g.copy_((spread / deviation).clamp(max=64.0))
        self.b.copy_(-unit.mean(1) * self.g)

    @torch.no_grad()
    def freeze(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Weights int8 (count, outputs, inputs), scales and offsets int32 (count, outputs)."""
        w, m, b = (t.cpu().numpy() for t in self.integers())
        return w.astype(np.int8), m.astype(np.int32), b.astype(np.int32)


def _norm(w: Tensor) -> Tensor:
    return w.square().sum(2).clamp_min(1.0).sqrt()
