"""Training of a pixel VAE on groups of tiles, from another one: recipes with a table ``[groups]``.

``bitswap train`` comes here for them. Processes draw tiles (feed.py) while steps learn from pixels
anywhere in those at hand; z_2 is trained with all else, in floats that hold the integers that code.
Weights are averaged. A recipe is run in one go.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from bitswap_cli.errors import ModelError
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored import model_file
from bitswap_models.training import tables
from bitswap_models.training.base import base_of, take_from
from bitswap_models.training.data import Source, sources_of
from bitswap_models.training.evaluation import describe
from bitswap_models.training.groups.feed import feed
from bitswap_models.training.groups.network import TERMS, Grouped, measure
from bitswap_models.training.groups.pool import empty, pool_of
from bitswap_models.training.groups.step import Step
from bitswap_models.training.groups.table import Groups
from bitswap_models.training.groups.tiles import Lot, held_out
from bitswap_models.training.layers import layers
from bitswap_models.training.machine.memory import keep_freed
from bitswap_models.training.networks.pixel_vae import PixelNetwork
from bitswap_models.training.run import share_of_rate
from bitswap_models.training.tables import fill

ALONE = 1 / 16  # of the groups of a step do without z_2
FIRST = 2  # lots that there are before the first step
WARMUP, FINAL = 300, 0.01  # steps of it, and share of the rate at the end
COMPILED = 20  # steps before the compiler is asked: of some tiles
SHOWN = 100  # steps from line to line
OFFSETS, PRIORS = 8.0, 2.0  # times the rate, at which these are moved
CHOOSING = 1e-3  # the rate of what chooses latents, at most


class GroupRun:
    """One training run.

    Parameters
    ----------
    grouped : Grouped
        On its device; it is trained.
    groups : Groups
    lots : iterator
        Of tiles, without end.
    """

    def __init__(self, grouped: Grouped, groups: Groups, lots: Iterator[Lot]) -> None:
        self.grouped, self.groups, self.lots = grouped, groups, lots
        self.average = copy.deepcopy(grouped)
        self.parameters: list[Tensor] = list(grouped.parameters())
        self.averages = [p.detach() for p in self.average.parameters()]
        device = self.parameters[0].device
        self.generator = torch.Generator(device).manual_seed(groups.seed)
        self.pool = empty(groups.tiles, groups.side**2, device)
        self.at = self.filled = self.step = 0
        self.shape = (groups.groups, groups.cells, groups.pixels)
        self.compute = Step(grouped, math.prod(self.shape) * grouped.config.channels)
        self.adam = torch.optim.Adam(
            rates(grouped, groups.rate), betas=(0.9, 0.99), eps=1e-12, fused=device.type == "cuda"
        )
        self.binary = [layer.v for layer in layers(grouped).values() if layer.binary]
        for _ in range(FIRST):
            self._renew()

    def _renew(self) -> None:
        """Put a lot in the place of the oldest tiles."""
        count = self.pool.put(next(self.lots), self.at)
        self.filled = max(self.filled, self.at + count)
        self.at = (self.at + count) % self.groups.tiles

    def _drawn(self) -> Any:
        return self.grouped.chance(self.filled, self.shape, ALONE, self.generator)

    def advance(self, progress: Callable[[str], None]) -> Tensor:
        """One optimizer step; returns the bits of what it looked at, see `Grouped.bits`."""
        g = self.groups
        if self.step and (self.filled < g.tiles or self.step % g.renewal == 0):
            self._renew()
        if g.compile and self.step == min(COMPILED, g.steps - 1):
            self.compute.compile(self.pool, self._drawn(), progress)
            if self.pool.pixels.is_cuda:
                self.compute.record(self.pool, self._drawn(), progress)
        bits = self.compute(self.pool, self._drawn())
        share = share_of_rate(self.step, g.steps, min(WARMUP, g.steps // 4), FINAL)
        for group in self.adam.param_groups:
            group["lr"] = g.rate * share * group["factor"]
        self.adam.step()
        self._settle()
        return bits

    @torch.no_grad()
    def _settle(self) -> None:
        """Clip binary weights to [-1, 1] and average all weights."""
        for weights in self.binary:
            weights.clamp_(-1.0, 1.0)
        self.step += 1
        kept = min(self.groups.ema, self.step / (10 + self.step))
        torch._foreach_lerp_(self.averages, self.parameters, 1 - kept)


def rates(grouped: Grouped, rate: float) -> list[dict[str, Any]]:
    """What Adam moves, and how many times the rate."""
    found: dict[float, list[Tensor]] = {}
    for name, parameter in grouped.named_parameters():
        factor = 1.0
        if name.endswith(".b"):  # in units of outputs
            factor = OFFSETS
        elif name.endswith((".top", ".prior")):
            factor = PRIORS
        elif ".encoder." in name or ".common." in name:
            factor = min(1.0, CHOOSING / rate)
        found.setdefault(factor, []).append(parameter)
    return [{"params": p, "lr": 0.0, "factor": factor} for factor, p in found.items()]


def train(
    recipe: Path, data: Path, output: Path, *, progress: Callable[[str], None] = print
) -> dict[str, float]:
    """Train a model by its recipe and write the model file.

    Parameters
    ----------
    recipe, data, output : Path
        TOML recipe, folder that holds the recipe's folders, model file to write.
    progress : callable
        Receives a line every 100 steps.

    Returns
    -------
    dict
        Bits/dim of tiles of the test folder, see `measure`.

    Raises
    ------
    ModelError
        If the recipe or its base cannot be used, or training comes to no number.
    InputError
        If a picture cannot be read, or the file not be written.
    """
    text, base, sources, groups = read(recipe)
    keep_freed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: products of our integers stay exact
    torch.manual_seed(groups.seed)
    test = pool_of(held_out(data / groups.test, groups, base.config.tile), device)
    grouped = begun(base, recipe, groups.side, groups.sparse).to(device)
    progress(f"test {groups.test} at the start  {describe(measure(grouped, test))}")
    with feed(data, sources, groups, base.config.tile) as lots:
        run = GroupRun(grouped, groups, lots)
        _advance(run, progress)
    metrics = measure(run.average, test)
    progress(f"test {groups.test}  {describe(metrics)}")
    model_file.write(run.average.network.cpu(), output, recipe=text, metrics=metrics)
    return metrics


def begun(base: PixelVAE, recipe: Path, side: int, sparse: float = 0.0) -> Grouped:
    """A network that says what a model says, for tiles as large as a square of this side."""
    network = PixelNetwork(base.config)
    take_from(network, base, recipe)
    return Grouped(network, side, sparse)


def _advance(run: GroupRun, progress: Callable[[str], None]) -> None:
    """Take all steps."""
    sums = torch.zeros(5, device=run.pool.pixels.device, dtype=torch.float64)
    mark = time.monotonic()
    while run.step < run.groups.steps:
        sums += run.advance(progress)
        if run.step % SHOWN and run.step != run.groups.steps:
            continue
        shown = dict(zip(TERMS, (sums[:3] / sums[3]).tolist(), strict=True))
        total = {"bpd": sum(shown.values()), **shown}
        if not math.isfinite(total["bpd"]):
            raise ModelError(f"training came to no number at step {run.step}: lower the rate")
        now = time.monotonic()
        steps = (run.step - 1) % SHOWN + 1
        speed = steps * math.prod(run.shape) / (now - mark)
        progress(f"step {run.step}/{run.groups.steps}  {describe(total)}  {speed:.3g} pixels/s")
        sums, mark = torch.zeros_like(sums), now


def read(path: Path) -> tuple[str, PixelVAE, list[Source], Groups]:
    """The text of a recipe, its base, already grown, its sources and the table.

    Raises
    ------
    ModelError
        If it cannot be read, is incomplete or has a wrong key, or its base cannot be trained so.
    """
    text, table = tables.read(path, ("base", "source", "groups"))
    try:
        given = dict(table["base"])
        sources = sources_of(table["source"])
        groups: Groups = fill(Groups, "groups", table["groups"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the recipe {path} is incomplete or has a wrong key: {error}") from None
    base = base_of(given, path)
    if base.family != PixelVAE.family:
        raise ModelError(f"[base] of {path} is of a family that has no groups: name a pixel_vae")
    model = cast(PixelVAE, base)
    groups.check(model.config, sources)
    return text, model, sources, groups
