"""Pixels that fitting trains on in a second of processor time, beside those of ordinary training.

    python benchmarks/fitting.py DATA/kodak [--rounds 3]

Both train the model `photo` on one core, in turns; the best round of each counts.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bitswap_cli.archive.writing.material import material
from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import Tiles
from bitswap_models import zoo
from bitswap_models.families.pixel_vae.family import FAMILY
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import descent
from bitswap_models.fitting.cells import Cells
from bitswap_models.stored import model_file
from bitswap_models.training.data import Source
from bitswap_models.training.recipe import Recipe
from bitswap_models.training.run import Run

STEPS = 5


def speed(step: Callable[[], object], pixels: int) -> float:
    """Pixels a second of processor time."""
    began = time.process_time()
    for _ in range(STEPS):
        step()
    return STEPS * pixels / (time.process_time() - began)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = model_file.load(zoo.find("photo").path)
    assert isinstance(model, PixelVAE)
    found = material([arguments.folder], tile_codec(model)).groups[model.channels]
    cells = Cells(model, [Tiles(*t) for t in found.tiles])
    fit = descent.Fit(model, cells, found.samples)
    source = Source(arguments.folder.name, "photos")
    runs = {
        name: Run(
            Recipe(FAMILY, model.config, [source], "", 1000, share=0.25, bfloat16=bfloat16),
            arguments.folder.parent,
            torch.device("cpu"),
        )
        for name, bfloat16 in (("training, float32", False), ("training, bfloat16", True))
    }
    ways: dict[str, tuple[Callable[[], object], int]] = {
        name: (run.advance, run.recipe.batch * model.tile**2 // 4) for name, run in runs.items()
    }
    ways["fitting"] = (lambda: fit.advance(0.1), descent.CELLS * descent.PIXELS)
    best = dict.fromkeys(ways, 0.0)
    for _ in range(arguments.rounds + 1):  # the first round warms up
        best = {name: max(best[name], speed(*way)) for name, way in ways.items()}
    for name, found_ in best.items():
        print(f"{name:20}  {found_:>10,.0f} pixels/s  {found_ / best['training, float32']:.2f}")


if __name__ == "__main__":
    main()
