"""A few steps of training make a model file that codes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api.models import train
from bitswap_cli.coding.coefficients import CoefficientCodec
from bitswap_cli.errors import InputError, ModelError
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.stored import model_file
from bitswap_models.training.jpeg.blocks import planes
from bitswap_models.training.jpeg.run import Pool, trained
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
    trained(Recipe.read(recipe), pool, output, progress=lines.append)
    codec = CoefficientCodec(model_file.load(output))  # type: ignore[arg-type]
    x = [picture(frame, random) for frame in FRAMES]
    told = codec.encode(FRAMES, x, b"")
    restored, _ = codec.decode(told.words, told.excess, FRAMES)
    assert all(
        np.array_equal(a, b)
        for one, other in zip(x, restored, strict=True) for a, b in zip(one, other, strict=True)
    )  # fmt: skip


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe, its photographs, and a JPEG file as it is."""
    random = np.random.default_rng(1)
    for folder in ("photos", "jpeg"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for name in ("photos/a.png", "photos/b.png", "jpeg/c.jpg"):
        pixels = random.normal(128, 20, (80, 100, 3)).cumsum(1) / 9 % 256
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "data" / name)
    (tmp_path / "data" / "jpeg" / "no.jpg").write_bytes(b"no JPEG file")
    path = tmp_path / "recipe.toml"
    source = '[[source]]\nfolder = "jpeg"\nkind = "jpeg"\n[training]\npool = 3\n'
    path.write_text(RECIPE.replace("[training]\n", source))
    return path


def test_the_command_trains(recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.safetensors"
    train(recipe, tmp_path / "data", output, progress=lambda _: None)
    codec = CoefficientCodec(model_file.load(output))  # type: ignore[arg-type]
    x = picture(FRAMES[1], np.random.default_rng(2))
    told = codec.encode(FRAMES[1:2], [x], b"")
    restored, _ = codec.decode(told.words, told.excess, FRAMES[1:2])
    assert all(np.array_equal(a, b) for a, b in zip(x, restored[0], strict=True))


def test_what_cannot_be_followed_is_refused(recipe: Path, tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "m"
    for options in ({"resume": True}, {"seconds": 5.0}):
        with pytest.raises(InputError, match="in one go"):
            train(recipe, data, output, progress=print, **options)
    for name in ("a.png", "b.png"):
        (data / "photos" / name).write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"cannot read the picture .*\.png"):
        train(recipe, data, output, progress=print)
    text = recipe.read_text()
    recipe.write_text(text.replace('"photos"\nkind = "photos"', '"none"\nkind = "photos"'))
    with pytest.raises(InputError, match="there is no folder"):
        train(recipe, data, output, progress=print)
    recipe.write_text(text.replace('kind = "photos"', 'kind = "jpeg"'))
    with pytest.raises(ModelError, match="names no source of photographs"):
        train(recipe, data, output, progress=print)
