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
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bitswap_cli.contract import Tiles
from bitswap_models.exact.distributions import logistic_bits
from bitswap_models.exact.layers import EXACT_FLOAT32, EXACT_INT32, IntegerConv
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import gradient
from bitswap_models.fitting.adam import Moments
from bitswap_models.fitting.cells import Batch, Cells
from bitswap_models.fitting.gradient import Floats, Pixels
from bitswap_models.fitting.posterior import Posterior
from bitswap_models.fitting.price import Price
from bitswap_models.fitting.top_prior import top_prior
from bitswap_models.stored import model_file

PARTS = 4  # of a batch, at most one thread each; more threads change no bit
CELLS = 32  # of a batch
PIXELS = 64  # of each of these cells
RATE = 0.35  # steps of an integer, at most, that it moves in a step of training
WARMUP = 60
FINAL_RATE = 0.02  # share of `RATE` at the end
EMA = 0.98
BIAS_STEP = 1 << 13  # an eighth of a unit of the layer's outputs
SCALE_STEPS = 128  # of a typical scale
RENEWED = 50  # steps of training from one choice of the differences' priors to the next
PRICED = 8  # and from one look at what the bits of differences rise by
POSTERIOR = 1000  # and from one choice of p(z_1) to the next, where q(z_1 | x) is trained
TOP_CELLS = 8192  # that p(z_L) is chosen on

AGAIN = 1 / 3  # of the time, after which tiles may be laid anew
CHECKED = 16  # batches that progress is measured on
CHECKS = 4.0  # seconds from one measurement to the next


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


class _Shadow:
    """A model in training whose layers multiply by what `Fit.effective` gives."""

    def __init__(self, base: PixelVAE, layers: list[_Layer]) -> None:
        self.model = PixelVAE(base.config)
        self.model.bounds = base.bounds
        found = model_file.layers(self.model)
        own = [each for each in layers if not each.name.startswith("net.")]
        self.layers = [found[each.name] for each in own]
        self.sizes = [p.stop - p.start for each in own for p in each.parts()]

    def take(self, parameters: Tensor) -> None:
        """Multiply by these from here on, with gradients: those of all but the likelihood."""
        parts = iter(torch.split(parameters, self.sizes))
        for layer in self.layers:
            weight, scale, bias = (next(parts) for _ in range(3))
            integers = weight.view(layer.shape), *(p * 2.0**layer.shift for p in (scale, bias))
            layer.integers = partial(tuple, integers)  # type: ignore[method-assign, assignment]


class Fit:
    """Differences to a model's integers, in training.

    Parameters
    ----------
    model : PixelVAE
        An exact one; it stays as it is.
    cells : Cells
    samples : int
        Of all pictures, which the bits of the differences are shared by.
    encoder : bool
        Train q(z_1 | x), too, `compiled` or not.
    seed : int
    threads : int
    """

    def __init__(
        self,
        model: PixelVAE,
        cells: Cells,
        samples: int,
        *,
        encoder: bool = False,
        compiled: bool = False,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.model, self.cells, self.samples = model, cells, samples
        self.random = np.random.default_rng(seed)
        self.pool = ThreadPoolExecutor(threads)
        found = {f"net.{n}": layer for n, layer in gradient.layers(model.net).items()}
        self.likelihood = sum(_size(layer) for layer in found.values())
        if model.depth:
            found |= model_file.layers(model.film, "film")
        self.layers: list[_Layer] = []
        at = 0
        for name, layer in found.items():
            self.layers.append(_Layer(name, layer, at, layer.shape[0], math.prod(layer.shape[1:])))
            at += _size(layer)
        self.base = np.zeros(at, np.int64)
        self.step = np.ones(at, np.int64)  # of the integers
        self.free = np.ones(at, np.float32)  # 0 where an integer has to stay
        self.unit = np.ones(at)  # integers that stand for 1
        self.lowest = np.full(at, -np.inf, np.float32)  # that a difference may be
        self.highest = -self.lowest
        tensor = np.zeros(at, np.int64)  # the number of the tensor that each belongs to
        for number, each in enumerate(self.layers):
            weight, scale, bias = each.parts()
            layer = each.layer
            self.base[weight] = layer.weight.numpy().ravel()
            self.lowest[weight] = -127 - self.base[weight]  # weights have 8 bits
            self.highest[weight] = 127 - self.base[weight]
            if layer.causal:
                self.free[weight] = np.broadcast_to(layer.mask().numpy(), layer.shape).ravel()
            self.base[scale], self.base[bias] = layer.scale.numpy(), layer.bias.numpy()
            typical = float(np.median(np.abs(self.base[scale])))
            self.step[scale] = 1 << max(0, math.floor(math.log2(max(typical, 1) / SCALE_STEPS)))
            self.step[bias] = BIAS_STEP
            self.unit[scale] = self.unit[bias] = 1 << layer.shift
            for part, where in enumerate((weight, scale, bias)):
                tensor[where] = 3 * number + part
        self.slope = (self.step / self.unit).astype(np.float32)
        self.start = (self.base / self.unit).astype(np.float32)
        self.differences = np.zeros(at, np.float32)  # in steps
        self.average = self.differences.copy()
        self.moments = Moments(at)
        if model.depth:
            self.shadow = _Shadow(model, self.layers)
            self.top = torch.stack(model.top_integers())
        # with more layers of latents, q(z_2 | z_1) would have to follow
        self.posterior = None
        if encoder and model.depth == 1:
            self.posterior = Posterior(model, compiled=compiled)
        self.price = Price(tensor)
        self.done = 0

    def effective(self, differences: Floats) -> Floats:
        """What the layers multiply by: weights, scales and biases as numbers. (P,)"""
        return (self.start + np.rint(differences) * self.slope).astype(np.float32, copy=False)

    def advance(self, share: float, rate: float = RATE) -> float:
        """One step of training, at a share of the rates; returns bits/dim of its pixels, without
        the latents'."""
        if self.done % RENEWED == 0 and self.done:
            self.price.renew(self.differences)
        if self.posterior and self.done % POSTERIOR == 0 and self.done:
            self.renew()
        batch = self.cells.draw(self.random, CELLS, PIXELS)
        bits, slope = self._gradient(self.effective(self.differences), batch, 2.0**-17)
        counted = int(batch.pixels.coded.sum())
        slope *= self.slope / np.float32(counted)
        if self.done % PRICED == 0:
            self.priced = self.price.slope(self.differences) / np.float32(self.samples)
        slope = (slope + self.priced) * self.free
        self.done += 1
        self.differences -= rate * share * self.moments.step(slope)
        if self.posterior:
            self.posterior.step(share)
        np.clip(self.differences, self.lowest, self.highest, out=self.differences)
        self.average += (1 - min(EMA, self.done / (10 + self.done))) * (
            self.differences - self.average
        )
        return bits / counted

    def _gradient(self, parameters: Floats, batch: Batch, soft: float) -> tuple[float, Floats]:
        """Bits of pixels, and their gradient to all parameters.

        That of pixels and latents to the posterior's parameters is left with these, if it is in
        training and bits are `soft`.
        """
        config, pixels, on_gpu = self.model.config, batch.pixels, gradient.gpu()
        run = on_gpu or gradient.engine() or gradient.by_torch
        film, cost = None, torch.zeros(())
        if self.model.depth:
            leaf = torch.from_numpy(parameters[self.likelihood :]).requires_grad_()
            self.shadow.take(leaf)
            if self.posterior and soft:
                images = self.cells.images(batch.cells).astype(np.float32)
                z, bits = self.posterior.draw(images, batch.noise, self.top)
                cost = bits @ torch.from_numpy(self._share(batch))
            else:
                z = torch.from_numpy(self.cells.latents(*batch[:2]))
            film = self.shadow.model.modulation(z[:, :, None, None])
        films = None if film is None else film.detach().numpy()
        number = 1 if on_gpu else PARTS
        count, each = len(batch.cells) // number, len(pixels.known) // number

        def part(k: int) -> tuple[float, Floats, Floats | None]:
            some = Pixels(*(np.ascontiguousarray(a[k * each : (k + 1) * each]) for a in pixels))
            mine = None if films is None else films[k * count : (k + 1) * count]
            return run(config, parameters[: self.likelihood], mine, some, soft)

        parts = list(self.pool.map(part, range(number)))
        slope = np.zeros_like(parameters)
        for _, own, _ in parts:
            slope[: self.likelihood] += own
        if film is not None:
            back = np.concatenate([p[2] for p in parts if p[2] is not None])
            (cost + (film * torch.from_numpy(back)).sum()).backward()  # type: ignore[no-untyped-call]
            if leaf.grad is not None:
                slope[self.likelihood :] = leaf.grad.numpy()
        return sum(p[0] for p in parts), slope

    def _share(self, batch: Batch) -> Floats:
        """Of the pixels of its cells that are in a batch, (B,)."""
        cells, each = batch.cells, len(batch.pixels.known) // len(batch.cells)
        area = self.cells.height[cells] * self.cells.width[cells]
        share: Floats = (each / area).astype(np.float32)
        return share

    def renew(self) -> None:
        """Let the average differences decide of latents from here on."""
        self.cells.renew(self.built())
        some = self.cells.draw(self.random, TOP_CELLS, 0)
        self.top = top_prior(torch.from_numpy(self.cells.latents(*some[:2])))

    def measure(self, batches: list[Batch]) -> tuple[float, float]:
        """Bits/dim of pixels, and of the latents of one layer, under the average differences."""
        parameters = self.effective(self.average)
        counted = sum(int(batch.pixels.coded.sum()) for batch in batches)
        likelihood = sum(self._gradient(parameters, batch, 0.0)[0] for batch in batches)
        latents = 0.0
        for batch in batches if self.model.depth == 1 else ():
            z = torch.from_numpy(self.cells.latents(*batch[:2]))
            mean, scale = (torch.from_numpy(t) for t in self.cells.posterior(batch.cells))
            bits = logistic_bits(self.top[0], self.top[1], z, 0.0)
            bits -= logistic_bits(mean, scale, z, 0.0)
            latents += float(bits.sum(1) @ torch.from_numpy(self._share(batch)))
        return likelihood / counted, latents / counted

    def built(self) -> PixelVAE:
        """The model of the average differences."""
        built = model_file.build(self.model.config, self.tensors())
        if not isinstance(built, PixelVAE):
            raise TypeError("a fitted pixel VAE is a pixel VAE")
        return built

    def finish(self) -> PixelVAE:
        """The fitted model; latents are its own from here on."""
        if self.model.depth == 1:
            self.renew()
        return self.built()

    def tensors(self) -> dict[str, Tensor]:
        """The integers of the fitted model, by the average differences.

        An output that could leave the exact range goes back to what it was.
        """
        stored = model_file.tensors(self.model)
        if self.model.depth == 1:
            stored["top"] = self.top
        if self.posterior:
            stored |= self.posterior.tensors()
        whole = self.base + np.rint(self.average).astype(np.int64) * self.step
        for each in self.layers:
            weight, scale, bias = (whole[p] for p in each.parts())
            rows = weight.reshape(each.outputs, each.inputs)
            reach = np.abs(rows).sum(1) * each.layer.reach()
            lost = reach * np.abs(scale) + np.abs(bias) >= EXACT_INT32
            lost |= reach >= EXACT_FLOAT32
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
    encoder: bool = False,
    compiled: bool = False,
    threads: int = 1,
    seed: int = 0,
    again: Callable[[PixelVAE], list[Tiles]] | None = None,
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
    encoder : bool
        Whether q(z_1 | x) is trained as well, in floats, `compiled` or not.
    threads : int
        They change the speed, and no integer but those of q(z_1 | x) where `steps` says how long.
    seed : int
    again : callable, optional
        Told the model as it is after `AGAIN` of the time, gives the tiles as they are coded best,
        or none to leave them.
    progress : callable, optional
        Called every few seconds.
    stopped : callable
        Asked before every step; what there is counts as the result if it returns True.

    Returns
    -------
    Outcome
    """
    torch.set_num_threads(threads if encoder else 1)
    fitting = Fit(
        model, Cells(model, tiles), samples,
        encoder=encoder, compiled=compiled, seed=seed, threads=threads,
    )  # fmt: skip
    began = checked = time.monotonic()
    batches, first = _held(fitting, seed)

    def reached(part: float) -> Progress:
        rate = sum(fitting.measure(batches))
        return Progress(
            rate, (first - rate) * samples / 8 - fitting.price.bytes(fitting.average), part
        )

    while True:
        now = time.monotonic()
        done, whole = (now - began, seconds or 0) if steps is None else (fitting.done, steps)
        part = done / whole if whole else 1.0
        if part >= 1 or stopped():
            break
        if again is not None and part >= AGAIN:
            if laid := again(fitting.built()):
                fitting.cells = Cells(model, laid)
                batches, first = _held(Fit(model, fitting.cells, samples), seed)
            again = None
        warm = min(1.0, (fitting.done + 1) / WARMUP)
        cosine = 0.5 * (1 + math.cos(math.pi * part))
        fitting.advance(warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine), rate)
        if progress and now - checked > CHECKS:
            checked = now
            progress(reached(part))
    before = first * samples / 8
    if not fitting.done:
        return Outcome(model, 0.0, before)
    fitted = fitting.finish()
    saved = reached(1.0).saved
    fitting.pool.shutdown()
    return Outcome(fitted, saved, before - max(saved, 0.0))


def _held(fitting: Fit, seed: int) -> tuple[list[Batch], float]:
    """Batches to measure progress on, and their bits/dim so far."""
    random = np.random.default_rng(seed + 1)
    batches = [fitting.cells.draw(random, CELLS, PIXELS) for _ in range(CHECKED)]
    return batches, sum(fitting.measure(batches))


def _size(layer: IntegerConv) -> int:
    return layer.shape[0] * (math.prod(layer.shape[1:]) + 2)
