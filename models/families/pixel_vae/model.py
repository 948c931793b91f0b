"""A hierarchical VAE with a local autoregressive likelihood, in exact integers.

    p(z_L) ... p(z_1 | z_2) prod_i p(x_i | x_<i near i, z_1)       q(z_1 | x) q(z_2 | z_1) ...

A pixel sees a causal window of earlier pixels of its tile, as differences to the mean of its west
and north neighbours; a small perceptron turns it into a mixture of discretized logistics for each
channel, given the channels before it (pixel_net.py). What no window can see, the noise, texture and
colours of the neighbourhood, is z_1: one vector for each cell of a tile, which scales and shifts
the hidden units. Latents are coded with Bit-Swap; L may be 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_LEVELS,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
    LogisticParameters,
)
from bitswap_cli.contract import Coded, Plane, Pop
from bitswap_cli.errors import ModelError
from bitswap_models.exact.chain import LATENT_MEAN_LIMIT, SCALE_WIDE, LatentChain, latent_noise
from bitswap_models.exact.distributions import mixture_bits
from bitswap_models.exact.layers import IntegerConv, activation, floor, residual_blocks
from bitswap_models.families.pixel_vae import lockstep, pixels
from bitswap_models.families.pixel_vae.pixel_net import PixelNet
from bitswap_models.families.pixel_vae.window import UNKNOWN, training_tables

POOL = 4  # pixels of a side that the encoder pools first
BOUND = 6  # scales of p(z_1), to either side, that bounds are apart from its mean
Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Config:
    """Shape of a pixel VAE; every field is stored in the model file."""

    tile: int = 32  # pixels of a cell, which has one vector of latents
    channels: int = 3
    latents: tuple[int, ...] = (12,)  # sizes of z_1 .. z_L; none is a plain likelihood
    encoder: int = 32  # channels of q(z_1 | x)
    encoder_blocks: int = 1
    link: int = 64  # hidden units from and to a vector of latents
    radius: int = 3  # of the window
    width: int = 128  # hidden units of the likelihood
    layers: int = 3
    split: int = 48  # hidden units of each channel
    components: int = 5
    bounded: int = 0  # 1: the likelihood sees z_1 within bounds, so that strays cost little

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        positive = (
            self.tile, self.channels, self.encoder, self.link, self.radius, self.width,
            self.layers, self.split, self.components, *self.latents,
        )  # fmt: skip
        return (
            min(positive) > 0
            and self.channels <= 8
            and self.radius <= 5
            and self.layers <= 8
            and self.encoder_blocks <= 8
            and self.components <= 16
            and len(self.latents) <= 8
            and max(self.latents, default=0) <= 64
            and self.tile <= 64
            and self.tile % POOL == 0
            and (self.bounded == 0 or (self.bounded == 1 and len(self.latents) == 1))
        )

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return self.tile

    @property
    def margin(self) -> int:
        """Pixels above, left and right of a tile that training tells it."""
        return self.radius


def _pool(x: Tensor, size: int, shift: int) -> Tensor:
    """Sum squares of `size` pixels, divided by 2^shift. (B, C, H, W) -> (B, C, H/size, W/size)"""
    if x.is_floating_point():
        return floor(nn.functional.avg_pool2d(x, size, divisor_override=1) * 2.0**-shift)
    rows = x[:, :, ::size].clone()  # torch's own sums of integers are several times slower
    for i in range(1, size):
        rows += x[:, :, i::size]
    squares = rows[..., ::size].int()
    for i in range(1, size):
        squares += rows[..., i::size]
    return (squares >> shift).to(torch.int16)


class LatentNet(nn.Module):
    """Vector -> mean and scale index of a vector of latents; the scale starts at about `start`."""

    def __init__(self, inputs: int, hidden: int, latents: int, start: int, input_max: int) -> None:
        super().__init__()
        self.hidden = IntegerConv(inputs, hidden, input_max=input_max)
        self.mean = IntegerConv(hidden, latents, spread=128 if start == SCALE_OF_ONE else 64)
        self.scale = IntegerConv(hidden, latents, spread=4, offset=start)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, I, 1, 1) -> (B, D, 1, 1) twice
        h = self.hidden(x, active=True)
        mean = self.mean(h).clamp(-LATENT_MEAN_LIMIT, LATENT_MEAN_LIMIT)
        return mean, self.scale(h).clamp(0, SCALE_LEVELS - 1)


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


class PixelVAE(LatentChain):
    """See the module's docstring. Training calls :meth:`elbo`; coding calls the others."""

    schemes: Sequence[str] = ("bitswap", "bbans")
    low, high = 0, 255  # of samples

    def __init__(self, config: Config) -> None:
        super().__init__(config.latents)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, config.tile
        self.margin = config.radius
        self.batch: int | None = None  # of no effect: cells are small
        self.planes = (Plane(0, 0, 1),)
        # a few bits of latents stand against thousands of bits of pixels: groups grow fast
        self.factors: Sequence[int] = (1, 2, 4, 8)
        self.slack, self.growth = math.inf, Fraction(16)
        self.share = 1.0  # of a tile's pixels that a step of training looks at
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
        self.bounds: Tensor | None = None  # stored ones, int32 (2, D)
        self.encoders = nn.ModuleList()  # q(z_2 | z_1), ...
        self.decoders = nn.ModuleList()  # p(z_1 | z_2), ...
        for below, above in zip(z, z[1:], strict=False):
            self.encoders.append(LatentNet(below, config.link, above, SCALE_OF_ONE, 128))
            self.decoders.append(LatentNet(above, config.link, below, SCALE_WIDE, 128))
        self.net = PixelNet(config)

    def of(self, channels: int) -> PixelVAE | None:
        """The model grown to pictures of more channels; itself if they are no more."""
        from bitswap_models.stored.growth import grow

        return grow(self, channels=max(channels, self.channels))

    # ---- latents -------------------------------------------------------------------------------
    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = (self.encoder if layer == 1 else self.encoders[layer - 2])(below)
        return mean, scale

    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self.decoders[layer - 1](above)
        return mean, scale

    def bounds_integers(self) -> Tensor:
        """The least and the greatest z_1 that the likelihood tells apart, of each channel: int32
        (2, D). In training they follow p(z_1)."""
        return self.bounds_of_prior() if self.bounds is None else self.bounds

    @torch.no_grad()
    def bounds_of_prior(self) -> Tensor:
        """Bounds that hardly any z_1 under p(z_1) is beyond, int32 (2, D)."""
        mean, scale = self.top_integers()
        reach = BOUND * torch.exp2((scale - SCALE_OF_ONE) / SCALES_PER_OCTAVE)
        ends = torch.stack((mean / 16 - reach, mean / 16 + reach))
        return ends.round().clamp(LATENT_MIN, LATENT_MAX).to(torch.int32)

    def load_bounds(self, bounds: Tensor) -> None:
        """Take stored bounds; raise ModelError if they are none."""
        size = (2, *self.config.latents)
        if bounds.dtype != torch.int32 or tuple(bounds.shape) != size:
            raise ModelError("bounds of z_1 have the wrong shape: the model file is damaged")
        low, high = bounds
        if bool((low < LATENT_MIN).any() | (high > LATENT_MAX).any() | (low > high).any()):
            raise ModelError("bounds of z_1 are none: the model file is damaged")
        self.bounds = bounds

    def modulation(self, z1: Tensor) -> Tensor:
        """Gains and shifts of the hidden units: (B, D, 1, 1) -> (B, 2, layers, width)"""
        if self.config.bounded:
            low, high = self.bounds_integers().to(z1.dtype)[:, :, None, None]
            z1 = z1.clamp(low, high)
        first, second = self.film
        out: Tensor = second(first(z1, active=True)).clamp(-1024, 1023)
        return out.view(len(z1), 2, self.config.layers, self.config.width)

    # ---- coding: integers in, integers out, the same on every machine --------------------------
    @torch.inference_mode()
    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), layer = 1..L; z_0 is x. Arrays are (B, C, H, W)."""
        side = self.tile if layer == 1 else 1
        cells, grid = _cells(below, side)
        return LogisticParameters(*(_grid(t, grid) for t in self._posterior(layer, cells)))

    @torch.inference_mode()
    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), layer = 1..L-1. Arrays are (B, D, H, W)."""
        cells, grid = _cells(above, 1)
        return LogisticParameters(*(_grid(t, grid) for t in self._prior(layer, cells)))

    @torch.inference_mode()
    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L) of one cell for a batch of tiles. Arrays are (B, D_L, 1, 1)."""
        terms = (t[None, :, None, None].expand(batch, -1, 1, 1) for t in self.top_integers())
        return LogisticParameters(*(t.contiguous().numpy() for t in terms))

    @torch.inference_mode()
    def film_of(self, z1: Integers | None) -> NDArray[np.int16] | None:
        """Gains and shifts of every cell: (B, D, H, W) -> (B, H * W, 2, layers, width)."""
        if z1 is None:
            return None
        cells, (b, h, w) = _cells(z1, 1)
        out: NDArray[np.int16] = self.modulation(cells).to(torch.int16).numpy()
        return np.ascontiguousarray(out.reshape(b, h * w, *out.shape[1:]))

    def mixtures(self, z1: Integers | None, x: Integers, sizes: Integers) -> Coded:
        """p(x | z_1) of the pixels x, (B, C, T, T), in coding order; see lockstep.py."""
        film, kernel = self.film_of(z1), pixels.engine()
        if kernel is None:
            return lockstep.mixtures(self, film, x, sizes)
        return kernel.mixtures(self, film, x.transpose(0, 2, 3, 1).astype(np.uint8), sizes)

    def walk(self, z1: Integers | None, sizes: Integers, tile: int, pop: Pop) -> Integers:
        """Ask `pop` for the pixels of tiles, step by step, and return them, (B, C, T, T)."""
        film, kernel = self.film_of(z1), pixels.engine()
        if kernel is not None:
            tiles = pop.natively(lambda to: kernel.pop(self, film, sizes, tile, to))
            if tiles is not None:
                return np.ascontiguousarray(tiles.transpose(0, 3, 1, 2), np.int32)
        return lockstep.walk(self, film, sizes, tile, pop)

    # ---- training ------------------------------------------------------------------------------
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
        """Bits of a batch of tiles, split into likelihood and KL of each latent layer.

        x : (B, C, T, T) float tensor of integers 0..255, or with a margin of `radius` pixels above,
        left and right, which those tiles see that are not `bordered` (B,). Returns sums over a
        tile: ``likelihood`` (B,) and ``kl1``.. (B, D_l), per channel for free bits.
        """
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


def _cells(x: Integers, side: int) -> tuple[Tensor, tuple[int, int, int]]:
    """Cut maps into cells: (B, C, H, W) -> (B h w, C, side, side) int16, (B, h, w)."""
    b, c, height, width = x.shape
    h, w = height // side, width // side
    cut = x.reshape(b, c, h, side, w, side).transpose(0, 2, 4, 1, 3, 5)
    cells = torch.from_numpy(np.ascontiguousarray(cut.reshape(b * h * w, c, side, side)))
    return cells.to(torch.int16, memory_format=torch.channels_last), (b, h, w)


def _grid(vectors: Tensor, grid: tuple[int, int, int]) -> Integers:
    """(B h w, D, 1, 1) -> (B, D, h, w) int32."""
    b, h, w = grid
    return np.ascontiguousarray(vectors.int().view(b, h, w, -1).permute(0, 3, 1, 2).numpy())
