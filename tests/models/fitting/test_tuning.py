"""Recipes with a table [tuning]: a base grows, or a model begins, and comes out better."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from bitswap_cli.errors import ModelError
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import tuning
from bitswap_models.stored import model_file
from bitswap_models.training.data import cells
from bitswap_models.training.evaluation import start
from bitswap_models.training.networks.pixel_vae import PixelNetwork, bounds_of_prior
from bitswap_models.training.tables import has_table

CONFIG = Config(
    tile=16, channels=1, latents=(4,), encoder=8, link=8, radius=2, width=16, split=8, components=3
)
RECIPE = """
[base]
name = "{base}"
width = 24
radius = 3

[[source]]
folder = "sheets"

[tuning]
test = "sheets"
tiles = 64
steps = 60
"""
NEW = """
[model]
kind = "pixel_vae"
tile = 16
channels = 1
latents = []
radius = 2
width = 16
split = 8
components = 3

[[source]]
folder = "sheets"

[[source]]
folder = "sheets"
kind = "photos"
weight = 3.0

[tuning]
test = "sheets"
tiles = 4096
steps = 100
rate = 2.0
side = 32
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/sheets and base.safetensors, which has seen only its first batch."""
    folder = tmp_path_factory.mktemp("tuning")
    sheets = folder / "data" / "sheets"
    sheets.mkdir(parents=True)
    y, x = np.mgrid[:128, :128]
    noise = np.random.default_rng(0).normal(0, 3, (128, 128))
    pixels = (128 + 90 * np.sin(y / 5 + x / 9) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(sheets / "00000-64.png")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = PixelNetwork(CONFIG)
    tiles = pixels.reshape(8, 16, 8, 16).swapaxes(1, 2).reshape(64, 1, 16, 16)
    start(model, torch.from_numpy(tiles.copy()).float(), torch.Generator().manual_seed(0))
    model_file.write(model, folder / "base.safetensors", recipe="", metrics={})
    return folder


def written(workshop: Path, text: str) -> Path:
    path = workshop / "recipe.toml"
    path.write_text(text.format(base=workshop / "base.safetensors"))
    return path


def loaded(path: Path) -> PixelVAE:
    model = model_file.load(path)
    assert isinstance(model, PixelVAE)
    return model


def test_a_base_grows_and_is_tuned(workshop: Path) -> None:
    lines: list[str] = []
    recipe = written(workshop, RECIPE)
    assert has_table(recipe, "tuning")
    output = workshop / "tuned.safetensors"
    metrics = tuning.tune(recipe, workshop / "data", output, threads=1, progress=lines.append)
    base, tuned = (loaded(workshop / f"{n}.safetensors") for n in ("base", "tuned"))
    assert (tuned.config.width, tuned.config.radius) == (24, 3)
    tiles = cells(workshop / "data" / "sheets", 16, 1)
    before = tuning.measure(base, tiles)
    assert metrics["bpd"] < 0.95 * before["bpd"]
    assert metrics == tuning.measure(tuned, tiles)
    assert "test sheets" in lines[-1]
    with safe_open(output, framework="pt") as file:
        assert file.metadata()["recipe"] == recipe.read_text()
        assert json.loads(file.metadata()["metrics"])["kl1"] == pytest.approx(
            metrics["kl1"], abs=1e-4
        )


def test_a_tuned_model_may_be_bounded(workshop: Path) -> None:
    recipe = written(workshop, RECIPE.replace("steps = 60", "steps = 2\nbounded = true"))
    output = workshop / "bounded.safetensors"
    tuning.tune(recipe, workshop / "data", output, threads=1, progress=lambda line: None)
    tuned = loaded(output)
    assert tuned.config.bounded == 1
    assert tuned.bounds is not None
    assert np.array_equal(tuned.bounds, bounds_of_prior(*torch.tensor(tuned.top)))


def test_a_tuned_model_may_have_a_wider_encoder(workshop: Path) -> None:
    recipe = written(workshop, RECIPE.replace("steps = 60", "steps = 120\nencoder = 12"))
    output = workshop / "wider.safetensors"
    metrics = tuning.tune(recipe, workshop / "data", output, threads=1, progress=lambda line: None)
    base, tuned = (loaded(workshop / f"{n}.safetensors") for n in ("base", "wider"))
    assert (base.config.encoder, tuned.config.encoder) == (8, 12)
    tiles = cells(workshop / "data" / "sheets", 16, 1)
    assert metrics["bpd"] < 0.95 * tuning.measure(base, tiles)["bpd"]


def test_a_new_model_begins_on_the_images(workshop: Path) -> None:
    lines: list[str] = []
    output = workshop / "new.safetensors"
    recipe = written(workshop, NEW)
    metrics = tuning.tune(recipe, workshop / "data", output, threads=1, progress=lines.append)
    new = loaded(output)
    assert (new.depth, new.config.width) == (0, 16)
    tiles = cells(workshop / "data" / "sheets", 16, 1)
    assert metrics == tuning.measure(new, tiles)
    assert metrics.keys() == {"bpd", "likelihood"}
    started = tuning.begun(new.config, [tuning._whole(tiles)], 0)
    assert metrics["bpd"] < 0.9 * tuning.measure(started, tiles)["bpd"]


@pytest.mark.parametrize("side, sides", [(0, [16]), (32, [16, 32]), (64, [16, 64])])
def test_photographs_may_come_in_larger_tiles(workshop: Path, side: int, sides: list[int]) -> None:
    recipe = written(workshop, NEW.replace("side = 32", f"side = {side}"))
    _, config, _, sources, table = tuning._read(recipe)
    drawn = tuning.drawn(workshop / "data", sources, table, config)
    assert [tiles.pixels.shape[1] for tiles in drawn] == sides
    if side:  # three of four pixels are of photographs
        assert drawn[1].pixels.size == pytest.approx(3 * drawn[0].pixels.size, rel=0.05)


def test_what_is_measured_is_what_is_coded(workshop: Path) -> None:
    from bitswap_cli.coding import tile_codec

    model = loaded(workshop / "base.safetensors")
    tiles = cells(workshop / "data" / "sheets", 16, 1)
    told = tile_codec(model).encode_by_term(tiles, np.full((64, 3), (16, 16, 1), np.int32), b"")
    found = tuning.measure(model, tiles)
    assert found["likelihood"] == pytest.approx(told.bits[:, 0].sum() / tiles.size, rel=0.02)
    assert found["kl1"] == pytest.approx(told.bits[:, 1].sum() / tiles.size, abs=0.02)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('name = "{base}"', "", "name"),
        ("steps = 60", "stepz = 60", "stepz"),
        ("steps = 60", "steps = " + "9" * 5000, "cannot read"),
        ("width = 24", "wide = 24", "wide"),
        ("steps = 60", "steps = 60\nencoder = 4", "encoder"),
        ("steps = 60", "steps = 60\nencoder = 600", "encoder"),
        ("steps = 60", "steps = 60\ncommon = 4", "z_2"),
        ("width = 24", "width = 8", "grow"),
        ("[tuning]", "[tuned]", "tuning"),
        ('folder = "sheets"', 'folders = "sheets"', "folders"),
        ("{base}", "nobody", "nobody"),
        ("[base]", "[bass]", "base"),
        ("[base]", "[model]\n[base]", "name one of them"),
        ("[base]", "[training]\n[base]", "more than .*: training"),
        ('[base]\nname = "{base}"', 'base = "photo"\n[tuning.other]', "wrong key"),
        ('name = "{base}"', "name = 5", "name"),
    ],
)
def test_recipes_that_cannot_be_used(workshop: Path, old: str, new: str, said: str) -> None:
    recipe = written(workshop, RECIPE.replace(old, new))
    with pytest.raises(ModelError, match=said):
        tuning.tune(recipe, workshop / "data", workshop / "x", threads=1, progress=print)
    assert not (workshop / "x").exists()


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('kind = "pixel_vae"', 'kind = "markov_vae"', "kind = pixel_vae"),
        ('kind = "pixel_vae"', "", "kind = pixel_vae"),
        ("width = 16", "wide = 16", "wide"),
        ("radius = 2", "radius = 9", "size"),
        ("width = 16", "width = 1000", "size"),
    ],
)
def test_shapes_that_cannot_be_used(workshop: Path, old: str, new: str, said: str) -> None:
    recipe = written(workshop, NEW.replace(old, new))
    with pytest.raises(ModelError, match=said):
        tuning.tune(recipe, workshop / "data", workshop / "x", threads=1, progress=print)
    assert not (workshop / "x").exists()


def test_other_recipes_are_not_tuned(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("[model]\n")
    (tmp_path / "broken.toml").write_text("[model\n")
    for name in ("recipe.toml", "broken.toml", "none.toml"):
        assert not has_table(tmp_path / name, "tuning")
