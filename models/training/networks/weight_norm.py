"""Weight normalization in floating point, of real or of binary weights, and what is made of it.

A layer is ``y = conv(x, w) * scale + b`` with one scale g / |w| for each output channel. Binary
weights are w = sign(v), so that |w| is the root of their number; gradients pass straight through to
v, which training clips to [-1, 1]. Binary activations are signs too; their gradient is that of a
hard tangent. Unlike layers.py nothing here is exact: such networks do not code.

References: Salimans and Kingma, "Weight Normalization", NIPS 2016 (and its data-dependent start);
Bird, Kingma and Barber, "Reducing the Computational Cost of Deep Generative Models with Binary
Neural Networks", ICLR 2021; the gated block is that of Ho et al., "Flow++", ICML 2019; signs with
learned thresholds are from Liu et al., "ReActNet", ECCV 2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bitswap_cli.errors import ModelError
from bitswap_models.training.layers import straight_through

INNER_GAIN = 0.1  # deviation of what a block adds at the start, before it is gated
THRESHOLD = 0.5  # where the signs of x and of -x start to be positive


class _HardSign(torch.autograd.Function):
    """+1 where x >= 0, else -1; the gradient passes where -1 <= x <= 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x.abs() <= 1)
        return plus_minus(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        inside: Tensor = ctx.saved_tensors[0]
        return gradients[0] * inside


def plus_minus(x: Tensor) -> Tensor:
    """Return +1 where x >= 0, else -1."""
    return (x >= 0).to(x.dtype).mul_(2).sub_(1)


def narrow(x: Tensor) -> Tensor:
    """What autocast makes of a convolution's input, before that is twice as large."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x


def concat_elu(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, 2 C, H, W)"""
    x = narrow(x)
    return F.elu(torch.cat((x, -x), 1))


def quantized(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Round to 8 bits: (O, ...) -> int8 (O, ...) and the scale of each channel, float32 (O,)."""
    scale = weight.abs().flatten(1).amax(1).clamp_min(1e-12) / 127
    return (weight / scale.view(-1, *[1] * (weight.dim() - 1))).round().to(torch.int8), scale


class Conv(nn.Module):
    """Convolution with weight normalization.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    size : int
        Kernel size (odd); zero padding.
    binary : bool
        Weights +-1.
    spread : float
        Standard deviation of the outputs after the data-dependent start; their mean is 0.
    """

    parts = ("weight", "scale", "bias")  # of it in a model file

    def __init__(
        self, inputs: int, outputs: int, size: int = 1, *, binary: bool = False, spread: float = 1.0
    ) -> None:
        super().__init__()
        self.size, self.binary, self.spread = size, binary, spread
        self.shape = (outputs, inputs, size, size)
        self.v = nn.Parameter(torch.randn(self.shape) * 0.1)
        self.g = nn.Parameter(torch.ones(outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        self.starting = False

    def _weights(self) -> tuple[Tensor, Tensor]:
        """Weights before and scale after the convolution: (O, I, K, K), (O,)."""
        if self.binary:
            norm = self.v[0].numel() ** 0.5
            return straight_through(plus_minus(self.v.detach()), self.v), self.g / norm
        return self.v, self.g / self.v.square().sum((1, 2, 3)).clamp_min(1e-12).sqrt()

    def forward(self, x: Tensor) -> Tensor:  # (B, I, H, W) -> (B, O, H, W)
        w, scale = self._weights()
        if not self.binary and not self.starting:
            w = w * scale[:, None, None, None]
            return F.conv2d(x, w, self.b, padding=self.size // 2)
        y = F.conv2d(x, w, padding=self.size // 2)
        if self.starting:
            self._start(y * scale[:, None, None])
            scale = self._weights()[1]
        return y * scale[:, None, None] + self.b[:, None, None]

    @torch.no_grad()
    def _start(self, y: Tensor) -> None:
        gain = self.spread / y.std((0, 2, 3)).clamp_min(1e-3)
        self.g.mul_(gain)
        self.b.copy_(-y.mean((0, 2, 3)) * gain)

    @torch.no_grad()
    def freeze(self) -> dict[str, Tensor]:
        """What a model file stores: weight (int8, or packed signs in uint8), scale, bias."""
        w, scale = self._weights()
        if self.binary:
            packed = torch.from_numpy(np.packbits((w > 0).flatten().cpu().numpy()))
            return {"weight": packed, "scale": scale, "bias": self.b.detach()}
        weight, unit = quantized(w)
        return {"weight": weight, "scale": unit * scale, "bias": self.b.detach()}

    @torch.no_grad()
    def load(self, weight: Tensor, scale: Tensor, bias: Tensor) -> None:
        """Take stored tensors.

        Raises
        ------
        ModelError
            If one is not of the shape that the layer has.
        """
        count = self.v.numel()
        sizes = ((count + 7) // 8,) if self.binary else self.shape
        wide = torch.uint8 if self.binary else torch.int8
        if (
            (weight.dtype, tuple(weight.shape)) != (wide, sizes)
            or scale.shape != self.g.shape
            or bias.shape != self.b.shape
        ):
            raise ModelError("a layer's tensors have the wrong shape: the model file is damaged")
        if self.binary:
            signs = np.unpackbits(weight.numpy(), count=count).astype(np.float32) * 2 - 1
            weight = torch.from_numpy(signs).view(self.shape)
        self.v.copy_(weight.float())
        self.g.copy_(scale * self.v.square().sum((1, 2, 3)).sqrt())
        self.b.copy_(bias)


class Table(nn.Module):
    """Learned values, one for each channel and place: (C, H, W)."""

    parts = ("weight", "scale")  # of it in a model file

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(shape) * 0.01)

    @torch.no_grad()
    def freeze(self) -> dict[str, Tensor]:
        """What a model file stores: weight (int8) and the scale of each channel."""
        weight, scale = quantized(self.values)
        return {"weight": weight, "scale": scale}

    @torch.no_grad()
    def load(self, weight: Tensor, scale: Tensor) -> None:
        """Take stored tensors; raise ModelError if their shape is wrong."""
        if weight.shape != self.values.shape or scale.shape != self.values.shape[:1]:
            raise ModelError("a table has the wrong shape: the model file is damaged")
        self.values.copy_(weight * scale[:, None, None])


class Signs(nn.Module):
    """Signs of x and -x, each above a learned threshold: together three levels of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.full((2 * channels,), THRESHOLD))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, 2 C, H, W)
        x = narrow(x)
        shifted = torch.cat((x, -x), 1) - narrow(self.threshold)[:, None, None]
        out: Tensor = _HardSign.apply(shifted)  # type: ignore[no-untyped-call]
        return out


class GatedBlock(nn.Module):
    """norm(x + a * sigmoid(b)), (a, b) = conv1x1(f(conv3x3(f(x)) + conv1x1(f(context)))).

    Parameters
    ----------
    width : int
        Channels.
    context : int
        Channels of the context, 0 if there is none.
    binary, signs : bool
        Whether weights, and what the convolutions see of x, are +-1.
    """

    def __init__(
        self, width: int, context: int = 0, *, binary: bool = False, signs: bool = False
    ) -> None:
        super().__init__()
        self.first = Conv(2 * width, width, 3, binary=binary)
        self.gate = Conv(2 * width, 2 * width, binary=binary, spread=INNER_GAIN)
        self.context = Conv(2 * context, width) if context else None
        self.signs = nn.ModuleList(Signs(width) for _ in range(2)) if signs else None
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        outer, inner = self.signs or (concat_elu, concat_elu)
        h = self.first(outer(x))
        if self.context is not None and context is not None:
            h = h + self.context(concat_elu(context))
        a, b = self.gate(inner(h)).chunk(2, 1)
        x = x + a * torch.sigmoid(b)
        out: Tensor = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        return out
