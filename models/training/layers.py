"""Integer layers in training: the numbers of bitswap_models.exact.layers in floating point.

Every tensor between layers holds integers, (B, C, H, W) floats. A layer is ``acc = conv(x, w)``
followed by ``y = floor((acc * m + b) / 2^s)`` and saturates, with straight-through gradients for
sign, round, floor and clamp, so that what is trained is what codes. float32 may round across a
floor where a product is large; in float64 all is equal.

References: Bird, Kingma and Barber, "Reducing the Computational Cost of Deep Generative Models
with Binary Neural Networks", ICLR 2021, eq. 12-13 (the scale g / sqrt(n) is applied after the
convolution); Salimans and Kingma, "Weight Normalization", NIPS 2016 (data-dependent start).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_models.exact.layers import (
    ACTIVATION_MAX,
    EXACT_INT32,
    EXACT_SUM,
    SATURATION,
    UNIT,
    Layer,
    Shape,
)
from bitswap_models.exact.tensors import packed

START = 0.1  # deviation of weights before training
_BIAS_MAX = 2**29
_HEADROOM = EXACT_INT32 - 2**10  # |acc * m| + |b| stays under this, whatever float32 rounds
_EXACT_TF32 = 2**11  # larger integers are rounded where a GPU multiplies


def straight_through(exact: Tensor, smooth: Tensor) -> Tensor:
    """Return `exact`, with the gradient of `smooth`."""
    return smooth + (exact - smooth).detach()


def floor(x: Tensor) -> Tensor:
    """Round down; the gradient passes straight through."""
    return straight_through(x.detach().floor(), x)


def round_(x: Tensor) -> Tensor:
    """Round to nearest; the gradient passes straight through."""
    return straight_through(x.detach().round(), x)


def activation(x: Tensor) -> Tensor:
    """Clamp to unsigned 8 bit: a rectifier that saturates."""
    return x.clamp(0, ACTIVATION_MAX)


def saturated(x: Tensor) -> Tensor:
    """Clamp to what layers and the residual stream can hold."""
    return x.clamp(-SATURATION, SATURATION)


def signs(x: Tensor) -> Tensor:
    """Return +1 where x >= 0, else -1; the gradient is a hard tangent's, 0 beyond +-UNIT."""
    return straight_through(torch.where(x < 0, -1.0, 1.0), (x / UNIT).clamp(-1, 1))


class _Requantize(torch.autograd.Function):
    """``activation(saturated(saturated(floor(acc * m + b)) + add))`` with few passes over memory.

    Gradients pass straight through the floor and through 16-bit saturation, which trained networks
    do not reach; those of an activation pass where it is not clamped. Nothing is done in place: the
    compiler of torch 2.11 takes the gradient of that, which is 0, instead of this one.
    """

    @staticmethod
    def forward(
        context: Any, acc: Tensor, m: Tensor, b: Tensor, add: Tensor | None, active: bool
    ) -> Tensor:
        y = torch.addcmul(b[:, None, None], acc.to(m.dtype), m[:, None, None]).floor()
        y = y.clamp(-SATURATION, SATURATION)
        if add is not None:
            y = (y + add).clamp(-SATURATION, SATURATION)
        inside = None
        if active:
            inside = (y >= 0) & (y <= ACTIVATION_MAX)
            y = y.clamp(0, ACTIVATION_MAX)
        context.save_for_backward(acc, m, inside)
        context.adds = add is not None
        return y

    @staticmethod
    def backward(
        context: Any, gradient: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor | None, None]:
        acc, m, inside = context.saved_tensors
        if inside is not None:
            gradient = gradient * inside
        return (
            (gradient * m[:, None, None]).to(acc.dtype),
            (gradient * acc).sum((0, 2, 3)),
            gradient.sum((0, 2, 3)),
            gradient if context.adds else None,
            None,
        )


def requantize(acc: Tensor, m: Tensor, b: Tensor, add: Tensor | None, active: bool) -> Tensor:
    """Sums (B, C, H, W) -> integers, by scales and offsets (C,); see `IntegerConv.forward`."""
    y: Tensor = _Requantize.apply(acc, m, b, add, active)  # type: ignore[no-untyped-call]
    return y


class IntegerConv(nn.Module):
    """Convolution with integer weights and an integer scale and offset per output channel.

    Parameters
    ----------
    inputs, outputs, size, binary, input_max, relative, causal, signs
        Those of `Shape`. Signs count as +-UNIT.
    spread, offset : float, or one for each output
        Standard deviation and mean of the outputs that the data-dependent start aims at.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 1,
        *,
        binary: bool = False,
        input_max: int = ACTIVATION_MAX,
        spread: float | tuple[float, ...] = UNIT,
        offset: float | tuple[float, ...] = 0.0,
        relative: int = 0,
        causal: bool = False,
        signs: bool = False,
    ) -> None:
        super().__init__()
        self.shape = Shape(inputs, outputs, size, binary, input_max, relative, causal, signs)
        self.binary, self.shift = binary, self.shape.shift
        self.spread, self.offset = spread, offset
        self.v = nn.Parameter(torch.randn(self.shape.weights) * START)
        self.g = nn.Parameter(torch.ones(outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        self.starting = False
        if causal:  # 1 where there may be a weight, (O, I, 1, 1)
            mask = torch.from_numpy(self.shape.mask).float()
            self.register_buffer("mask", mask, persistent=False)
        self.mask: Tensor

    def _weights(self) -> Tensor:
        """Integer weights with straight-through gradients. (O, I, K, K)"""
        if self.binary:
            # sign(0) = +1; the gradient is the identity, and training clips v to [-1, 1]
            return straight_through(torch.where(self.v.detach() < 0, -1.0, 1.0), self.v)
        v = self.v * self.mask if self.shape.causal else self.v
        magnitude = v.detach().abs()
        peak = magnitude.amax((1, 2, 3), keepdim=True).clamp_min(1e-8)
        # many weights are made smaller, so that even all of them, rounded up, are proved exact
        total = magnitude.sum((1, 2, 3), keepdim=True).clamp_min(1e-8)
        most = (EXACT_SUM - 1) / self.shape.reach - v[0].numel() / 2
        return round_(v * torch.minimum(127 / peak, most / total))

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights, scale m and offset b as integer-valued floats (with gradients)."""
        w = self._weights()
        norm = self._norm(w)
        reach = w.detach().abs().sum((1, 2, 3)) * self.shape.reach
        b = round_(self.b * 2.0**self.shift).clamp(-_BIAS_MAX, _BIAS_MAX)
        limit = ((_HEADROOM - b.detach().abs()) / reach.clamp_min(1.0)).floor()
        m = round_(self.g * (2.0**self.shift / norm))
        m = torch.minimum(torch.maximum(m, -limit), limit)
        return w, m, b

    def _norm(self, w: Tensor) -> Tensor:
        """What sums are divided by, for outputs that spread as their inputs do. (O,)"""
        # that of +-1 is a constant, whatever gradients pass straight through them
        w = w.detach() if self.binary else w
        norm = w.square().sum((1, 2, 3)).clamp_min(1.0).sqrt()
        return norm / UNIT if self.shape.signs else norm

    def _accumulate(self, x: Tensor, w: Tensor, reference: Tensor | None) -> Tensor:
        size, relative = self.shape.size, self.shape.relative
        if reference is None and size == 1:
            if self.shape.input_max > _EXACT_TF32:
                wide = F.linear(x.movedim(1, -1).double(), w[:, :, 0, 0].double())
                return wide.movedim(-1, 1).to(w.dtype)
            return F.linear(x.movedim(1, -1), w[:, :, 0, 0]).movedim(-1, 1)
        if reference is None:
            return F.conv2d(x, w, padding=size // 2)
        edge = size // 2
        x = F.pad(x, (edge,) * 4, mode="replicate")  # every tap exists: differences, not zeros
        planes = w.shape[1] // relative
        total = w.view(w.shape[0], planes, relative, -1).sum((1, 3))  # (O, C)
        with torch.autocast(x.device.type, enabled=False):  # large terms cancel: no rounding here
            return F.conv2d(x, w) - F.conv2d(reference, total[:, :, None, None])

    def forward(
        self,
        x: Tensor,
        reference: Tensor | None = None,
        *,
        add: Tensor | None = None,
        active: bool = False,
    ) -> Tensor:
        """Return the layer's integers, saturated: (B, I, H, W) -> (B, O, H, W).

        Parameters
        ----------
        x : Tensor
        reference : (B, C, H, W), of a relative layer
        add : (B, O, H, W), optional
            Added to the result, which saturates again.
        active : bool
            Whether the result goes through `activation`.
        """
        w, m, b = self.integers()
        acc = self._accumulate(signs(x) if self.shape.signs else x, w, reference)
        if self.starting:
            self._start(acc.detach(), w.detach())
            w, m, b = self.integers()
        return requantize(acc, m * 2.0**-self.shift, b * 2.0**-self.shift, add, active)

    @torch.no_grad()
    def _start(self, acc: Tensor, w: Tensor) -> None:
        """Data-dependent start: outputs get mean `offset` and deviation `spread`."""
        unit = acc / self._norm(w)[:, None, None]
        deviation = unit.std((0, 2, 3)).clamp_min(1e-3)
        spread, offset = (torch.tensor(t, device=acc.device) for t in (self.spread, self.offset))
        self.g.copy_((spread / deviation).clamp(max=64.0))
        self.b.copy_(offset - unit.mean((0, 2, 3)) * self.g)

    @torch.no_grad()
    def thaw(self, stored: Layer) -> None:
        """Start training from stored integers, which `freeze` would give back but for rounding.

        Inputs that the stored layer lacks, behind the last, weigh 0.
        """
        weight, scale, bias = (
            torch.tensor(array).to(self.v) for array in (stored.weight, stored.scale, stored.bias)
        )
        w = F.pad(weight, (0, 0, 0, 0, 0, self.shape.inputs - stored.shape.inputs))
        size = w.square().mean((1, 2, 3), keepdim=True).sqrt()
        # as large as new weights, for the same relative steps; where all are 0 the new ones stay
        self.v.copy_(torch.where(size > 0, w * (START / size), self.v))
        self.g.copy_(scale * self._norm(w) * 2.0**-self.shift)
        self.b.copy_(bias * 2.0**-self.shift)

    @torch.no_grad()
    def freeze(self) -> dict[str, NDArray[Any]]:
        """Return the integers that a model file stores: see bitswap_models.exact.tensors."""
        w, m, b = (t.cpu().numpy() for t in self.integers())
        weight = packed(w) if self.binary else w.astype(np.int8)
        return {"weight": weight, "scale": m.astype(np.int32), "bias": b.astype(np.int32)}


def layers(model: nn.Module, prefix: str = "") -> dict[str, IntegerConv]:
    """Return the integer layers of a model, or of its part of a name, by name, in a fixed order."""
    found = model.named_modules(prefix=prefix)
    return {name: layer for name, layer in found if isinstance(layer, IntegerConv)}


def frozen(layers: dict[str, IntegerConv]) -> dict[str, NDArray[Any]]:
    """The tensors of layers as a model file stores them, by name."""
    return {
        f"{name}.{part}": array
        for name, layer in layers.items()
        for part, array in layer.freeze().items()
    }
