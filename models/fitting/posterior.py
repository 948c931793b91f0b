"""What chooses latents, in training, in floats, beside a likelihood that moves in whole steps.

The binary weights of q(z_1 | x) cannot move in whole steps: so it is trained as training.py does,
by Adam over straight-through integers, and what counts is its average. So is what chooses z_2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.compiled import Floats
from bitswap_models.training.bits import logistic_bits
from bitswap_models.training.latents import draw
from bitswap_models.training.layers import frozen, layers
from bitswap_models.training.networks.common import Common
from bitswap_models.training.networks.pixel_vae import Encoder

RATE = 1e-3  # of Adam, at most
EMA = 0.999


class InFloats:
    """A part of a model, in training.

    Parameters
    ----------
    model : PixelVAE
        An exact one that has this part; it stays as it is.
    network : module
        Which is trained.
    name : str
        Of the part.
    """

    def __init__(self, model: PixelVAE, network: nn.Module, name: str) -> None:
        self.layers = layers(network, name)
        for layer, its in self.layers.items():
            its.thaw(model.layers[layer])
        self.parameters = list(network.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.adam = torch.optim.Adam(self.parameters, lr=RATE)
        self.done = 0

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
        """The integers of the average, as a model's file has them."""
        own = [parameter.clone() for parameter in self.parameters]
        try:
            for parameter, average in zip(self.parameters, self.average, strict=True):
                parameter.copy_(average)
            return frozen(self.layers)
        finally:
            for parameter, kept in zip(self.parameters, own, strict=True):
                parameter.copy_(kept)


class Posterior(InFloats):
    """The encoder of a model with latents, q(z_1 | x).

    Parameters
    ----------
    model : PixelVAE
    compiled : bool
        By torch's compiler, which needs one of C++: a third less time.
    """

    def __init__(self, model: PixelVAE, *, compiled: bool = False) -> None:
        self.encoder = Encoder(model.config)
        super().__init__(model, self.encoder, "encoder")
        self.run = torch.compile(self.encoder) if compiled else self.encoder

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


class Chooser(InFloats):
    """What chooses z_2 of statistics, in a model that has it.

    Parameters
    ----------
    model : PixelVAE
    found : int32 array (N, STATISTICS)
        Of groups; where the model chooses nothing yet, it starts on these.
    """

    def __init__(self, model: PixelVAE, found: NDArray[np.int32]) -> None:
        self.network = Common(model.config)
        super().__init__(model, self.network, "common")
        self.network.centre = torch.from_numpy(model.tensors()["common.centre"])
        if not model.layers["common.hidden"].scale.any():
            self.network.centre = torch.from_numpy(found.mean(0).astype(np.int32))
            for layer in self.layers.values():
                layer.starting = True
            with torch.no_grad():
                self.network(torch.from_numpy(found).float()[:, :, None, None])
            for layer in self.layers.values():
                layer.starting = False
            self.average = [p.detach().clone() for p in self.parameters]

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `InFloats.tensors`."""
        return super().tensors() | {"common.centre": self.network.centre.numpy()}

    def choose(self, found: NDArray[np.int32], prior: Tensor) -> tuple[Tensor, Tensor]:
        """z_2 of statistics (N, STATISTICS), (N, D), and its bits (N,) under p(z_2), (2, D)."""
        z = self.network(torch.from_numpy(found).float()[:, :, None, None])[:, :, 0, 0]
        return z, logistic_bits(prior[0], prior[1], z, 2.0**-17).sum(1)
