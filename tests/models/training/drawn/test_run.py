"""Training by the command: it teaches, and does so again to the bit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import numpy as safetensors

from bitswap_cli.api.models import train
from bitswap_cli.errors import InputError, ModelError
from bitswap_models.families.drawn.model import Drawn
from bitswap_models.stored import model_file
from tests.models.families.drawn.pictures import flat, model, smooth

RECIPE = """
[model]
kind = "drawn"
[[source]]
folder = "drawn"
without = ["out"]
[training]
test = "drawn"
steps = 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "drawn"
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    for origin in ("one", "two", "out"):
        for number in range(4):
            Image.fromarray(flat(30, 30, 4, random)).save(folder / f"{origin}-{number:03}.png")
    Image.fromarray(smooth(20, 20, 3, random)).quantize(30).save(folder / "two-palette.png")
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def test_it_teaches_and_does_so_again(recipe: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    outputs = [tmp_path / f"{k}.safetensors" for k in (1, 2)]
    for output in outputs:
        train(recipe, tmp_path / "data", output, progress=lines.append)
    first, second = (safetensors.load_file(output) for output in outputs)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert len(lines) == 4 and lines[0].startswith("pass 1  ")
    taught = model_file.load(outputs[0])
    assert isinstance(taught, Drawn)
    picture = flat(30, 30, 4, np.random.default_rng(2))
    assert taught.encode([picture], [None]).bits[0] < model().encode([picture], [None]).bits[0]


def test_what_cannot_be_followed_is_refused(recipe: Path, tmp_path: Path) -> None:
    for options in ({"resume": True}, {"seconds": 5.0}):
        with pytest.raises(InputError, match="in one go"):
            train(recipe, tmp_path / "data", tmp_path / "m", progress=print, **options)
    recipe.write_text(RECIPE.replace('without = ["out"]', 'without = ["one", "two", "out"]'))
    with pytest.raises(ModelError, match="names no PNG files"):
        train(recipe, tmp_path / "data", tmp_path / "m", progress=print)


def test_pictures_that_cannot_be_read_are_named(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "drawn" / "one-001.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"cannot read the picture .*one-001\.png"):
        train(recipe, tmp_path / "data", tmp_path / "m", progress=print)


def test_nothing_is_measured_on_pictures_of_other_depths(recipe: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "data" / "drawn").glob("out-*.png"):
        Image.fromarray(np.zeros((9, 9), np.uint16)).save(path)
    train(recipe, tmp_path / "data", output := tmp_path / "m.safetensors", progress=lambda _: None)
    assert isinstance(model_file.load(output), Drawn)
