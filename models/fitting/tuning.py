"""A model fitted to a recipe's images for as long as it takes: another one, grown, or a new one.

``bitswap train`` comes here when a recipe has a table ``[tuning]``, and not ``[training]``; the
model is that of ``[base]`` (base.py), or a new one of the shape in ``[model]``, started on the
images. The loop is that of ``compress --fit`` (fitting.py), but what chooses latents is trained,
too (posterior.py): q(z_1 | x), which may be widened first, and z_2, which the model may get first.
Differences to what it started from have no price, since the result is a file of its own. A
likelihood of 64 hidden units learns five times as fast so as by training/loop.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from bitswap_cli.contract import Tiles
from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import built
from bitswap_models.families import register
from bitswap_models.families.family import in_bounds
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.enlarged import widen_encoder, with_common
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.cells import Cells
from bitswap_models.fitting.descent import CELLS, PIXELS, RATE, Fit
from bitswap_models.fitting.fit import Progress, fit
from bitswap_models.stored import model_file
from bitswap_models.training import tables
from bitswap_models.training.base import base_of
from bitswap_models.training.data import DRAWN, Source, cells, draw_once, sources_of
from bitswap_models.training.evaluation import start, to_input
from bitswap_models.training.machine.memory import keep_freed
from bitswap_models.training.networks.pixel_vae import PixelNetwork, bounds_of_prior
from bitswap_models.training.tables import fill

FREE = 10**15  # samples that share the price of differences: as good as none
CHECKED = 400  # batches that the result is measured on
STARTED = 256  # cells that a new model is started on


@dataclass(frozen=True)
class Tuning:
    """The table ``[tuning]`` of a recipe."""

    test: str
    tiles: int  # of a cell's size, drawn once, before the first step
    steps: int
    rate: float = RATE
    flip: bool = False
    gray: float = 0.0  # share of tiles turned gray
    vary: float = 0.0  # share of photographs in another world, see augment.py
    side: int = 0  # of the tiles that are drawn of photographs, in their stead; 0: a cell's
    encoder: int = 0  # channels of q(z_1 | x); 0: as many as the base has
    posterior: bool = True  # whether q(z_1 | x) is trained
    common: int = 0  # size of the z_2 that the base gets; 0: what it has
    bounded: bool = False  # whether the likelihood is to see z_1 within bounds
    compile: bool = False  # the encoder, by torch
    seed: int = 0


def tune(
    recipe: Path, data: Path, output: Path, *, threads: int, progress: Callable[[str], None]
) -> dict[str, float]:
    """Tune a model by its recipe and write the model file.

    Parameters
    ----------
    recipe, data, output : Path
        TOML recipe, folder that holds the recipe's folders, model file to write.
    threads : int
        They change the speed, and no integer but those of what chooses latents.
    progress : callable
        Receives a line every few seconds.

    Returns
    -------
    dict
        Bits/dim of pixels drawn from the test folder, see `measure`.

    Raises
    ------
    ModelError
        If the recipe, its base or the images cannot be used.
    """
    text, config, base, sources, tuning = _read(recipe)
    if tuning.encoder and base is not None:
        base = widen_encoder(base, tuning.encoder)
    if tuning.common and base is not None:
        base = with_common(base, tuning.common)
    keep_freed()
    tiles = drawn(data, sources, tuning, config)
    base = base or begun(config, tiles, tuning.seed)

    def show(reached: Progress) -> None:
        progress(f"{reached.done:.1%}  likelihood {reached.rate:.4f} on training tiles")

    tuned = fit(
        base, tiles, FREE, steps=tuning.steps, rate=tuning.rate,
        encoder=tuning.posterior, compiled=tuning.compile, chooser=True, threads=threads,
        seed=tuning.seed, progress=show,
    ).model  # fmt: skip
    if tuning.bounded:
        tuned = bounded(tuned)
    metrics = measure(tuned, cells(data / tuning.test, config.tile, config.channels))
    found = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    progress(f"test {tuning.test}  {found}")
    model_file.write(tuned, output, recipe=text, metrics=metrics)
    return metrics


def drawn(data: Path, sources: list[Source], tuning: Tuning, config: Config) -> list[Tiles]:
    """Draw tiles of sheets and of photographs, as many pixels of each as their weights say."""
    total = sum(source.weight for source in sources)
    found = []
    for photos in (False, True) if tuning.side else (None,):
        some = [s for s in sources if photos is None or (s.kind == "photos") == photos]
        if not some:
            continue
        side = tuning.side if photos else config.tile
        share = sum(source.weight for source in some) / total
        area = (side / config.tile) ** 2
        batch = draw_once(
            data, some, math.ceil(share * tuning.tiles / area), tile=side,
            channels=config.channels, flip=tuning.flip, gray=tuning.gray, vary=tuning.vary,
            seed=tuning.seed, batch=max(1, int(DRAWN / area)),
        )  # fmt: skip
        found.append(_whole(batch.tiles))
    return found


def begun(config: Config, tiles: list[Tiles], seed: int) -> PixelVAE:
    """A new model, exact, started on one cell of each of some of the tiles."""
    torch.manual_seed(seed)
    network = PixelNetwork(config)
    each, side = STARTED // len(tiles), config.tile
    some = np.concatenate([t.pixels[:each, :side, :side] for t in tiles])
    start(network, to_input(some, torch.device("cpu")), torch.Generator().manual_seed(seed))
    return built(PixelVAE, config, network.tensors())


def bounded(model: PixelVAE) -> PixelVAE:
    """A model, exact, of one latent layer, that sees z_1 within the bounds of p(z_1)."""
    bounds = bounds_of_prior(*torch.tensor(model.top)).numpy()
    return built(PixelVAE, replace(model.config, bounded=1), {**model.tensors(), "bounds": bounds})


def measure(model: PixelVAE, tiles: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Bits/dim of tiles (N, T, T, C): ``bpd``, and all that `Fit.measure` finds."""
    fitting = Fit(model, Cells(model, [_whole(tiles)]), FREE)
    random = np.random.default_rng(seed)
    batches = [fitting.cells.draw(random, CELLS, PIXELS) for _ in range(CHECKED)]
    measured = fitting.measure(batches)
    return {"bpd": sum(measured.values()), **measured}


def _whole(tiles: np.ndarray) -> Tiles:
    sizes = np.tile(np.array(tiles.shape[1:], np.int32), (len(tiles), 1))
    return Tiles(np.ascontiguousarray(tiles), sizes)


def _read(path: Path) -> tuple[str, Config, PixelVAE | None, list[Source], Tuning]:
    """The text of a recipe, the model's shape, its base, already grown, unless it is a new one, and
    the rest."""
    text, table = tables.read(path, ("model", "base", "source", "tuning"))
    if {"model", "base"} <= table.keys():
        raise ModelError(f"{path} has a [model], a new one, and a [base]: name one of them")
    try:
        given = dict(table["model" if "model" in table else "base"])
        sources = sources_of(table["source"])
        tuning = fill(Tuning, "tuning", table["tuning"])
        if "model" in table:
            return text, _shape(given, path), None, sources, tuning
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the recipe {path} is incomplete or has a wrong key: {error}") from None
    model = base_of(given, path)
    if register.family_of(model).fit is None:
        raise ModelError(f"[base] of {path} is of a family that is not tuned: name a pixel_vae")
    base = cast(PixelVAE, model)
    return text, base.config, base, sources, tuning


def _shape(table: dict[str, Any], path: Path) -> Config:
    """The shape of a new model."""
    if table.pop("kind", None) != PixelVAE.family:
        raise ModelError(f"[model] of {path} is of a family that is not tuned: kind = pixel_vae")
    config: Config = fill(Config, "model", table)
    if not in_bounds(config):
        raise ModelError(f"[model] of {path} is of a size that no model file may have")
    return config
