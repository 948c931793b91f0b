"""The training loop of models of JPEG coefficients.

A recipe's sources of kind "photos" are photographs that files are drawn from, those of kind "jpeg"
are JPEG files as they are. Of `pool` drawn files the oldest `renew` are drawn anew with every step,
which looks at `batch` blocks of luma, wherever they are, and at 3/4 as many of chroma. A recipe's
base is a model of the same shape, which training goes on from.

The host never waits for a GPU but to tell how far it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from bitswap_cli.errors import ModelError
from bitswap_models.families.jpeg_vae.config import CELL, Config
from bitswap_models.families.jpeg_vae.model import KINDS, JpegVAE
from bitswap_models.stored import model_file
from bitswap_models.training.base import base_of
from bitswap_models.training.jpeg.blocks import Look
from bitswap_models.training.jpeg.planes import Split
from bitswap_models.training.jpeg.pool import Pool, pool_of
from bitswap_models.training.jpeg.statistics import fit
from bitswap_models.training.jpeg.store import Places
from bitswap_models.training.latents import latent_noise
from bitswap_models.training.machine.graph import recorded
from bitswap_models.training.machine.memory import keep_freed
from bitswap_models.training.networks.jpeg_vae import GROUPS, JpegNetwork
from bitswap_models.training.recipe import Recipe
from bitswap_models.training.run import share_of_rate

SHOWN = 100  # steps between lines
SHARES = (1.0, 0.75)  # blocks of luma and of chroma, of a recipe's batch
PREDICTORS = 0.15  # of the rate, at which the predictors learn
BATCHES = 4  # that are looked at to see how many blocks have coefficients of a group
SLACK, UNIT = 0.015, 128  # a batch may have more such blocks: this share of it, and rounded up


class Drawn:
    """The blocks of one kind that a step looks at.

    Parameters
    ----------
    pool : Pool
    chroma : bool
    config : Config
    count : int
        Blocks; with latents, in whole cells.
    generator : torch.Generator
    """

    def __init__(
        self, pool: Pool, chroma: bool, config: Config, count: int, generator: torch.Generator
    ) -> None:
        self.store, self.generator = pool.stores[chroma], generator
        self.side = CELL if config.latents else 1
        cells = max(1, count // self.side**2)
        self.count = cells * self.side**2
        self.look = Look(self.store, self.side)
        self.bits = torch.zeros((), device=self.store.device)
        """Sum of bits a block, of all steps since it was set to 0."""
        firsts = [first for first, _ in GROUPS]
        most = [0] * len(firsts)
        for _ in range(BATCHES):
            self.places = self._draw()
            counts = self.store.counts(self.places, firsts)
            most = [max(*two) for two in zip(most, counts, strict=True)]
        rounded = (math.ceil((n + SLACK * self.count) / UNIT) * UNIT for n in most)
        self.rooms = [min(self.count, n) for n in rounded]
        self.noise: Tensor | None = None
        if config.latents:
            self._shape = (cells, *config.latents)
            self.noise = latent_noise(self._shape, generator)

    def _draw(self) -> Places:
        return self.store.draw(self.count, self.side, self.generator)

    def renew(self) -> None:
        """Draw other blocks, into the same tensors."""
        for old, new in zip(self.places, self._draw(), strict=True):
            old.copy_(new)
        if self.noise is not None:
            self.noise.copy_(latent_noise(self._shape, self.generator))


class JpegRun:
    """One training run."""

    def __init__(
        self,
        recipe: Recipe,
        pool: Pool,
        device: torch.device,
        progress: Callable[[str], None] = print,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pool, self.device = recipe, pool, device
        self.config = cast(Config, recipe.model)
        self.model = JpegNetwork(self.config)
        generator = torch.Generator(device).manual_seed(recipe.seed)
        self.drawn = [
            Drawn(pool, bool(chroma), self.config, int(recipe.batch * share), generator)
            for chroma, share in enumerate(SHARES)
        ]
        self.groups: list[list[nn.Parameter]] = [[], []]  # predictors last
        for name, parameter in self.model.named_parameters():
            self.groups[name.endswith("predictors")].append(parameter)
        self.begin()
        self.optimizer = torch.optim.Adam(
            [{"params": group} for group in self.groups], betas=(0.9, 0.99)
        )
        self.step = 0
        self.weight = torch.ones((), device=device)  # of the KL
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self._look = recorded(self._gradients, device, progress)
        self.told()  # what was done to record it does not count

    def begin(self) -> None:
        """Start from the base, or scales and offsets by the data."""
        recipe = self.recipe
        if recipe.base:
            base = base_of(recipe.base, recipe.path)
            if base.config != self.config:
                raise ModelError(f"[base] of {recipe.path} is of another shape than its [model]")
            self.model.thaw(cast(JpegVAE, base))
            self.model.to(self.device)
            return
        self.model.statistics = fit(*self.pool.stores)
        self.model.to(self.device)
        layers: list[Any] = [m for m in self.model.modules() if hasattr(m, "starting")]
        for layer in layers:
            layer.starting = True
        with torch.no_grad():
            for kind, drawn in zip(KINDS, self.drawn, strict=True):
                self._terms(kind, drawn)
        for layer in layers:
            layer.starting = False

    def advance(self) -> None:
        """One optimizer step."""
        recipe = self.recipe
        self.pool.renew(recipe.renew)
        for drawn in self.drawn:
            drawn.renew()
        self.weight.fill_(min(1.0, self.step / recipe.kl_warmup) if recipe.kl_warmup else 1.0)
        self._look()
        rate = recipe.rate * share_of_rate(
            self.step, recipe.steps, recipe.warmup, recipe.final_rate
        )
        factors = 1.0, PREDICTORS
        for group, factor, own in zip(
            self.groups, factors, self.optimizer.param_groups, strict=True
        ):
            own["lr"] = factor * rate
            nn.utils.clip_grad_norm_(group, 1.0)
            for parameter in group:  # all of them are NaN if one was: to ask would be to wait
                gradient = cast(Tensor, parameter.grad)
                torch.nan_to_num(gradient, 0.0, 0.0, 0.0, out=gradient)
        self.optimizer.step()
        self.step += 1
        decay = min(recipe.ema, (1 + self.step) / (10 + self.step))
        state = self.model.state_dict()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.values()), [state[k] for k in self.average], 1 - decay
            )

    def _gradients(self) -> None:
        """Those of the loss of the blocks that are drawn; their bits are added up."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=self.device)
        for kind, drawn in zip(KINDS, self.drawn, strict=True):
            terms = self._terms(kind, drawn)
            bits, kl = terms["likelihood"], terms.get("kl1")
            whole = bits.detach()
            if kl is not None:
                counted = kl.mean(0).clamp_min(self.recipe.free_bits).sum() * len(kl)
                bits, whole = bits + self.weight * counted, whole + kl.detach().sum()
            drawn.bits += whole / drawn.count
            loss = loss + bits / drawn.count / 64
        loss.backward()  # type: ignore[no-untyped-call]

    def _terms(self, kind: str, drawn: Drawn) -> dict[str, Tensor]:
        batch = drawn.look(drawn.places)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            return self.model.terms(kind, batch, drawn.noise, drawn.rooms)

    def told(self) -> dict[str, float]:
        """Sums of the bits a block of each kind, since they were asked for before."""
        sums = {}
        for kind, drawn in zip(KINDS, self.drawn, strict=True):
            sums[kind] = float(drawn.bits)
            drawn.bits.zero_()
        return sums

    def averaged(self) -> JpegNetwork:
        """The model with averaged weights."""
        model = JpegNetwork(self.config)
        model.load_state_dict(self.average)
        model.statistics = self.model.statistics
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
        Receives a line when files are drawn, and every 100 steps.

    Raises
    ------
    ModelError
        If the recipe cannot be followed, or names no photographs.
    InputError
        If a picture cannot be read, or the file not be written.
    """
    recipe = Recipe.read(recipe_path)
    keep_freed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: products of our integers stay exact
    began = time.monotonic()
    with pool_of(recipe, data, split, device) as pool:
        progress(f"drew {pool.count} files  {time.monotonic() - began:.0f} s")
        trained(recipe, pool, output, device, progress=progress)


def trained(
    recipe: Recipe,
    pool: Pool,
    output: Path,
    device: torch.device,
    *,
    progress: Callable[[str], None] = print,
) -> None:
    """Train a model on the files of a pool, and write its file."""
    run = JpegRun(recipe, pool, device, progress)
    began = mark = time.monotonic()
    while run.step < recipe.steps:
        run.advance()
        if run.step % SHOWN == 0:
            told = run.told()
            now = time.monotonic()
            shown = "  ".join(f"{kind} {bits / SHOWN:.2f}" for kind, bits in told.items())
            progress(
                f"step {run.step}/{recipe.steps}  {shown} bits a block"
                f"  {SHOWN / (now - mark):.1f} steps/s  {now - began:.0f} s"
            )
            mark = now
    model_file.write(run.averaged(), output, recipe=recipe.text, metrics={})
