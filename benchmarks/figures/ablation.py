"""What each part of a pixel VAE is worth: variants of a recipe, trained for the same time.

Every variant is trained from scratch for `--minutes` on one core, with the learning rate's schedule
fitted to the steps that it gets done in this time, and evaluated (bits/dim, every KL included) on
sheets and on crops of photographs that are kept out of training.

    python -m benchmarks.figures.ablation models/zoo/photo/recipe.toml --data DATA
                                          [--minutes 4] [--json FILE]
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.report import markdown, write_json
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.training.data import Batch, cells, images
from bitswap_models.training.evaluation import to_input
from bitswap_models.training.recipe import Recipe
from bitswap_models.training.run import Run

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "L = 0": {"latents": ()},
    "L = 2": {"latents": (12, 6)},
    "radius 1": {"radius": 1},
    "radius 2": {"radius": 2},
    "radius 4": {"radius": 4},
    "width 64": {"width": 64},
    "width 96": {"width": 96},
    "width 192": {"width": 192},
    "2 layers": {"layers": 2},
    "3 components": {"components": 3},
    "8 components": {"components": 8},
    "photographs as they are": {"vary": 0.0},
}
TIMED_STEPS = 20
BATCH = 24  # tiles: short runs want many steps


def crops(folder: Path, names: tuple[str, ...] | None, config: Config, each: int) -> Batch:
    """Cut crops with their margins from photographs: those named, or all of a folder."""
    height, width = config.tile + config.margin, config.tile + 2 * config.margin
    random = np.random.default_rng(0)
    tiles = []
    for path, photo in images(folder, config.channels):
        if names is None or path.stem in names:
            for _ in range(each):
                y = random.integers(photo.shape[0] - height + 1)
                x = random.integers(photo.shape[1] - width + 1)
                tiles.append(photo[y : y + height, x : x + width])
    return Batch(np.stack(tiles), np.zeros(len(tiles), np.bool_))


def rate(run: Run, batch: Batch) -> float:
    """Bits/dim of tiles under the averaged weights, every KL included."""
    model = run.averaged()
    model.share = 0.5
    generator = torch.Generator().manual_seed(1)
    total = 0.0
    with torch.no_grad():
        for i in range(0, len(batch.tiles), 64):
            x = to_input(batch.tiles[i : i + 64], run.device)
            noise = model.noise(len(x), generator)
            bordered = torch.from_numpy(batch.bordered[i : i + 64])
            terms = model.elbo(x, noise, soft=0.0, bordered=bordered)
            total += sum(float(term.sum()) for term in terms.values())
    shape = run.recipe.model
    return total / (len(batch.tiles) * shape.tile**2 * shape.channels)


def trained(recipe: Recipe, data: Path, seconds: float) -> tuple[Run, int]:
    """Train for so long, evaluation not counted; returns the run and the steps of its schedule."""
    run = Run(recipe, data, torch.device("cpu"))
    run.begin()
    run.advance()
    began = time.process_time()
    for _ in range(TIMED_STEPS):
        run.advance()
    steps = max(100, round(seconds / (time.process_time() - began) * TIMED_STEPS))
    run.recipe = replace(recipe, steps=steps, kl_warmup=steps // 4)
    while run.step < steps:
        run.advance()
    return run, steps


def main(given: Sequence[str] | None = None) -> None:
    """Train and evaluate every variant, print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--compile", action="store_true", help="pays off from 5 minutes on")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    base = Recipe.read(arguments.recipe)
    kept = tuple(name for source in base.sources for name in source.without)
    results: dict[str, dict[str, float]] = {}
    for name in arguments.only:
        changes = dict(VARIANTS[name])
        vary = changes.pop("vary", base.vary)
        if not isinstance(base.model, Config):
            parser.exit(1, f"{arguments.recipe} is of no pixel VAE\n")
        shape = replace(base.model, **changes)
        recipe = replace(base, model=shape, vary=vary, batch=BATCH, compile=arguments.compile)
        run, steps = trained(recipe, arguments.data, 60 * arguments.minutes)
        margin = ((0, 0), (shape.margin, 0), (shape.margin, shape.margin), (0, 0))
        sheet = cells(arguments.data / base.test, shape.tile, shape.channels)[:768]
        results[name] = {
            "steps": steps,
            base.test: rate(run, Batch(np.pad(sheet, margin), np.ones(len(sheet), np.bool_))),
            "photographs": rate(run, crops(arguments.data / "photos_train", kept, shape, 32)),
            "kodak": rate(run, crops(arguments.data / "kodak", None, shape, 24)),
        }
        print(name, results[name], flush=True)
        write_json(results, arguments.json)
    columns = list(next(iter(results.values())))
    rows = [("variant", *columns)]
    for name, result in results.items():
        rows.append(
            (name, *(f"{result[c]:.3f}" if c != "steps" else str(result[c]) for c in columns))
        )
    print(markdown(rows))


if __name__ == "__main__":
    main()
