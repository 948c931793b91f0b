"""The tensors of a model's file, as a model that codes is built from them.

Of a layer NAME there are ``NAME.weight`` (int8, or uint8 of packed signs, most significant bit
first, 1 = +1), ``NAME.scale`` and ``NAME.bias`` (int32).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bitswap_cli.errors import ModelError
from bitswap_models.exact.layers import Layer, Shape

Tensors = Mapping[str, NDArray[Any]]
Model = TypeVar("Model")
Config = TypeVar("Config")


class Stored:
    """Tensors that a model takes one by one.

    Parameters
    ----------
    tensors : mapping of names to arrays

    Raises
    ------
    ModelError
        By all methods: if a tensor is missing, has the wrong shape or is not proved exact.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._given, self._prefix = tensors, ""
        self.taken: dict[str, NDArray[Any]] = {}
        self.layers: dict[str, Layer] = {}
        """Those that were taken, by their names in the file, in this order."""

    def part(self, name: str) -> Stored:
        """The tensors of a part of the model, under names of its own."""
        inner = copy(self)
        inner._prefix = f"{self._prefix}{name}."
        return inner

    def layer(self, name: str, shape: Shape) -> Layer:
        """Take a layer."""
        weight, scale, bias = (self.take(f"{name}.{part}") for part in ("weight", "scale", "bias"))
        if shape.binary:
            weight = unpacked(weight, shape.weights)
        layer = self.layers[self._prefix + name] = Layer(shape, weight, scale, bias)
        return layer

    def integers(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.int32
    ) -> NDArray[Any]:
        """Take an array of integers that is no layer's."""
        array = self.take(name)
        if array.shape != shape or array.dtype != dtype:
            raise ModelError(f"{name} has the wrong shape: the model file is damaged")
        return array

    def take(self, name: str) -> NDArray[Any]:
        """Take an array as it is."""
        name = self._prefix + name
        try:
            array = self.taken[name] = self._given[name]
        except KeyError:
            raise ModelError(f"the model file lacks the tensor {name!r}") from None
        return array

    def check_all_taken(self) -> None:
        """Raise ModelError if the model left any."""
        if self.taken.keys() != self._given.keys():
            raise ModelError("the model file holds tensors that its config does not name")


class Blank(Stored):
    """Zeros, of whatever a model asks for: to see what that is."""

    def __init__(self) -> None:
        super().__init__({})

    def layer(self, name: str, shape: Shape) -> Layer:
        """Take a layer of zeros."""
        weight = np.zeros(shape.weights, np.int8)
        scale, bias = np.zeros((2, shape.outputs), np.int32)
        parts = {"weight": packed(weight) if shape.binary else weight, "scale": scale, "bias": bias}
        self.taken |= {f"{self._prefix}{name}.{part}": array for part, array in parts.items()}
        layer = self.layers[self._prefix + name] = Layer(shape, weight, scale, bias)
        return layer

    def integers(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.int32
    ) -> NDArray[Any]:
        """Take zeros that are no layer's."""
        array: NDArray[Any] = np.zeros(shape, dtype)
        self.taken[self._prefix + name] = array
        return array


def built(make: Callable[[Config, Stored], Model], config: Config, tensors: Tensors) -> Model:
    """Make a model of all of its tensors; raise ModelError unless it is proved exact."""
    stored = Stored(tensors)
    model = make(config, stored)
    stored.check_all_taken()
    return model


def packed(weight: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Weights +-1 as bits."""
    return np.packbits(weight.ravel() > 0)


def unpacked(bits: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Undo `packed`; raise ModelError if these are not the bits of such weights."""
    count = math.prod(shape)
    if bits.dtype != np.uint8 or bits.size != (count + 7) // 8:
        raise ModelError("packed weights have the wrong size: the model file is damaged")
    signs = np.unpackbits(bits.ravel(), count=count).astype(np.int8)
    return (signs * 2 - 1).reshape(shape)
