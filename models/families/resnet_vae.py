"""The ResNet VAE with binary residual blocks, in exact integers.

    p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2 .. z_L) p(x | z_1 .. z_L)
    q(z_L | x) q(z_{L-1} | z_L, x) ... q(z_1 | z_2 .. z_L, x)

    x -> stem -> blocks -> u_1 -> u_2 -> ... -> u_L      bottom-up: a residual block each
                            |      |             |
    p(x | h_1) <- blocks <- h_1 <- h_2 <- ... <- h_L     top-down: z_l is added, then a block

Inference is top-down: q(z_l | ...) sees u_l and the top-down stream, of which p(z_l | ...) is made
too. So it is no Markov chain, and Bit-Swap cannot interleave its layers: all latents are popped
before anything is pushed (coding/topdown.py). Residual blocks, 97 % of the parameters in the
published configuration, have weights of 1 or 8 bits and activations of 1 or 8 bits; everything else
has 8. The likelihood is one plane of planes.py: pixels are independent given the latents, but for
their channels.

Architecture: Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow",
NIPS 2016, as Townsend et al. (HiLLoC, ICLR 2020) and Bird, Kingma and Barber (ICLR 2021) use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bitswap_cli.ans.parameters import LogisticParameters
from bitswap_cli.contract import Integers, Level, Plane, Step
from bitswap_models.exact.blocks import ResidualBlock, ResidualBlocks
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.latents import MEANS, SCALES, Latents, channels_last, middle, planar
from bitswap_models.exact.layers import Shape, activation
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.family import Family
from bitswap_models.families.planes import (
    PlaneHead,
    cells_as_channels,
    channels_as_cells,
    code_channels,
    tell_steps,
)

STRIDE = 2  # pixels between neighbours of the latent grid
WHOLE = Plane(0, 0, 1)
TOLD = (-4096, 4096)  # what a posterior's mean and scale are off the prior's, at most
Pair = tuple[Values, Values]


@dataclass(frozen=True)
class Config:
    """Shape of a ResNet VAE; every field is stored in the model file. The published one is
    ``Config()`` but for its likelihood, which had a plain logistic."""

    tile: int = 32
    channels: int = 3
    latents: tuple[int, ...] = (8,) * 12  # channels of z_1 .. z_L
    width: int = 256
    ends: int = 4  # residual blocks before the first and after the last layer
    ends_size: int = 5  # of their kernels
    weight_bits: int = 1  # of residual blocks: 1 or 8
    activation_bits: int = 1  # of what their convolutions see: 1 or 8
    hidden: int = 64  # of the likelihood
    components: int = 3

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        return (
            0 < self.tile <= 256
            and self.tile % STRIDE == 0
            and 0 < self.channels <= 4
            and 0 < self.components <= 16
            and 1 <= len(self.latents) <= 24
            and min(self.latents) > 0
            and max(self.latents) <= 64
            and 0 < self.width <= 256
            and 0 < self.hidden <= 256
            and self.ends <= 8
            and self.ends_size in (1, 3, 5)
            and self.weight_bits in (1, 8)
            and self.activation_bits in (1, 8)
        )

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return STRIDE

    @property
    def margin(self) -> int:
        """Pixels around a tile that training tells it: none."""
        return 0

    def block(self, stored: Stored) -> ResidualBlock:
        """Return a residual block."""
        return ResidualBlock(
            stored, self.width, binary=self.weight_bits == 1, signs=self.activation_bits == 1
        )

    def end(self, stored: Stored) -> ResidualBlocks:
        """Return the residual blocks of one end."""
        return ResidualBlocks(
            stored, self.ends, self.width, self.ends_size,
            binary=self.weight_bits == 1, signs=self.activation_bits == 1,
        )  # fmt: skip


class LatentLayer:
    """One latent layer: what p and q make of the streams, and how the streams go on.

    The posterior's mean and scale are told relative to the prior's.
    """

    def __init__(self, config: Config, stored: Stored, latents: int, top: bool) -> None:
        width, told = config.width, 2 * latents
        self.up = config.block(stored.part("up"))
        self.down = config.block(stored.part("down"))
        self.seen = stored.layer("seen", Shape(width, told, 3))
        self.lift = stored.layer("lift", Shape(latents, width, 3, input_max=128))
        self.drawn = None if top else stored.layer("drawn", Shape(width, told, 3))
        self.prior = None if top else stored.layer("prior", Shape(width, told, 3))

    def p(self, stream: Values) -> Pair:  # (B, H, W, width) -> (B, H, W, C) twice
        """Mean and scale index of the prior; the top's is the model's."""
        if self.prior is None:
            raise ValueError("the prior of the topmost layer sees no stream")
        return _limited(*np.split(self.prior(activation(stream)), 2, -1))

    def q(self, prior: Pair, up: Values, stream: Values | None) -> Pair:
        """Mean and scale index of the posterior. (B, H, W, C) twice"""
        if stream is None or self.drawn is None:
            out = self.seen(activation(up), within=TOLD)
        else:
            out = self.drawn(activation(stream), add=self.seen(activation(up)), within=TOLD)
        mean, scale = np.split(out, 2, -1)
        return _limited(prior[0] + mean, prior[1] + scale)

    def onwards(self, z: Values, stream: Values | None) -> Values:
        """The stream below. (B, H, W, C), (B, H, W, width) -> (B, H, W, width)"""
        return self.down(self.lift(z, add=stream))


def _limited(mean: Values, scale: Values) -> Pair:
    return mean.clip(*MEANS), scale.clip(*SCALES)


class ResNetVAE(Latents):
    """See the module's docstring."""

    family = "resnet_vae"
    schemes: Sequence[str] = ("topdown",)
    stride = STRIDE
    planes = (WHOLE,)
    # a tile takes about 4 bits for each latent from what is below it, and leaves about as many for
    # each pixel's channel; larger tiles would take more initial bits than they save
    factors: Sequence[int] = (1,)
    slack = 1.0

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(config.latents, stored)
        self.config = config
        self.tile, self.channels = config.tile, config.channels
        pixels, width = config.channels * STRIDE**2, config.width
        self.growth = Fraction(1, 1 + sum(config.latents) // pixels)
        self.stem = stored.layer("stem", Shape(pixels, width, 5, input_max=128))
        self.first, self.last = (config.end(stored.part(name)) for name in ("first", "last"))
        layers = stored.part("layers")
        self.latent_layers = [
            LatentLayer(config, layers.part(str(k)), c, top=k == self.depth - 1)
            for k, c in enumerate(config.latents)
        ]
        self.features = stored.layer("features", Shape(width, config.hidden * STRIDE**2))
        self.head = PlaneHead(
            stored.part("head"), config.hidden, 0, config.channels, config.hidden, config.components
        )

    def bottom_up(self, x: Integers) -> list[Values]:
        """What the posteriors see of x, (B, C, H, W): (B, H/2, W/2, width) of each layer."""
        cells = cells_as_channels(channels_last(x) - np.int16(128), STRIDE)
        h, ups = self.first(self.stem(cells)), []
        for layer in self.latent_layers:
            h = layer.up(h)
            ups.append(h)
        return ups

    def descend(self, batch: int, grid: int, code: Callable[[Level], Integers]) -> Integers:
        """Walk from z_L to z_1 on a grid of latents; returns what the likelihood is made of.

        Parameters
        ----------
        batch, grid : int
            Tiles, and latents of a row or column of one.
        code : callable
            Told each level, returns its latents, (B, C, H, W).
        """
        if self.top is None:
            raise ValueError("a ResNet VAE has latents")
        shape = batch, grid, grid, self.top.shape[1]
        mean, scale = (np.broadcast_to(t, shape) for t in self.top)
        stream: Values | None = None
        for number, layer in zip(
            range(self.depth, 0, -1), reversed(self.latent_layers), strict=True
        ):
            if stream is not None:
                mean, scale = layer.p(stream)
            z = code(Level(number, LogisticParameters(planar(mean), planar(scale)), stream))
            stream = layer.onwards(channels_last(z), stream)
        if stream is None:
            raise ValueError("a ResNet VAE has latents")
        return planar(self.last(stream))

    def posterior(self, level: Level, seen: list[Values]) -> LogisticParameters:
        """q(z_layer | z_{layer+1} .. z_L, x), arrays (B, C, H, W)."""
        prior = channels_last(level.prior.mean), channels_last(level.prior.scale)
        layer = self.latent_layers[level.layer - 1]
        return LogisticParameters(*map(planar, layer.q(prior, seen[level.layer - 1], level.stream)))

    def likelihood(self, stream: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1 .. z_L), one channel after the other.

        Parameters
        ----------
        stream : int32 array (B, width, H/2, W/2)
            As `descend` returned it.
        code : callable
            Told each step, returns its pixels, (B, H, W).
        """
        features = self.features(activation(channels_last(stream)))
        trunk = self.head.trunk(activation(channels_as_cells(features, STRIDE)))
        ref = np.full((*trunk.shape[:3], self.channels), 128, np.int16)
        code_channels(self.head, trunk, ref, WHOLE, code)

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`."""
        seen = self.bottom_up(x)

        def code(level: Level) -> Integers:
            posterior = self.posterior(level, seen)
            told.tiles(*level.prior, *posterior)
            return middle(posterior)

        stream = self.descend(len(x), x.shape[-1] // STRIDE, code)
        told.tiles(stream)
        self.likelihood(stream, tell_steps(x, told))


FAMILY = Family(
    name=ResNetVAE.family,
    config=Config,
    model=ResNetVAE,
    network="bitswap_models.training.networks.resnet_vae:ResNetNetwork",
)
