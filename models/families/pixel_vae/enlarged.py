"""A pixel VAE made larger in all directions, to be trained further: nothing for archives.

Layers and hidden units of channels are added so that the model says to the bit what it said, as
growth.py adds channels, window and width. New components of mixtures, and cells of another size,
change it a little:

* A new layer, the last, is the identity, which z_1 and z_2 do not modulate yet.
* A new hidden unit of a channel is an old one, the first for the first, with other signs of its
  weights; nothing listens to it yet.
* A new component is a copy, an octave wider and less likely, of the first one at its anchor.
* Sums over cells of another size are larger or smaller: q(z_1 | x) is another one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitswap_cli.ans.parameters import SCALES_PER_OCTAVE
from bitswap_cli.errors import ModelError
from bitswap_models.exact.mixtures import LOGIT_STEPS
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.growth import Array, grow, padded, signs
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.pixel_net import ANCHORS

ONE = 1 << 16  # of scales and biases
SPLIT = 1 << 10  # seed of the signs of hidden units of channels
OLD, NEW = LOGIT_STEPS // 2, 3 * LOGIT_STEPS // 2  # that logits of copied components, copies lose
FILM = 256  # scale of gains and shifts that weigh nothing yet
PARTS = ("weight", "scale", "bias")
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
    new = replace(
        old,
        layers=layers or old.layers,
        split=split or old.split,
        components=components or old.components,
        tile=tile or old.tile,
    )
    smaller = any(getattr(new, n) < getattr(old, n) for n in ("layers", "split", "components"))
    few = new.components > old.components and old.components < len(ANCHORS)
    if smaller or few or not new.sound() or new.split > 512:
        raise ModelError("a pixel VAE cannot grow so")
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
    if not old.latents:
        return
    for name in ("film.1", "film.2") if old.common else ("film.1",):
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
