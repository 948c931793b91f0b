"""Exact-integer layers: what a network computes while it codes.

Every array between layers holds integers, int16, channels last: (B, H, W, C). A layer is
``acc = conv(x, w)`` followed by ``y = (acc * m + b) >> s`` with one integer ``m`` and ``b`` per
output channel, and saturates at +-`SATURATION`; weights are +-1 (binary weight normalization) or
8 bit. `Layer` bounds every intermediate before it computes anything, so that nothing can depend on
the order of sums. It is one call of the compiled kernel or, where there is none, numpy: products of
matrices of integers in float64, far below 2^53, and int64.

What networks are trained with simulates this in floating point: bitswap_models.training.layers.

Reference: Bird, Kingma and Barber, "Reducing the Computational Cost of Deep Generative Models with
Binary Neural Networks", ICLR 2021, eq. 12-13 (the scale g / sqrt(n) is applied after the
convolution).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ModelError
from bitswap_models.exact.kernel import Pool, Values, Weights, engine
from bitswap_models.exact.products import product

UNIT = 64  # integer activations that stand for 1.0
ACTIVATION_MAX = 255  # activations are unsigned 8 bit
SATURATION = 32767  # layers and the residual stream are signed 16 bit
EXACT_SUM = 2**24  # sums of products stay under this
EXACT_INT32 = 2**31

ACTIVATION = (0, ACTIVATION_MAX)  # a rectifier that saturates
STREAM = (-SATURATION, SATURATION)


@dataclass(frozen=True)
class Shape:
    """What is known of a layer before its integers are.

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
    relative : int
        0, or the number of channels C of a reference: inputs are whole planes of C channels and
        every tap sees the difference to the reference, ``conv(x) - conv1x1(reference)``.
    causal : bool
        Outputs are in as many groups as there are inputs; group j sees inputs before j only.
    signs : bool
        Inputs count by their signs alone: 1 where they are not negative, else -1; of what is
        outside of the image, 0.
    """

    inputs: int
    outputs: int
    size: int = 1
    binary: bool = False
    input_max: int = ACTIVATION_MAX
    relative: int = 0
    causal: bool = False
    signs: bool = False

    @property
    def weights(self) -> tuple[int, int, int, int]:
        """Shape of the weights, (O, I, K, K)."""
        return self.outputs, self.inputs, self.size, self.size

    @property
    def shift(self) -> int:
        """How far products with the scale are shifted down."""
        return 12 if self.binary else 16

    @property
    def reach(self) -> int:
        """How much a weight can add to a sum."""
        return 1 if self.signs else self.input_max * (2 if self.relative else 1)

    @property
    def mask(self) -> NDArray[np.int8]:
        """1 where there may be a weight, else 0. (O, I, 1, 1)"""
        group = np.arange(self.outputs) * self.inputs // self.outputs
        seen = np.arange(self.inputs) < group[:, None] if self.causal else True
        mask = np.broadcast_to(seen, (self.outputs, self.inputs)).astype(np.int8)
        return mask[:, :, None, None]


class Layer:
    """A layer with its integers, proved exact.

    Parameters
    ----------
    shape : Shape
    weight : int8 array (O, I, K, K)
    scale, bias : int32 arrays (O,)

    Raises
    ------
    ModelError
        If an array has the wrong shape or an intermediate could leave the exact range.
    """

    def __init__(
        self,
        shape: Shape,
        weight: NDArray[Any],
        scale: NDArray[Any],
        bias: NDArray[Any],
    ) -> None:
        kinds = [(array.shape, array.dtype) for array in (weight, scale, bias)]
        channels = ((shape.outputs,), np.dtype(np.int32))
        if kinds != [(shape.weights, np.dtype(np.int8)), channels, channels]:
            raise ModelError("a layer's tensors have the wrong shape: the model file is damaged")
        magnitude = np.abs(weight.astype(np.int64))
        reach = magnitude.sum((1, 2, 3)) * shape.reach
        total = reach * np.abs(scale.astype(np.int64)) + np.abs(bias.astype(np.int64))
        if reach.max() >= EXACT_SUM or total.max() >= EXACT_INT32:
            raise ModelError("a layer could leave the exact integer range: the model is refused")
        if shape.causal and (magnitude * (1 - shape.mask)).any():
            raise ModelError("a channel would see channels after it: the model is refused")
        self.shape = shape
        self.weight: NDArray[np.int8] = weight
        self.scale: NDArray[np.int32] = scale
        self.bias: NDArray[np.int32] = bias
        self._weights: dict[bool, Weights] = {}  # by `once`, when the kernel has asked

    def parts(self, count: int) -> tuple[Layer, ...]:
        """Split into layers of as many outputs each."""
        outputs = self.shape.outputs // count
        shape = replace(self.shape, outputs=outputs, causal=False)
        ends = range(0, self.shape.outputs, outputs)
        return tuple(
            Layer(shape, *(a[k : k + outputs] for a in (self.weight, self.scale, self.bias)))
            for k in ends
        )

    def __call__(
        self,
        x: NDArray[np.integer],
        reference: NDArray[np.integer] | None = None,
        *,
        add: NDArray[np.integer] | None = None,
        within: tuple[int, int] = STREAM,
        pool: Pool | None = None,
    ) -> Values:
        """Return the layer's integers, saturated: (B, H, W, I) -> (B, H, W, O).

        Parameters
        ----------
        x : integer array that fits int16
            One channel stands for inputs that all repeat it.
        reference : integer array (B, H, W, C), of a relative layer
            One channel stands for C likewise.
        add : integer array (B, H, W, O), optional
            Added to the result, which saturates again.
        within : (int, int)
            What the result is clipped to in the end: `STREAM`, `ACTIVATION` or others within
            `STREAM`.
        pool : (int, int), optional
            See `Pool`; nothing is added then, and sums have to fit int16.
        """
        kernel = engine()
        if kernel is None:
            y = self._reference(x, reference, add, within)
            return y if pool is None else pooled(y, 1 << pool[0], pool[1])
        once = x.shape[3] == 1 < self.shape.inputs
        if once and not self._has_sums:
            x, once = x.repeat(self.shape.inputs, 3), False
            reference = None if reference is None else reference.repeat(self.shape.relative, 3)
        weights = self._weights.get(once) or self._packed(once=once)
        self._weights[once] = weights
        return kernel.run(weights, x, reference, add, *within, pool)

    @property
    def _has_sums(self) -> bool:
        """Whether sums of weights fit 16 bits, whatever they are."""
        return 128 * self.shape.inputs * self.shape.size**2 < 1 << 15

    def _packed(self, *, once: bool) -> Weights:
        """Return the layer as the kernel reads it, for inputs as they are, or for one, `once`."""
        s, weight, relative = self.shape, self.weight.astype(np.int16), self.shape.relative
        if once:
            weight, relative = weight.sum(1, dtype=np.int16, keepdims=True), min(relative, 1)
        return Weights(weight, self.scale, self.bias, s.shift, relative, signs=s.signs)

    def _reference(
        self,
        x: NDArray[np.integer],
        reference: NDArray[np.integer] | None,
        add: NDArray[np.integer] | None,
        within: tuple[int, int],
    ) -> Values:
        """The definition, tap by tap."""
        batch, height, width, channels = x.shape
        inputs = self.shape.inputs
        if channels == 1 < inputs:
            x = x.repeat(inputs, 3)
        size, edge = self.shape.size, self.shape.size // 2
        seen = (np.where(x < 0, -1, 1) if self.shape.signs else x).astype(np.float64)
        if edge:  # every tap of a relative layer exists: differences, not zeros
            around = ((0, 0), (edge, edge), (edge, edge), (0, 0))
            seen = np.pad(seen, around, "edge" if self.shape.relative else "constant")
        sums = np.zeros((batch * height * width, self.shape.outputs), np.int64)
        for i in range(size):
            for j in range(size):
                tap = seen[:, i : i + height, j : j + width]
                if reference is not None:
                    tap = tap - np.tile(reference, inputs // reference.shape[-1])
                sums += product(tap.reshape(len(sums), inputs), self.weight[:, :, i, j].T)
        y = (sums * self.scale + self.bias) >> self.shape.shift
        y = y.clip(*STREAM).reshape(batch, height, width, -1)
        clipped: Values = (y if add is None else y + add).clip(*within).astype(np.int16)
        return clipped


def pooled(x: NDArray[np.integer], size: int, down: int) -> Values:
    """Add up squares of `size` pixels of 0..255 a side, and shift them down: (B, H, W, C) -> (B,
    H/size, W/size, C)."""
    sums: type[np.int16 | np.int32] = np.int16 if 255 * size**2 < 1 << 15 else np.int32
    rows: NDArray[np.signedinteger] = x[:, ::size].astype(sums)
    for i in range(1, size):
        rows += x[:, i::size]
    squares = rows[:, :, ::size].copy()
    for i in range(1, size):
        squares += rows[:, :, i::size]
    squares >>= down
    return squares.astype(np.int16, copy=False)


def activation(x: NDArray[np.integer]) -> Values:
    """Clip to unsigned 8 bit."""
    return x.clip(*ACTIVATION).astype(np.int16, copy=False)
