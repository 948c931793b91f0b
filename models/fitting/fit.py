"""Fitting a pixel VAE to the pictures that it is to code, in whole steps of its integers.

What is trained are differences to the stored integers, counted in steps that stay as they are: an
unchanged weight costs next to nothing in an archive. The likelihood and its modulation by z_1 are
fitted, and p(z_L) is chosen anew; the posterior is trained only where a model is made for many
folders (tuning.py), since one folder repays neither its time nor its differences. The loss is that
of the archive in bits: those of pixels and latents, and those of the differences (price.py),
whose share of a batch is that of the batch in all pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from bitswap_cli.contract import Tiles
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.cells import Cells
from bitswap_models.fitting.descent import CELLS, PIXELS, RATE, Fit

WARMUP = 60
FINAL_RATE = 0.02  # share of `RATE` at the end
AGAIN = 1 / 3  # of the time, after which tiles may be laid anew
CHECKED = 16  # batches that progress is measured on
CHECKS = 4.0  # seconds from one measurement to the next


Coded = Callable[[PixelVAE, list[Tiles]], tuple[float, float, float]]
"""Tells what tiles take under a model: their bits/dim, the bytes of all pictures, and those of the
ones that the model codes."""


class Progress(NamedTuple):
    """How far fitting has come."""

    rate: float
    """Bits/dim of some of the pixels, and of their latents."""
    saved: float
    """Bytes of all pictures, less those of the differences."""
    done: float
    """Share of the time, 0..1."""


class Outcome(NamedTuple):
    """A fitted model; about how many bytes it saves, its own differences counted; and about how
    many the pictures then take, these counted, too."""

    model: PixelVAE
    saved: float
    size: float


def fit(
    model: PixelVAE,
    tiles: list[Tiles],
    samples: int,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    rate: float = RATE,
    encoder: bool = False,
    compiled: bool = False,
    chooser: bool = False,
    threads: int = 1,
    seed: int = 0,
    again: Callable[[PixelVAE], list[Tiles]] | None = None,
    coded: Coded | None = None,
    progress: Callable[[Progress], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Fit a model to tiles.

    Parameters
    ----------
    model : PixelVAE
        An exact one; it stays as it is.
    tiles : list of Tiles
        Some of those that are to be coded, or all.
    samples : int
        Subpixels of all pictures.
    seconds, steps : number, optional
        How long: `steps` if both are given.
    rate : float
        Steps of an integer, at most, that it moves in a step of training.
    encoder, chooser : bool
        Whether q(z_1 | x) is trained as well, in floats, `compiled` or not; what chooses z_2.
    threads : int
        They change the speed, and after so many `steps` no integer but what chooses latents.
    seed : int
    again : callable, optional
        Told the model as it is after `AGAIN` of the time, gives the tiles as they are coded best,
        or none to leave them.
    coded : callable, optional
        Codes tiles with a model, and tells what they take. It is asked about the model as it is,
        and as it becomes; without it, batches tell.
    progress : callable, optional
        Called every few seconds, and at the end.
    stopped : callable
        Asked before every step; what there is counts as the result if it returns True.

    Returns
    -------
    Outcome
    """
    torch.set_num_threads(threads if encoder else 1)
    fitting = Fit(
        model, Cells(model, tiles), samples,
        encoder=encoder, compiled=compiled, chooser=chooser, seed=seed, threads=threads,
    )  # fmt: skip
    meter = _Meter(fitting, tiles, samples, seed, coded)
    _descend(fitting, meter, seconds, steps, rate, again, progress, stopped)
    return meter.outcome(progress)


class _Meter:
    """Measures how far fitting has come, on batches that are the same all the time.

    Some bits are rare and many, so that few pixels tell badly what all of them take, but well how
    much less that is than it was: what it was is known by coding, and so is what it is in the end.
    """

    def __init__(
        self, fitting: Fit, tiles: list[Tiles], samples: int, seed: int, coded: Coded | None
    ) -> None:
        self.fitting, self.samples, self.seed = fitting, samples, seed
        self.coded = coded
        self.begin(fitting, tiles)
        self.unfitted = self.first

    def begin(self, unfitted: Fit, tiles: list[Tiles]) -> None:
        """Draw the batches, and measure where fitting begins."""
        random = np.random.default_rng(self.seed + 1)
        self.tiles = tiles
        self.batches = [unfitted.cells.draw(random, CELLS, PIXELS) for _ in range(CHECKED)]
        self.sampled = sum(unfitted.measure(self.batches).values())  # bits/dim
        size = self.sampled * self.samples / 8
        self.first = self.sampled, size, size
        if self.coded:
            self.first = self.coded(unfitted.model, tiles)

    def lay(self, tiles: list[Tiles]) -> None:
        """Go on with other tiles."""
        model = self.fitting.model
        self.fitting.cells = Cells(model, tiles)
        self.begin(Fit(model, self.fitting.cells, self.samples), tiles)

    def reached(self, part: float) -> Progress:
        """How far it is, after a part of the time."""
        share = sum(self.fitting.measure(self.batches).values()) / self.sampled
        price = self.fitting.price.bytes(self.fitting.average)
        rate, size, by_model = self.first
        # where all is kept without the model, that has to become smaller first
        after = min(size, max(size, by_model) * share)
        return Progress(rate * share, self.unfitted[1] - after - price, part)

    def outcome(self, progress: Callable[[Progress], None] | None) -> Outcome:
        """End fitting, and say what came of it: nothing, where it does not pay."""
        # which other tiles than those that are laid for the fitted model may suit better
        fitted, (rate, before, _) = self.fitting.model, self.unfitted
        told = unfitted = Progress(rate, 0.0, 1.0)
        if self.fitting.done:
            fitted = self.fitting.finish()
            told = self.reached(1.0)
            if self.coded:
                rate, after, _ = self.coded(fitted, self.tiles)
                price = self.fitting.price.bytes(self.fitting.average)
                told = Progress(rate, before - after - price, 1.0)
            self.fitting.pool.shutdown()
        if progress:
            progress(told if told.saved > 0 else unfitted)
        return Outcome(fitted, told.saved, before - max(told.saved, 0.0))


def _descend(
    fitting: Fit,
    meter: _Meter,
    seconds: float | None,
    steps: int | None,
    rate: float,
    again: Callable[[PixelVAE], list[Tiles]] | None,
    progress: Callable[[Progress], None] | None,
    stopped: Callable[[], bool],
) -> None:
    """Take steps for as long as it was asked for, see `fit`."""
    began = checked = time.monotonic()
    while True:
        now = time.monotonic()
        done, whole = (now - began, seconds or 0) if steps is None else (fitting.done, steps)
        part = done / whole if whole else 1.0
        if part >= 1 or stopped():
            return
        if again is not None and part >= AGAIN:
            if laid := again(fitting.built()):
                meter.lay(laid)
            again = None
        warm = min(1.0, (fitting.done + 1) / WARMUP)
        cosine = 0.5 * (1 + math.cos(math.pi * part))
        fitting.advance(warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine), rate)
        if progress and now - checked > CHECKS:
            checked = now
            progress(meter.reached(part))
