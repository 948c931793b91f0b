"""Exact-integer layers: what a network computes while coding, and its simulation while training.

Every tensor between layers holds integers. A layer is ``acc = conv(x, w)`` followed by
``y = (acc * m + b) >> s`` with one integer ``m`` and ``b`` per output channel, and saturates at
+-`SATURATION`; weights are +-1 (binary weight normalization) or 8 bit. Two paths give the same
integers:

* *exact*: tensors are int16, in channels-last memory, and :meth:`IntegerConv.load` has bounded
  every intermediate. A layer is one call of the compiled kernel or, where there is none, a float32
  convolution over integers whose partial sums stay under 2^24, exact in any order, and int32.
* *training*: the same numbers in floating point, with straight-through gradients for sign, round,
  floor and clamp, so that what is trained is what codes.

References: Bird, Kingma and Barber, "Reducing the Computational Cost of Deep Generative Models
with Binary Neural Networks", ICLR 2021, eq. 12-13 (the scale g / sqrt(n) is applied after the
convolution); Salimans and Kingma, "Weight Normalization", NIPS 2016 (data-dependent start).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bitswap_cli.errors import ModelError
from bitswap_models.exact.kernel import Weights, engine

UNIT = 64  # integer activations that stand for 1.0
ACTIVATION_MAX = 255  # activations are unsigned 8 bit
SATURATION = 32767  # layers and the residual stream are signed 16 bit
EXACT_FLOAT32 = 2**24
EXACT_INT32 = 2**31
START = 0.1  # deviation of weights before training
_BIAS_MAX = 2**29
_HEADROOM = EXACT_INT32 - 2**10  # |acc * m| + |b| stays under this, whatever float32 rounds


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
        y = torch.addcmul(b[:, None, None], acc.float(), m[:, None, None]).floor()
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


def _requantize(acc: Tensor, m: Tensor, b: Tensor, add: Tensor | None, active: bool) -> Tensor:
    y: Tensor = _Requantize.apply(acc, m, b, add, active)  # type: ignore[no-untyped-call]
    return y


class IntegerConv(nn.Module):
    """Convolution with integer weights and an integer scale and offset per output channel.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    size : int
        Kernel size (odd); zero padding unless `relative`.
    binary : bool
        Weights +-1 (eq. 12 of the reference) instead of 8 bit.
    input_max : int
        Largest magnitude an input can have; part of the exactness proof.
    spread, offset : float, or one for each output
        Standard deviation and mean of the outputs that the data-dependent start aims at.
    relative : int
        0, or the number of channels C of a reference: inputs are whole planes of C channels and
        every tap sees the difference to the reference, ``conv(x) - conv1x1(reference)``.
    causal : bool
        Outputs are in as many groups as there are inputs; group j sees inputs before j only.
    signs : bool
        Inputs count by their signs alone: UNIT where they are not negative, else -UNIT; of what is
        outside of the image, 0.
    """

    weight: Tensor  # int8 (O, I, K, K), exact path
    scale: Tensor  # int32 (O,)
    bias: Tensor  # int32 (O,)

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
        self.size, self.binary, self.relative = size, binary, relative
        self.input_max = 1 if signs else input_max
        self.spread, self.offset, self.causal, self.signs = spread, offset, causal, signs
        self.shift = 12 if binary else 16
        self.shape = (outputs, inputs, size, size)
        self.v = nn.Parameter(torch.randn(self.shape) * START)
        self.g = nn.Parameter(torch.ones(outputs))
        self.b = nn.Parameter(torch.zeros(outputs))
        self.starting = False
        self.exact = False
        self._packed: dict[tuple[int | None, int | None], Weights] = {}  # of each part

    def _weights(self) -> Tensor:
        """Integer weights with straight-through gradients. (O, I, K, K)"""
        if self.binary:
            # sign(0) = +1; the gradient is the identity, and training clips v to [-1, 1]
            return straight_through(torch.where(self.v.detach() < 0, -1.0, 1.0), self.v)
        v = self.v * self.mask(self.v.device) if self.causal else self.v
        magnitude = v.detach().abs()
        peak = magnitude.amax((1, 2, 3), keepdim=True).clamp_min(1e-8)
        # many weights are made smaller, so that even all of them, rounded up, are proved exact
        total = magnitude.sum((1, 2, 3), keepdim=True).clamp_min(1e-8)
        most = (EXACT_FLOAT32 - 1) / self.reach() - v[0].numel() / 2
        return round_(v * torch.minimum(127 / peak, most / total))

    def mask(self, device: torch.device | None = None) -> Tensor:
        """1 where a causal layer may have a weight, else 0. (O, I, 1, 1)"""
        outputs, inputs = self.shape[:2]
        group = torch.arange(outputs, device=device) * inputs // outputs
        return (torch.arange(inputs, device=device) < group[:, None])[:, :, None, None].float()

    def integers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights, scale m and offset b as integer-valued floats (with gradients)."""
        w = self._weights()
        norm = self._norm(w)
        reach = w.detach().abs().sum((1, 2, 3)) * self.reach()
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
        return norm / UNIT if self.signs else norm

    def reach(self) -> int:
        """How much a weight can add to a sum."""
        return self.input_max * (2 if self.relative else 1)

    def _accumulate(self, x: Tensor, w: Tensor, reference: Tensor | None) -> Tensor:
        if reference is None and self.size == 1:
            return F.linear(x.movedim(1, -1), w[:, :, 0, 0]).movedim(-1, 1)
        if reference is None:
            return F.conv2d(x, w, padding=self.size // 2)
        edge = self.size // 2
        x = F.pad(x, (edge,) * 4, mode="replicate")  # every tap exists: differences, not zeros
        planes = w.shape[1] // self.relative
        total = w.view(w.shape[0], planes, self.relative, -1).sum((1, 3))  # (O, C)
        with torch.autocast(x.device.type, enabled=False):  # large terms cancel: no rounding here
            return F.conv2d(x, w) - F.conv2d(reference, total[:, :, None, None])

    def forward(
        self,
        x: Tensor,
        reference: Tensor | None = None,
        part: slice = slice(None),
        *,
        add: Tensor | None = None,
        active: bool = False,
    ) -> Tensor:
        """Return the layer's integers, saturated: (B, I, H, W) -> (B, O, H, W).

        All tensors are int16 while coding, floats that hold integers while training.

        Parameters
        ----------
        x : Tensor
        reference : (B, C, H, W), of a relative layer
        part : slice of the outputs, while coding only
        add : (B, O, H, W), optional
            Added to the result, which saturates again.
        active : bool
            Whether the result goes through `activation`.
        """
        if self.exact:
            return self._coding(x, reference, part, add, active)
        w, m, b = self.integers()
        acc = self._accumulate(signs(x) if self.signs else x, w, reference)
        if self.starting:
            self._start(acc.detach(), w.detach())
            w, m, b = self.integers()
        return _requantize(acc, m * 2.0**-self.shift, b * 2.0**-self.shift, add, active)

    def _coding(
        self,
        x: Tensor,
        reference: Tensor | None,
        part: slice,
        add: Tensor | None,
        active: bool,
    ) -> Tensor:
        low, high = (0, ACTIVATION_MAX) if active else (-SATURATION, SATURATION)
        kernel = engine(signs=self.signs and self.binary)
        if kernel is None:
            r = None if reference is None else reference.float()
            x = torch.where(x < 0, -1.0, 1.0) if self.signs else x.float()
            acc = self._accumulate(x, self.weight[part].float(), r).to(torch.int32)
            acc.mul_(self.scale[part, None, None]).add_(self.bias[part, None, None])
            y = saturated(acc.bitwise_right_shift_(self.shift))
            return (y if add is None else y + add).clamp(low, high).to(torch.int16)
        weights = self._packed.get((part.start, part.stop))
        if weights is None:
            weight, scale, bias = (t[part].numpy() for t in (self.weight, self.scale, self.bias))
            weights = Weights(weight, scale, bias, self.shift, self.relative, signs=self.signs)
            self._packed[part.start, part.stop] = weights
        return kernel.run(weights, x, reference, add, low, high)

    @torch.no_grad()
    def _start(self, acc: Tensor, w: Tensor) -> None:
        """Data-dependent start: outputs get mean `offset` and deviation `spread`."""
        unit = acc / self._norm(w)[:, None, None]
        deviation = unit.std((0, 2, 3)).clamp_min(1e-3)
        spread, offset = (torch.tensor(t, device=acc.device) for t in (self.spread, self.offset))
        self.g.copy_((spread / deviation).clamp(max=64.0))
        self.b.copy_(offset - unit.mean((0, 2, 3)) * self.g)

    @torch.no_grad()
    def thaw(self, weight: Tensor, scale: Tensor, bias: Tensor) -> None:
        """Start training from stored integers, which `freeze` would give back but for rounding.

        Inputs that the stored weights (O, I, K, K) lack, behind the last, weigh 0.
        """
        w = F.pad(weight.float(), (0, 0, 0, 0, 0, self.shape[1] - weight.shape[1]))
        size = w.square().mean((1, 2, 3), keepdim=True).sqrt()
        # as large as new weights, for the same relative steps; where all are 0 the new ones stay
        self.v.copy_(torch.where(size > 0, w * (START / size), self.v))
        self.g.copy_(scale * self._norm(w) * 2.0**-self.shift)
        self.b.copy_(bias * 2.0**-self.shift)

    @torch.no_grad()
    def freeze(self) -> dict[str, Tensor]:
        """Return the integers that a model file stores: weight int8, scale int32, bias int32."""
        if self.exact:
            return {"weight": self.weight, "scale": self.scale, "bias": self.bias}
        w, m, b = self.integers()
        return {"weight": w.to(torch.int8), "scale": m.to(torch.int32), "bias": b.to(torch.int32)}

    def load(self, weight: Tensor, scale: Tensor, bias: Tensor) -> None:
        """Switch to the exact path with stored integers, after proving that it is exact.

        Raises
        ------
        ModelError
            If a shape is wrong or an intermediate could leave the exact range.
        """
        kinds = [(tuple(t.shape), t.dtype) for t in (weight, scale, bias)]
        channels = ((self.shape[0],), torch.int32)
        if kinds != [(self.shape, torch.int8), channels, channels]:
            raise ModelError("a layer's tensors have the wrong shape: the model file is damaged")
        magnitude = weight.to(torch.int64).abs()
        reach = magnitude.sum((1, 2, 3)) * self.reach()
        total = reach * scale.to(torch.int64).abs() + bias.to(torch.int64).abs()
        if int(reach.max()) >= EXACT_FLOAT32 or int(total.max()) >= EXACT_INT32:
            raise ModelError("a layer could leave the exact integer range: the model is refused")
        if self.causal and bool(magnitude[self.mask(weight.device).expand(self.shape) == 0].any()):
            raise ModelError("a channel would see channels after it: the model is refused")
        self.exact = True
        del self.v, self.g, self.b
        self.weight, self.scale, self.bias = weight, scale, bias
        self._packed = {}


class ResidualBlock(nn.Module):
    """h + conv(act(conv(act(h)))): two convolutions on a 16-bit residual stream.

    Parameters
    ----------
    width, size : int
        Channels, and size of the kernels.
    binary : bool
        Weights +-1 instead of 8 bit.
    signs : bool
        Activations +-1 instead of 8 bit.
    gain : float
        Deviation of what the block adds at the start, in units of its input's.
    """

    def __init__(
        self,
        width: int,
        size: int = 3,
        *,
        binary: bool = True,
        signs: bool = False,
        gain: float = 1 / 8,
    ) -> None:
        super().__init__()
        self.signs = signs
        self.first = IntegerConv(width, width, size, binary=binary, signs=signs)
        self.second = IntegerConv(
            width, width, size, binary=binary, signs=signs, spread=UNIT * gain
        )

    def forward(self, h: Tensor) -> Tensor:  # (B, W, H, W)
        delta: Tensor = self.first(h if self.signs else activation(h), active=not self.signs)
        out: Tensor = self.second(delta, add=h)
        return out


def residual_blocks(width: int, count: int) -> nn.Sequential:
    """Return `count` residual blocks of binary weights and 8-bit activations in a row."""
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


class Tower(nn.Module):
    """Stem (8 bit, 3x3) and binary residual blocks: planes or latents -> 8-bit features."""

    def __init__(self, inputs: int, width: int, blocks: int, *, input_max: int) -> None:
        super().__init__()
        self.stem = IntegerConv(inputs, width, 3, input_max=input_max)
        self.blocks = residual_blocks(width, blocks)

    def forward(self, x: Tensor) -> Tensor:  # (B, I, H, W) -> (B, W, H, W)
        return activation(self.blocks(self.stem(x)))
