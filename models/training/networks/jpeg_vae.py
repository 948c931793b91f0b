"""The JPEG VAE in training; see bitswap_models.families.jpeg_vae.model.

Coefficients are computed in groups of neighbours in zigzag order, over those blocks of a batch that
have any: they come sorted by the index of their last one.
"""

from __future__ import annotations

from typing import Any

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
from bitswap_models.families.jpeg_vae.latents import FILM
from bitswap_models.families.jpeg_vae.model import KINDS
from bitswap_models.families.jpeg_vae.network import (
    COMPONENTS,
    FILM_BITS,
    LAST_UNITS,
    LASTS,
    LOCALS,
    OUTPUTS,
    PREDICTOR_BITS,
    SYMBOLS,
    earlier,
    inputs_count,
)
from bitswap_models.families.jpeg_vae.tables import INPUT_MAX, tables
from bitswap_models.training.bits import logistic_bits
from bitswap_models.training.jpeg.blocks import Batch
from bitswap_models.training.latents import draw
from bitswap_models.training.layers import IntegerConv, activation, floor, frozen, layers, saturated
from bitswap_models.training.networks.banks import Bank

SOFT = 2.0**-22
GROUPS = ((1, 8), *((k, k + 8) for k in range(8, 64, 8)), (0, 1))  # coefficients, DC last
LOG_2 = 0.6931471805599453
LOGIT_START, SCALE_START = 4.0, 4.0  # deviations before training


def mixture_bits(
    out: Tensor, anchor: Tensor, base: Tensor, y: Tensor, ends: tuple[float, float]
) -> Tensor:
    """Bits of symbols y (..) under mixtures: head integers (.., 3 K), anchors of means (.., K) and
    bases of scales (..)."""
    logit, mean, scale = torch.tensor_split(out, 3, -1)
    mean = (mean + anchor).clamp(-MEAN_LIMIT, MEAN_LIMIT)
    scale = (scale + base[..., None]).clamp(*SCALES)
    inverse = torch.exp2((SCALE_OF_ONE - scale) / SCALES_PER_OCTAVE)
    distance, low, high = y[..., None] - mean / 16, y <= ends[0], y >= ends[1]
    left = ((distance - 0.5) * inverse).masked_fill(low[..., None], -64.0)
    right = ((distance + 0.5) * inverse).masked_fill(high[..., None], 64.0)
    flipped = distance > 0  # differences are those of the smaller tails
    lower, upper = torch.where(flipped, -right, left), torch.where(flipped, -left, right)
    mass = torch.sigmoid(upper) - torch.sigmoid(lower)
    weight = torch.softmax(logit.clamp(*LOGITS) * (LOG_2 / LOGIT_STEPS), -1)
    return -torch.log2((weight * mass).sum(-1) * (1 - 2.0**-13) + SOFT)


class KindNetwork(nn.Module):
    """p(last), p(x_k | last, x_<k) of blocks of luma or chroma; see network.BlockNet."""

    def __init__(self, config: Config, *, chroma: bool) -> None:
        super().__init__()
        hidden, context, width = (
            sizes[chroma] for sizes in (config.hidden, config.context, config.width)
        )
        self.context = context
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
        self.mixes, self.deep, self.heads = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for first, end in GROUPS:
            counts = [earlier(k) for k in range(first, end)]
            inputs = context + 2 * max(counts) + LOCALS[chroma]
            mask = torch.ones(end - first, inputs)
            for row, count in zip(mask, counts, strict=True):
                for start in (context, context + max(counts)):
                    row[start + count : start + max(counts)] = 0
            self.mixes.append(Bank(end - first, inputs, width, mask=mask))
            self.deep.append(Bank(end - first, width, width))
            self.heads.append(Bank(end - first, width, OUTPUTS, spread=spreads))
        self.predictors = nn.Parameter(torch.zeros(2, 64, BORDER + 63))

    def predictor_integers(self) -> Tensor:
        """Weights of the two predictors, 0 where a coefficient is not known: (2, 64, 95)"""
        known = torch.arange(63) < torch.tensor([earlier(k) for k in range(64)])[:, None]
        mask = torch.cat((torch.ones(64, BORDER), known.float()), 1).to(self.predictors)
        scaled = self.predictors * mask * 2.0**PREDICTOR_BITS
        return scaled + (scaled.round() - scaled).detach()

    def predictions(self, batch: Batch) -> Tensor:
        """In 1/16 of a step: (2, 64, N)"""
        x = torch.cat((batch.border, 8 * batch.grays[:, 1:]), 1)
        sums = self.predictor_integers() @ x.T
        mean = torch.zeros_like(sums)
        mean[:, 0] = batch.mean * 2.0**PREDICTOR_BITS
        grays = floor((sums + mean) * 2.0 ** (1 - PREDICTOR_BITS))
        return floor(grays * batch.reciprocal.T * 2.0**-20).clamp(-32767, 32767)

    def bits(self, batch: Batch, film: Tensor | None) -> Tensor:
        """Bits of all blocks; `film` (cells, 2, C) are gains and shifts of the context."""
        context = self.second(self.first(batch.inputs[:, :, None, None], active=True))
        if film is not None:
            gain, shift = film[batch.cell, :, :, None, None].unbind(1)
            context = saturated(context + floor(context * gain * 2.0**-FILM_BITS) + shift)
        context = activation(context)
        out: Tensor = self.last[1](self.last[0](context, active=True))[:, :, 0, 0]
        zero = torch.zeros_like(batch.mean)
        total = mixture_bits(out, zero[:, None], zero, batch.last.float(), LASTS).sum()
        predicted = self.predictions(batch)
        fine = torch.tensor(tables().fine).to(predicted)
        for number, (first, end) in enumerate(GROUPS):
            count = len(batch.x) if first == 0 else int((batch.last >= first).sum())
            if count:
                part = batch.first(count, slice(first, end))
                some = predicted[:, first:end, :count]
                size = fine[some.detach().abs().clamp(max=len(fine) - 1).long()]
                part.local[:, :, 7] = size[0] * some[0].detach().sign()
                part.local[:, :, 8] = size[0]
                part.local[:, :, 9] = size[1] * some[1].detach().sign()
                part.local[:, :, 10] = size[1]
                total = total + self._group(number, part, context[:count, :, 0, 0], some).sum()
        return total

    def _group(self, number: int, part: Batch, context: Tensor, predicted: Tensor) -> Tensor:
        """Bits of some coefficients, (K, N), 0 behind the last one."""
        first, end = GROUPS[number]
        most = max(earlier(k) for k in range(first, end))
        logs = part.logs[:, :most]
        shared = torch.cat((context, logs, logs.abs()), 1)
        x = torch.cat((shared.expand(end - first, -1, -1), part.local), 2)
        h = activation(self.mixes[number](x))
        out: Tensor = self.heads[number](activation(self.deep[number](h)))
        values, k = part.x[:, first:end].T, torch.arange(first, end, device=x.device)[:, None]
        is_last = ((part.last == k) & (k > 0)).to(x)
        nothing = torch.zeros_like(predicted[0])
        if first:
            anchor = torch.stack((*predicted, nothing), -1) - 8 * is_last[..., None]
            y = values - (values > 0) * is_last
        else:
            centre = torch.floor((predicted[0].detach() + 8) / 16)
            anchor = torch.stack((*predicted, predicted[0]), -1) - 16 * centre[..., None]
            y = values - centre
        base = 4 * part.statistics[:, first:end].T + SCALE_OF_ONE
        return mixture_bits(out, anchor, base, y, SYMBOLS) * ((part.last >= k) | (k == 0))

    @torch.no_grad()
    def tensors(self) -> dict[str, NDArray[Any]]:
        """See `Network.tensors`."""
        told = frozen(layers(self))
        context = self.context
        every: dict[str, Any] = {"mixes": self.mixes, "deep": self.deep, "heads": self.heads}
        for name, banks in every.items():
            parts: list[tuple[NDArray[Any], ...]] = [()] * 64
            for (first, end), bank in zip(GROUPS, banks, strict=True):
                most = max(earlier(k) for k in range(first, end))
                for k, w, m, b in zip(range(first, end), *bank.freeze(), strict=True):
                    if name == "mixes":  # without what is masked
                        seen = np.arange(most) < earlier(k)
                        fixed = np.ones(w.shape[1] - context - 2 * most, bool)
                        w = w[:, np.concatenate((np.ones(context, bool), seen, seen, fixed))]
                    parts[k] = (w.ravel(), m, b)
            weights, scale, bias = zip(*parts, strict=True)
            told[f"{name}.weights"] = np.concatenate(weights)
            told |= {f"{name}.scale": np.stack(scale), f"{name}.bias": np.stack(bias)}
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

    def terms(self, kind: str, batch: Batch, noise: Tensor | None) -> dict[str, Tensor]:
        """Bits of a batch of luma or chroma: ``likelihood``, a sum, and ``kl1`` (cells, D)."""
        if not self.latents or noise is None:
            return {"likelihood": self.kinds[kind].bits(batch, None)}
        film, kl = self.latents[kind](batch, noise)
        return {"likelihood": self.kinds[kind].bits(batch, film), "kl1": kl}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it."""
        told = {f"statistics.{name}": array for name, array in self.statistics.items()}
        for kind in KINDS:
            told |= {f"{kind}.{name}": a for name, a in self.kinds[kind].tensors().items()}
            if self.latents:
                found = frozen(layers(self.latents[kind]))
                told |= {f"{kind}.latents.{name}": array for name, array in found.items()}
        return told
