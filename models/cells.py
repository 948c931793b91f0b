"""The cells of the pictures that a pixel VAE is fitted to, and batches drawn from them.

A batch is some cells with latents, drawn from the posterior, and some pixels of each with all that
the likelihood sees of them: windows and borders as the coder will see them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, SCALE_OF_ONE, SCALES_PER_OCTAVE

from . import gradient
from .gradient import Floats, Pixels
from .pixel_vae import PixelVAE

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


class Tiles(NamedTuple):
    """Tiles of one size, as they are coded."""

    pixels: Bytes  # (N, T, T, C)
    sizes: NDArray[np.int32]  # (N, 3): valid rows and columns, and coded channels


class Cells:
    """The cells of tiles, which batches are drawn from.

    Parameters
    ----------
    model : PixelVAE
        An exact one, for the posterior.
    tiles : list of Tiles
    """

    def __init__(self, model: PixelVAE, tiles: list[Tiles]) -> None:
        self.model = model
        flat = [t.pixels.reshape(-1, model.channels) for t in tiles]
        self.flat = np.ascontiguousarray(np.concatenate(flat))
        rows, means, scales = [], [], []
        first = 0
        for pixels, sizes in tiles:
            side = pixels.shape[1]
            for at in range(0, len(pixels), 64):
                some = slice(at, at + 64)
                grid, mean, scale = _posterior(model, pixels[some], sizes[some])
                tile, y, x = grid.T
                base = first + (tile + at) * side**2
                size = sizes[some][tile]
                rows.append(np.stack((base, np.full_like(y, side), y, x, *size.T), 1))
                means.append(mean)
                scales.append(scale)
            first += len(pixels) * side**2
        self.rows: Integers = np.concatenate(rows).astype(np.int64)
        self.mean, self.deviation = np.concatenate(means), np.concatenate(scales)
        _, _, y, x, height, width, coded = self.rows.T
        self.height = np.minimum(height - y, model.tile)
        self.width = np.minimum(width - x, model.tile)
        self.samples = int((self.height * self.width * coded).sum())
        share = (self.height * self.width).astype(np.float64)
        self.share = np.cumsum(share) / share.sum()

    def draw(self, random: np.random.Generator, count: int, each: int) -> tuple[Floats, Pixels]:
        """Draw latents of `count` cells, (count, D), and `each` of their pixels."""
        cell = np.searchsorted(self.share[:-1], random.random(count), side="right")
        z = self.latents(random, cell)
        places = random.random((2, count, each))
        y = (places[0] * self.height[cell, None]).astype(np.int64)
        x = (places[1] * self.width[cell, None]).astype(np.int64)
        return z, self.look(cell, y, x)

    def latents(self, random: np.random.Generator, cell: Integers | slice) -> Floats:
        """Draw latents of cells from their posteriors, (N, D)."""
        mean = self.mean[cell] / 16
        noise = random.random(mean.shape)
        logistic = np.log(noise.clip(1e-6, 1 - 1e-6)) - np.log1p(-noise.clip(1e-6, 1 - 1e-6))
        z: Floats = np.rint(mean + logistic * self.deviation[cell]).astype(np.float32)
        return z.clip(LATENT_MIN, LATENT_MAX)

    def look(self, cell: Integers, y: Integers, x: Integers) -> Pixels:
        """The pixels at rows and columns (count, each) of cells."""
        rows = np.repeat(self.rows[cell], y.shape[1], 0)  # first pixel, side, y, x, height, width
        places = np.ascontiguousarray(rows[:, [0, 1, 2, 3, 5]])
        places[:, 2] += y.ravel()
        places[:, 3] += x.ravel()
        engine = gradient.engine()
        looked = (engine.look if engine else gradient.look)(self.flat, places, self.model.margin)
        return Pixels(*looked, rows[:, 6].astype(np.uint8))


def _posterior(
    model: PixelVAE, pixels: Bytes, sizes: NDArray[np.int32]
) -> tuple[Integers, Floats, Floats]:
    """Cells that hold pixels: tile, row and column (N, 3), means and deviations of z_1 (N, D)."""
    side, grid = pixels.shape[1], np.arange(pixels.shape[1] // model.tile) * model.tile
    valid = (grid[:, None] < sizes[:, 0, None, None]) & (grid < sizes[:, 1, None, None])
    tile, row, column = np.nonzero(valid)
    where = np.stack((tile, row * model.tile, column * model.tile), 1)
    if not model.depth:
        return (
            where,
            np.zeros((2, len(where), 0), np.float32)[0],
            np.zeros((len(where), 0), np.float32),
        )
    at = np.minimum(
        np.arange(side), sizes[:, :2, None] - 1
    )  # what lies outside repeats the nearest
    x = pixels[np.arange(len(pixels))[:, None, None], at[:, 0, :, None], at[:, 1, None, :]]
    told = model.posterior(1, np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.int32))
    mean, scale = (p.transpose(0, 2, 3, 1)[valid].astype(np.float32) for p in told)
    return where, mean, np.exp2((scale - SCALE_OF_ONE) / SCALES_PER_OCTAVE)
