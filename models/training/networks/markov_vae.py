"""The Markov VAE in training; see bitswap_models.families.markov_vae."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import SCALE_LEVELS, SCALE_OF_ONE
from bitswap_cli.contract import Plane
from bitswap_models.exact.latents import MEANS
from bitswap_models.families.markov_vae import FAMILY, Config
from bitswap_models.families.planes import PHASES, Phase, coding_order
from bitswap_models.training.bits import mixture, mixture_bits
from bitswap_models.training.latents import SCALE_WIDE, ChainNetwork, latent_noise
from bitswap_models.training.layers import IntegerConv
from bitswap_models.training.networks.blocks import Tower
from bitswap_models.training.networks.planes import FinerLevel, PlaneHead, reference

# told a plane's head, its trunk's integers, its reference and its place; returns its pixels
CodePlane = Callable[[PlaneHead, Tensor, Tensor, Plane], Tensor]


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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (B, I, H, W) -> (B, C, H, W) twice
        h = self.tower(x)
        return self.mean(h).clamp(*MEANS), self.scale(h).clamp(0, self.widest)


class MarkovNetwork(ChainNetwork):
    """A Markov VAE in training."""

    family = FAMILY.name
    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
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

    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        if layer == 1:
            below = nn.functional.pixel_unshuffle(below - 128, self.config.stride)
        mean, scale = self.encoders[layer - 1](below)
        return mean, scale

    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self.decoders[layer - 1](above)
        return mean, scale

    def _likelihood(self, z1: Tensor, code: CodePlane) -> None:
        """Walk the planes in coding order; `code` is told each and returns its pixels."""
        features = self.features(z1)
        planes = iter(self.planes)

        def plane(head: PlaneHead, known: dict[Phase, Tensor], ref: Tensor) -> Tensor:
            seen = (torch.cat(list(known.values()), 1),) if known else ()
            trunk = head.trunk(features, ref, *seen)
            return code(head, trunk, ref, next(planes))

        grid = z1.shape[-1]
        ref = z1.new_full((z1.shape[0], self.config.channels, grid, grid), 128)
        image = plane(self.base, {}, ref)
        for level, heads in enumerate(self.heads):
            if level:
                features = self.finer[level - 1](image, features)
            known: dict[Phase, Tensor] = {(0, 0): image}
            for phase, head in zip(PHASES, cast(list[PlaneHead], heads), strict=True):
                known[phase] = plane(head, known, reference(phase, known))
            rows = [torch.stack((known[y, 0], known[y, 1]), -1).flatten(-2) for y in (0, 1)]
            image = torch.stack(rows, -2).flatten(-3, -2)

    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Noise of every latent layer, (2, B, C_l, H, W) each, see `latent_noise`."""
        grid = self.config.tile // self.config.stride
        return [latent_noise((batch, c, grid, grid), generator) for c in self.config.latents]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 2.0**-17, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """See `Network.elbo`: ``likelihood``, and the KL of each latent layer."""
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
