"""In which order a kernel keeps hidden units: those that are mostly 0 lie beside one another.

A kernel leaves out what four units beside one another would be multiplied with where a rectifier
has left them at 0 for all pixels of a block. Which those are is seen from windows drawn at random.
The order changes no number: outputs of a layer and the weights that see them are moved together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Integers
from bitswap_models.exact.layers import Layer
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.pixel_net import Film, PixelNet
from bitswap_models.families.pixel_vae.window import taps

LOOKED = 256  # windows

Places = NDArray[np.intp]


class Ordered(NamedTuple):
    """The layers of a network, units that are mostly 0 first."""

    trunk: list[Layer]
    splits: Layer
    coded: Layer | None
    mixes: list[Layer]
    heads: list[Layer]
    units: Places
    """Which units of the trunk's layers these are: (layers, width)."""


def ordered(net: PixelNet, film: Film | None, *, gray: bool = False) -> Ordered:
    """Put the units of a network in order, as they are under a film, (cells, 2, layers, width), for
    pictures of colours, or for gray ones."""
    windows, channels, split = _windows(net.config), net.config.channels, net.config.split
    if gray:
        windows = windows[..., :1].repeat(channels, 2)
    count = len(windows)
    border = np.zeros((count, 3 * net.config.radius), np.int32)
    x, reference = net.inputs(windows[:, :-1], border)
    hidden = net.hidden(x, None if film is None else film[np.arange(count) % len(film)])
    trunk, residual = net.splits_of(hidden[-1]), windows[:, -1] - reference
    pairs = [net.units(channel, trunk, residual) for channel in range(channels)]
    units = [_order(layer) for layer in hidden]
    own, mixed = ([_order(seen) for seen in every] for every in zip(*pairs, strict=True))
    every = np.concatenate([channel * split + order for channel, order in enumerate(own)])
    return Ordered(
        list(map(_moved, net.trunk, units, [None, *units])),
        _moved(net.splits, every, units[-1]),
        net.coded and _moved(net.coded, every),
        list(map(_moved, net.mixes, mixed, own)),
        list(map(_moved, net.heads, [None] * channels, mixed)),
        np.stack(units),
    )


def _moved(layer: Layer, outputs: Places | None, inputs: Places | None = None) -> Layer:
    """Return the layer with its outputs, and what it sees, in another order."""
    weight, scale, bias = layer.weight, layer.scale, layer.bias
    if inputs is not None:
        weight = weight[:, inputs]
    if outputs is not None:
        weight, scale, bias = weight[outputs], scale[outputs], bias[outputs]
    return Layer(layer.shape, weight, scale, bias)


def _order(units: NDArray[np.integer]) -> Places:
    """Places of units (N, width), those that are 0 most often first."""
    return np.argsort(-(units == 0).sum(0), kind="stable")


def _windows(config: Config) -> Integers:
    """Windows and their pixels, (N, taps + 1, C): slopes under noise, from flat to busy ones."""
    random = np.random.default_rng(0)
    places = np.array([*taps(config.radius), (0, 0)])
    size = 2.0 ** random.uniform(-1, 5, (LOOKED, 1, 1))
    alike = random.uniform(0, 255, (LOOKED, 1, 1)) + 20 * random.normal(
        size=(LOOKED, 1, config.channels)
    )
    slope = random.normal(size=(LOOKED, 2, 1)) * size / 2
    noise = random.normal(size=(LOOKED, len(places), 1)) / 2
    noise = noise + 0.15 * random.normal(size=(LOOKED, len(places), config.channels))
    found: Integers = np.rint(alike + places @ slope + noise * size).clip(0, 255).astype(np.int32)
    return found
