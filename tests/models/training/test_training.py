"""The training loop: it learns, it resumes to the bit, and a wrong recipe is one clear line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from bitswap_cli.errors import InputError, ModelError
from bitswap_models.stored import model_file
from bitswap_models.training.data import Sampler, Source, cells, draw_once
from bitswap_models.training.loop import train
from bitswap_models.training.recipe import Recipe
from bitswap_models.training.run import Run

RECIPE = """
[model]
tile = 8
channels = 1
latents = [2, 2]
width = 8
level_width = 8
hidden = 8

[[source]]
folder = "sheets"

[training]
test = "sheets"
steps = 30
batch = 8
warmup = 5
rate = 1e-2
kl_warmup = 10
"""


PIXELS = """
[model]
kind = "pixel_vae"
tile = 8
channels = 1
latents = [2, 2]
encoder = 8
link = 8
width = 16
split = 8

[[source]]
folder = "sheets"

[[source]]
folder = "sheets"
kind = "photos"

[training]
test = "sheets"
steps = 30
batch = 8
warmup = 5
rate = 1e-2
kl_warmup = 10
share = 0.5
vary = 0.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sheets").mkdir()
    y, x = np.mgrid[:64, :64]
    rng = np.random.default_rng(0)
    wave = 128 + 100 * np.sin(x / 5) * np.cos(y / 7) + rng.normal(0, 3, (64, 64))
    Image.fromarray(wave.clip(0, 255).astype(np.uint8)).save(tmp_path / "sheets" / "a-0060.png")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "pixels.toml").write_text(PIXELS)
    torch.set_num_threads(1)
    return tmp_path


@pytest.mark.parametrize("recipe", ["recipe.toml", "pixels.toml"])
def test_training_learns_and_writes_what_it_measured(folder: Path, recipe: str) -> None:
    lines: list[str] = []
    output = folder / "m.safetensors"
    metrics = train(folder / recipe, folder, output, progress=lines.append)
    short = train(folder / recipe, folder, folder / "s.safetensors", steps=1, progress=lines.append)
    assert metrics["bpd"] < short["bpd"] - 0.1
    parts = metrics["likelihood"] + metrics["kl1"] + metrics["kl2"]
    assert metrics["bpd"] == pytest.approx(parts)
    assert "kl2" in lines[0] and "bpd" in lines[0]
    assert model_file.load(output).config.latents == (2, 2)


@pytest.mark.parametrize("recipe", ["recipe.toml", "pixels.toml"])
def test_a_resumed_run_is_the_run(folder: Path, recipe: str) -> None:
    whole = folder / "whole.safetensors"
    train(folder / recipe, folder, whole, progress=lambda line: None)
    run = Run(Recipe.read(folder / recipe), folder, torch.device("cpu"))
    run.begin()
    for _ in range(13):
        run.advance()
    parts = folder / "parts.safetensors"
    run.save(parts.with_name(parts.name + ".checkpoint"))
    train(folder / recipe, folder, parts, resume=True, progress=lambda line: None)
    one, other = load_file(whole), load_file(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_seconds_end_a_run_with_a_checkpoint(folder: Path) -> None:
    output = folder / "m.safetensors"
    (folder / "long.toml").write_text(RECIPE.replace("steps = 30", "steps = 100000"))
    stopped = train(folder / "long.toml", folder, output, seconds=0.1, progress=lambda line: None)
    assert stopped == {} and not output.exists()
    assert output.with_name("m.safetensors.checkpoint").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 30", "stepz = 30", "stepz"),
        ("steps = 30", "", "steps"),
        ("tile = 8", "tyle = 8", "tyle"),
        ("[model]", "[model", "cannot read"),
        ('folder = "sheets"', "", "folder"),
        ('folder = "sheets"', 'folder = "none"', "no images"),
        ('folder = "sheets"', 'folder = "sheets"\nkind = "video"', "video"),
        ('test = "sheets"', 'test = "none"', "no images"),
        ('test = "sheets"', "test = 5", r"test in \[training\] is a text"),
        ("tile = 8", "tile = 1000", "size that no model file may have"),
        ("tile = 8", "tile = true", r"tile in \[model\] is a whole number from 0"),
        ("[model]", "a = " + "[" * 5000 + "\n[model]", "cannot read"),
        ("tile = 8", "tile = " + "9" * 5000, "cannot read"),
        ("tile = 8", 'kind = "gan"\ntile = 8', "pixel_vae"),
    ],
)
def test_mistakes_in_a_recipe_are_one_line(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "bad.toml").write_text(RECIPE.replace(old, new, 1))
    with pytest.raises((ModelError, InputError), match=message) as raised:
        train(folder / "bad.toml", folder, folder / "m.safetensors", progress=lambda line: None)
    assert "\n" not in str(raised.value)


def test_cells_are_cut_row_by_row_as_many_as_the_name_says(tmp_path: Path) -> None:
    sheet = np.arange(16 * 24, dtype=np.uint16).reshape(16, 24).astype(np.uint8)
    Image.fromarray(sheet).save(tmp_path / "0-0005.png")
    cut = cells(tmp_path, 8, 1)
    assert cut.shape == (5, 8, 8, 1)
    assert np.array_equal(cut[1, :, :, 0], sheet[:8, 8:16])
    assert np.array_equal(cut[3, :, :, 0], sheet[8:16, :8])


def test_folders_are_searched_to_the_bottom(tmp_path: Path) -> None:
    for number, name in enumerate(("a.png", "cat/b.png", "dog/puppy/c.png")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(tmp_path / name)
    assert cells(tmp_path, 8, 1)[:, 0, 0, 0].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="has a cell of 9x9"):
        cells(tmp_path, 9, 1)
    (tmp_path / "dog" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"cannot read the picture .*bad\.png"):
        cells(tmp_path, 8, 1)


def test_photographs_that_are_too_small(tmp_path: Path) -> None:
    Image.new("L", (32, 32)).save(tmp_path / "a.png")
    sources = [Source("", kind="photos")]
    Sampler(tmp_path, sources, 16, 1, margin=8, flip=False, gray=0, seed=0).batch(2)
    with pytest.raises(InputError, match=r"no photograph .* is of 34x34 or more.*sheets"):
        Sampler(tmp_path, sources, 16, 1, margin=9, flip=False, gray=0, seed=0)


def test_batches_follow_their_seed(folder: Path) -> None:
    def batch(seed: int) -> np.ndarray:
        sources = [Source("sheets"), Source("sheets", "photos", 0.5)]
        sampler = Sampler(folder, sources, 8, 3, flip=True, gray=0.5, seed=seed)
        return sampler.batch(32).tiles

    assert np.array_equal(batch(1), batch(1)) and not np.array_equal(batch(1), batch(2))
    assert batch(1).shape == (32, 8, 8, 3)


def test_training_goes_on_from_a_base_but_for_fresh_parts(folder: Path) -> None:
    trained = folder / "base.safetensors"
    first = train(folder / "pixels.toml", folder, trained, progress=lambda line: None)
    text = PIXELS.replace("encoder = 8", "encoder = 12").replace("steps = 30", "steps = 4")
    recipe = folder / "more.toml"
    recipe.write_text(f'{text}pool = 64\n[base]\nname = "{trained}"\nfresh = ["encoder"]\n')
    output = folder / "more.safetensors"
    more = train(recipe, folder, output, progress=lambda line: None)
    assert more["bpd"] < first["bpd"] + 0.2  # 4 steps from nothing are further off
    one, other = load_file(trained), load_file(output)
    assert one["encoder.mix.weight"].shape != other["encoder.mix.weight"].shape
    near = (one["net.trunk.1.weight"] - other["net.trunk.1.weight"].int()).abs().float().mean()
    assert near < 8


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("", "no layer encoder"),
        ('name = "none"\n', "none"),
        ("fresh = []\n", "name"),
        ('fresh = ["encoder"]\nwidth = 24\n', "no layer film.1"),
    ],
)
def test_a_base_that_does_not_fit_is_one_line(folder: Path, base: str, message: str) -> None:
    trained = folder / "base.safetensors"
    train(folder / "pixels.toml", folder, trained, steps=1, progress=lambda line: None)
    name = "" if "name" in base or base == "fresh = []\n" else f'name = "{trained}"\n'
    text = PIXELS.replace("encoder = 8", "encoder = 12")
    (folder / "bad.toml").write_text(f"{text}[base]\n{name}{base}")
    with pytest.raises(ModelError, match=message) as raised:
        train(folder / "bad.toml", folder, folder / "m.safetensors", progress=lambda line: None)
    assert "\n" not in str(raised.value)
    assert not (folder / "m.safetensors").exists()


def test_tiles_that_are_drawn_once_are_of_all_photographs(tmp_path: Path) -> None:
    """And the same ones in every run."""
    (tmp_path / "photos").mkdir()
    for level in range(20):
        Image.fromarray(np.full((16, 16), 10 * level, np.uint8)).save(
            tmp_path / "photos" / f"{level}.png"
        )

    def drawn(seed: int) -> np.ndarray:
        source = Source("photos", "photos")
        drawn = draw_once(
            tmp_path, [source], 1500, tile=8, channels=1, flip=True, gray=0.0, seed=seed
        )
        return drawn.tiles

    tiles = drawn(0)
    assert tiles.shape == (2048, 8, 8, 1)
    assert {10 * level for level in range(20)} <= set(np.unique(tiles))
    assert np.array_equal(tiles, drawn(0)) and not np.array_equal(tiles, drawn(1))
