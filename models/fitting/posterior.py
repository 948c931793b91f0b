"""q(z_1 | x) in training, in floats, beside a likelihood that fitting.py trains in whole steps.

Its binary weights cannot move in whole steps: so it is trained as training.py does, by Adam over
straight-through integers, and what counts is its average.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.gradient import Floats
from bitswap_models.training.bits import logistic_bits
from bitswap_models.training.latents import draw
from bitswap_models.training.layers import frozen, layers
from bitswap_models.training.networks.pixel_vae import Encoder

RATE = 1e-3  # of Adam, at most
EMA = 0.999


class Posterior:
    """The encoder of a model, in training.

    Parameters
    ----------
    model : PixelVAE
        An exact one with latents; it stays as it is.
    compiled : bool
        By torch's compiler, which needs one of C++: a third less time.
    """

    def __init__(self, model: PixelVAE, *, compiled: bool = False) -> None:
        self.encoder = Encoder(model.config)
        self.layers = layers(self.encoder, "encoder")
        for name, layer in self.layers.items():
            layer.thaw(model.layers[name])
        self.parameters = list(self.encoder.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.adam = torch.optim.Adam(self.parameters, lr=RATE)
        self.run = torch.compile(self.encoder) if compiled else self.encoder
        self.done = 0

    def draw(self, images: Floats, noise: Floats, top: Tensor) -> tuple[Tensor, Tensor]:
        """Draw latents of cells (B, T, T, C), (B, D), and count their bits (B,) under p(z_1).

        Parameters
        ----------
        images, noise : float32 arrays
            As the encoder sees them; as from `latent_noise`, (2, B, D).
        top : tensor (2, D)
            p(z_1).
        """
        x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
        mean, scale = (p[:, :, 0, 0] for p in self.run(x))
        z = draw(mean, scale, torch.from_numpy(noise))
        bits = logistic_bits(top[0], top[1], z, 2.0**-17)
        bits = bits - logistic_bits(mean, scale, z, 2.0**-17)
        return z, bits.sum(1)

    @torch.no_grad()
    def step(self, share: float) -> None:
        """Follow the gradients that have come together, at a share of `RATE`."""
        for group in self.adam.param_groups:
            group["lr"] = RATE * share
        self.adam.step()
        self.adam.zero_grad()
        for layer in self.layers.values():
            if layer.binary:
                layer.v.clamp_(-1, 1)
        self.done += 1
        kept = min(EMA, self.done / (10 + self.done))
        for average, parameter in zip(self.average, self.parameters, strict=True):
            average.lerp_(parameter, 1 - kept)

    @torch.no_grad()
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The integers of the average encoder, as a model's file has them."""
        own = [parameter.clone() for parameter in self.parameters]
        try:
            for parameter, average in zip(self.parameters, self.average, strict=True):
                parameter.copy_(average)
            return frozen(self.layers)
        finally:
            for parameter, kept in zip(self.parameters, own, strict=True):
                parameter.copy_(kept)
