"""A pixel VAE made larger: more channels, a wider window, more hidden units.

What the smaller model says of its own channels stays as it is, to the bit; fitting then uses the
new room. All is done in integers and without chance, since an archive may name a
small model and code under one that was grown from it: docs/format.md is normative.

* New taps, borders and inputs of new channels weigh 0.
* A new hidden unit is a unit of the smaller model, the first for the first, with the signs of its
  weights changed as good as randomly; nothing listens to it yet.
* A new channel begins as the first channel of a gray picture: it has that one's hidden units and
  mixture, follows no channel, and its linear layer sees its own taps where the first one's sees
  those of all channels.

Growing units whose function stays: Net2Net (Chen, Goodfellow and Shlens, ICLR 2016).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import Tensors, built
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.window import taps

MOST = 512  # hidden units
SCALE = 1 << 14  # of outputs that weigh nothing yet
NOTHING = {"weight": 0, "scale": SCALE, "bias": 0}
PARTS = ("weight", "scale", "bias")  # of a layer
Array = NDArray[np.integer]


def grow(model: PixelVAE, channels: int = 0, radius: int = 0, width: int = 0) -> PixelVAE:
    """Return a larger model, exact, that says the same of the same pictures.

    Parameters
    ----------
    model : PixelVAE
        An exact one.
    channels, radius, width : int
        Fields of its config; 0 is what they are.

    Raises
    ------
    ModelError
        If one would become smaller or too large, or the result cannot be proved exact.
    """
    old = model.config
    new = grown(old, channels=channels, radius=radius, width=width)
    if new == old:
        return model
    return built(PixelVAE, new, _Growth(old, new, model.tensors()).tensors())


def larger(model: PixelVAE, channels: int, radius: int, width: int) -> PixelVAE:
    """Return a model of so many channels, if it has fewer, with radius and width so much larger."""
    c = model.config
    return grow(model, max(c.channels, channels), c.radius + radius, c.width + width)


def grown(old: Config, **fields: int) -> Config:
    """Return a config with larger fields, of which 0 is what they are; raise ModelError if one
    would become smaller, or too large."""
    told: dict[str, Any] = {name: n or getattr(old, name) for name, n in fields.items()}
    new = replace(old, **told)
    smaller = any(getattr(new, name) < getattr(old, name) for name in fields)
    if smaller or not new.sound() or max(new.width, new.split) > MOST:
        raise ModelError("a pixel VAE cannot grow so")
    return new


def films(config: Config) -> tuple[str, ...]:
    """Return the names of the layers that modulate hidden units by z_1 and z_2."""
    return (("film.1", "film.2") if config.common else ("film.1",)) if config.latents else ()


class _Growth:
    """The tensors of a larger model, layer by layer."""

    def __init__(self, old: Config, new: Config, stored: Tensors) -> None:
        self.old, self.new, self.stored = old, new, stored
        window = {tap: at for at, tap in enumerate(taps(new.radius))}
        self.taps = np.array([window[tap] for tap in taps(old.radius)])

    def tensors(self) -> dict[str, Array]:
        """All of them, by name."""
        new = self.new
        out: dict[str, Array] = dict(self.stored)
        if new.latents:
            for name in ("encoder.stem", "encoder.colour"):
                out[f"{name}.weight"] = padded(out[f"{name}.weight"], new.channels, 1)
        for name in films(new):
            for part in PARTS:
                out[f"{name}.{part}"] = self._film(out[f"{name}.{part}"], part)
        for name, layer in {**self._trunk(), "splits": self._splits(), **self._channels()}.items():
            for part, array in layer.items():
                out[f"net.{name}.{part}"] = array
        return {name: np.ascontiguousarray(array) for name, array in out.items()}

    def _layer(self, name: str) -> dict[str, Array]:
        return {part: self.stored[f"net.{name}.{part}"] for part in PARTS}

    def _film(self, array: Array, part: str) -> Array:
        """Gains and shifts of new units are 0."""
        old, new = self.old, self.new
        units = array.reshape(2, old.layers, old.width, *array.shape[1:])
        units = padded(units, new.width, 2)
        if part == "scale":
            units[:, :, old.width :] = SCALE
        return units.reshape(-1, *array.shape[1:])

    def _inputs(self, weight: Array) -> Array:
        """Weights of the smaller window (O, I, 1, 1) among those of the larger one."""
        old, new = self.old, self.new
        outputs, seen = len(weight), len(self.taps) * old.channels
        window = np.zeros((outputs, len(taps(new.radius)), new.channels), weight.dtype)
        window[:, self.taps, : old.channels] = weight[:, :seen].reshape(outputs, -1, old.channels)
        border = weight[:, seen:].reshape(outputs, 3, old.radius)
        border = padded(border, new.radius, 2)
        both = (window.reshape(outputs, -1), border.reshape(outputs, -1))
        return np.concatenate(both, 1)[:, :, None, None]

    def _trunk(self) -> dict[str, dict[str, Array]]:
        old, new = self.old, self.new
        found = {}
        for at in range(new.layers):
            layer = self._layer(f"trunk.{at}")
            inputs = layer["weight"]
            inputs = padded(inputs, new.width, 1) if at else self._inputs(inputs)
            copied = np.arange(old.width, new.width) % old.width
            turned = inputs[copied] * signs(at, inputs[copied].shape).astype(np.int8)
            found[f"trunk.{at}"] = {
                "weight": np.concatenate((inputs, turned)),
                **{p: np.concatenate((layer[p], layer[p][copied])) for p in ("scale", "bias")},
            }
        return found

    def _splits(self) -> dict[str, Array]:
        layer = self._layer("splits")
        layer["weight"] = padded(layer["weight"], self.new.width, 1)
        return {part: self._with_channels(array) for part, array in layer.items()}

    def _with_channels(self, array: Array) -> Array:
        """Rows of new channels are those of the first."""
        each = array.reshape(self.old.channels, -1, *array.shape[1:])
        more = np.repeat(each[:1], self.new.channels - self.old.channels, 0)
        return np.concatenate((each, more)).reshape(-1, *array.shape[1:])

    def _channels(self) -> dict[str, dict[str, Array]]:
        """The layers of single channels."""
        old, new = self.old, self.new
        found = {}
        skip = {part: self._with_channels(array) for part, array in self._layer("skip").items()}
        skip["weight"] = self._inputs(skip["weight"])
        window = len(taps(new.radius)) * new.channels
        for c in range(old.channels, new.channels):
            rows = skip["weight"][c * new.components : (c + 1) * new.components, :window, 0, 0]
            own = rows.reshape(len(rows), -1, new.channels)
            total = own.sum(2, dtype=np.int64).clip(-127, 127)
            own[:] = 0
            own[:, :, c] = total
        found["skip"] = skip
        if new.channels > 1:
            found["coded"] = self._coded()
        gains = (new.channels - old.channels) * new.components  # of new channels
        for c in range(new.channels):
            source = c if c < old.channels else 0
            found[f"mixes.{c}"] = self._layer(f"mixes.{source}")
            head = self._layer(f"heads.{source}")
            if c >= old.channels:
                for part in head:
                    head[part] = head[part].copy()
                    head[part][3 * new.components :] = NOTHING[part]
            found[f"heads.{c}"] = _with_nothing(head, gains)
        return found

    def _coded(self) -> dict[str, Array]:
        """What channels see of those before them: nothing new."""
        old, new = self.old, self.new
        more = (new.channels - old.channels) * new.split
        if old.channels > 1:
            layer = self._layer("coded")
        else:
            layer = {"weight": np.zeros((new.split, 1, 1, 1), np.int8)}
            layer["scale"] = np.full(new.split, SCALE, np.int32)
            layer["bias"] = np.zeros(new.split, np.int32)
        layer["weight"] = padded(layer["weight"], new.channels, 1)
        return _with_nothing(layer, more)


def _with_nothing(layer: dict[str, Array], outputs: int) -> dict[str, Array]:
    """A layer with further outputs, whose weights and offsets are 0."""
    return {
        part: np.concatenate(
            (array, np.full((outputs, *array.shape[1:]), NOTHING[part], array.dtype))
        )
        for part, array in layer.items()
    }


def padded(array: Array, to: int, axis: int) -> Array:
    """Zeros behind the end of an axis."""
    width = [(0, 0)] * array.ndim
    width[axis] = (0, to - array.shape[axis])
    return np.pad(array, width)


def signs(seed: int, shape: tuple[int, ...]) -> Array:
    """+1 and -1 by SplitMix64's finalizer of (seed, place), the highest bit."""
    z = np.arange(int(np.prod(shape)), dtype=np.uint64) + (np.uint64(seed + 1) << np.uint64(32))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return 1 - 2 * (z >> np.uint64(63)).astype(np.int64).reshape(shape)
