"""A few steps of training make a model file that codes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bitswap_cli.coding.coefficients import CoefficientCodec
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.stored import model_file
from bitswap_models.training.jpeg.blocks import planes
from bitswap_models.training.jpeg.run import Pool, train
from bitswap_models.training.recipe import Recipe
from tests.models.families.jpeg_vae.small import FRAMES, picture

RECIPE = """
[model]
kind = "jpeg_vae"
latents = [2]
link = 4
hidden = [16, 16]
context = [16, 16]
width = [8, 8]
[[source]]
folder = "photos"
kind = "photos"
[training]
test = "none"
steps = 3
batch = 4
warmup = 1
kl_warmup = 2
"""


def test_a_trained_model_codes(tmp_path: Path) -> None:
    recipe, output = tmp_path / "recipe.toml", tmp_path / "model.safetensors"
    recipe.write_text(RECIPE)
    random = np.random.default_rng(0)
    files: list[Sequence[Plane]] = [planes(f, picture(f, random)) for f in FRAMES]
    pool = Pool(files, files[:1], lambda: files[0], seed=1)
    lines: list[str] = []
    train(Recipe.read(recipe), pool, output, progress=lines.append)
    codec = CoefficientCodec(model_file.load(output))  # type: ignore[arg-type]
    x = [picture(frame, random) for frame in FRAMES]
    told = codec.encode(FRAMES, x, b"")
    restored, _ = codec.decode(told.words, told.excess, FRAMES)
    assert all(
        np.array_equal(a, b)
        for one, other in zip(x, restored, strict=True) for a, b in zip(one, other, strict=True)
    )  # fmt: skip
