"""A pixel VAE made larger in all directions, to be trained further: nothing for archives.

Layers, hidden units of channels, channels of the encoder and a z_2 are added so that the model says
to the bit what it said, as growth.py adds channels, window and width. New components of mixtures,
and cells of another size, change it a little:

* A new layer, the last, is the identity, which z_1 and z_2 do not modulate yet.
* A new hidden unit of a channel is an old one, the first for the first, with other signs of its
  weights; nothing listens to it yet.
* A new component is a copy, an octave wider and less likely, of the first one at its anchor.
* Sums over cells of another size are larger or smaller: q(z_1 | x) is another one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitswap_cli.ans.parameters import SCALE_OF_ONE, SCALES_PER_OCTAVE
from bitswap_cli.errors import ModelError
from bitswap_models.exact.layers import Layer, Shape
from bitswap_models.exact.mixtures import LOGIT_STEPS
from bitswap_models.exact.tensors import Blank, built, packed
from bitswap_models.families.pixel_vae.common import Common
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.growth import (
    MOST,
    PARTS,
    Array,
    films,
    grow,
    grown,
    padded,
    signs,
)
from bitswap_models.families.pixel_vae.model import Encoder, PixelVAE
from bitswap_models.families.pixel_vae.pixel_net import ANCHORS

ONE = 1 << 16  # of scales and biases
ENCODER = 1 << 8  # seed of the signs of its first layer
COMMON = ENCODER << 1  # and of those that z_2 is made with
START = 32  # and their size
FILM_STEP = 1 << 13  # that a weight of z_2 adds to gains and shifts, in 2^-16
SPLIT = 1 << 10  # seed of the signs of hidden units of channels
OLD, NEW = LOGIT_STEPS // 2, 3 * LOGIT_STEPS // 2  # that logits of copied components, copies lose
FILM = 256  # scale of gains and shifts that weigh nothing yet
Stored = dict[str, Array]


def enlarge(
    model: PixelVAE,
    *,
    channels: int = 0,
    radius: int = 0,
    width: int = 0,
    layers: int = 0,
    split: int = 0,
    components: int = 0,
    tile: int = 0,
) -> PixelVAE:
    """Return a larger model, exact, that says nearly the same of the same pictures.

    Parameters
    ----------
    model : PixelVAE
        An exact one.
    channels, radius, width, layers, split, components, tile : int
        Fields of its config; 0 is what they are.

    Raises
    ------
    ModelError
        If one, but for the tile, would become smaller or too large, if there are more components of
        fewer than there are anchors, or if the result cannot be proved exact.
    """
    model = grow(model, channels=channels, radius=radius, width=width)
    old = model.config
    cells = replace(old, tile=tile or old.tile)  # which may become smaller
    new = grown(cells, layers=layers, split=split, components=components)
    if new.components > old.components and old.components < len(ANCHORS):
        raise ModelError("a pixel VAE of so few components cannot grow more")
    if new == old:
        return model
    stored: Stored = dict(model.tensors())
    if new.split > old.split:
        _widen_splits(stored, old, new.split)
    if new.components > old.components:
        _add_components(stored, old, new.components)
    for at in range(old.layers, new.layers):
        _add_layer(stored, old, at)
    return built(PixelVAE, new, {k: np.ascontiguousarray(v) for k, v in stored.items()})


def widen_encoder(model: PixelVAE, channels: int) -> PixelVAE:
    """Return a model with more channels in q(z_1 | x), exact, that says the same of all pictures.

    What is new has to be trained (tuning.py). New channels have the weights of
    old ones with other signs; behind the first layer with scale and offset 0, so that they are 0.

    Parameters
    ----------
    model : PixelVAE
        An exact one.
    channels : int

    Raises
    ------
    ModelError
        If the encoder would become smaller or too large, or there is none.
    """
    if not model.depth or not model.config.encoder <= channels <= MOST:
        raise ModelError(f"there is no encoder that can grow to {channels} channels")
    new = replace(model.config, encoder=channels)
    stored, blank = model.tensors(), Blank()
    Encoder(new, blank.part("encoder"))
    for at, (name, layer) in enumerate(blank.layers.items()):
        first = name == "encoder.stem"
        wider = _widened(model.layers[name], layer.shape, ENCODER + at, first=first)
        stored |= {f"{name}.{part}": array for part, array in wider.items()}
    return built(PixelVAE, new, stored)


def with_common(model: PixelVAE, size: int) -> PixelVAE:
    """Return a model with a z_2 of so many integers, exact, that says the same of all pictures.

    z_2 is 0 and weighs nothing, until both are trained (tuning.py).

    Parameters
    ----------
    model : PixelVAE
        An exact one, without z_2.
    size : int

    Raises
    ------
    ModelError
        If it has one already, or the result would be none that a file may hold.
    """
    new = replace(model.config, common=size)
    if model.common is not None or not size or not new.sound():
        raise ModelError(f"a pixel VAE cannot get a z_2 of {size} integers so")
    blank = Blank()
    Common(new, blank.part("common"))
    stored: Stored = dict(model.tensors()) | blank.taken
    for at, name in enumerate(("common.hidden", "common.mean")):
        turned = signs(COMMON + at, blank.layers[name].shape.weights)
        stored[f"{name}.weight"] = (START * turned).astype(np.int8)
    stored["common.prior"][1] = SCALE_OF_ONE + 3 * SCALES_PER_OCTAVE
    units = 2 * new.layers * new.width
    stored["film.2.weight"] = np.zeros((units, size, 1, 1), np.int8)
    stored["film.2.scale"] = np.full(units, FILM_STEP, np.int32)
    stored["film.2.bias"] = np.zeros(units, np.int32)
    return built(PixelVAE, new, stored)


def _widened(narrow: Layer, shape: Shape, seed: int, *, first: bool) -> Stored:
    """The tensors of a layer of the encoder with more inputs, outputs or both."""
    had, saw = narrow.shape.outputs, narrow.shape.inputs
    outputs, inputs = shape.outputs, shape.inputs
    weight = narrow.weight[np.arange(outputs) % had][:, np.arange(inputs) % saw]
    weight = (weight * signs(seed, weight.shape)).astype(np.int8)
    weight[:had, :saw] = narrow.weight
    if not shape.binary:
        weight[:had, saw:] = 0
    more = np.arange(had, outputs) % had
    stored: Stored = {"weight": packed(weight) if shape.binary else weight}
    for part, array in (("scale", narrow.scale), ("bias", narrow.bias)):
        stored[part] = np.concatenate((array, array[more] if first else 0 * array[more]))
    return stored


def _widen_splits(stored: Stored, old: Config, split: int) -> None:
    """More hidden units of each channel."""
    copied = np.arange(old.split, split) % old.split
    for at, name in enumerate(("net.splits", "net.coded")[: min(old.channels, 2)]):
        for part in PARTS:
            units = _each(stored[f"{name}.{part}"], old.channels)
            more = units[:, copied]
            if part == "weight":
                more = (more * signs(SPLIT + at, more.shape)).astype(np.int8)
            stored[f"{name}.{part}"] = _joined(units, more)
    for i in range(old.channels):
        name = f"net.mixes.{i}"
        weight = padded(stored[f"{name}.weight"], split, 1)
        more = weight[copied] * signs(SPLIT + 2 + i, weight[copied].shape)
        stored[f"{name}.weight"] = np.concatenate((weight, more.astype(np.int8)))
        for part in PARTS[1:]:
            array = stored[f"{name}.{part}"]
            stored[f"{name}.{part}"] = np.concatenate((array, array[copied]))
        stored[f"net.heads.{i}.weight"] = padded(stored[f"net.heads.{i}.weight"], split, 1)


def _add_components(stored: Stored, old: Config, components: int) -> None:
    """More components of mixtures."""
    copied = np.arange(old.components, components) % len(ANCHORS)
    for part in PARTS:
        skip = _each(stored[f"net.skip.{part}"], old.channels)
        stored[f"net.skip.{part}"] = _joined(skip, skip[:, copied])
        for i in range(old.channels):
            name = f"net.heads.{i}.{part}"
            # logits, means, scales and gains of all components
            rows = _each(stored[name], 3 + old.channels - 1).copy()
            more = rows[:, copied]
            if part == "bias":
                rows[0, np.unique(copied)] -= OLD * ONE
                more[0] -= NEW * ONE
                more[2] += SCALES_PER_OCTAVE * ONE
            stored[name] = _joined(rows, more)


def _add_layer(stored: Stored, old: Config, at: int) -> None:
    """A last layer, the `at`-th, that changes nothing."""
    width, name = old.width, f"net.trunk.{at}"
    stored[f"{name}.weight"] = (127 * np.eye(width, dtype=np.int8))[:, :, None, None]
    stored[f"{name}.scale"] = np.full(width, round(ONE / 127), np.int32)
    stored[f"{name}.bias"] = np.full(width, ONE // 2, np.int32)
    for name in films(old):
        for part in PARTS:
            units = _each(stored[f"{name}.{part}"], 2)  # gains, and shifts
            # small, since weights of 0 begin anew in training
            more = np.full_like(units[:, :width], FILM if part == "scale" else 0)
            stored[f"{name}.{part}"] = _joined(units, more)


def _each(array: Array, count: int) -> Array:
    """Outputs of so many parts: (count * n, ..) -> (count, n, ..)."""
    return array.reshape(count, -1, *array.shape[1:])


def _joined(each: Array, more: Array) -> Array:
    """Undo `_each`, with more outputs of each part."""
    both = np.concatenate((each, more), 1)
    return both.reshape(-1, *both.shape[2:])
