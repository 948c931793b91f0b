"""The one training loop of every model.

``train(recipe.toml, data, model.safetensors)`` reads the recipe, trains, evaluates on the recipe's
test folder and writes the model file. A run leaves ``model.safetensors.checkpoint`` beside its
output until it is done; ``resume=True`` goes on from there with the same random streams.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from bitswap_cli.errors import ModelError
from bitswap_models.stored import model_file
from bitswap_models.training.data import cells
from bitswap_models.training.evaluation import describe, evaluate
from bitswap_models.training.machine.memory import keep_freed
from bitswap_models.training.network import Network
from bitswap_models.training.recipe import Recipe
from bitswap_models.training.run import Run

Progress = Callable[[str], None]


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
    if not issubclass(recipe.family.network_class(), Network):
        raise ModelError(
            f"{recipe_path} is of a kind that is trained on JPEG files: use"
            " bitswap_models.training.jpeg.run"
        )
    if steps is not None:
        recipe = replace(recipe, steps=steps)
    checkpoint = output.with_name(output.name + ".checkpoint")
    keep_freed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32: products of our integers stay exact
    # what is wrong with them had better be known before the training
    tiles = cells(data / recipe.test, recipe.model.tile, recipe.model.channels)
    run = Run(recipe, data, device)
    if resume:
        run.restore(checkpoint)
    else:
        run.begin()
    if not _advance(run, checkpoint, seconds, progress):
        return {}
    model = run.averaged()
    model.settle()  # what is measured is what is written
    metrics = evaluate(model, tiles)
    progress(f"test {recipe.test}  {describe(metrics)}")
    model_file.write(model, output, recipe=recipe.text, metrics=metrics)
    _remove(checkpoint, progress)
    return metrics


def _remove(checkpoint: Path, progress: Progress) -> None:
    """Remove what is needed no more, or say that it stays: the model is there all the same."""
    try:
        checkpoint.unlink()
    except OSError as error:
        progress(f"{checkpoint} stays: {error.strerror}")


def _advance(run: Run, checkpoint: Path, seconds: float | None, progress: Progress) -> bool:
    """Take all steps of a run, or those of so many seconds; returns whether it was all."""
    recipe = run.recipe
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
            return False
    return True
