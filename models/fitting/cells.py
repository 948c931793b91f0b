"""The cells of the pictures that a pixel VAE is fitted to, and batches drawn from them.

A batch is some cells with latents, drawn from the posterior, and some pixels of each with all that
the likelihood sees of them: windows and borders as the coder will see them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_cli.contract import Tiles
from bitswap_models.families.pixel_vae.common import Common, statistics
from bitswap_models.families.pixel_vae.common import cells as whole_cells
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import compiled
from bitswap_models.fitting.compiled import Floats, Pixels
from bitswap_models.training.latents import STRAYS, draw

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
AT_ONCE = 256  # cells that the encoder sees
GROUP = 64  # cells that the tiles of a group have room for, as bitswap_cli/coding/chunk.py forms it


class Batch(NamedTuple):
    """Cells, noise to draw their latents with, and as many pixels of each."""

    cells: Integers  # (B,)
    noise: Floats  # (2, B, D), as from `latent_noise`
    pixels: Pixels


class Cells:
    """The cells of tiles, which batches are drawn from.

    Parameters
    ----------
    model : PixelVAE
        An exact one, for the posterior.
    tiles : list of Tiles
    """

    def __init__(self, model: PixelVAE, tiles: list[Tiles]) -> None:
        self.tile, self.margin = model.tile, model.margin
        flat = [t.pixels.reshape(-1, model.channels) for t in tiles]
        self.flat = np.ascontiguousarray(np.concatenate(flat))
        rows, groups = [], []
        first = before = 0
        for pixels, sizes in tiles:
            side = pixels.shape[1]
            each = max(1, GROUP // (side // model.tile) ** 2)
            tile, y, x = _grid(side, model.tile, sizes)
            base = first + tile * side**2
            rows.append(np.stack((base, np.full_like(y, side), y, x, *sizes[tile].T), 1))
            groups.append(before + tile // each)
            first += len(pixels) * side**2
            before += -(-len(pixels) // each)
        # of each: its tile's first pixel and side; row, column; the tile's valid part
        self.rows: Integers = np.concatenate(rows).astype(np.int64)
        _, _, y, x, height, width, coded = self.rows.T
        self.height = np.minimum(height - y, model.tile)
        self.width = np.minimum(width - x, model.tile)
        self.samples = int((self.height * self.width * coded).sum())
        share = (self.height * self.width).astype(np.float64)
        self.share = np.cumsum(share) / share.sum()
        self.group: Integers = np.concatenate(groups)  # that each is of
        self.groups = Groups(model.common, tiles) if model.common else None
        self._ask(model)

    def renew(self, model: PixelVAE) -> None:
        """Let another model of the same shape choose latents."""
        if model.common and self.groups:
            self.groups.choose(model.common)
        before, now = self.model.tensors(), model.tensors()
        posterior = [name for name in now if name.startswith("encoder.")]
        if not all(np.array_equal(before[name], now[name]) for name in posterior):
            self._ask(model)

    def _ask(self, model: PixelVAE) -> None:
        """Take the posterior from a model; it is asked when needed."""
        self.model = model
        self.told = np.zeros(len(self.rows), np.bool_)
        depth = model.config.latents[0] if model.depth else 0
        self.mean, self.scale = np.zeros((2, len(self.rows), depth), np.float32)

    def posterior(self, cells: Integers) -> tuple[Floats, Floats]:
        """Means (1/16 symbol) and scale indices of q(z_1 | x) of cells, (N, D) each."""
        new = np.unique(cells[~self.told[cells]]) if self.model.depth else cells[:0]
        for at in range(0, len(new), AT_ONCE):
            some = new[at : at + AT_ONCE]
            x = np.ascontiguousarray(self.images(some).transpose(0, 3, 1, 2))
            self.mean[some], self.scale[some] = (p[:, :, 0, 0] for p in self.model.posterior(1, x))
            self.told[some] = True
        return self.mean[cells], self.scale[cells]

    def images(self, cells: Integers | slice) -> NDArray[np.int32]:
        """Cells as the encoder sees them, (N, T, T, C): outside, the nearest pixel is repeated."""
        base, side, y, x, height, width, _ = (c[:, None, None] for c in self.rows[cells].T)
        at = np.arange(self.tile)
        row = np.minimum(y + at[:, None], height - 1)
        column = np.minimum(x + at, width - 1)
        images: NDArray[np.int32] = self.flat[base + row * side + column].astype(np.int32)
        return images

    def draw(self, random: np.random.Generator, count: int, each: int) -> Batch:
        """Draw `count` cells, noise for their latents, and `each` of their pixels."""
        cell = np.searchsorted(self.share[:-1], random.random(count), side="right")
        noise = self.noise(random, count)
        places = random.random((2, count, each))
        y = (places[0] * self.height[cell, None]).astype(np.int64)
        x = (places[1] * self.width[cell, None]).astype(np.int64)
        return Batch(cell, noise, self.look(cell, y, x))

    def noise(self, random: np.random.Generator, count: int) -> Floats:
        """Noise and strays to draw the latents of `count` cells with, (2, count, D)."""
        shape = (count, self.mean.shape[1])
        uniform = random.random(shape).clip(1e-6, 1 - 1e-6)
        anywhere = random.integers(LATENT_MIN, LATENT_MAX + 1, shape)
        strays = np.where(random.random(shape) < STRAYS, anywhere, np.nan)
        return np.stack((np.log(uniform) - np.log1p(-uniform), strays)).astype(np.float32)

    def latents(self, cells: Integers, noise: Floats) -> Floats:
        """Draw latents of cells from their posteriors, (N, D), as popping random bits does."""
        mean, scale = (torch.from_numpy(array) for array in self.posterior(cells))
        z: Floats = draw(mean, scale, torch.from_numpy(noise)).numpy()
        return z

    def look(self, cell: Integers, y: Integers, x: Integers) -> Pixels:
        """The pixels at rows and columns (count, each) of cells."""
        rows = np.repeat(self.rows[cell], y.shape[1], 0)  # first pixel, side, y, x, height, width
        places = np.ascontiguousarray(rows[:, [0, 1, 2, 3, 5]])
        places[:, 2] += y.ravel()
        places[:, 3] += x.ravel()
        engine = compiled.engine()
        looked = (engine.look if engine else compiled.look)(self.flat, places, self.margin)
        return Pixels(*looked, rows[:, 6].astype(np.uint8))


class Groups:
    """The groups of tiles that are fitted to, for a model that has a z_2.

    Parameters
    ----------
    common : Common
    tiles : list of Tiles
        Those of one array follow one another.
    """

    def __init__(self, common: Common, tiles: list[Tiles]) -> None:
        found, has, pixels = [], [], []
        for x, sizes in tiles:
            each = max(1, GROUP // (x.shape[1] // common.tile) ** 2)
            for at in range(0, len(x), each):
                some = sizes[at : at + each]
                has.append(common.has(some))
                own = x[at : at + each].transpose(0, 3, 1, 2)
                zeros = np.zeros(common.hidden.shape.inputs, np.int32)
                found.append(statistics(whole_cells(own, some, common.tile)) if has[-1] else zeros)
                pixels.append(int(some[:, :2].prod(1, dtype=np.int64).sum()))
        self.statistics: NDArray[np.int32] = np.stack(found)
        self.has: NDArray[np.bool_] = np.array(has)
        self.pixels: NDArray[np.int64] = np.array(pixels)
        self.choose(common)

    def choose(self, common: Common) -> None:
        """Let a model choose z_2 of all of them."""
        chosen = common.told(self.statistics) * self.has[:, None]
        self.z2: Floats = chosen.astype(np.float32)


def _grid(
    side: int, cell: int, sizes: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Cells of tiles that hold pixels: the number of the tile, row and column, (N,) each."""
    at = np.arange(0, side, cell)
    valid = (at[:, None] < sizes[:, 0, None, None]) & (at < sizes[:, 1, None, None])
    tile, row, column = np.nonzero(valid)
    return tile, row * cell, column * cell
