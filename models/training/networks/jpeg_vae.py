"""The JPEG VAE in training; see bitswap_models.families.jpeg_vae.model.

Coefficients are computed in groups of neighbours in zigzag order, over those blocks of a batch that
have any: they come sorted by the index of their last one. No shape depends on the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitswap_cli.ans.parameters import MEAN_LIMIT, SCALE_OF_ONE, SCALES_PER_OCTAVE
from bitswap_models.exact.latents import MEANS
from bitswap_models.exact.latents import SCALES as LATENT_SCALES
from bitswap_models.exact.layers import ACTIVATION_MAX
from bitswap_models.exact.mixtures import LOGIT_STEPS, LOGITS, SCALES
from bitswap_models.families.jpeg_vae.config import Config
from bitswap_models.families.jpeg_vae.family import FAMILY
from bitswap_models.families.jpeg_vae.features import BORDER
from bitswap_models.families.jpeg_vae.latents import FILM, CellLatents
from bitswap_models.families.jpeg_vae.model import KINDS, JpegVAE
from bitswap_models.families.jpeg_vae.network import (
    COMPONENTS,
    FILM_BITS,
    LAST_UNITS,
    LASTS,
    LOCALS,
    OUTPUTS,
    PREDICTOR_BITS,
    SYMBOLS,
    VALUES,
    BlockNet,
    earlier,
    inputs_count,
)
from bitswap_models.families.jpeg_vae.tables import INPUT_MAX, tables
from bitswap_models.training.bits import logistic_bits
from bitswap_models.training.jpeg.blocks import GUESSES, Batch
from bitswap_models.training.latents import draw
from bitswap_models.training.layers import (
    IntegerConv,
    activation,
    floor,
    frozen,
    layers,
    round_,
    saturated,
)
from bitswap_models.training.networks.banks import Bank

SOFT = 2.0**-22
GROUPS = ((1, 8), *((k, k + 8) for k in range(8, 64, 8)), (0, 1))  # coefficients, DC last
LOG_2 = 0.6931471805599453
LOGIT_START, SCALE_START = 4.0, 4.0  # deviations before training


def mixture_bits(
    out: Tensor, anchor: Tensor, base: Tensor, y: Tensor, ends: tuple[float, float]
) -> Tensor:
    """Bits of symbols y (N,) under mixtures: head integers (3 K, N), anchors of means (K, N) and
    bases of scales (N,)."""
    logit, mean, scale = torch.tensor_split(out, 3)
    mean = (mean + anchor).clamp(-MEAN_LIMIT, MEAN_LIMIT)
    scale = (scale + base).clamp(*SCALES)
    inverse = torch.exp2((SCALE_OF_ONE - scale) / SCALES_PER_OCTAVE)
    distance, low, high = y - mean / 16, y <= ends[0], y >= ends[1]
    left = ((distance - 0.5) * inverse).masked_fill(low, -64.0)
    right = ((distance + 0.5) * inverse).masked_fill(high, 64.0)
    flipped = distance > 0  # differences are those of the smaller tails
    lower, upper = torch.where(flipped, -right, left), torch.where(flipped, -left, right)
    mass = torch.sigmoid(upper) - torch.sigmoid(lower)
    weight = torch.softmax(logit.clamp(*LOGITS) * (LOG_2 / LOGIT_STEPS), 0)
    return -torch.log2((weight * mass).sum(0) * (1 - 2.0**-13) + SOFT)


class KindNetwork(nn.Module):
    """p(last), p(x_k | last, x_<k) of blocks of luma or chroma; see network.BlockNet."""

    known: Tensor
    fine: Tensor
    k: Tensor

    def __init__(self, config: Config, *, chroma: bool) -> None:
        super().__init__()
        hidden, context, width = (
            sizes[chroma] for sizes in (config.hidden, config.context, config.width)
        )
        self.context, self.locals = context, LOCALS[chroma]
        self.first = IntegerConv(inputs_count(chroma=chroma), hidden)
        self.second = IntegerConv(hidden, context)
        starts = [(0.0, LOGIT_START)] * COMPONENTS
        of_lasts = [*starts, (100.0, 128.0), (300.0, 128.0), (600.0, 128.0), *[(70.0, 6.0)] * 3]
        offset, spread = (tuple(column) for column in zip(*of_lasts, strict=True))
        self.last = nn.ModuleList((
            IntegerConv(context, LAST_UNITS),
            IntegerConv(LAST_UNITS, OUTPUTS, offset=offset, spread=spread),
        ))  # fmt: skip
        spreads = (LOGIT_START,) * 3 + (6.0,) * 3 + (SCALE_START,) * 3
        mask = torch.zeros(64, context + self.locals + 2 * 63)
        for k, row in enumerate(mask):
            row[self._columns(k)] = 1
        self.mixes = Bank(64, mask.shape[1], width, mask=mask)
        self.deep = Bank(64, width, width)
        self.heads = Bank(64, width, OUTPUTS, spread=spreads)
        self.predictors = nn.Parameter(torch.zeros(2, 64, BORDER + 63))
        known = torch.arange(63) < torch.tensor([earlier(k) for k in range(64)])[:, None]
        known = torch.cat((torch.ones(64, BORDER), known.float()), 1)
        self.register_buffer("known", known, persistent=False)  # what a prediction may look at
        self.register_buffer("fine", torch.tensor(tables().fine).float(), persistent=False)
        self.register_buffer("k", torch.arange(64)[:, None], persistent=False)

    def _columns(self, k: int) -> NDArray[np.intp]:
        """Which inputs of `mixes` coefficient k has, in a model file's order: context, earlier
        coefficients with and without signs, local ones. The bank has these behind the context."""
        logs, count = self.context + self.locals, earlier(k)
        parts = (
            np.arange(self.context),
            np.arange(logs, logs + count),
            np.arange(logs + 63, logs + 63 + count),
            np.arange(self.context, logs),
        )
        return np.concatenate(parts)

    def predictor_integers(self) -> Tensor:
        """Weights of the two predictors, 0 where a coefficient is not known: (2, 64, 95)"""
        return round_(self.predictors * self.known * 2.0**PREDICTOR_BITS)

    def predictions(self, batch: Batch) -> Tensor:
        """In 1/16 of a step: (2, 64, N). Sums are larger than float32 can hold."""
        x = torch.cat((batch.border, 8 * batch.grays[:, 1:]), 1).double()
        sums = self.predictor_integers().double() @ x.T
        mean = torch.zeros_like(sums)
        mean[:, 0] = batch.mean * 2.0**PREDICTOR_BITS
        grays = floor((sums + mean) * 2.0 ** (1 - PREDICTOR_BITS))
        scaled = floor(grays * batch.reciprocal.T * 2.0**-20)
        return scaled.clamp(-32767, 32767).to(batch.x.dtype)

    def bits(self, batch: Batch, film: Tensor | None, rooms: Sequence[int]) -> Tensor:
        """Bits of all blocks.

        Parameters
        ----------
        batch : Batch
        film : (cells, 2, C), optional
            Gains and shifts of the context.
        rooms : sequence of int
            Of how many blocks, the first ones, the coefficients of each group are computed. Those
            of others, if there are any, cost nothing.
        """
        context = self.second(self.first(batch.inputs[:, :, None, None], active=True))
        if film is not None:
            gain, shift = film[batch.cell, :, :, None, None].unbind(1)
            context = saturated(context + floor(context * gain * 2.0**-FILM_BITS) + shift)
        context = activation(context)
        of_last = self.last[1](self.last[0](context, active=True))[:, :, 0, 0].T
        zero = torch.zeros_like(batch.last)
        total = (mixture_bits(of_last, zero, zero, batch.last, LASTS) * batch.inside).sum()

        predicted = self.predictions(batch)
        out = self._heads(batch, context[:, :, 0, 0], predicted.detach(), rooms)
        x, last = batch.x.T, batch.last
        is_last = ((last == self.k) & (self.k > 0)).to(x)
        centre = torch.floor((predicted[0, 0].detach() + 8) / 16).clamp(*VALUES)
        third = torch.cat((predicted[0, :1], torch.zeros_like(x[1:])))
        anchor = torch.stack((*predicted, third))
        anchor = anchor - torch.cat((16 * centre[None], 8 * is_last[1:]))
        y = x - torch.cat((centre[None], (x[1:] > 0) * is_last[1:]))
        there = ((last >= self.k) | (self.k == 0)) * batch.inside
        base = 4 * batch.statistics.T + SCALE_OF_ONE

        def grouped(t: Tensor) -> Tensor:  # (.., 64, N) -> as the outputs of heads are
            some = zip(GROUPS, rooms, strict=True)
            return torch.cat([t[..., a:z, :room].flatten(-2) for (a, z), room in some], -1)

        bits = mixture_bits(out, grouped(anchor), grouped(base), grouped(y), SYMBOLS)
        return total + (bits * grouped(there)).sum()

    def _heads(
        self, batch: Batch, context: Tensor, guesses: Tensor, rooms: Sequence[int]
    ) -> Tensor:
        """What the heads of all groups say of their blocks, one group after the other: (9, M)"""
        size = self.fine[guesses.abs().clamp(max=len(self.fine) - 1).int()]
        told = (size[0] * guesses[0].sign(), size[0], size[1] * guesses[1].sign(), size[1])
        own = torch.stack(told, 1)
        local = torch.cat((batch.local[:, :GUESSES], own, batch.local[:, GUESSES:]), 1)
        seen = torch.cat((context, batch.logs, batch.logs.abs()), 1).T
        banks = [(bank, bank.integers()) for bank in (self.mixes, self.deep, self.heads)]
        (mixes, first), (deep, second), (heads, third) = banks
        shared, own_weights = self._split(first.weight)
        outs = []
        for (a, z), room in zip(GROUPS, rooms, strict=True):
            some = slice(a, z)
            sums = shared[some].flatten(0, 1) @ seen[:, :room]
            own_sums = own_weights[some] @ local[some, :, :room]
            sums = sums.view(own_sums.shape) + own_sums
            h = mixes(sums, first, some, active=True)
            h = deep(second.weight[some] @ h, second, some, active=True)
            out = heads(third.weight[some] @ h, third, some)
            outs.append(out.transpose(0, 1).flatten(1))
        return torch.cat(outs, 1)

    def _split(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of `mixes` for what all coefficients see, and for local inputs."""
        end = self.context + self.locals
        seen = weight[:, :, : self.context], weight[:, :, end:]
        return torch.cat(seen, 2), weight[:, :, self.context : end]

    def thaw(self, net: BlockNet) -> None:
        """Start training from a network that codes; see `IntegerConv.thaw`."""
        self.first.thaw(net.first)
        self.second.thaw(net.second)
        for layer, stored in zip(self.last, net.last, strict=True):
            cast(IntegerConv, layer).thaw(stored)
        self.mixes.thaw(net.mixes, [self._columns(k) for k in range(64)])
        for bank, layers_of in ((self.deep, net.deep), (self.heads, net.heads)):
            bank.thaw(layers_of, [np.arange(bank.v.shape[2])] * 64)
        with torch.no_grad():
            for k, weights in enumerate(net.predictors):
                scaled = torch.tensor(weights).to(self.predictors) * 2.0**-PREDICTOR_BITS
                self.predictors[:, k, : scaled.shape[1]] = scaled

    @torch.no_grad()
    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `Network.tensors`."""
        told = frozen(layers(self))
        for name, bank in (("mixes", self.mixes), ("deep", self.deep), ("heads", self.heads)):
            weights, told[f"{name}.scale"], told[f"{name}.bias"] = bank.freeze()
            parts = list(weights)
            if name == "mixes":  # without what is masked
                parts = [part[:, self._columns(k)] for k, part in enumerate(parts)]
            told[f"{name}.weights"] = np.concatenate([part.ravel() for part in parts])
        weights_of = self.predictor_integers().cpu().numpy().clip(-32767, 32767).astype(np.int16)
        told["predictors"] = np.concatenate(
            [weights_of[:, k, : BORDER + earlier(k)].ravel() for k in range(64)]
        )
        return told


class LatentsNetwork(nn.Module):
    """q(z_1 | x), p(z_1) and what z_1 does; see latents.CellLatents."""

    def __init__(self, config: Config, context: int) -> None:
        super().__init__()
        size, link = config.latents[0], config.link
        self.posterior: Any = self._head(192, link, size, ACTIVATION_MAX, 128, SCALE_OF_ONE)
        self.prior: Any = self._head(128, link, size, INPUT_MAX, 32, SCALE_OF_ONE + 24)
        self.film = nn.ModuleList((
            IntegerConv(size, link, input_max=128),
            IntegerConv(link, 2 * context, spread=(6.0,) * context + (8.0,) * context),
        ))  # fmt: skip

    @staticmethod
    def _head(
        inputs: int, link: int, size: int, most: int, spread: float, start: float
    ) -> nn.ModuleDict:
        return nn.ModuleDict({
            "hidden": IntegerConv(inputs, link, input_max=most),
            "mean": IntegerConv(link, size, spread=spread),
            "scale": IntegerConv(link, size, spread=4, offset=start),
        })  # fmt: skip

    @staticmethod
    def _told(head: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        h = head["hidden"](x[:, :, None, None], active=True)
        mean, scale = head["mean"](h)[:, :, 0, 0], head["scale"](h)[:, :, 0, 0]
        return mean.clamp(*MEANS), scale.clamp(*LATENT_SCALES)

    def thaw(self, stored: CellLatents) -> None:
        """Start training from layers that code; see `IntegerConv.thaw`."""
        for own, head in ((self.posterior, stored.posterior), (self.prior, stored.prior)):
            for name, layer in own.items():
                layer.thaw(getattr(head, name))
        for layer, other in zip(self.film, stored.film, strict=True):
            cast(IntegerConv, layer).thaw(other)

    def forward(self, batch: Batch, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Gains and shifts of cells (cells, 2, C), and the KL (cells, D)."""
        seen = torch.cat((batch.pooled, batch.picture), 1)
        posterior, prior = self._told(self.posterior, seen), self._told(self.prior, batch.picture)
        z = draw(*posterior, noise)
        kl = logistic_bits(*prior, z, 2.0**-17) - logistic_bits(*posterior, z, 2.0**-17)
        h = self.film[0](z[:, :, None, None], active=True)
        return self.film[1](h)[:, :, 0, 0].clamp(*FILM).view(len(z), 2, -1), kl


class JpegNetwork(nn.Module):
    """A JPEG VAE in training; p(statistics) is fitted by itself, see jpeg/statistics.py."""

    family = FAMILY.name

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.kinds: Any = nn.ModuleDict(
            {kind: KindNetwork(config, chroma=bool(i)) for i, kind in enumerate(KINDS)}
        )
        self.latents: Any = nn.ModuleDict(
            {kind: LatentsNetwork(config, config.context[i]) for i, kind in enumerate(KINDS)}
            if config.latents
            else {}
        )
        self.statistics: dict[str, NDArray[np.int32]] = {}

    def terms(
        self, kind: str, batch: Batch, noise: Tensor | None, rooms: Sequence[int]
    ) -> dict[str, Tensor]:
        """Bits of a batch of luma or chroma: ``likelihood``, a sum, and ``kl1`` (cells, D); for
        `rooms` see `KindNetwork.bits`."""
        if not self.latents or noise is None:
            return {"likelihood": self.kinds[kind].bits(batch, None, rooms)}
        film, kl = self.latents[kind](batch, noise)
        return {"likelihood": self.kinds[kind].bits(batch, film, rooms), "kl1": kl}

    def thaw(self, base: JpegVAE) -> None:
        """Start training from a model that codes, of the same config."""
        for number, kind in enumerate(KINDS):
            self.kinds[kind].thaw(base.nets[number])
            if self.latents:
                self.latents[kind].thaw(base.latents[number])
        prior = base.prior_of_statistics
        self.statistics = {"weights": prior.weights, "scales": prior.scales}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it."""
        told = {f"statistics.{name}": array for name, array in self.statistics.items()}
        for kind in KINDS:
            told |= {f"{kind}.{name}": a for name, a in self.kinds[kind].tensors().items()}
            if self.latents:
                found = frozen(layers(self.latents[kind]))
                told |= {f"{kind}.latents.{name}": array for name, array in found.items()}
        return told
