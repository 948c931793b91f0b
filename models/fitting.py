"""Fitting a pixel VAE to the pictures that it is to code, in whole steps of its integers.

What is trained are differences to the stored integers, counted in steps that stay as they are: an
unchanged weight costs next to nothing in an archive. The posterior stays as it is too, so that it
is computed once; the likelihood and its modulation by z_1 are fitted, and p(z_L) is chosen anew.
The loss is that of the archive in bits: those of the pixels, and those of the differences
(difference.py), whose share of a batch is that of the batch in all pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from . import gradient, model_file
from .cells import Cells, Tiles
from .gradient import Floats, Pixels
from .layers import ACTIVATION_MAX, EXACT_INT32, IntegerConv, floor
from .pixel_vae import PixelVAE
from .top_prior import prior_bits, top_prior

PARTS = 4  # of a batch, at most one thread each; more threads change no bit
CELLS = 64  # of a batch
PIXELS = 64  # of each of these cells
RATE = 0.35  # steps of an integer, at most, that it moves in a step of training
WARMUP = 60
FINAL_RATE = 0.02  # share of `RATE` at the end
EMA = 0.98
BIAS_STEP = 1 << 13  # an eighth of a unit of the layer's outputs
SCALE_STEPS = 128  # of a typical scale
RENEWED = 50  # steps of training from one choice of the differences' priors to the next
PRICED = 8  # and from one look at what the bits of differences rise by
START = (0.5, 1.0)  # share and scale of the first prior's wide logistic
NARROW = 0.1  # scale of a prior's narrow logistic
SMOOTH = 0.2  # the same, so that small differences feel it
TOP_BYTES = 3  # about what p(z_L) of one latent takes in an archive
TINY = 1e-10  # bits/dim a step: smaller gradients move nothing
FARTHEST = 511
SHARES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 255)  # of 256, of the wide logistic

CHECKED = 8  # batches that progress is measured on
CHECKS = 4.0  # seconds from one measurement to the next


class Progress(NamedTuple):
    """How far fitting has come."""

    rate: float
    """Bits/dim of pixels, without latents, on some of them."""
    saved: float
    """Bytes of all pictures, less those of the differences."""
    done: float
    """Share of the time, 0..1."""


class Outcome(NamedTuple):
    """A fitted model, and about how many bytes it saves, its own differences counted."""

    model: PixelVAE
    saved: float


class _Layer(NamedTuple):
    """A layer's place among all parameters: weights (O, I), scales and biases (O,)."""

    name: str
    layer: IntegerConv
    at: int
    outputs: int
    inputs: int

    def parts(self) -> tuple[slice, slice, slice]:
        ends = np.cumsum((self.at, self.outputs * self.inputs, self.outputs, self.outputs))
        first, second, third = (slice(int(a), int(b)) for a, b in zip(ends, ends[1:], strict=False))
        return first, second, third


class Fit:
    """Differences to a model's integers, in training.

    Parameters
    ----------
    model : PixelVAE
        An exact one; it stays as it is.
    cells : Cells
    samples : int
        Of all pictures, which the bits of the differences are shared by.
    seed : int
    threads : int
    """

    def __init__(
        self, model: PixelVAE, cells: Cells, samples: int, *, seed: int = 0, threads: int = 1
    ) -> None:
        self.model, self.cells, self.samples = model, cells, samples
        self.random = np.random.default_rng(seed)
        self.pool = ThreadPoolExecutor(threads)
        found = {f"net.{n}": layer for n, layer in gradient.layers(model.net).items()}
        self.likelihood = sum(_size(layer) for layer in found.values())
        if model.depth:
            found |= {
                f"film.{i}": m for i, m in enumerate(model.film) if isinstance(m, IntegerConv)
            }
        self.layers: list[_Layer] = []
        at = 0
        for name, layer in found.items():
            self.layers.append(_Layer(name, layer, at, *layer.shape[:2]))
            at += _size(layer)
        self.base = np.zeros(at, np.int64)
        self.step = np.ones(at, np.int64)  # of the integers
        self.free = np.ones(at, np.float32)  # 0 where an integer has to stay
        self.unit = np.ones(at)  # integers that stand for 1
        self.tensor = np.zeros(at, np.int64)  # the number of the tensor that each belongs to
        for number, each in enumerate(self.layers):
            weight, scale, bias = each.parts()
            layer = each.layer
            self.base[weight] = layer.weight.numpy().ravel()
            if layer.causal:
                self.free[weight] = np.broadcast_to(layer.mask().numpy(), layer.shape).ravel()
            self.base[scale], self.base[bias] = layer.scale.numpy(), layer.bias.numpy()
            typical = float(np.median(np.abs(self.base[scale])))
            self.step[scale] = 1 << max(0, math.floor(math.log2(max(typical, 1) / SCALE_STEPS)))
            self.step[bias] = BIAS_STEP
            self.unit[scale] = self.unit[bias] = 1 << layer.shift
            for part, where in enumerate((weight, scale, bias)):
                self.tensor[where] = 3 * number + part
        self.slope = (self.step / self.unit).astype(np.float32)
        self.start = (self.base / self.unit).astype(np.float32)
        self.differences = np.zeros(at, np.float32)  # in steps
        self.average = self.differences.copy()
        self.first, self.second = np.zeros((2, at), np.float32)  # moments of the gradient
        self.prior = np.repeat(np.array(START)[:, None], 3 * len(self.layers), 1)
        self.done = 0

    def effective(self, differences: Floats) -> Floats:
        """What the layers multiply by: weights, scales and biases as numbers. (P,)"""
        return (self.start + np.rint(differences) * self.slope).astype(np.float32, copy=False)

    def advance(self, rate: float) -> float:
        """One step of training; returns bits/dim of its pixels, without the latents'."""
        parameters = self.effective(self.differences)
        z, pixels = self.cells.draw(self.random, CELLS, PIXELS)
        bits, slope = self._gradient(parameters, z, pixels, 2.0**-17)
        counted = int(pixels.coded.sum())
        if self.done % RENEWED == 0 and self.done:
            self._renew()
        slope *= self.slope / np.float32(counted)
        if self.done % PRICED == 0:
            self.price = self._price() / np.float32(self.samples)
        slope = (slope + self.price) * self.free
        self.done += 1
        self.first += 0.1 * (slope - self.first)
        self.second += 0.01 * (slope**2 - self.second)
        mean = self.first / (1 - 0.9**self.done)
        deviation = np.sqrt(self.second / (1 - 0.99**self.done)) + TINY
        self.differences -= rate * mean / deviation
        self._limit()
        self.average += (1 - min(EMA, self.done / (10 + self.done))) * (
            self.differences - self.average
        )
        return bits / counted

    def _gradient(
        self, parameters: Floats, z: Floats, pixels: Pixels, soft: float
    ) -> tuple[float, Floats]:
        """Bits of pixels, and their gradient to all parameters."""
        slope = np.zeros_like(parameters)
        net = parameters[: self.likelihood]
        film = None
        if self.model.depth:
            leaf = torch.from_numpy(parameters[self.likelihood :]).requires_grad_()
            film = self._film(leaf, torch.from_numpy(z))
        films = None if film is None else film.detach().numpy()
        engine, config = gradient.engine(), self.model.config
        count = len(z) // PARTS
        each = len(pixels.known) // PARTS

        def part(k: int) -> tuple[float, Floats, Floats | None]:
            some = Pixels(*(np.ascontiguousarray(a[k * each : (k + 1) * each]) for a in pixels))
            mine = None if films is None else films[k * count : (k + 1) * count]
            return (engine or gradient.by_torch)(config, net, mine, some, soft)

        parts = list(self.pool.map(part, range(PARTS)))
        for _, own, _ in parts:
            slope[: self.likelihood] += own
        if film is not None:
            films = np.concatenate([p[2] for p in parts if p[2] is not None])
            film.backward(torch.from_numpy(films))  # type: ignore[no-untyped-call]
            if leaf.grad is not None:
                slope[self.likelihood :] = leaf.grad.numpy()
        return sum(p[0] for p in parts), slope

    def _film(self, parameters: Tensor, z: Tensor) -> Tensor:
        """Gains and shifts, (B, 2, layers, width), as `PixelVAE.modulation` computes them."""
        h = z
        for each in self.layers[-2:]:
            parts = (
                slice(p.start - self.likelihood, p.stop - self.likelihood) for p in each.parts()
            )
            weight, scale, bias = (parameters[p] for p in parts)
            h = floor(h @ weight.view(each.outputs, each.inputs).T * scale + bias)
            h = h.clamp(0, ACTIVATION_MAX) if each is self.layers[-2] else h.clamp(-1024, 1023)
        c = self.model.config
        return h.view(-1, 2, c.layers, c.width)

    def _renew(self) -> None:
        """Choose the prior of each tensor's differences."""
        size = np.minimum(np.abs(np.rint(self.differences)), FARTHEST).astype(np.int64)
        count = np.bincount(
            self.tensor * (FARTHEST + 1) + size, minlength=3 * len(self.layers) * (FARTHEST + 1)
        )
        shares, scales, bits = _priors()
        best = (count.reshape(-1, FARTHEST + 1) @ bits.T).argmin(1)
        self.prior = np.stack((shares[best], scales[best]))

    def _limit(self) -> None:
        """Keep weights within 8 bits."""
        for each in self.layers:
            where = each.parts()[0]
            base = self.base[where]
            np.clip(self.differences[where], -127 - base, 127 - base, out=self.differences[where])

    def size(self) -> float:
        """About how many bytes the average differences take."""
        size = np.minimum(np.abs(np.rint(self.average)), FARTHEST).astype(np.int64)
        count = np.bincount(
            self.tensor * (FARTHEST + 1) + size, minlength=3 * len(self.layers) * (FARTHEST + 1)
        )
        return float((count.reshape(-1, FARTHEST + 1) @ _priors()[2].T).min(1).sum() / 8)

    def _price(self) -> Floats:
        """What the bits of each difference rise by as it grows by one, under its prior."""
        share, scale = (p[self.tensor].astype(np.float32) for p in self.prior)
        mass, rise = np.zeros((2, len(self.base)), np.float32)
        for weight, wide in ((1 - share, np.float32(SMOOTH)), (share, scale)):
            upper, lower = (
                1 / (1 + np.exp(-((self.differences + half) / wide).clip(-30, 30)))
                for half in (np.float32(0.5), np.float32(-0.5))
            )
            mass += weight * (upper - lower)
            rise += weight / wide * (upper * (1 - upper) - lower * (1 - lower))
        price = -rise / (mass + np.float32(2.0**-20)) / math.log(2)
        return price.astype(np.float32, copy=False)

    def measure(self, batches: list[tuple[Floats, Pixels]]) -> float:
        """Bits/dim of pixels under the average differences."""
        parameters = self.effective(self.average)
        counted = sum(int(pixels.coded.sum()) for _, pixels in batches)
        return sum(self._gradient(parameters, *b, 0.0)[0] for b in batches) / counted

    def finish(self) -> tuple[PixelVAE, float]:
        """The fitted model; how many bytes of latents it saves, or rather its p(z_L)."""
        stored, saved = self.tensors(), 0.0
        if self.model.depth == 1:  # else q(z_L | z_{L-1}) is needed
            z = torch.from_numpy(self.cells.latents(self.random, slice(None)))
            old, new = stored["top"], top_prior(z)
            share = self.samples / self.cells.samples
            gain = (prior_bits(old, z) - prior_bits(new, z)) * share / 8 - TOP_BYTES * len(new.T)
            if gain > 0:
                stored["top"], saved = new, gain
        built = model_file.build(self.model.config, stored)
        if not isinstance(built, PixelVAE):
            raise TypeError("a fitted pixel VAE is a pixel VAE")
        return built, saved

    def tensors(self) -> dict[str, Tensor]:
        """The integers of the fitted model, by the average differences.

        An output that could leave the exact range goes back to what it was.
        """
        stored = model_file.tensors(self.model)
        whole = self.base + np.rint(self.average).astype(np.int64) * self.step
        for each in self.layers:
            weight, scale, bias = (whole[p] for p in each.parts())
            rows = weight.reshape(each.outputs, each.inputs)
            reach = np.abs(rows).sum(1) * each.layer.input_max
            lost = reach * np.abs(scale) + np.abs(bias) >= EXACT_INT32
            rows[lost] = self.base[each.parts()[0]].reshape(rows.shape)[lost]
            for part, own in zip((scale, bias), each.parts()[1:], strict=True):
                part[lost] = self.base[own][lost]
            for name, part in (("weight", rows), ("scale", scale), ("bias", bias)):
                old = stored[f"{each.name}.{name}"]
                stored[f"{each.name}.{name}"] = torch.from_numpy(part).to(old.dtype).view(old.shape)
        return stored


def fit(
    model: PixelVAE,
    tiles: list[Tiles],
    samples: int,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    rate: float = RATE,
    threads: int = 1,
    seed: int = 0,
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
    threads : int
        They change the speed, and no integer where `steps` says how long.
    seed : int
    progress : callable, optional
        Called every few seconds.
    stopped : callable
        Asked before every step; what there is counts as the result if it returns True.

    Returns
    -------
    Outcome
    """
    torch.set_num_threads(1)
    fitting = Fit(model, Cells(model, tiles), samples, seed=seed, threads=threads)
    began = time.monotonic()
    held = np.random.default_rng(seed + 1)
    batches = [fitting.cells.draw(held, CELLS, PIXELS) for _ in range(CHECKED)]
    first = fitting.measure(batches)
    checked = began

    def reached(part: float) -> Progress:
        rate = fitting.measure(batches)
        return Progress(rate, (first - rate) * samples / 8 - fitting.size(), part)

    while True:
        now = time.monotonic()
        done, whole = (now - began, seconds or 0) if steps is None else (fitting.done, steps)
        part = done / whole if whole else 1.0
        if part >= 1 or stopped():
            break
        warm = min(1.0, (fitting.done + 1) / WARMUP)
        cosine = 0.5 * (1 + math.cos(math.pi * part))
        fitting.advance(rate * warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine))
        if progress and now - checked > CHECKS:
            checked = now
            progress(reached(part))
    pixels = reached(1.0).saved
    fitting.pool.shutdown()
    if not fitting.done:
        return Outcome(model, 0.0)
    fitted, latents = fitting.finish()
    return Outcome(fitted, pixels + latents)


@cache
def _priors() -> tuple[Floats, Floats, Floats]:
    """Priors of differences: shares and scales of the wide logistic, (N,); bits, (N, FARTHEST + 1).

    The rest of the share is of a logistic so narrow that it says 0.
    """
    shares, scales = (
        a.ravel().astype(np.float32)
        for a in np.meshgrid(np.array(SHARES) / 256, 2.0 ** np.arange(-2, 6.1, 0.5))
    )
    far = np.arange(FARTHEST + 1)
    mass = np.zeros((len(shares), FARTHEST + 1))
    for weight, scale in ((1 - shares, np.full_like(scales, NARROW)), (shares, scales)):
        ends = ((far + half) / scale[:, None] for half in (0.5, -0.5))
        upper, lower = (1 / (1 + np.exp(-e.clip(-60, 60))) for e in ends)
        mass += weight[:, None] * (upper - lower)
    return shares, scales, -np.log2(mass * (1 - 2.0**-10) + 2.0**-20).astype(np.float32)


def _size(layer: IntegerConv) -> int:
    outputs, inputs = layer.shape[:2]
    return outputs * (inputs + 2)
