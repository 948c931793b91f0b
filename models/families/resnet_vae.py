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

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import (
    SCALE_LEVELS,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
    LogisticParameters,
)
from bitswap_cli.contract import Level, Plane, Step
from bitswap_models.exact.chain import (
    LATENT_MEAN_LIMIT,
    Integers,
    Latents,
    draw,
    integers,
    latent_noise,
    tensor,
)
from bitswap_models.exact.distributions import logistic_bits, mixture, mixture_bits
from bitswap_models.exact.layers import IntegerConv, ResidualBlock, activation
from bitswap_models.families.planes import PlaneHead, code_channels

STRIDE = 2  # pixels between neighbours of the latent grid
WHOLE = Plane(0, 0, 1)
PRIOR_SCALE = SCALE_OF_ONE + SCALES_PER_OCTAVE  # where it starts; posteriors start at half of it


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

    def block(self, size: int = 3) -> ResidualBlock:
        """Return a residual block."""
        return ResidualBlock(
            self.width, size, binary=self.weight_bits == 1, signs=self.activation_bits == 1, gain=0
        )

    def end(self) -> nn.Sequential:
        """Return the residual blocks of one end."""
        return nn.Sequential(*(self.block(self.ends_size) for _ in range(self.ends)))


class LatentLayer(nn.Module):
    """One latent layer: what p and q make of the streams, and how the streams go on.

    The posterior's mean and scale are told relative to the prior's.
    """

    def __init__(self, config: Config, latents: int, top: bool) -> None:
        super().__init__()
        width = config.width
        self.up, self.down = config.block(), config.block()
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
        mean, scale = out.clamp(-4096, 4096).chunk(2, 1)
        return _limited(prior[0] + mean, prior[1] + scale)

    def onwards(self, z: Tensor, stream: Tensor | None) -> Tensor:
        """The stream below. (B, C, H, W), (B, W, H, W) -> (B, W, H, W)"""
        out: Tensor = self.down(self.lift(z, add=stream))
        return out


def _limited(mean: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    return (
        mean.clamp(-LATENT_MEAN_LIMIT, LATENT_MEAN_LIMIT),
        scale.clamp(0, SCALE_LEVELS - 1),
    )


class ResNetVAE(Latents):
    """See the module's docstring. Training calls :meth:`elbo`; coding calls the others."""

    schemes: Sequence[str] = ("topdown",)
    low, high = 0, 255  # of samples

    def __init__(self, config: Config) -> None:
        super().__init__(config.latents)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, STRIDE
        self.planes = (WHOLE,)
        # a tile takes about 4 bits for each latent from what is below it, and leaves about as many
        # for each pixel's channel; larger tiles would take more initial bits than they save
        self.factors: Sequence[int] = (1,)
        self.slack = 1.0
        pixels = config.channels * STRIDE**2
        self.growth = Fraction(1, 1 + sum(config.latents) // pixels)
        self.share = 1.0  # every pixel is trained on
        self.batch: int | None = None  # of no effect: groups are small
        width = config.width
        self.stem = IntegerConv(pixels, width, 5, input_max=128)
        self.first, self.last = config.end(), config.end()
        self.layers = nn.ModuleList(
            LatentLayer(config, c, top=layer == self.depth)
            for layer, c in enumerate(config.latents, 1)
        )
        self.features = IntegerConv(width, config.hidden * STRIDE**2)
        self.head = PlaneHead(
            config.hidden, 0, config.channels, config.hidden, config.components, spread=640.0
        )

    def _layer(self, layer: int) -> LatentLayer:
        found = self.layers[layer - 1]
        assert isinstance(found, LatentLayer)
        return found

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

    # ---- coding: integers in, integers out, the same on every machine --------------------------
    @torch.inference_mode()
    def bottom_up(self, x: Integers) -> list[Tensor]:
        """What the posteriors see of x, (B, C, H, W): one tensor of each layer."""
        return self._up(tensor(x))

    @torch.inference_mode()
    def descend(self, batch: int, grid: int, code: Callable[[Level], Integers]) -> Integers:
        """Walk from z_L to z_1 on a grid of latents; returns what the likelihood is made of.

        Parameters
        ----------
        batch, grid : int
            Tiles, and latents of a row or column of one.
        code : callable
            Told each level, returns its latents, (B, C, H, W).
        """

        def told(layer: int, stream: Tensor | None, prior: tuple[Tensor, Tensor]) -> Tensor:
            shape = (batch, self.config.latents[layer - 1], grid, grid)
            parameters = LogisticParameters(*(integers(t.expand(shape)) for t in prior))
            return tensor(code(Level(layer, parameters, stream)))

        return integers(self._down(told))

    @torch.inference_mode()
    def posterior(self, level: Level, seen: list[Tensor]) -> LogisticParameters:
        """q(z_layer | z_{layer+1} .. z_L, x), arrays (B, C, H, W)."""
        prior = tensor(level.prior.mean), tensor(level.prior.scale)
        q = self._layer(level.layer).q(prior, seen[level.layer - 1], level.stream)
        return LogisticParameters(*map(integers, q))

    @torch.inference_mode()
    def likelihood(self, stream: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1 .. z_L), one channel after the other.

        Parameters
        ----------
        stream : int32 array (B, W, H/2, W/2)
            As `descend` returned it.
        code : callable
            Told each step, returns its pixels, (B, H, W).
        """
        trunk = self._trunk(tensor(stream))
        ref = trunk.new_full((len(trunk), self.channels, *trunk.shape[2:]), 128)
        code_channels(self.head, trunk, ref, WHOLE, code)

    # ---- training ------------------------------------------------------------------------------
    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Noise of every latent layer, (2, B, C_l, H, W) each, see `latent_noise`."""
        grid = self.tile // STRIDE
        return [latent_noise((batch, c, grid, grid), generator) for c in self.config.latents]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Bits of a batch of tiles, split into likelihood and KL of each latent layer.

        x : (B, C, H, W) float tensor of integers 0..255; noise as from :meth:`noise`. Returns sums
        over a tile: ``likelihood`` (B,) and ``kl1``.. (B, C_l), per channel for free bits.
        """
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
