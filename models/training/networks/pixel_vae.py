"""The pixel VAE in training; see bitswap_models.families.pixel_vae.model."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
)
from bitswap_models.exact.latents import MEANS, SCALES
from bitswap_models.exact.model import ExactModel
from bitswap_models.families.pixel_vae.config import POOL, Config
from bitswap_models.families.pixel_vae.family import FAMILY
from bitswap_models.families.pixel_vae.model import FILM
from bitswap_models.families.pixel_vae.window import UNKNOWN, borders, places, taps
from bitswap_models.training.bits import mixture_bits
from bitswap_models.training.latents import SCALE_WIDE, ChainNetwork, latent_noise
from bitswap_models.training.layers import IntegerConv, activation, floor
from bitswap_models.training.networks.blocks import residual_blocks
from bitswap_models.training.networks.common import Common
from bitswap_models.training.networks.pixel_net import PixelNet

BOUND = 6  # scales of p(z_1), to either side, that bounds are apart from its mean


@cache
def training_tables(tile: int, radius: int) -> tuple[Tensor, Tensor]:
    """Taps of bordered and of inner tiles in a canvas with margins, (2, T * T, taps); borders."""
    wide = tile + 2 * radius
    y, x = np.divmod(np.arange(tile**2), tile)
    rows, columns = places(y, x, tile, radius)
    bordered = (rows + radius) * wide + columns + radius
    bordered[rows < 0] = wide * (tile + radius)  # what is not known
    dy, dx = np.array(taps(radius)).T
    inner = ((y + radius) * wide + x + radius)[:, None] + dy * wide + dx
    border = torch.from_numpy(borders(y, x, tile, radius)).float()
    return torch.from_numpy(np.stack((bordered, inner))), border


def _pool(x: Tensor, size: int, shift: int) -> Tensor:
    """Sum squares of `size` pixels, divided by 2^shift. (B, C, H, W) -> (B, C, H/size, W/size)"""
    return floor(nn.functional.avg_pool2d(x, size, divisor_override=1) * 2.0**-shift)


class LatentNet(nn.Module):
    """Vector -> mean and scale index of a vector of latents; the scale starts at about `start`."""

    def __init__(self, inputs: int, hidden: int, latents: int, start: int, input_max: int) -> None:
        super().__init__()
        self.hidden = IntegerConv(inputs, hidden, input_max=input_max)
        self.mean = IntegerConv(hidden, latents, spread=128 if start == SCALE_OF_ONE else 64)
        self.scale = IntegerConv(hidden, latents, spread=4, offset=start)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, I, 1, 1) -> (B, D, 1, 1) twice
        h = self.hidden(x, active=True)
        return self.mean(h).clamp(*MEANS), self.scale(h).clamp(*SCALES)


class Encoder(nn.Module):
    """q(z_1 | x): local differences and colours, rectified, pooled twice over a cell."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, e = config.channels, config.encoder
        self.cell = config.tile // POOL
        self.stem = IntegerConv(c, e, 3, relative=c, input_max=255)
        self.colour = IntegerConv(c, e, input_max=128)
        self.mix = IntegerConv(e, e)
        self.blocks = residual_blocks(e, config.encoder_blocks)
        pooled = 255 * self.cell**2 >> 2
        self.latents = LatentNet(e, config.link, config.latents[0], SCALE_OF_ONE, pooled)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, C, H, W) -> (B, D, 1, 1) twice
        h = _pool(self.stem(x, x, active=True), POOL, 4)  # (B, E, H/4, W/4)
        h = self.mix(h, add=self.colour(_pool(x, POOL, 4) - 128))
        h = activation(self.blocks(h))
        mean, scale = self.latents(_pool(h, self.cell, 2))
        return mean, scale


@torch.no_grad()
def bounds_of_prior(mean: Tensor, scale: Tensor) -> Tensor:
    """Bounds that hardly any z_1 under p(z_1), (D,) each, is beyond: int32 (2, D)."""
    reach = BOUND * torch.exp2((scale - SCALE_OF_ONE) / SCALES_PER_OCTAVE)
    ends = torch.stack((mean / 16 - reach, mean / 16 + reach))
    return ends.round().clamp(LATENT_MIN, LATENT_MAX).to(torch.int32)


class PixelNetwork(ChainNetwork):
    """A pixel VAE in training."""

    family = FAMILY.name
    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.margin = config.radius
        z = config.latents
        if z:
            self.encoder = Encoder(config)
            self.film = nn.ModuleList(
                (
                    IntegerConv(z[0], config.link, input_max=128),
                    IntegerConv(
                        config.link, 2 * config.layers * config.width,
                        spread=(8.0,) * (config.layers * config.width)
                        + (16.0,) * (config.layers * config.width),
                    ),
                )
            )  # fmt: skip
        self.bounds: Tensor | None = None  # of z_1, stored ones, (2, D)
        if config.common:
            self.common = Common(config)
            units = 2 * config.layers * config.width
            # z_2 weighs nothing until tuning.py knows groups
            self.film.append(IntegerConv(config.common, units, input_max=128, spread=0.0))
        self.encoders = nn.ModuleList()  # q(z_2 | z_1), ...
        self.decoders = nn.ModuleList()  # p(z_1 | z_2), ...
        for below, above in zip(z, z[1:], strict=False):
            self.encoders.append(LatentNet(below, config.link, above, SCALE_OF_ONE, 128))
            self.decoders.append(LatentNet(above, config.link, below, SCALE_WIDE, 128))
        self.net = PixelNet(config)

    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = (self.encoder if layer == 1 else self.encoders[layer - 2])(below)
        return mean, scale

    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self.decoders[layer - 1](above)
        return mean, scale

    def bounds_integers(self) -> Tensor:
        """The least and the greatest z_1 that the likelihood tells apart, of each channel: int32
        (2, D). Unless they are stored ones, they follow p(z_1)."""
        return bounds_of_prior(*self.top_integers()) if self.bounds is None else self.bounds

    def start_from(self, base: ExactModel) -> None:
        """See `Network.start_from`: p(z_L), and p(z_2)."""
        super().start_from(base)
        if self.config.common:
            self.common.start_from(base.tensors())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `Network.tensors`."""
        stored = super().tensors()
        if self.config.bounded:
            stored["bounds"] = self.bounds_integers().cpu().numpy()
        if self.config.common:
            stored |= self.common.tensors()
        return stored

    def modulation(self, z1: Tensor, z2: Tensor | None = None) -> Tensor:
        """Gains and shifts of the hidden units: (B, D, 1, 1) and z_2, 0 if there is none, likewise
        -> (B, 2, layers, width)"""
        if self.config.bounded:
            low, high = self.bounds_integers().to(z1.dtype)[:, :, None, None]
            z1 = z1.clamp(low, high)
        first, second = self.film[:2]
        out: Tensor = second(first(z1, active=True)).clamp(*FILM)
        if self.config.common:
            z2 = z1.new_zeros((len(z1), self.config.common, 1, 1)) if z2 is None else z2
            out = (out + self.film[2](z2).clamp(*FILM)).clamp(*FILM)
        return out.view(len(z1), 2, self.config.layers, self.config.width)

    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Noise of every layer, (2, B, D_l, 1, 1) each, see `latent_noise`, and which pixels are
        looked at: their places (N,), taps (2, N, taps) and borders (N, 3 radius)."""
        device = generator.device
        noise = [latent_noise((batch, d, 1, 1), generator) for d in self.config.latents]
        places = torch.randperm(self.tile**2, generator=generator, device=device)
        places = places[: round(self.tile**2 * self.share)]
        index, border = (t.to(device) for t in training_tables(self.tile, self.margin))
        return [*noise, places, index[:, places], border[places]]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """See `Network.elbo`: ``likelihood``, and the KL of each latent layer."""
        tile, r = self.tile, self.margin
        places, chosen, border = noise[-3:]
        if x.shape[-1] == tile:
            x = nn.functional.pad(x, (r, r, r, 0))
        cell = x[:, :, r:, r : r + tile]
        zs, terms = self.latent_terms(cell, noise, soft)
        if bordered is None:
            bordered = torch.ones(len(x), dtype=torch.bool, device=x.device)
        rows = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, pixels, C)
        flat = torch.cat((rows, rows.new_full((len(x), 1, x.shape[1]), UNKNOWN)), 1)
        which = torch.where(bordered[:, None, None], chosen[0], chosen[1])  # (B, N, taps)
        first = torch.arange(len(x), device=x.device) * flat.shape[1]
        window = flat.flatten(0, 1)[which + first[:, None, None]].flatten(0, 1)  # (B N, taps, C)
        bits = (border * bordered[:, None, None].float()).flatten(0, 1)
        parts = self.net.terms(window, bits, self.modulation(zs[1]) if self.depth else None)
        known = cell.flatten(2)[:, :, places].transpose(0, 1).flatten(1)  # (C, B N)
        channels = [self.net.channel(c, parts, known) for c in range(self.channels)]
        logit, mean, scale = (torch.stack(t)[None] for t in zip(*channels, strict=True))
        total = (
            mixture_bits(logit, mean, scale, known[None], soft).sum((0, 1)).view(len(x), -1).sum(1)
        )
        terms["likelihood"] = total * (tile**2 / len(places))
        return terms
