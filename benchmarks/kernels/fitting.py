"""Pixels that fitting trains on in a second of processor time, beside those of ordinary training.

    python -m benchmarks.kernels.fitting DATA/kodak [--rounds 3]

Both train the model `photo` on one core, in turns; the best round of each counts.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.kernels.clock import Work, best
from bitswap_cli.archive.sources.catalogue import Catalogue
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

SHARE = 0.25  # of a tile's pixels, that a step of training looks at


def main(given: Sequence[str] | None = None) -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5, help="of a round")
    parser.add_argument("--batch", type=int, default=64, help="tiles of a step of training")
    arguments = parser.parse_args(given)
    torch.set_num_threads(1)
    model = model_file.load(zoo.find("photo").path)
    if not isinstance(model, PixelVAE):
        raise TypeError(f"photo is a {type(model)}")
    found = material(Catalogue([arguments.folder]), tile_codec(model)).portions[model.channels]
    cells = Cells(model, [Tiles(*t) for t in found.tiles])
    fit = descent.Fit(model, cells, found.samples)
    source = Source(arguments.folder.name, "photos")
    runs = {
        name: Run(
            Recipe(
                FAMILY,
                model.config,
                [source],
                "",
                1000,
                arguments.batch,
                share=SHARE,
                bfloat16=bfloat16,
            ),  # fmt: skip
            arguments.folder.parent,
            torch.device("cpu"),
        )
        for name, bfloat16 in (("training, float32", False), ("training, bfloat16", True))
    }
    ways: dict[str, tuple[Work, float]] = {
        name: (run.advance, arguments.batch * model.tile**2 * SHARE) for name, run in runs.items()
    }
    ways["fitting"] = (lambda: fit.advance(0.1), descent.CELLS * descent.PIXELS)
    works = [repeated(step, arguments.steps) for step, _ in ways.values()]
    times = best(works, arguments.rounds)
    speeds = [
        arguments.steps * pixels / seconds
        for (_, pixels), seconds in zip(ways.values(), times, strict=True)
    ]
    for name, speed in zip(ways, speeds, strict=True):
        print(f"{name:20}  {speed:>10,.0f} pixels/s  {speed / speeds[0]:.2f}")


def repeated(step: Work, times: int) -> Work:
    """So many steps as one."""

    def work() -> None:
        for _ in range(times):
            step()

    return work


if __name__ == "__main__":
    main()
