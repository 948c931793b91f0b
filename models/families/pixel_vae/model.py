"""A hierarchical VAE with a local autoregressive likelihood, in exact integers.

    p(z_L) ... p(z_1 | z_2) prod_i p(x_i | x_<i near i, z_1)       q(z_1 | x) q(z_2 | z_1) ...

A pixel sees a causal window of earlier pixels of its tile, as differences to the mean of its west
and north neighbours; a small perceptron turns it into a mixture of discretized logistics for each
channel, given the channels before it (pixel_net.py). What no window can see, the noise, texture and
colours of the neighbourhood, is z_1: one vector for each cell of a tile, which scales and shifts
the hidden units. Latents are coded with Bit-Swap; L may be 0. A model may also have z_2, what all
tiles of a group have in common, which adds to these gains and shifts (common.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bitswap_cli.ans import LogisticMixture
from bitswap_cli.ans import kernel as coder
from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, LogisticParameters
from bitswap_cli.contract import Coded, Integers, Plane, Pop
from bitswap_cli.errors import ModelError
from bitswap_models.exact.blocks import ResidualBlocks
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.latents import MEANS, SCALES, LatentChain, channels_last
from bitswap_models.exact.layers import ACTIVATION, Shape, activation, pooled
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.pixel_vae import lockstep, pixels
from bitswap_models.families.pixel_vae.common import Common
from bitswap_models.families.pixel_vae.config import POOL, Config
from bitswap_models.families.pixel_vae.pixel_net import Film, PixelNet

FILM = (-1024, 1023)  # gains and shifts
Pair = tuple[Values, Values]
_POOL = POOL.bit_length() - 1, 4


class LatentNet:
    """Vector -> mean and scale index of a vector of latents."""

    def __init__(
        self, stored: Stored, inputs: int, hidden: int, latents: int, input_max: int
    ) -> None:
        self.hidden = stored.layer("hidden", Shape(inputs, hidden, input_max=input_max))
        self.mean, self.scale = (
            stored.layer(name, Shape(hidden, latents)) for name in ("mean", "scale")
        )

    def __call__(self, x: Values) -> Pair:  # (B, 1, 1, I) -> (B, 1, 1, D) twice
        h = self.hidden(x, within=ACTIVATION)
        return self.mean(h, within=MEANS), self.scale(h, within=SCALES)


class Encoder:
    """q(z_1 | x): local differences and colours, rectified, pooled twice over a cell."""

    def __init__(self, config: Config, stored: Stored) -> None:
        c, e = config.channels, config.encoder
        self.cell = config.tile // POOL
        self.stem = stored.layer("stem", Shape(c, e, 3, relative=c, input_max=255))
        self.colour = stored.layer("colour", Shape(c, e, input_max=128))
        self.mix = stored.layer("mix", Shape(e, e))
        self.blocks = ResidualBlocks(stored.part("blocks"), config.encoder_blocks, e)
        pooled = 255 * self.cell**2 >> 2
        part = stored.part("latents")
        self.latents = LatentNet(part, e, config.link, config.latents[0], pooled)

    def __call__(self, x: Values) -> Pair:  # (B, H, W, C or 1) -> (B, 1, 1, D) twice
        h = self.stem(x, x, within=ACTIVATION, pool=_POOL)  # (B, H/4, W/4, E)
        h = self.mix(h, add=self.colour(pooled(x, POOL, _POOL[1]) - np.int16(128)))
        return self.latents(pooled(activation(self.blocks(h)), self.cell, 2))


class PixelVAE(LatentChain):
    """See the module's docstring."""

    family = "pixel_vae"
    schemes: Sequence[str] = ("bitswap", "bbans")
    planes = (Plane(0, 0, 1),)
    # a few bits of latents stand against thousands of bits of pixels: groups grow fast
    factors: Sequence[int] = (1, 2, 4, 8)
    slack, growth = math.inf, Fraction(16)

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(config.latents, stored)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, config.tile
        self.margin = config.radius
        z, link, units = config.latents, config.link, 2 * config.layers * config.width
        self.bounds: Integers | None = None
        """The least and the greatest z_1 that the likelihood tells apart, of each channel: int32
        (2, D)."""
        if config.bounded:
            self.bounds = stored.integers("bounds", (2, z[0]))
            low, high = self.bounds
            if low.min() < LATENT_MIN or high.max() > LATENT_MAX or (low > high).any():
                raise ModelError("bounds of z_1 are none: the model file is damaged")
        self.posteriors: list[Encoder | LatentNet] = []  # q(z_1 | x), q(z_2 | z_1), ...
        self.priors: list[LatentNet] = []  # p(z_1 | z_2), ...
        if z:
            self.posteriors.append(Encoder(config, stored.part("encoder")))
            self.film = (
                stored.layer("film.0", Shape(z[0], link, input_max=128)),
                stored.layer("film.1", Shape(link, units)),
            )
        self.common: Common | None = None
        if config.common:
            self.common = Common(config, stored.part("common"))
            shape = Shape(config.common, units, input_max=128)
            self.film_of_common = stored.layer("film.2", shape)
        encoders, decoders = stored.part("encoders"), stored.part("decoders")
        for k, (below, above) in enumerate(zip(z, z[1:], strict=False)):
            self.posteriors.append(LatentNet(encoders.part(str(k)), below, link, above, 128))
            self.priors.append(LatentNet(decoders.part(str(k)), above, link, below, 128))
        self.net = PixelNet(config, stored.part("net"))

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), layer = 1..L; z_0 is x. Arrays are (B, C, H, W)."""
        if layer == 1:
            below = _once(below)
        cells, grid = _cells(below, self.tile if layer == 1 else 1)
        return _on(grid, self.posteriors[layer - 1](cells))

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), layer = 1..L-1. Arrays are (B, D, H, W)."""
        cells, grid = _cells(above, 1)
        return _on(grid, self.priors[layer - 1](cells))

    def film_of(self, z1: Integers | None, z2: Integers | None = None) -> Film | None:
        """Gains and shifts of every cell: (B, D, H, W) and z_2, 0 if there is none -> (B, H * W,
        2, layers, width)."""
        if z1 is None:
            return None
        z = channels_last(z1)
        if self.bounds is not None:
            z = z.clip(*self.bounds)
        b, h, w, _ = z.shape
        first, second = self.film
        out = second(first(z, within=ACTIVATION), within=FILM)
        if self.common is not None:
            z2 = np.zeros(self.config.common, np.int32) if z2 is None else z2
            shared = self.film_of_common(z2[None, None, None], within=FILM)
            out = (out + shared).clip(*FILM)
        return out.reshape(b, h * w, 2, self.config.layers, self.config.width)

    def mixtures(
        self, z1: Integers | None, x: Integers, sizes: Integers, z2: Integers | None = None
    ) -> lockstep.Mixtures:
        """p(x | z_1, z_2) of the pixels x, (B, C, T, T), in coding order; see lockstep.py."""
        film, kernel = self.film_of(z1, z2), pixels.engine()
        if kernel is None:
            return lockstep.mixtures(self.net, film, x, sizes)
        return kernel.mixtures(self.net, film, x.transpose(0, 2, 3, 1).astype(np.uint8), sizes)

    def intervals(
        self, z1: Integers | None, x: Integers, sizes: Integers, z2: Integers | None = None
    ) -> Coded:
        """What the `mixtures` of the pixels are pushed with."""
        kernel, native = pixels.engine(), coder.engine()
        if kernel is None or not isinstance(native, coder.Kernel):
            told = self.mixtures(z1, x, sizes, z2)
            codec = LogisticMixture(told.parameters, self.low, self.high)
            return Coded(*codec.intervals(told.symbols), told.owner, told.batches)
        own = x.transpose(0, 2, 3, 1).astype(np.uint8)
        return kernel.intervals(self.net, self.film_of(z1, z2), own, sizes, native.intervals)

    def walk(
        self,
        z1: Integers | None,
        sizes: Integers,
        tile: int,
        pop: Pop,
        z2: Integers | None = None,
    ) -> Integers:
        """Ask `pop` for the pixels of tiles, step by step, and return them, (B, C, T, T)."""
        film, kernel = self.film_of(z1, z2), pixels.engine()
        if kernel is not None:
            tiles = pop.natively(lambda to: kernel.pop(self.net, film, sizes, tile, to))
            if tiles is not None:
                return tiles.astype(np.int32).transpose(0, 3, 1, 2)
        return lockstep.walk(self.net, film, sizes, tile, pop)

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`."""
        z1 = self.tell_latents(x, told)
        if self.bounds is not None:
            told.once(self.bounds)
        sizes = np.tile(np.array([self.tile, self.tile, self.channels], np.int32), (len(x), 1))
        z2 = None
        if self.common is not None:
            z2 = self.common.of(x, sizes)
            told.once(np.stack(self.common.prior))
            told.once(z2)
        coded = self.mixtures(z1, x, sizes, z2)
        order = np.argsort(coded.owner, kind="stable")  # tile by tile
        told.tiles(*(p[order].reshape(len(x), -1) for p in coded.parameters))


def _once(x: Integers) -> Integers:
    """Return the first channel of tiles, (B, C, H, W), if all others repeat it, else all."""
    gray = all(np.array_equal(x[:, 0], x[:, c]) for c in range(1, x.shape[1]))
    return x[:, :1] if gray else x


def _cells(x: Integers, side: int) -> tuple[Values, tuple[int, int, int]]:
    """Cut maps into cells: (B, C, H, W) -> (B h w, side, side, C) int16, (B, h, w)."""
    b, c, height, width = x.shape
    h, w = height // side, width // side
    cut = x.reshape(b, c, h, side, w, side).transpose(0, 2, 4, 3, 5, 1)
    return cut.astype(np.int16).reshape(b * h * w, side, side, c), (b, h, w)


def _on(grid: tuple[int, int, int], told: Pair) -> LogisticParameters:
    """(B h w, 1, 1, D) twice -> (B, D, h, w)."""
    maps = (t.reshape(*grid, -1).transpose(0, 3, 1, 2) for t in told)
    return LogisticParameters(*(np.ascontiguousarray(m, np.int32) for m in maps))
