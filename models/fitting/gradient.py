"""Bits of pixels under the likelihood of a pixel VAE, and their gradient to its integers.

Training by `PixelNetwork.elbo` passes over memory some two hundred times a step; the compiled
`gradient.c` goes forward and back through a few pixels at a time, which stay in the caches. The
definition is `reference`: pixel_net.py in floating point, differentiated by torch, on a GPU if
there is one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache, partial

import torch
from torch import Tensor

from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.fitting.compiled import Floats, Pixels, in_order
from bitswap_models.training.bits import mixture_bits
from bitswap_models.training.layers import layers
from bitswap_models.training.machine.graph import recorded
from bitswap_models.training.networks.pixel_net import PixelNet


def reference(
    net: PixelNet, parameters: Tensor, film: Tensor | None, pixels: Sequence[Tensor], soft: float
) -> Tensor:
    """Bits of pixels, differentiable.

    Parameters
    ----------
    net : PixelNet
        Whose own parameters are not looked at.
    parameters : (P,) float
        Of each layer, as `in_order` has them: weights (O, I), scales and biases (O,), all as
        `integers` of a layer gives them, the last two over 2^shift.
    film : (B, 2, layers, width) float, optional
        Of B cells, which N / B pixels each belong to.
    pixels : sequence of uint8 tensors
        As `Pixels`.
    soft : float
        Added to every probability.
    """
    at = 0
    for layer in in_order(layers(net)).values():
        outputs, inputs = layer.shape.outputs, layer.shape.inputs
        parts = torch.split(
            parameters[at : at + outputs * (inputs + 2)], [outputs * inputs, outputs, outputs]
        )
        at += outputs * (inputs + 2)
        scaled = parts[0].view(layer.shape.weights), *(p * 2.0**layer.shift for p in parts[1:])
        layer.integers = partial(tuple, scaled)  # type: ignore[method-assign, assignment]
    window, border, known = (array.float() for array in pixels[:3])
    terms = net.terms(window, border, film)
    channels = [net.channel(c, terms, known.T) for c in range(net.config.channels)]
    logit, mean, scale = (torch.stack(t)[None] for t in zip(*channels, strict=True))
    bits = mixture_bits(logit, mean, scale, known.T[None], soft)[0]  # (C, N)
    counted = torch.arange(len(bits), device=bits.device)[:, None] < pixels[3]
    return (bits * counted).sum()


def by_torch(
    config: Config, parameters: Floats, film: Floats | None, pixels: Pixels, soft: float
) -> tuple[float, Floats, Floats | None]:
    """Bits of pixels by `reference`, and their gradient to parameters and films."""
    return Recorded(config, parameters, film, pixels, soft, torch.device("cpu"))(
        parameters, film, pixels
    )


class Recorded:
    """`reference` and its gradient for one shape of batch, on a device.

    A GPU is done with a batch before Python could tell it the hundreds of steps: they are recorded
    once, and repeated.

    Parameters
    ----------
    config : Config
    parameters, film, pixels
        An example of what is given later.
    soft : float
    device : torch.device
    """

    def __init__(
        self,
        config: Config,
        parameters: Floats,
        film: Floats | None,
        pixels: Pixels,
        soft: float,
        device: torch.device,
    ) -> None:
        self.net, self.soft = PixelNet(config), soft
        given = (parameters,) if film is None else (parameters, film)
        self.leaves = [torch.tensor(a, device=device, requires_grad=True) for a in given]
        self.pixels = [torch.tensor(a, device=device) for a in pixels]
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32: products of our integers stay exact
        self.run = recorded(self._run, device, lambda _: None)

    def _run(self) -> None:
        film = self.leaves[1] if len(self.leaves) > 1 else None
        bits = reference(self.net, self.leaves[0], film, self.pixels, self.soft)
        self.bits, self.slopes = bits.detach(), torch.autograd.grad(bits, self.leaves)

    def __call__(
        self, parameters: Floats, film: Floats | None, pixels: Pixels
    ) -> tuple[float, Floats, Floats | None]:
        """Bits of pixels, and their gradient to parameters and films; see `reference`."""
        given = (parameters,) if film is None else (parameters, film)
        with torch.no_grad():
            for tensor, array in zip((*self.leaves, *self.pixels), (*given, *pixels), strict=True):
                tensor.copy_(torch.from_numpy(array))
        self.run()
        own, *others = (slope.cpu().numpy() for slope in self.slopes)
        return float(self.bits), own, others[0] if others else None


class OnGPU:
    """The gradient on a GPU, called as `GradientKernel` is."""

    def __init__(self) -> None:
        self.recorded: dict[tuple[object, ...], Recorded] = {}

    def __call__(
        self, config: Config, parameters: Floats, film: Floats | None, pixels: Pixels, soft: float
    ) -> tuple[float, Floats, Floats | None]:
        """Bits of pixels, and their gradient to parameters and films; see `reference`."""
        shape = (config, soft, len(pixels.known), None if film is None else len(film))
        if shape not in self.recorded:
            device = torch.device("cuda")
            self.recorded[shape] = Recorded(config, parameters, film, pixels, soft, device)
        return self.recorded[shape](parameters, film, pixels)


@cache
def gpu() -> OnGPU | None:
    """The gradient on a GPU, if there is one and the engine is not chosen otherwise."""
    return OnGPU() if torch.cuda.is_available() and not os.environ.get("BITSWAP_ENGINE") else None
