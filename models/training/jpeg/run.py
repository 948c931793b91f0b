"""The training loop of models of JPEG coefficients.

A recipe's sources of kind "photos" are photographs that files are drawn from, those of kind "jpeg"
are JPEG files as they are. Of `pool` drawn files the oldest is drawn anew every `RENEWAL` steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_cli.errors import InputError, ModelError
from bitswap_models.families.jpeg_vae.config import Config
from bitswap_models.families.jpeg_vae.model import KINDS
from bitswap_models.families.jpeg_vae.network import VALUES
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.stored import model_file
from bitswap_models.training.jpeg import files
from bitswap_models.training.jpeg.blocks import Batch, batch_of, cells_of, planes
from bitswap_models.training.jpeg.statistics import fit
from bitswap_models.training.latents import latent_noise
from bitswap_models.training.networks.jpeg_vae import JpegNetwork
from bitswap_models.training.recipe import Recipe

RENEWAL = 20
SHOWN = 100  # steps between lines
POOL = 400  # files, unless a recipe says how many
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FOUND = 0.12  # share of cells that are of files as they are

File = Sequence[Plane]
Split = Callable[[bytes], tuple[Frame, Coefficients] | None]
"""Splits a JPEG file into its frame and coefficients, if it can: training reads no files itself."""


class Pool:
    """Files that cells are drawn from."""

    def __init__(
        self, drawn: list[File], found: list[File], draw: Callable[[], File], seed: int
    ) -> None:
        self.drawn, self.found, self.draw = drawn, found, draw
        self.random = np.random.default_rng(seed)

    def renew(self, turn: int) -> None:
        """Draw one file anew."""
        self.drawn[turn % len(self.drawn)] = self.draw()

    def batch(self, chroma: bool, count: int) -> Batch:
        """So many cells of luma, or of chroma."""
        chosen: list[tuple[Plane, tuple[int, int]]] = []
        while len(chosen) < count:
            pool = self.found if self.found and self.random.random() < FOUND else self.drawn
            some = [p for p in pool[self.random.integers(len(pool))] if p.chroma == chroma]
            if some:
                plane = some[self.random.integers(len(some))]
                cells = cells_of(plane)
                chosen.append((plane, cells[self.random.integers(len(cells))]))
        return batch_of(chosen)


def pool_of(recipe: Recipe, data: Path, split: Split) -> Pool:
    """Draw and read the files of a recipe.

    Raises
    ------
    ModelError
        If it names no photographs.
    InputError
        If a folder or a file cannot be read.
    """
    photographs: list[Path] = []
    paths: list[Path] = []
    for source in recipe.sources:
        if not (data / source.folder).is_dir():
            raise InputError(f"there is no folder {data / source.folder}")
        some = sorted(
            path
            for path in (data / source.folder).iterdir()
            if path.suffix.lower() in SUFFIXES and not path.stem.startswith(source.without)
        )
        (paths if source.kind == "jpeg" else photographs).extend(some)
    if not photographs:
        raise ModelError(f"{recipe.path} names no source of photographs in {data}")
    real = files.found(paths)
    drawer = files.Drawer(photographs, files.tables_of(real), recipe.seed)

    def read(content: bytes) -> File | None:
        told = split(content)
        if told is None or len(told[0]) not in (1, 3):
            return None
        frame, x = told
        return planes(frame, [part.clip(*VALUES) for part in x])

    def draw() -> File:
        while (file := read(drawer.draw())) is None:
            pass
        return file

    found = [file for content in real if (file := read(content)) is not None]
    return Pool([draw() for _ in range(recipe.pool or POOL)], found, draw, recipe.seed)


class JpegRun:
    """One training run."""

    def __init__(self, recipe: Recipe, pool: Pool) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pool = recipe, pool
        self.config = cast(Config, recipe.model)
        self.model = JpegNetwork(self.config)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=recipe.rate, betas=(0.9, 0.99)
        )
        self.step = 0
        self.begin()
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    @torch.no_grad()
    def begin(self) -> None:
        """Start scales and offsets by the data."""
        banks: list[Any] = [m for m in self.model.modules() if hasattr(m, "starting")]
        for bank in banks:
            bank.starting = True
        for chroma, kind in enumerate(KINDS):
            self._terms(kind, self.pool.batch(bool(chroma), self.recipe.batch))
        for bank in banks:
            bank.starting = False

    def rate(self) -> float:
        """Learning rate of this step: linear warm-up, then a half cosine."""
        r = self.recipe
        if self.step < r.warmup:
            return r.rate * (self.step + 1) / r.warmup
        done = min(1.0, (self.step - r.warmup) / max(1, r.steps - r.warmup))
        return r.rate * (r.final_rate + (1 - r.final_rate) * 0.5 * (1 + math.cos(math.pi * done)))

    def advance(self) -> dict[str, float]:
        """One optimizer step; returns the bits a block of each kind."""
        if self.step % RENEWAL == RENEWAL - 1:
            self.pool.renew(self.step // RENEWAL)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        told, loss = {}, torch.zeros(())
        weight = min(1.0, self.step / self.recipe.kl_warmup) if self.recipe.kl_warmup else 1.0
        for chroma, kind in enumerate(KINDS):
            batch = self.pool.batch(bool(chroma), self.recipe.batch)
            terms = self._terms(kind, batch)
            kl = terms.get("kl1", torch.zeros(1, 1))
            told[kind] = float((terms["likelihood"] + kl.sum()).detach()) / len(batch.x)
            counted = kl.mean(0).clamp_min(self.recipe.free_bits).sum() * len(kl)
            loss = loss + (terms["likelihood"] + weight * counted) / len(batch.x) / 64
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if torch.isfinite(nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)):
            self.optimizer.step()
        self.step += 1
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        state = self.model.state_dict()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.values()), [state[k] for k in self.average], 1 - decay
            )
        return told

    def _terms(self, kind: str, batch: Batch) -> dict[str, Tensor]:
        noise = None
        if self.model.latents:
            shape = (len(batch.pooled), *self.config.latents)
            noise = latent_noise(shape, self.generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            return self.model.terms(kind, batch, noise)

    def averaged(self) -> JpegNetwork:
        """The model with averaged weights, and p(statistics) of the pool."""
        model = JpegNetwork(self.config)
        model.load_state_dict(self.average)
        model.statistics = fit([*self.pool.drawn, *self.pool.found])
        return model


def train(
    recipe_path: Path,
    data: Path,
    output: Path,
    *,
    split: Split,
    progress: Callable[[str], None] = print,
) -> None:
    """Train a model by its recipe and write the model file.

    Parameters
    ----------
    recipe_path, data, output : Path
        TOML recipe, folder that holds the recipe's folders, model file to write.
    split : callable
        Reads JPEG files.
    progress : callable
        Receives a line every 100 steps.

    Raises
    ------
    ModelError
        If the recipe cannot be followed, or names no photographs.
    InputError
        If a picture cannot be read, or the file not be written.
    """
    recipe = Recipe.read(recipe_path)
    trained(recipe, pool_of(recipe, data, split), output, progress=progress)


def trained(
    recipe: Recipe, pool: Pool, output: Path, *, progress: Callable[[str], None] = print
) -> None:
    """Train a model on the files of a pool, and write its file."""
    run = JpegRun(recipe, pool)
    began, sums = time.monotonic(), dict.fromkeys(KINDS, 0.0)
    while run.step < recipe.steps:
        for kind, bits in run.advance().items():
            sums[kind] += bits
        if run.step % SHOWN == 0:
            shown = "  ".join(f"{kind} {bits / SHOWN:.2f}" for kind, bits in sums.items())
            seconds = time.monotonic() - began
            progress(f"step {run.step}/{recipe.steps}  {shown} bits a block  {seconds:.0f} s")
            sums = dict.fromkeys(KINDS, 0.0)
    model_file.write(run.averaged(), output, recipe=recipe.text, metrics={})
