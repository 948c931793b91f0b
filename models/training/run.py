"""One training run: straight-through integers, free bits, averaged weights, resumable."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from bitswap_cli.atomic import NewFile
from bitswap_models.training.base import take
from bitswap_models.training.data import RENEWAL, Sampler, draw_once
from bitswap_models.training.evaluation import start
from bitswap_models.training.network import Network
from bitswap_models.training.recipe import Recipe


def loss_bits(terms: dict[str, Tensor], free: float, latents: int, weight: float) -> Tensor:
    """Training loss in bits a tile: a channel's KL counts at least `free` bits a latent."""
    loss = torch.zeros_like(terms["likelihood"]).mean()
    for name, term in terms.items():
        if name.startswith("kl"):
            loss = loss + weight * term.mean(0).clamp_min(free * latents).sum()
        else:
            loss = loss + term.mean()
    return loss


def share_of_rate(step: int, steps: int, warmup: int, final: float) -> float:
    """Linear warm-up, then a half cosine from 1 down to `final`."""
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))


class Run:
    """One training run: model, averaged weights, optimizer and random streams."""

    def __init__(self, recipe: Recipe, data: Path, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        torch.manual_seed(recipe.seed)
        shape = recipe.model
        drawing: dict[str, Any] = {
            "tile": shape.tile, "channels": shape.channels, "margin": shape.margin,
            "flip": recipe.flip, "gray": recipe.gray, "vary": recipe.vary, "seed": recipe.seed,
        }  # fmt: skip
        self.pool: list[Tensor] = []
        if recipe.pool:
            drawn = draw_once(data, recipe.sources, recipe.pool, **drawing)
            self.pool = [torch.from_numpy(array).to(device) for array in drawn]
        else:
            self.sampler = Sampler(data, recipe.sources, **drawing)
        self.model: Network = self._untrained()
        self.model.share = recipe.share
        self.elbo = torch.compile(self.model.elbo) if recipe.compile else self.model.elbo
        self.generator = torch.Generator(device).manual_seed(recipe.seed)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=recipe.rate, betas=(0.9, 0.99)
        )
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.step = 0

    def begin(self) -> None:
        """Start from the base, and by the data what is not in it; weights are averaged from here
        on."""
        base = self.recipe.base
        taken = take(self.model, base, self.recipe.path) if base else []
        start(self.model, self._draw(256)[0], self.generator, taken)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def rate(self) -> float:
        """Learning rate of this step: linear warm-up, then a half cosine."""
        r = self.recipe
        return r.rate * share_of_rate(self.step, r.steps, r.warmup, r.final_rate)

    def advance(self) -> dict[str, Tensor]:
        """One optimizer step; returns the terms of the loss."""
        r = self.recipe
        if self.step % RENEWAL == 0:
            self._renew()
        x, bordered = self._draw(r.batch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=r.bfloat16):
            noise = self.model.noise(len(x), self.generator)
            terms = self.elbo(x, noise, bordered=bordered)
        latents = (r.model.tile // r.model.stride) ** 2
        weight = 0.001 ** max(0.0, 1 - self.step / r.kl_warmup) if r.kl_warmup else 1.0
        loss = loss_bits(terms, r.free_bits, latents, weight) / (r.model.tile**2 * r.model.channels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self._settle()
        self.step += 1
        return {k: v.detach() for k, v in terms.items()}

    @torch.no_grad()
    def _settle(self) -> None:
        """Clip binary weights to [-1, 1] and average all weights."""
        for layer in self.model.modules():
            if getattr(layer, "binary", False):
                cast(Tensor, layer.v).clamp_(-1, 1)
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        state = self.model.state_dict()
        torch._foreach_lerp_(
            list(self.average.values()), [state[k] for k in self.average], 1 - decay
        )

    def _draw(self, size: int) -> tuple[Tensor, Tensor]:
        """Tiles as a model takes them, and which of them are bordered; see `data.Batch`."""
        if self.pool:
            most = len(self.pool[0])
            some = torch.randint(most, (size,), generator=self.generator, device=self.device)
            tiles, bordered = (array[some] for array in self.pool)
        else:
            tiles, bordered = (
                torch.from_numpy(array).to(self.device) for array in self.sampler.batch(size)
            )
        return tiles.permute(0, 3, 1, 2).float(), bordered

    def _renew(self) -> None:
        if not self.pool:
            self.sampler.renew(len(self.sampler.photos) + self.step // RENEWAL)

    def _untrained(self) -> Network:
        made: Network = self.recipe.family.network_class()(self.recipe.model)
        return made.to(self.device)

    def averaged(self) -> Network:
        """Return a copy of the model with averaged weights."""
        model = self._untrained()
        model.load_state_dict(self.average)
        return model

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "model": self.model.state_dict(), "average": self.average, "step": self.step,
            "optimizer": self.optimizer.state_dict(), "generator": self.generator.get_state(),
            "sampler": None if self.pool else self.sampler.random.bit_generator.state,
        }  # fmt: skip
        content = io.BytesIO()
        torch.save(state, content)
        file = NewFile(os.fsencode(path), force=True)
        file.write(content.getbuffer())
        file.commit()

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"].cpu())
        if not self.pool:
            self.sampler.random.bit_generator.state = state["sampler"]
        self.step = state["step"]
        self._renew()
