"""A picture of what a model draws by itself, 8x8 tiles.

    python -m benchmarks.figures.samples MODEL OUT.png

MODEL is the name of a model or the path of its file, of any kind.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.ans.parameters import (
    LATENT_MAX,
    LATENT_MIN,
    SCALE_OF_ONE,
    SCALES_PER_OCTAVE,
    LogisticParameters,
    MixtureParameters,
)
from bitswap_cli.coding.group import in_lockstep
from bitswap_models import zoo
from bitswap_models.stored import model_file

Integers = NDArray[np.int32]
Counts = NDArray[np.integer]


class Draw:
    """Draws what a decoder would pop."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def _logistic(self, mean: Counts, scale: Counts, low: int, high: int) -> Integers:
        noise = self.random.logistic(size=mean.shape)
        value = mean / 16 + noise * 2.0 ** ((scale - SCALE_OF_ONE) / SCALES_PER_OCTAVE)
        drawn: Integers = np.rint(value).clip(low, high).astype(np.int32)
        return drawn

    def latents(self, told: LogisticParameters) -> Integers:
        """Draw latents, of the shape of their parameters."""
        return self._logistic(*told, LATENT_MIN, LATENT_MAX)

    def __call__(self, parameters: MixtureParameters) -> Integers:
        """Draw pixels: parameters (..., K) -> (...)"""
        share = parameters.weight.cumsum(-1) / parameters.weight.sum(-1, keepdims=True)
        which = (self.random.random((*share.shape[:-1], 1)) >= share).sum(-1, keepdims=True)
        mean, scale = (np.take_along_axis(p, which, -1)[..., 0] for p in parameters[1:])
        return self._logistic(mean, scale, 0, 255)

    def natively(self, work: Callable[[Any], Any]) -> None:
        """Nothing is drawn in C."""


def tiles_of(model: Any, draw: Draw, count: int) -> Integers:
    """Draw tiles from a VAE: (count, C, T, T)"""
    t, c = model.tile, model.channels
    if "topdown" in model.schemes:
        seen = model.descend(count, t // model.stride, lambda level: draw.latents(level.prior))
    else:
        z: Any = draw.latents(model.top_prior(count)) if model.depth else None
        for layer in range(model.depth - 1, 0, -1):
            z = draw.latents(model.prior(layer, z))
        if in_lockstep(model):
            sizes = np.tile(np.array([t, t, c], np.int32), (count, 1))
            z2 = draw.latents(model.common.prior) if model.common else None
            walked: Integers = model.walk(z, sizes, t, draw, z2)
            return walked
        seen = z
    tiles = np.zeros((count, c, t, t), np.int32)

    def code(step: Any) -> Integers:
        top, left, stride = step.plane
        drawn = draw(step.parameters)
        tiles[:, step.channel, top::stride, left::stride] = drawn
        return drawn

    model.likelihood(seen, code)
    return tiles


def main(given: Sequence[str] | None = None) -> None:
    """Draw, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=8, help="tiles along an edge")
    arguments = parser.parse_args(given)
    file, side = zoo.resolve(arguments.model), arguments.side
    if model_file.family_in(file).codes:
        model: Any = model_file.load(file)
        drawn = tiles_of(model, Draw(arguments.seed), side**2)
    else:
        import torch

        torch.set_num_threads(1)
        model = model_file.load_network(file)
        drawn = model.sample(side**2, torch.Generator().manual_seed(arguments.seed)).numpy()
    grid = drawn.astype(np.uint8).reshape(side, side, *drawn.shape[1:])  # (S, S, C, T, T)
    picture = grid.transpose(0, 3, 1, 4, 2).reshape(side * model.tile, side * model.tile, -1)
    Image.fromarray(picture if picture.shape[2] == 3 else picture[..., 0]).save(arguments.out)


if __name__ == "__main__":
    main()
