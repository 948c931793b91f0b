"""The integers of a pixel VAE that are fitted, as one vector, and the whole steps they move in."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_models.exact.layers import EXACT_INT32, EXACT_SUM, Layer
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.compiled import Floats, in_order

BIAS_STEP = 1 << 13  # an eighth of a unit of the layer's outputs
SCALE_STEPS = 128  # of a typical scale


class Place(NamedTuple):
    """A layer's place in the vector: weights (O, I), scales and biases (O,)."""

    name: str
    layer: Layer
    at: int

    def parts(self) -> tuple[slice, slice, slice]:
        """Of weights, scales and biases."""
        outputs = self.layer.shape.outputs
        ends = np.cumsum((self.at, self.layer.weight.size, outputs, outputs))
        first, second, third = (slice(int(a), int(b)) for a, b in zip(ends, ends[1:], strict=False))
        return first, second, third


class Parameters:
    """The integers of a model's likelihood, which are the first `likelihood` ones, and of its
    modulation.

    Parameters
    ----------
    model : PixelVAE
    """

    def __init__(self, model: PixelVAE) -> None:
        self.model = model
        own = {n[4:]: layer for n, layer in model.layers.items() if n.startswith("net.")}
        found = {f"net.{n}": layer for n, layer in in_order(own).items()}
        self.likelihood = sum(map(_size, found.values()))
        found |= {n: layer for n, layer in model.layers.items() if n.startswith("film.")}
        self.places: list[Place] = []
        at = 0
        for name, layer in found.items():
            self.places.append(Place(name, layer, at))
            at += _size(layer)
        self.base = np.zeros(at, np.int64)
        self.step = np.ones(at, np.int64)  # of the integers
        self.free = np.ones(at, np.float32)  # 0 where an integer has to stay
        unit = np.ones(at)  # integers that stand for 1
        self.lowest = np.full(at, -np.inf, np.float32)  # that a difference may be
        self.highest = -self.lowest
        self.tensor = np.zeros(at, np.int64)  # the number of the tensor that each belongs to
        for number, place in enumerate(self.places):
            layer = place.layer
            weight, scale, bias = place.parts()
            self.base[weight] = layer.weight.ravel()
            self.lowest[weight] = -127 - self.base[weight]  # weights have 8 bits
            self.highest[weight] = 127 - self.base[weight]
            self.free[weight] = np.broadcast_to(layer.shape.mask, layer.weight.shape).ravel()
            self.base[scale], self.base[bias] = layer.scale, layer.bias
            typical = float(np.median(np.abs(self.base[scale])))
            self.step[scale] = 1 << max(0, math.floor(math.log2(max(typical, 1) / SCALE_STEPS)))
            self.step[bias] = BIAS_STEP
            unit[scale] = unit[bias] = 1 << layer.shape.shift
            for part, where in enumerate((weight, scale, bias)):
                self.tensor[where] = 3 * number + part
        self.slope = (self.step / unit).astype(np.float32)
        self.start = (self.base / unit).astype(np.float32)

    def effective(self, differences: Floats) -> Floats:
        """What the layers multiply by: weights, scales and biases as numbers. (P,)"""
        return (self.start + np.rint(differences) * self.slope).astype(np.float32, copy=False)

    def tensors(self, differences: Floats) -> dict[str, NDArray[Any]]:
        """The integers as a model's file has them.

        An output that could leave the exact range goes back to what it was.
        """
        stored: dict[str, NDArray[Any]] = {}
        whole = self.base + np.rint(differences).astype(np.int64) * self.step
        for place in self.places:
            shape = place.layer.shape
            weight, scale, bias = (whole[p] for p in place.parts())
            rows = weight.reshape(shape.outputs, -1)
            reach = np.abs(rows).sum(1) * shape.reach
            lost = reach * np.abs(scale) + np.abs(bias) >= EXACT_INT32
            lost |= reach >= EXACT_SUM
            rows[lost] = self.base[place.parts()[0]].reshape(rows.shape)[lost]
            for part, own in zip((scale, bias), place.parts()[1:], strict=True):
                part[lost] = self.base[own][lost]
            stored[f"{place.name}.weight"] = rows.astype(np.int8).reshape(shape.weights)
            stored[f"{place.name}.scale"] = scale.astype(np.int32)
            stored[f"{place.name}.bias"] = bias.astype(np.int32)
        return stored


def _size(layer: Layer) -> int:
    return layer.weight.size + 2 * layer.shape.outputs
