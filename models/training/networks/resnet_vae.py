"""The ResNet VAE in training; see bitswap_models.families.resnet_vae."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import SCALE_OF_ONE, SCALES_PER_OCTAVE
from bitswap_models.exact.latents import MEANS, SCALES
from bitswap_models.families.resnet_vae import FAMILY, STRIDE, TOLD, Config
from bitswap_models.training.bits import logistic_bits, mixture, mixture_bits
from bitswap_models.training.latents import LatentNetwork, draw, latent_noise
from bitswap_models.training.layers import IntegerConv, activation
from bitswap_models.training.networks.blocks import ResidualBlock
from bitswap_models.training.networks.planes import PlaneHead

PRIOR_SCALE = SCALE_OF_ONE + SCALES_PER_OCTAVE  # where it starts; posteriors start at half of it


def block(config: Config, size: int = 3) -> ResidualBlock:
    """Return a residual block."""
    binary, signs = config.weight_bits == 1, config.activation_bits == 1
    return ResidualBlock(config.width, size, binary=binary, signs=signs, gain=0)


def end(config: Config) -> nn.Sequential:
    """Return the residual blocks of one end."""
    return nn.Sequential(*(block(config, config.ends_size) for _ in range(config.ends)))


class LatentLayer(nn.Module):
    """One latent layer: what p and q make of the streams, and how the streams go on.

    The posterior's mean and scale are told relative to the prior's.
    """

    def __init__(self, config: Config, latents: int, top: bool) -> None:
        super().__init__()
        width = config.width
        self.up, self.down = block(config), block(config)
        spread = (32.0,) * latents + (4.0,) * latents
        start = (0.0,) * latents + (float(-SCALES_PER_OCTAVE),) * latents
        self.seen = IntegerConv(width, 2 * latents, 3, spread=spread, offset=start)
        self.lift = IntegerConv(latents, width, 3, input_max=128)
        self.drawn: IntegerConv | None = None
        self.prior: IntegerConv | None = None
        if not top:
            self.drawn = IntegerConv(width, 2 * latents, 3, spread=tuple(s / 4 for s in spread))
            start = (0.0,) * latents + (float(PRIOR_SCALE),) * latents
            self.prior = IntegerConv(width, 2 * latents, 3, spread=spread, offset=start)

    def p(self, stream: Tensor) -> tuple[Tensor, Tensor]:  # (B, W, H, W) -> (B, C, H, W) twice
        """Mean and scale index of the prior."""
        assert self.prior is not None  # the top's is the model's
        return _limited(*self.prior(activation(stream)).chunk(2, 1))

    def q(
        self, prior: tuple[Tensor, Tensor], up: Tensor, stream: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Mean and scale index of the posterior. (B, C, H, W) twice"""
        out = self.seen(activation(up))
        if stream is not None and self.drawn is not None:
            out = self.drawn(activation(stream), add=out)
        mean, scale = out.clamp(*TOLD).chunk(2, 1)
        return _limited(prior[0] + mean, prior[1] + scale)

    def onwards(self, z: Tensor, stream: Tensor | None) -> Tensor:
        """The stream below. (B, C, H, W), (B, W, H, W) -> (B, W, H, W)"""
        out: Tensor = self.down(self.lift(z, add=stream))
        return out


def _limited(mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    return mean.clamp(*MEANS), scale.clamp(*SCALES)


class ResNetNetwork(LatentNetwork):
    """A ResNet VAE in training."""

    family = FAMILY.name
    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        pixels = config.channels * STRIDE**2
        width = config.width
        self.stem = IntegerConv(pixels, width, 5, input_max=128)
        self.first, self.last = end(config), end(config)
        self.layers = nn.ModuleList(
            LatentLayer(config, c, top=layer == self.depth)
            for layer, c in enumerate(config.latents, 1)
        )
        self.features = IntegerConv(width, config.hidden * STRIDE**2)
        self.head = PlaneHead(
            config.hidden, 0, config.channels, config.hidden, config.components, spread=640.0
        )

    def _layer(self, layer: int) -> LatentLayer:
        return cast(LatentLayer, self.layers[layer - 1])

    def _up(self, x: Tensor) -> list[Tensor]:
        """u_1 .. u_L: (B, C, H, W) -> (B, W, H/2, W/2) each."""
        h = self.first(self.stem(nn.functional.pixel_unshuffle(x - 128, STRIDE)))
        ups = []
        for layer in range(1, self.depth + 1):
            h = self._layer(layer).up(h)
            ups.append(h)
        return ups

    def _down(self, code: Callable[[int, Tensor | None, tuple[Tensor, Tensor]], Tensor]) -> Tensor:
        """Walk down; `code` is told layer, stream and prior, and returns z. (B, W, H/2, W/2)"""
        mean, scale = self.top_integers()
        prior = mean[None, :, None, None], scale[None, :, None, None]
        stream: Tensor | None = None
        for layer in range(self.depth, 0, -1):
            net = self._layer(layer)
            if stream is not None:
                prior = net.p(stream)
            stream = net.onwards(code(layer, stream, prior), stream)
        out: Tensor = self.last(stream)
        return out

    def _trunk(self, stream: Tensor) -> Tensor:
        """What the head of the likelihood sees: (B, W, H/2, W/2) -> (B, C * SPLIT, H, W)"""
        lifted = nn.functional.pixel_shuffle(self.features(activation(stream)), STRIDE)
        return self.head.trunk(activation(lifted))

    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Noise of every latent layer, (2, B, C_l, H, W) each, see `latent_noise`."""
        grid = self.tile // STRIDE
        return [latent_noise((batch, c, grid, grid), generator) for c in self.config.latents]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """See `Network.elbo`: ``likelihood``, and the KL of each latent layer."""
        seen = self._up(x)
        terms: dict[str, Tensor] = {}

        def code(layer: int, stream: Tensor | None, prior: tuple[Tensor, Tensor]) -> Tensor:
            q = self._layer(layer).q(prior, seen[layer - 1], stream)
            z = draw(*q, noise[layer - 1])
            bits = logistic_bits(*prior, z, soft) - logistic_bits(*q, z, soft)
            terms[f"kl{layer}"] = bits.sum((2, 3))
            return z

        trunk = self._trunk(self._down(code))
        out = self.head(trunk, x - 128)
        ref = torch.full_like(x, 128)
        logit, mean, scale = mixture(out, ref, x - ref, self.config.components)
        terms["likelihood"] = mixture_bits(logit, mean, scale, x, soft).sum((1, 2, 3))
        return dict(reversed(terms.items()))
