"""The one training loop of every model: straight-through integers, free bits, EMA, resumable.

``train(recipe.toml, data, model.safetensors)`` reads the recipe, trains, evaluates on the recipe's
test folder and writes the model file. A run leaves ``model.safetensors.checkpoint`` beside its
output until it is done; ``resume=True`` goes on from there with the same random streams.
"""

from __future__ import annotations

import math
import os
import time
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from bitswap_cli.errors import ModelError
from bitswap_models.families.flowpp.model import FlowPP
from bitswap_models.families.register import TRAINED, Shape, Trained, make
from bitswap_models.training.base import take
from bitswap_models.training.data import RENEWAL, Sampler, Source, cells, draw_once
from bitswap_models.training.memory import keep_freed

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """A training recipe, as read from TOML."""

    model: Shape
    sources: list[Source]
    test: str
    steps: int
    batch: int = 64
    rate: float = 2e-3
    warmup: int = 200
    final_rate: float = 0.02  # share of `rate` at the last step
    ema: float = 0.999
    free_bits: float = 0.02  # bits per latent below which a channel's KL costs nothing
    kl_warmup: int = 0  # steps over which the KL's weight grows from 0.001 to 1, steadily
    pool: int = 0  # tiles that are drawn once and lie on the device; 0: new ones for every step
    flip: bool = False
    gray: float = 0.0  # share of tiles turned gray
    vary: float = 0.0  # share of photographs in another world, see augment.py
    share: float = 1.0  # of a tile's pixels that a step looks at (pixel_vae)
    seed: int = 0
    bfloat16: bool = False
    compile: bool = False
    base: dict[str, Any] = field(default_factory=dict)  # see base.py
    path: Path = Path()
    text: str = field(default="", compare=False)

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Read a recipe; raise ModelError with the offending key on any mistake."""
        try:
            text = path.read_text(encoding="utf-8")
            table = tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ModelError(f"cannot read the recipe {path}: {error}") from None
        try:
            training = dict(table["training"])
            shape = dict(table["model"])
            kind = TRAINED.get(shape.pop("kind", "markov_vae"))
            if kind is None:
                raise ModelError(f"[model] kind of {path} is one of {', '.join(TRAINED)}")
            model = _fill(kind.config, "model", shape)
            sources = [_fill(Source, "source", s) for s in table["source"]]
            known = {f.name for f in fields(cls)} - {"model", "sources", "base", "path", "text"}
            unknown = set(training) - known
            if unknown:
                raise ModelError(
                    f"unknown key in [training] of {path}: {', '.join(sorted(unknown))}"
                )
            base = dict(table.get("base", {}))
            return cls(model=model, sources=sources, base=base, path=path, text=text, **training)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the recipe {path} is incomplete or has a wrong key: {error}"
            ) from None


def _fill(kind: type, name: str, table: dict[str, Any]) -> Any:
    unknown = set(table) - {f.name for f in fields(kind)}
    if unknown:
        raise ModelError(f"unknown key in [{name}]: {', '.join(sorted(unknown))}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})


def to_input(tiles: np.ndarray, device: torch.device) -> Tensor:
    """(N, H, W, C) uint8 -> (N, C, H, W) float tensor of the same integers."""
    return torch.from_numpy(tiles).to(device).permute(0, 3, 1, 2).float()


def total_bits(terms: dict[str, Tensor]) -> Tensor:
    """Mean bits of a tile: likelihood plus every KL."""
    return (
        torch.stack([t.flatten(1).sum(1) if t.dim() > 1 else t for t in terms.values()])
        .sum(0)
        .mean()
    )


def loss_bits(terms: dict[str, Tensor], free: float, latents: int, weight: float) -> Tensor:
    """Training loss in bits a tile: a channel's KL counts at least `free` bits a latent."""
    loss = torch.zeros_like(terms["likelihood"]).mean()
    for name, term in terms.items():
        if name.startswith("kl"):
            loss = loss + weight * term.mean(0).clamp_min(free * latents).sum()
        else:
            loss = loss + term.mean()
    return loss


def start(
    model: Trained, x: Tensor, generator: torch.Generator, taken: Collection[nn.Module] = ()
) -> None:
    """Data-dependent initialisation, from one batch, of every layer that has one, but for those
    that are taken from another model."""
    layers: list[Any] = [m for m in model.modules() if hasattr(m, "starting") and m not in taken]
    for layer in layers:
        layer.starting = True
    with torch.no_grad():
        model.elbo(x, model.noise(len(x), generator))
    for layer in layers:
        layer.starting = False


@torch.no_grad()
def evaluate(model: Trained, tiles: np.ndarray, seed: int = 1, batch: int = 64) -> dict[str, float]:
    """Return bits/dim on tiles: ``bpd``, ``likelihood`` and each ``kl``."""
    device = next(iter(model.state_dict().values())).device
    generator = torch.Generator(device).manual_seed(seed)
    sums: dict[str, float] = {}
    for i in range(0, len(tiles), batch):
        x = to_input(tiles[i : i + batch], device)
        terms = model.elbo(x, model.noise(len(x), generator), soft=0.0)
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + float(term.sum())
    result = {name: value / tiles.size for name, value in sums.items()}
    return {"bpd": sum(result.values()), **result}


def describe(metrics: dict[str, float]) -> str:
    """One line: bpd split into likelihood and each KL."""
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())


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
        self.model = make(shape).to(device)
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
        if self.step < r.warmup:
            return r.rate * (self.step + 1) / r.warmup
        done = min(1.0, (self.step - r.warmup) / max(1, r.steps - r.warmup))
        return r.rate * (r.final_rate + (1 - r.final_rate) * 0.5 * (1 + math.cos(math.pi * done)))

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

    def averaged(self) -> Trained:
        """Return a copy of the model with averaged weights."""
        model = make(self.recipe.model).to(self.device)
        model.load_state_dict(self.average)
        return model

    def save(self, path: Path) -> None:
        """Write a checkpoint: temp file, then rename."""
        state = {
            "model": self.model.state_dict(), "average": self.average, "step": self.step,
            "optimizer": self.optimizer.state_dict(), "generator": self.generator.get_state(),
            "sampler": None if self.pool else self.sampler.random.bit_generator.state,
        }  # fmt: skip
        temporary = path.with_name(path.name + ".tmp")
        torch.save(state, temporary)
        os.replace(temporary, path)

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


def train(
    recipe_path: Path,
    data: Path,
    output: Path,
    *,
    resume: bool = False,
    seconds: float | None = None,
    steps: int | None = None,
    progress: Progress = print,
) -> dict[str, float]:
    """Train a model by its recipe and write the model file.

    Parameters
    ----------
    recipe_path, data, output : Path
        TOML recipe, folder that holds the recipe's folders, model file to write.
    resume : bool
        Go on from ``<output>.checkpoint``.
    seconds : float, optional
        Stop after this time and leave the checkpoint (to be resumed); nothing else is written.
    steps : int, optional
        Another length than the recipe's.
    progress : callable
        Receives a line every 100 steps.

    Returns
    -------
    dict
        ``bpd``, ``likelihood`` and ``kl1``.. on the test folder; empty when `seconds` ended it.
    """
    recipe = Recipe.read(recipe_path)
    if steps is not None:
        recipe = replace(recipe, steps=steps)
    checkpoint = output.with_name(output.name + ".checkpoint")
    keep_freed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: products of our integers stay exact
    run = Run(recipe, data, device)
    if resume:
        run.restore(checkpoint)
    else:
        run.begin()
    began = time.monotonic()
    pixels = recipe.model.tile**2 * recipe.model.channels
    sums: dict[str, Tensor] = {}  # on the device: to read them would wait for it
    mark, counted = began, 0
    while run.step < recipe.steps:
        for name, term in run.advance().items():
            sums[name] = sums.get(name, torch.zeros_like(term.sum())) + term.sum()
        counted += 1
        now = time.monotonic()
        over = seconds is not None and now - began > seconds
        if run.step % 100 == 0 or run.step == recipe.steps or over:
            shown = {k: float(v) / counted / recipe.batch / pixels for k, v in sums.items()}
            speed = counted * recipe.batch / (now - mark)
            total = {"bpd": sum(shown.values()), **shown}
            progress(f"step {run.step}/{recipe.steps}  {describe(total)}  {speed:.0f} tiles/s")
            sums, mark, counted = {}, now, 0
        if run.step % 500 == 0 or run.step == recipe.steps or over:
            run.save(checkpoint)
        if over:
            return {}
    model = run.averaged()
    if isinstance(model, FlowPP):
        model.load(model.freeze())  # rounded: what is measured is what is written
    tiles = cells(data / recipe.test, recipe.model.tile, recipe.model.channels)
    metrics = evaluate(model, tiles)
    progress(f"test {recipe.test}  {describe(metrics)}")
    from bitswap_models.stored.model_file import write

    write(model, output, recipe=recipe.text, metrics=metrics)
    checkpoint.unlink()
    return metrics
