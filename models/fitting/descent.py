"""Differences to a pixel VAE's integers, in training: what one step of fitting does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import torch
from torch import Tensor

from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import compiled, gradient
from bitswap_models.fitting.adam import Moments
from bitswap_models.fitting.cells import Batch, Cells, Groups
from bitswap_models.fitting.compiled import Floats, Pixels
from bitswap_models.fitting.parameters import Parameters
from bitswap_models.fitting.posterior import Chooser, Posterior
from bitswap_models.fitting.price import Price
from bitswap_models.fitting.shadow import Shadow
from bitswap_models.fitting.top_prior import top_prior
from bitswap_models.training.bits import logistic_bits

PARTS = 4  # of a batch, at most one thread each; more threads change no bit
CELLS = 32  # of a batch
PIXELS = 64  # of each of these cells
RATE = 0.35  # steps of an integer, at most, that it moves in a step of training
EMA = 0.98
RENEWED = 50  # steps of training from one choice of the differences' priors to the next
PRICED = 8  # and from one look at what the bits of differences rise by
POSTERIOR = 1000  # and from one choice of p(z_1) to the next, where q(z_1 | x) is trained
TOP_CELLS = 8192  # that p(z_L) is chosen on
COUNTED = 10_000  # steps until z_2's bits count in full: at first it is of no use
ALONE = 1 / 16  # of the cells in a batch do without z_2, as groups of few pixels do


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
    chooser : bool
        Train what chooses z_2, too, if the model has it, and let p(z_2) follow.
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
        chooser: bool = False,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.model, self.cells, self.samples = model, cells, samples
        self.random = np.random.default_rng(seed)
        self.pool = ThreadPoolExecutor(threads)
        self.parameters = Parameters(model)
        self.differences = np.zeros(len(self.parameters.base), np.float32)  # in steps
        self.average = self.differences.copy()
        self.moments = Moments(len(self.differences))
        if model.top is not None:
            self.shadow = Shadow(model, self.parameters.places)
            self.top = torch.tensor(model.top)
        # with more layers of latents, q(z_2 | z_1) would have to follow
        self.posterior = None
        if encoder and model.depth == 1:
            self.posterior = Posterior(model, compiled=compiled)
        self.chooser, self.groups = None, cells.groups
        if model.common is not None and self.groups is not None:
            self.prior = torch.tensor(np.stack(model.common.prior))  # p(z_2)
            if chooser:
                self.chooser = Chooser(model, self.groups.statistics[self.groups.has])
        self.price = Price(self.parameters.tensor)
        self.done = 0

    def advance(self, share: float, rate: float = RATE) -> float:
        """One step of training, at a share of the rates; returns bits/dim of its pixels, without
        the latents'."""
        if self.done % RENEWED == 0 and self.done:
            self.price.renew(self.differences)
        trained = [part for part in (self.posterior, self.chooser) if part]
        if trained and self.done % POSTERIOR == 0 and self.done:
            self.renew()
        batch = self.cells.draw(self.random, CELLS, PIXELS)
        bits, slope = self._gradient(self.parameters.effective(self.differences), batch, 2.0**-17)
        counted = int(batch.pixels.coded.sum())
        slope *= self.parameters.slope / np.float32(counted)
        if self.done % PRICED == 0:
            self.priced = self.price.slope(self.differences) / np.float32(self.samples)
        slope = (slope + self.priced) * self.parameters.free
        self.done += 1
        self.differences -= rate * share * self.moments.step(slope)
        for part in trained:
            part.step(share)
        lowest, highest = self.parameters.lowest, self.parameters.highest
        np.clip(self.differences, lowest, highest, out=self.differences)
        self.average += (1 - min(EMA, self.done / (10 + self.done))) * (
            self.differences - self.average
        )
        return bits / counted

    def _gradient(self, parameters: Floats, batch: Batch, soft: float) -> tuple[float, Floats]:
        """Bits of pixels, and their gradient to all parameters.

        That of pixels and latents to the parameters of what chooses latents is left with these, if
        it is in training and bits are `soft`.
        """
        config, pixels, on_gpu = self.model.config, batch.pixels, gradient.gpu()
        first = self.parameters.likelihood
        run = on_gpu or compiled.engine() or gradient.by_torch
        film, cost = None, torch.zeros(())
        if self.model.depth:
            leaf = torch.from_numpy(parameters[first:]).requires_grad_()
            self.shadow.take(leaf)
            if self.posterior and soft:
                images = self.cells.images(batch.cells).astype(np.float32)
                z, bits = self.posterior.draw(images, batch.noise, self.top)
                cost = bits @ torch.from_numpy(self._share(batch))
            else:
                z = torch.from_numpy(self.cells.latents(*batch[:2]))
            z2, bits = self._common(batch, soft) if self.groups else (None, cost)
            cost = cost + bits
            film = self.shadow.network.modulation(z[:, :, None, None], z2)
        films = None if film is None else film.detach().numpy()
        number = 1 if on_gpu else PARTS
        count, each = len(batch.cells) // number, len(pixels.known) // number

        def part(k: int) -> tuple[float, Floats, Floats | None]:
            some = Pixels(*(np.ascontiguousarray(a[k * each : (k + 1) * each]) for a in pixels))
            mine = None if films is None else films[k * count : (k + 1) * count]
            return run(config, parameters[:first], mine, some, soft)

        parts = list(self.pool.map(part, range(number)))
        slope = np.zeros_like(parameters)
        for _, own, _ in parts:
            slope[:first] += own
        if film is not None:
            back = np.concatenate([p[2] for p in parts if p[2] is not None])
            (cost + (film * torch.from_numpy(back)).sum()).backward()  # type: ignore[no-untyped-call]
            if leaf.grad is not None:
                slope[first:] = leaf.grad.numpy()
        return sum(p[0] for p in parts), slope

    def _common(self, batch: Batch, soft: float) -> tuple[Tensor, Tensor]:
        """z_2 of the cells of a batch, (B, D, 1, 1), and the bits that its pixels have to bear."""
        groups = cast(Groups, self.groups)
        group = self.cells.group[batch.cells]
        if self.chooser is None or not soft:
            return torch.from_numpy(groups.z2[group])[:, :, None, None], torch.zeros(())
        z, bits = self.chooser.choose(groups.statistics[group], self.prior)
        with_it = groups.has[group] & (self.random.random(len(group)) >= ALONE)
        each = len(batch.pixels.known) // len(group)
        share = torch.from_numpy((with_it * each / groups.pixels[group]).astype(np.float32))
        counted = bits @ share * min(1.0, self.done / COUNTED)
        return (z * torch.from_numpy(with_it)[:, None])[:, :, None, None], counted

    def _share(self, batch: Batch) -> Floats:
        """Of the pixels of its cells that are in a batch, (B,)."""
        cells, each = batch.cells, len(batch.pixels.known) // len(batch.cells)
        area = self.cells.height[cells] * self.cells.width[cells]
        share: Floats = (each / area).astype(np.float32)
        return share

    def renew(self) -> None:
        """Let the averages decide of latents from here on."""
        self.cells.renew(self.built())
        if self.chooser and self.groups:
            self.prior = top_prior(torch.from_numpy(self.groups.z2[self.groups.has]))
        some = self.cells.draw(self.random, TOP_CELLS, 0)
        self.top = top_prior(torch.from_numpy(self.cells.latents(*some[:2])))

    def measure(self, batches: list[Batch]) -> dict[str, float]:
        """Bits/dim of pixels, ``likelihood``, of the latents of one layer, ``kl1``, and of z_2,
        ``common``, as far as there are any, under the average differences."""
        parameters = self.parameters.effective(self.average)
        counted = sum(int(batch.pixels.coded.sum()) for batch in batches)
        likelihood = sum(self._gradient(parameters, batch, 0.0)[0] for batch in batches)
        found = {"likelihood": likelihood / counted}
        latents = 0.0
        for batch in batches if self.model.depth == 1 else ():
            z = torch.from_numpy(self.cells.latents(*batch[:2]))
            mean, scale = (torch.from_numpy(t) for t in self.cells.posterior(batch.cells))
            bits = logistic_bits(self.top[0], self.top[1], z, 0.0)
            bits -= logistic_bits(mean, scale, z, 0.0)
            latents += float(bits.sum(1) @ torch.from_numpy(self._share(batch)))
            found["kl1"] = latents / counted
        if self.groups:
            mean, scale = self.prior
            bits = logistic_bits(mean, scale, torch.from_numpy(self.groups.z2), 0.0).sum(1)
            each = (bits.numpy() * self.groups.has / self.groups.pixels)[self.cells.group]
            borne = [each[b.cells].sum() * len(b.pixels.known) / len(b.cells) for b in batches]
            found["common"] = float(sum(borne)) / counted
        return found

    def built(self) -> PixelVAE:
        """The model of the average differences."""
        stored = self.model.tensors() | self.parameters.tensors(self.average)
        if self.model.depth == 1:
            stored["top"] = self.top.numpy()
        if self.posterior:
            stored |= self.posterior.tensors()
        if self.chooser:
            stored |= self.chooser.tensors() | {"common.prior": self.prior.numpy()}
        return built(PixelVAE, self.model.config, stored)

    def finish(self) -> PixelVAE:
        """The fitted model; latents are its own from here on."""
        if self.model.depth == 1:
            self.renew()
        return self.built()
