"""Bits of pixels anywhere in tiles that lie on a device, of a pixel VAE in training.

A step looks at some groups, some cells of each, and some pixels of each of these. Nothing here
depends on what is drawn but the numbers in tensors, so that a step can be compiled and recorded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bitswap_models.families.pixel_vae.window import UNKNOWN, taps
from bitswap_models.training.bits import logistic_bits, mixture_bits
from bitswap_models.training.groups.pool import Pool
from bitswap_models.training.latents import draw, latent_noise
from bitswap_models.training.networks.pixel_vae import PixelNetwork

TERMS = ("likelihood", "kl1", "common")
FEW, HARDLY = 4.0, 0.01  # activations, and shares of pixels, that are half of none


class Chance(NamedTuple):
    """What is drawn of a pool: G groups, K cells of each, N pixels of these."""

    group: Tensor  # (G,) places in the pool
    cell: Tensor  # (G, K)
    place: Tensor  # (G, K, N), in the cell
    noise: Tensor  # (2, G K, D), see `latent_noise`
    told: Tensor  # (G,) float: 1 where there is a z_2, else 0


class Where(NamedTuple):
    """Where cells are: of what the pool has, (G K, 1) each."""

    base: Tensor  # first pixel of the picture
    side: Tensor  # of the picture
    top: Tensor  # of the cell, in the picture
    left: Tensor


class Grouped(nn.Module):
    """A `PixelNetwork` that sees groups of tiles.

    Parameters
    ----------
    network : PixelNetwork
        With one layer of latents, or none.
    side : int
        Of a square of as many pixels as a tile has.
    sparse : float
        Bits a sample that it is worth if all hidden units are 0: kernels leave out their products.
    """

    def __init__(self, network: PixelNetwork, side: int, sparse: float = 0.0) -> None:
        super().__init__()
        self.network, self.config, self.sparse = network, network.config, sparse
        self.cells, self.area = (side // self.config.tile) ** 2, self.config.tile**2
        radius = self.config.radius
        offsets = torch.from_numpy(np.array(taps(radius)).T.copy())
        for name, tensor in (("taps", offsets), ("near", torch.arange(radius))):
            self.register_buffer(name, tensor, persistent=False)
        self.taps: Tensor  # (2, taps): rows and columns
        self.near: Tensor

    def chance(
        self, tiles: int, shape: tuple[int, int, int], alone: float, generator: torch.Generator
    ) -> Chance:
        """Draw groups, cells and pixels, so many of each of so many tiles; a share of the groups
        has no z_2."""
        device, (g, k, n) = generator.device, shape

        def uniform(*size: int) -> Tensor:
            return torch.rand(size, generator=generator, device=device)

        group = torch.randint(tiles, (g,), generator=generator, device=device)
        place = torch.randint(self.area, (g, k, n), generator=generator, device=device)
        noise = latent_noise((g * k, sum(self.config.latents)), generator)
        told = (uniform(g) >= alone).float()
        return Chance(group, uniform(g, self.cells).argsort(1)[:, :k], place, noise, told)

    def every(self, tile: int, generator: torch.Generator) -> Chance:
        """All pixels of a tile, and its z_2."""
        drawn = self.chance(1, (1, self.cells, 1), 0.0, generator)
        place = torch.arange(self.area, device=generator.device)
        return drawn._replace(
            group=torch.full_like(drawn.group, tile), place=place.expand(1, self.cells, -1)
        )

    def bits(self, pool: Pool, drawn: Chance, soft: float) -> Tensor:
        """Bits of what is drawn: of pixels, of z_1 and of z_2; how many samples that is, and what
        its hidden units cost.

        Those of latents are as many as the pixels' share of their cells and groups is. `soft` is
        added to every probability. (5,)
        """
        g, k, n = drawn.place.shape
        c, whole = self.config.channels, self._where(pool, drawn)
        window, border, symbols = self._pixels(pool, drawn, whole)
        film, kl, common = None, symbols.new_zeros(()), symbols.new_zeros(())
        if self.config.latents:
            z1, kl = self._latents(self._images(pool, whole), drawn.noise, soft)
            z2 = None
            if self.config.common:
                z2, told = self._common(pool, drawn, soft)
                common = (told * (k * n) / pool.sharing[drawn.group]).sum()
                z2 = z2.repeat_interleave(k, 0)
            film = self.network.modulation(z1[:, :, None, None], z2)
        terms = self.network.net.terms(window, border, film)
        channels = [self.network.net.channel(i, terms, symbols) for i in range(c)]
        logit, means, scales = (torch.stack(t)[None] for t in zip(*channels, strict=True))
        counted = torch.arange(c, device=symbols.device)[:, None] < pool.coded[drawn.group]
        counted = counted[:, :, None].expand(c, g, k * n).reshape(c, -1)
        own = mixture_bits(logit, means, scales, symbols[None], soft)[0]
        own = torch.where(counted, own, 0.0).sum()
        samples = counted.float().sum()
        cost = samples * self._active(terms.hidden, g * k)
        return torch.stack((own, kl * (n / self.area), common, samples, cost))

    def _active(self, hidden: list[Tensor], cells: int) -> Tensor:
        """What hidden units cost: `sparse` times about the share of those that are not 0.

        One that is 0 in nearly all of a cell is worth more than one that is 0 here and there, since
        a kernel leaves out what is 0 in several pixels at once.
        """
        if not self.sparse:
            return hidden[0].new_zeros(())
        units = torch.stack([h.view(cells, -1, self.config.width) for h in hidden])
        share = (units / (units + FEW)).mean(2)
        cost: Tensor = self.sparse * ((share + HARDLY).sqrt() - HARDLY**0.5).mean()
        return cost

    def _where(self, pool: Pool, drawn: Chance) -> Where:
        """Cells of a picture as large as a tile lie in rows; others are pictures themselves."""
        tile, k = self.config.tile, drawn.cell.shape[1]
        side = pool.sides[drawn.group]
        large = (side != tile)[:, None]
        across = torch.where(large, side[:, None] // tile, 1)
        top = torch.where(large, drawn.cell // across * tile, 0)
        left = torch.where(large, drawn.cell % across * tile, 0)
        base = drawn.group[:, None] * (self.cells * self.area)
        base = base + torch.where(large, 0, drawn.cell * self.area)
        side = side[:, None].expand(-1, k)
        return Where(*(t.reshape(-1, 1) for t in (base, side, top, left)))

    def _pixels(self, pool: Pool, drawn: Chance, where: Where) -> tuple[Tensor, Tensor, Tensor]:
        """What pixels see, the borders near to them (see window.py), and the pixels themselves:
        (M, taps, C), (M, 3 radius), (C, M)."""
        c, tile = self.config.channels, self.config.tile
        place = drawn.place.reshape(len(where.base), -1)
        y = (place // tile + where.top).reshape(-1, 1)
        x = (place % tile + where.left).reshape(-1, 1)
        side, base = (t.expand_as(place).reshape(-1, 1) for t in (where.side, where.base))
        rows, columns = (y + self.taps[0]).clamp_min(0), (x + self.taps[1]).clamp_min(0)
        columns = torch.minimum(columns, side - 1)
        known = (rows < y) | (columns < x)
        rows = torch.where(known, rows, torch.where(x > 0, y, y - 1)).clamp_min(0)
        columns = torch.where(known, columns, (x - 1).clamp_min(0))
        window = pool.pixels[base + rows * side + columns][..., :c].float()
        first = ((y == 0) & (x == 0))[:, :, None]
        window = torch.where(first, float(UNKNOWN), window)
        border = torch.cat((y <= self.near, x <= self.near, side - 1 - x <= self.near), 1).float()
        return window, border, pool.pixels[(base + y * side + x)[:, 0]][:, :c].T.float()

    def _images(self, pool: Pool, where: Where) -> Tensor:
        """Whole cells. (G K, C, T, T)"""
        at = torch.arange(self.config.tile, device=pool.pixels.device)
        base, side, top, left = (t[:, :, None] for t in where)
        places = base + (top + at[:, None]) * side + left + at
        return pool.pixels[places][..., : self.config.channels].permute(0, 3, 1, 2).float()

    def _latents(self, images: Tensor, noise: Tensor, soft: float) -> tuple[Tensor, Tensor]:
        """z_1 under q(z_1 | x), (G K, D), and the bits of all."""
        mean, scale = (t[:, :, 0, 0] for t in self.network.encoder(images))
        z1 = draw(mean, scale, noise)
        bits = logistic_bits(*self.network.top_integers(), z1, soft)
        return z1, (bits - logistic_bits(mean, scale, z1, soft)).sum()

    def _common(self, pool: Pool, drawn: Chance, soft: float) -> tuple[Tensor, Tensor]:
        """z_2 of the groups, 0 where there is none, (G, D, 1, 1), and its bits (G,)."""
        z2 = self.network.common(pool.statistics[drawn.group][:, :, None, None])
        prior = self.network.common.prior_integers()
        bits = logistic_bits(*prior, z2[:, :, 0, 0], soft).sum(1)
        return z2 * drawn.told[:, None, None, None], bits * drawn.told


@torch.no_grad()
def measure(grouped: Grouped, pool: Pool, seed: int = 1) -> dict[str, float]:
    """Bits/dim of all pixels of a pool, ``bpd``, and those of `TERMS`; the noise is always the
    same."""
    generator = torch.Generator(pool.pixels.device).manual_seed(seed)
    total = torch.zeros(5, dtype=torch.float64, device=pool.pixels.device)
    for tile in range(len(pool.sides)):
        total += grouped.bits(pool, grouped.every(tile, generator), 0.0)
    found = (total[:3] / total[3]).tolist()
    return {"bpd": sum(found), **dict(zip(TERMS, found, strict=True))}
