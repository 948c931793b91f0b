"""z_2 of a group refined for its pixels, where the writer has time: by descent, without torch.

What a perceptron makes of a few statistics is a start. Adam follows the gradient of the bits of
some pixels and of z_2 itself, which gradient.c gives; z_1 is in the middle of its posterior. The
better of start and end is told, judged by pixels of both. Sums of floats depend on the processor,
so another one may choose otherwise: any choice is read alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
    LogisticParameters,
)
from bitswap_cli.contract import Integers
from bitswap_models.exact.latents import middle
from bitswap_models.families.pixel_vae.common import Common
from bitswap_models.families.pixel_vae.model import FILM, PixelVAE
from bitswap_models.fitting.adam import Moments
from bitswap_models.fitting.compiled import Floats, GradientKernel, Pixels, engine
from bitswap_models.fitting.parameters import Parameters

STEPS = 24
RATE = 1.0  # of an integer, at most, in the first step
CELLS = 8  # of a step
PIXELS = 64  # of each of these cells
JUDGED = 4  # times as many cells, by which start and end are judged
SOFT = 2.0**-17  # added to probabilities


class Part(NamedTuple):
    """Some pixels of a group."""

    film: Floats  # (CELLS, 2, layers, width), of their cells without z_2
    pixels: Pixels


def refine(model: PixelVAE) -> bool:
    """Let a model choose the z_2 of each group so; False if it has none, or there is no kernel."""
    kernel = engine()
    if model.common is None or kernel is None:
        return False
    model.common = Refined(model, model.common, kernel)
    return True


class Refined(Common):
    """The z_2 of a model, refined.

    Parameters
    ----------
    model : PixelVAE
    start : Common
        What it begins with.
    kernel : GradientKernel
    """

    def __init__(self, model: PixelVAE, start: Common, kernel: GradientKernel) -> None:
        vars(self).update(vars(start))
        self.model, self.kernel = model, kernel
        parameters = Parameters(model)
        every = parameters.effective(np.zeros(len(parameters.base), np.float32))
        self.likelihood = every[: parameters.likelihood]
        shared = model.film_of_common
        scale = shared.scale[:, None] * 2.0**-shared.shape.shift
        self.map = (shared.weight[:, :, 0, 0] * scale).astype(np.float32)  # (2 layers width, D)

    def of(self, x: Integers, sizes: Integers) -> Integers:
        """See `Common.of`."""
        start = super().of(x, sizes)
        group = _Group(self.model, self.kernel, x, sizes)
        random = np.random.default_rng(0)
        z, moments = start.astype(np.float32), Moments(len(start))
        for step in range(STEPS):
            _, slope = self._bits(group.part(random, CELLS), np.rint(z), group.pixels)
            z -= RATE * (1 - step / STEPS) * moments.step(slope)
            np.clip(z, LATENT_MIN, LATENT_MAX, out=z)
        end = np.rint(z).astype(np.int32)
        judge = group.part(random, JUDGED * CELLS)
        bits = [self._bits(judge, z.astype(np.float32), group.pixels)[0] for z in (start, end)]
        return end if bits[1] < bits[0] else start

    def _bits(self, part: Part, z: Floats, pixels: int) -> tuple[float, Floats]:
        """Bits of a group of so many pixels, by some of them, and their gradient to z_2."""
        shared = (self.map @ z).reshape(part.film.shape[1:])
        film = np.clip(part.film + np.floor(shared), *FILM).astype(np.float32)
        config = self.model.config
        bits, _, slope = self.kernel(config, self.likelihood, film, part.pixels, SOFT)
        own, rise = _told(z, self.prior)
        if slope is None:
            raise ValueError("a model with z_2 has films")
        share = pixels / len(part.pixels.known)
        back: Floats = np.float32(share) * (slope.reshape(len(slope), -1).sum(0) @ self.map) + rise
        return share * bits + own, back


class _Group:
    """The pixels of a group, to draw some of them.

    Parameters
    ----------
    model : PixelVAE
    kernel : GradientKernel
    x : int32 array (B, C, H, W)
    sizes : int32 array (B, 3)
    """

    def __init__(
        self, model: PixelVAE, kernel: GradientKernel, x: Integers, sizes: Integers
    ) -> None:
        film = model.film_of(middle(model.posterior(1, x)))
        if film is None:
            raise ValueError("a model with z_2 has films")
        self.kernel = kernel
        self.radius, self.side, self.cell = model.config.radius, x.shape[-1], model.tile
        self.film = film.reshape(-1, *film.shape[2:])  # of all cells
        self.flat = np.ascontiguousarray(x.transpose(0, 2, 3, 1), np.uint8).reshape(-1, x.shape[1])
        self.sizes = sizes
        corner = np.arange(0, self.side, self.cell)
        heights, widths = (
            (sizes[:, k, None] - corner).clip(0, self.cell).astype(np.int64) for k in range(2)
        )
        area = (heights[:, :, None] * widths[:, None]).ravel()
        self.heights = heights.repeat(len(corner), 1).ravel()
        self.widths = np.tile(widths, (1, len(corner))).ravel()
        self.pixels, self.share = int(area.sum()), np.cumsum(area) / area.sum()

    def part(self, random: np.random.Generator, count: int) -> Part:
        """Draw so many cells, and `PIXELS` pixels of each."""
        drawn = np.searchsorted(self.share[:-1], random.random(count), side="right")
        grid = self.side // self.cell
        tile, place = np.divmod(drawn, grid**2)
        corner = np.stack(np.divmod(place, grid)) * self.cell
        room = np.stack((self.heights[drawn], self.widths[drawn]))
        inside = (random.random((2, count, PIXELS)) * room[:, :, None]).astype(np.int64)
        y, x = (inside + corner[:, :, None]).reshape(2, -1)
        tile = tile.repeat(PIXELS)
        first, side = tile * self.side**2, np.full_like(tile, self.side)
        columns, coded = self.sizes[tile, 1:].T
        places = np.stack((first, side, y, x, columns.astype(np.int64)), 1)
        looked = self.kernel.look(self.flat, places, self.radius)
        film = self.film[drawn].astype(np.float32)
        return Part(film, Pixels(*looked, coded.astype(np.uint8)))


def _told(z: Floats, prior: LogisticParameters) -> tuple[float, Floats]:
    """Bits of z_2 under p(z_2), and what each rises by as its integer grows by one."""
    narrow = np.exp2((SCALE_OF_ONE - prior.scale) / SCALES_PER_OCTAVE)
    distance = z - prior.mean / 16
    upper, lower = (1 / (1 + np.exp(-(distance + half) * narrow)) for half in (0.5, -0.5))
    mass = upper - lower + 2.0**-20
    rise = -narrow * (upper * (1 - upper) - lower * (1 - lower)) / (mass * np.log(2))
    return float(-np.log2(mass).sum()), rise.astype(np.float32)
