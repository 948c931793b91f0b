"""The Markov hierarchical VAE of Bit-Swap, in exact integers, with a multi-scale likelihood.

    p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2) p(x | z_1)    q(z_1 | x) q(z_2 | z_1) ... q(z_L | ...)

Latents are integers in -128..127, all on one coarse grid; priors and posteriors are logistics
(Kingma, Abbeel and Ho, ICML 2019). The likelihood departs from the paper, where every pixel is
independent given z_1: pixels are coded in planes, channel by channel, given z_1 and the planes
before (planes.py). With ``levels = 0`` there is one plane and the likelihood is the paper's but
for its mixtures and its channels, which see the channels before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import SCALE_LEVELS, LogisticParameters
from bitswap_cli.contract import Integers, Step
from bitswap_models.exact.blocks import Tower
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.latents import MEANS, LatentChain, channels_last, planar
from bitswap_models.exact.layers import Shape
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.family import Family
from bitswap_models.families.planes import (
    PHASES,
    FinerLevel,
    Phase,
    PlaneHead,
    cells_as_channels,
    code_channels,
    coding_order,
    interleaved,
    reference,
    tell_steps,
)


@dataclass(frozen=True)
class Config:
    """Shape of a Markov VAE; every field is stored in the model file."""

    tile: int = 32
    channels: int = 3
    latents: tuple[int, ...] = (8, 8)  # channels of z_1 .. z_L
    width: int = 64
    posterior_blocks: int = 2  # q(z_1 | x)
    link_blocks: int = 1  # q(z_{l+1} | z_l) and p(z_l | z_{l+1})
    feature_blocks: int = 2  # p(x | z_1)
    levels: int = 2
    level_width: int = 64
    level_blocks: int = 1
    hidden: int = 64
    components: int = 3
    widest_posterior: int = SCALE_LEVELS - 1  # scale index of q: wide ones cost initial bits

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return int(2**self.levels)

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        blocks = (self.posterior_blocks, self.link_blocks, self.feature_blocks, self.level_blocks)
        largest = max(self.width, self.level_width, self.hidden, *self.latents, 0)
        return (
            0 < self.tile <= 256
            and 0 < self.channels <= 4
            and 0 < self.components <= 16
            and max(blocks) <= 8
            and largest <= 256
            and self.levels <= 4
            and self.tile % self.stride == 0
            and 1 <= len(self.latents) <= 8
            and min(self.latents) > 0
        )

    @property
    def margin(self) -> int:
        """Pixels around a tile that training tells it: none."""
        return 0


class LatentNet:
    """Tower and heads of one q(z_{l+1} | z_l) or p(z_l | z_{l+1}): mean and scale index.

    The scale index is at most `widest`.
    """

    def __init__(
        self,
        stored: Stored,
        inputs: int,
        width: int,
        blocks: int,
        latents: int,
        widest: int = SCALE_LEVELS - 1,
    ) -> None:
        self.widest = widest
        self.tower = Tower(stored.part("tower"), inputs, width, blocks, input_max=128)
        self.mean = stored.layer("mean", Shape(width, latents))
        self.scale = stored.layer("scale", Shape(width, latents))

    def __call__(self, x: NDArray[np.integer]) -> Values:  # (B, H, W, I) -> (B, 2, H, W, C)
        h = self.tower(x)
        return np.stack((self.mean(h, within=MEANS), self.scale(h, within=(0, self.widest))), 1)


class MarkovVAE(LatentChain):
    """See the module's docstring."""

    family = "markov_vae"
    schemes: Sequence[str] = ("bitswap", "bbans")
    factors: Sequence[int] = (1, 2, 4)
    slack, growth = 1.25, Fraction(1, 3)

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(config.latents, stored)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, config.stride
        self.planes = coding_order(config.levels)
        c, w, z = config, config.width, config.latents
        encoders, decoders = stored.part("encoders"), stored.part("decoders")
        self.encoders: list[LatentNet] = []  # q(z_1 | x), q(z_2 | z_1), ...
        self.decoders: list[LatentNet] = []  # p(z_1 | z_2), ...
        for layer in range(self.depth):
            inputs = z[layer - 1] if layer else c.channels * c.stride**2
            blocks = c.link_blocks if layer else c.posterior_blocks
            part = encoders.part(str(layer))
            q = LatentNet(part, inputs, w, blocks, z[layer], c.widest_posterior)
            self.encoders.append(q)
            if layer:
                part = decoders.part(str(layer - 1))
                self.decoders.append(LatentNet(part, z[layer], w, c.link_blocks, z[layer - 1]))
        self.features = Tower(stored.part("features"), z[0], w, c.feature_blocks, input_max=128)
        self.base = self._head(stored.part("base"), w, 0)
        self.finer: list[FinerLevel] = []
        self.heads: list[list[PlaneHead]] = []
        for level in range(c.levels):
            if level:
                part = stored.part(f"finer.{level - 1}")
                self.finer.append(FinerLevel(part, w, c.channels, c.level_width, c.level_blocks))
                w = c.level_width
            part = stored.part(f"heads.{level}")
            self.heads.append([self._head(part.part(str(k)), w, k + 1) for k in range(3)])

    def _head(self, stored: Stored, features: int, known: int) -> PlaneHead:
        c = self.config
        return PlaneHead(stored, features, known, c.channels, c.hidden, c.components)

    def _call(self, network: Callable[..., Values], *inputs: NDArray[np.integer]) -> Values:
        """Run a network, on at most `batch` tiles at a time."""
        count = len(inputs[0])
        if self.batch is None or count <= self.batch:
            return network(*inputs)
        some = (slice(k, k + self.batch) for k in range(0, count, self.batch))
        return np.concatenate([network(*(i[part] for i in inputs)) for part in some])

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), layer = 1..L; z_0 is x. Arrays are (B, C, H, W)."""
        x: NDArray[np.integer] = channels_last(below)
        if layer == 1:
            x = cells_as_channels(x - np.int16(128), self.stride)
        return self._latents(self.encoders[layer - 1], x)

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), layer = 1..L-1. Arrays are (B, C, H, W)."""
        return self._latents(self.decoders[layer - 1], channels_last(above))

    def _latents(self, network: LatentNet, x: NDArray[np.integer]) -> LogisticParameters:
        told = self._call(network, x)
        return LogisticParameters(planar(told[:, 0]), planar(told[:, 1]))

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1), step by step: one channel of one plane at a time.

        Parameters
        ----------
        z1 : int32 array (B, C_1, H, W)
        code : callable
            Told each step in coding order, returns its pixels, (B, H, W).
        """
        features = self._call(self.features, channels_last(z1))
        planes = iter(self.planes)

        def plane(head: PlaneHead, known: dict[Phase, Values], ref: Values) -> Values:
            seen = (np.concatenate(list(known.values()), -1),) if known else ()
            trunk = self._call(head.trunk, features, ref, *seen)
            return code_channels(head, trunk, ref, next(planes), code, self._call)

        grid = z1.shape[-1]
        image = np.full((len(z1), grid, grid, self.channels), 128, np.int16)
        image = plane(self.base, {}, image)
        for level, heads in enumerate(self.heads):
            if level:
                features = self._call(self.finer[level - 1], image, features)
            known: dict[Phase, Values] = {(0, 0): image}
            for phase, head in zip(PHASES, heads, strict=True):
                known[phase] = plane(head, known, reference(phase, known))
            image = interleaved(known)

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`."""
        z1 = self.tell_latents(x, told)
        if z1 is None:
            raise ValueError("a Markov VAE has latents")
        self.likelihood(z1, tell_steps(x, told))


FAMILY = Family(
    name=MarkovVAE.family,
    config=Config,
    model=MarkovVAE,
    network="bitswap_models.training.networks.markov_vae:MarkovNetwork",
)
