"""z_2 of the pixel VAE: what the tiles of a group have in common, as a function of their pixels.

Statistics say how well simple predictions fit the pixels: their errors in the mean and squared, how
often they are right, and nearly; of red, green and blue, of green less red and of blue less green.
A small perceptron turns their mean over some cells into z_2. A group has one where `LEAST` cells
lie wholly within its pictures; for fewer pixels it would not repay its bits.

Readers only need p(z_2), and when there is one: how z_2 is chosen is the writer's matter.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN, LogisticParameters
from bitswap_cli.contract import Integers, Samples
from bitswap_cli.errors import ModelError
from bitswap_models.exact.latents import MEANS
from bitswap_models.exact.layers import ACTIVATION, Shape
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.pixel_vae.config import Config

LEAST = 16  # whole cells
LOOKED = 16  # cells of a group that are looked at
COLOURS = 3  # channels that are: the first ones
MAPS = 5  # of a cell: the channels, and differences of two
ANCHORS = 4
STATISTICS = COLOURS + 4 * ANCHORS * MAPS
LARGEST = 511  # statistic
_APART = 40503  # the golden ratio of 2^16: multiples of it, modulo 2^16, lie far apart
_OCTAVE = 16  # levels of errors
# 2^(k / 16) rounded down, for sums of errors below 2^31; the first level stands for 0
_LEVELS = np.array([isqrt(isqrt(isqrt(isqrt(1 << k)))) for k in range(31 * _OCTAVE)], np.int64)


class Common:
    """z_2; see `bitswap_cli.contract.Common`."""

    def __init__(self, config: Config, stored: Stored) -> None:
        self.tile = config.tile
        self.hidden = stored.layer("hidden", Shape(STATISTICS, config.link, input_max=LARGEST))
        self.mean = stored.layer("mean", Shape(config.link, config.common))
        self.centre: Integers = stored.integers("centre", (STATISTICS,))
        if abs(self.centre.astype(np.int64)).max() > LARGEST:
            raise ModelError("statistics are centred on none: the model file is damaged")
        mean, scale = stored.integers("prior", (2, config.common))
        self.prior = LogisticParameters(mean, scale)

    def has(self, sizes: Integers) -> bool:
        """Whether a group of tiles of these sizes, (B, 3), has a z_2."""
        return int((sizes[:, :2] // self.tile).prod(1).sum()) >= LEAST

    def of(self, x: Integers, sizes: Integers) -> Integers:
        """Choose z_2 of the tiles x, (B, C, H, W): (D,)."""
        z: Integers = self.told(statistics(cells(x, sizes, self.tile))[None])[0]
        return z

    def told(self, found: Integers) -> Integers:
        """z_2 of the statistics of groups, (N, STATISTICS) -> (N, D)."""
        centred = (found - self.centre).clip(-LARGEST, LARGEST)
        h = self.hidden(centred[:, None, None], within=ACTIVATION)
        mean = self.mean(h, within=MEANS)[:, 0, 0].astype(np.int32)
        z: Integers = np.clip(mean + 8 >> 4, LATENT_MIN, LATENT_MAX).astype(np.int32)
        return z


def cells(x: Samples, sizes: Integers, side: int) -> NDArray[np.int16]:
    """Cells wholly within their pictures, all or `LOOKED` of them that lie far apart: (B, C, H, W)
    -> (n, side, side, 3)."""
    grid = np.arange(1, x.shape[-1] // side + 1)
    rows, columns = (sizes[:, k, None] // side >= grid for k in range(2))
    tile, row, column = np.nonzero(rows[:, :, None] & columns[:, None])
    chosen = np.arange(len(tile))
    if len(tile) > LOOKED:
        chosen = np.sort((np.arange(LOOKED) * _APART % (1 << 16)) * len(tile) >> 16)
    found = [
        x[t, :COLOURS, r * side : (r + 1) * side, c * side : (c + 1) * side]
        for t, r, c in zip(tile[chosen], row[chosen], column[chosen], strict=True)
    ]
    return np.stack(found).transpose(0, 2, 3, 1).astype(np.int16)


def statistics(cells: NDArray[np.int16]) -> Integers:
    """Statistics of cells (n, side, side, 3), in the mean: int32 (STATISTICS,)"""
    red, green, blue = (cells[..., c] for c in range(COLOURS))
    maps = np.stack((red, green, blue, green - red, blue - green), 1)  # (n, maps, side, side)
    x, west = maps[:, :, 1:, 1:], maps[:, :, 1:, :-1]
    north, corner = maps[:, :, :-1, 1:], maps[:, :, :-1, :-1]
    pixels = x.shape[2] * x.shape[3]
    found = [maps[:, :COLOURS].sum((2, 3)) // cells[0, ..., 0].size]
    for anchor in (west + north + 1 >> 1, west, north, west + north - corner):
        error = np.abs(x - anchor).astype(np.int32)
        for sums in (error.sum((2, 3)), (error**2).sum((2, 3))):
            found.append(np.searchsorted(_LEVELS, sums, side="right"))
        for most in (0, 2):
            found.append((error <= most).sum((2, 3)) * 256 // pixels)
    every = np.concatenate(found, 1, dtype=np.int64)
    mean: Integers = (every.sum(0) // len(every)).clip(0, LARGEST).astype(np.int32)
    return mean
