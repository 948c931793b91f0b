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
from typing import cast

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import (
    SCALE_LEVELS,
    SCALE_OF_ONE,
    LogisticParameters,
)
from bitswap_cli.contract import Plane, Step
from bitswap_models.exact.chain import (
    LATENT_MEAN_LIMIT,
    SCALE_WIDE,
    Integers,
    LatentChain,
    integers,
    latent_noise,
    tensor,
)
from bitswap_models.exact.distributions import (
    mixture,
    mixture_bits,
)
from bitswap_models.exact.layers import IntegerConv, Tower
from bitswap_models.families.planes import (
    PHASES,
    FinerLevel,
    Phase,
    PlaneHead,
    code_channels,
    coding_order,
    reference,
)

# told a plane's head, its trunk's integers, its reference and its place; returns its pixels
CodePlane = Callable[[PlaneHead, Tensor, Tensor, Plane], Tensor]


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


class MarkovVAE(LatentChain):
    """See the module's docstring. Training calls :meth:`elbo`; coding calls the other three."""

    schemes: Sequence[str] = ("bitswap", "bbans")
    low, high = 0, 255  # of samples

    def __init__(self, config: Config) -> None:
        super().__init__(config.latents)
        self.config = config
        self.factors: Sequence[int] = (1, 2, 4)
        self.slack, self.growth = 1.25, Fraction(1, 3)
        self.share = 1.0  # every pixel is trained on
        self.batch: int | None = None  # tiles a network sees at a time while coding
        self.tile, self.channels, self.stride = config.tile, config.channels, config.stride
        self.planes = coding_order(config.levels)
        pixels = config.channels * config.stride**2
        w, z = config.width, config.latents
        self.encoders = nn.ModuleList()  # q(z_1 | x), q(z_2 | z_1), ...
        self.decoders = nn.ModuleList()  # p(z_1 | z_2), ...
        for layer in range(self.depth):
            inputs = z[layer - 1] if layer else pixels
            blocks = config.link_blocks if layer else config.posterior_blocks
            q = LatentNet(inputs, w, blocks, z[layer], SCALE_OF_ONE, config.widest_posterior)
            self.encoders.append(q)
            if layer:
                p = LatentNet(z[layer], w, config.link_blocks, z[layer - 1], SCALE_WIDE)
                self.decoders.append(p)
        self.features = Tower(z[0], w, config.feature_blocks, input_max=128)
        self.base = self._head(w, 0)
        self.finer = nn.ModuleList()
        self.heads = nn.ModuleList()
        width = w
        for level in range(config.levels):
            if level:
                self.finer.append(
                    FinerLevel(width, config.channels, config.level_width, config.level_blocks)
                )
                width = config.level_width
            self.heads.append(nn.ModuleList(self._head(width, k + 1) for k in range(3)))

    def _head(self, features: int, known: int) -> PlaneHead:
        c = self.config
        return PlaneHead(features, known, c.channels, c.hidden, c.components)

    def _call(self, network: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Run a network, on at most `batch` tiles at a time."""
        if self.batch is None or len(inputs[0]) <= self.batch:
            return network(*inputs)
        pieces = zip(*(torch.split(i, self.batch) for i in inputs), strict=True)
        return torch.cat([network(*piece) for piece in pieces])

    # ---- distributions, as tensors of integers -------------------------------------------------
    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        if layer == 1:
            below = nn.functional.pixel_unshuffle(below - 128, self.config.stride)
        mean, scale = self._call(self.encoders[layer - 1], below).unbind(1)
        return mean, scale

    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self._call(self.decoders[layer - 1], above).unbind(1)
        return mean, scale

    def _likelihood(self, z1: Tensor, code: CodePlane) -> None:
        """Walk the planes in coding order; `code` is told each and returns its pixels."""
        features = self._call(self.features, z1)
        planes = iter(self.planes)

        def plane(head: PlaneHead, known: dict[Phase, Tensor], ref: Tensor) -> Tensor:
            seen = (torch.cat(list(known.values()), 1),) if known else ()
            trunk = self._call(head.trunk, features, ref, *seen)
            return code(head, trunk, ref, next(planes))

        grid = z1.shape[-1]
        ref = z1.new_full((z1.shape[0], self.config.channels, grid, grid), 128)
        image = plane(self.base, {}, ref)
        for level, heads in enumerate(self.heads):
            if level:
                features = self._call(self.finer[level - 1], image, features)
            known: dict[Phase, Tensor] = {(0, 0): image}
            for phase, head in zip(PHASES, cast(list[PlaneHead], heads), strict=True):
                known[phase] = plane(head, known, reference(phase, known))
            rows = [torch.stack((known[y, 0], known[y, 1]), -1).flatten(-2) for y in (0, 1)]
            image = torch.stack(rows, -2).flatten(-3, -2)

    # ---- coding: integers in, integers out, the same on every machine --------------------------
    @torch.inference_mode()
    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), layer = 1..L; z_0 is x. Arrays are (B, C, H, W)."""
        return LogisticParameters(*map(integers, self._posterior(layer, tensor(below))))

    @torch.inference_mode()
    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), layer = 1..L-1. Arrays are (B, C, H, W)."""
        return LogisticParameters(*map(integers, self._prior(layer, tensor(above))))

    @torch.inference_mode()
    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L) for a batch of tiles. Arrays are (B, C_L, H, W)."""
        grid = self.config.tile // self.config.stride
        terms = (t[None, :, None, None].expand(batch, -1, grid, grid) for t in self.top_integers())
        return LogisticParameters(*map(integers, terms))

    @torch.inference_mode()
    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1), step by step: one channel of one plane at a time.

        Parameters
        ----------
        z1 : int32 array (B, C_1, H, W)
        code : callable
            Told each step in coding order, returns its pixels, (B, H, W).
        """

        def plane(head: PlaneHead, trunk: Tensor, ref: Tensor, where: Plane) -> Tensor:
            return code_channels(head, trunk, ref, where, code, self._call)

        self._likelihood(tensor(z1), plane)

    # ---- training ------------------------------------------------------------------------------
    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Noise of every latent layer, (2, B, C_l, H, W) each, see `latent_noise`."""
        grid = self.config.tile // self.config.stride
        return [latent_noise((batch, c, grid, grid), generator) for c in self.config.latents]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Bits of a batch of tiles, split into likelihood and KL of each latent layer.

        x : (B, C, H, W) float tensor of integers 0..255; noise as from :meth:`noise`. Returns sums
        over a tile: ``likelihood`` (B,) and ``kl1``.. (B, C_l), per channel for free bits.
        """
        zs, terms = self.latent_terms(x, noise, soft)
        waiting: dict[int, list[tuple[Tensor, ...]]] = {}

        def code(head: PlaneHead, trunk: Tensor, ref: Tensor, plane: Plane) -> Tensor:
            pixels = x[:, :, plane.top :: plane.stride, plane.left :: plane.stride]
            out = head(trunk, pixels - ref)
            waiting.setdefault(pixels.shape[-1], []).append((out, ref, pixels))
            return pixels

        self._likelihood(zs[1], code)
        bits: list[Tensor] = []
        for items in waiting.values():  # planes of one size in one pass
            out, ref, pixels = (torch.cat(t) for t in zip(*items, strict=True))
            bits.append(self.pixel_bits(out, ref, pixels, soft).view(len(items), len(x)).sum(0))
        terms["likelihood"] = torch.stack(bits).sum(0)
        return terms

    def pixel_bits(self, out: Tensor, ref: Tensor, pixels: Tensor, soft: float) -> Tensor:
        """Bits of whole planes, (B,)."""
        logit, mean, scale = mixture(out, ref, pixels - ref, self.config.components)
        return mixture_bits(logit, mean, scale, pixels, soft).sum((1, 2, 3))


class LatentNet(nn.Module):
    """Tower and heads of one q(z_{l+1} | z_l) or p(z_l | z_{l+1}): mean and scale index.

    The scale index is about `start` when training starts, and at most `widest`.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        blocks: int,
        latents: int,
        start: int,
        widest: int = SCALE_LEVELS - 1,
    ) -> None:
        super().__init__()
        self.widest = widest
        self.tower = Tower(inputs, width, blocks, input_max=128)
        self.mean = IntegerConv(width, latents, spread=128 if start == SCALE_OF_ONE else 64)
        self.scale = IntegerConv(width, latents, spread=4, offset=start)

    def forward(self, x: Tensor) -> Tensor:  # (B, I, H, W) -> (B, 2, C, H, W)
        h = self.tower(x)
        mean = self.mean(h).clamp(-LATENT_MEAN_LIMIT, LATENT_MEAN_LIMIT)
        return torch.stack((mean, self.scale(h).clamp(0, self.widest)), 1)
