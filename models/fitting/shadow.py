"""The modulation of a pixel VAE's likelihood by z_1, differentiable, by torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.parameters import Place
from bitswap_models.training.layers import layers
from bitswap_models.training.networks.pixel_vae import PixelNetwork


class Shadow:
    """A network whose modulation multiplies by what it is given.

    Parameters
    ----------
    base : PixelVAE
        One with latents.
    places : sequence of Place
        Of all layers in training.
    """

    def __init__(self, base: PixelVAE, places: Sequence[Place]) -> None:
        self.network = PixelNetwork(base.config)
        self.network.bounds = None if base.bounds is None else torch.tensor(base.bounds)
        found = layers(self.network)
        own = [place for place in places if place.name.startswith("film.")]
        self.layers = [found[place.name] for place in own]
        self.sizes = [p.stop - p.start for place in own for p in place.parts()]

    def take(self, parameters: Tensor) -> None:
        """Multiply by these from here on, with gradients: those of all but the likelihood."""
        parts = iter(torch.split(parameters, self.sizes))
        for layer in self.layers:
            weight, scale, bias = (next(parts) for _ in range(3))
            scaled = (p * 2.0**layer.shift for p in (scale, bias))
            integers = weight.view(layer.shape.weights), *scaled
            layer.integers = partial(tuple, integers)  # type: ignore[method-assign, assignment]
