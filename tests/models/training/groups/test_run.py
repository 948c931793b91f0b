"""Recipes with a table [groups]: a base learns from groups, and what comes out codes."""

import dataclasses
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import torch

from bitswap_cli.api import models
from bitswap_cli.coding.chunk import ChunkCodec
from bitswap_cli.errors import InputError, ModelError
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored import model_file
from bitswap_models.training.data import Source
from bitswap_models.training.groups import run
from bitswap_models.training.groups.network import measure
from bitswap_models.training.groups.pool import pool_of
from bitswap_models.training.groups.table import Groups
from bitswap_models.training.groups.tiles import Tile, held_out, lot_of
from bitswap_models.training.tables import has_table
from tests.models.training.groups import small
from tests.models.training.groups.small import CELL, SIDE

RECIPE = """
[base]
name = "{base}"
layers = 3

[[source]]
folder = "sheets"

[[source]]
folder = "photos"
kind = "photos"
weight = 2.0

[groups]
test = "sheets"
steps = 40
groups = 8
cells = 4
pixels = 32
side = 32
tiles = 64
renewal = 5
rate = 4e-3
flip = true
workers = 1
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/sheets, data/photos and base.safetensors."""
    folder = tmp_path_factory.mktemp("groups")
    small.fill(folder / "data")
    model_file.write(small.model(), folder / "base.safetensors", recipe="", metrics={})
    return folder


def written(workshop: Path, text: str) -> Path:
    path = workshop / "recipe.toml"
    path.write_text(text.format(base=workshop / "base.safetensors"))
    return path


def loaded(path: Path) -> PixelVAE:
    model = model_file.load(path)
    assert isinstance(model, PixelVAE)
    return model


def test_a_base_learns_and_codes_as_its_network_says(workshop: Path) -> None:
    recipe, output = written(workshop, RECIPE), workshop / "trained.safetensors"
    lines: list[str] = []
    models.train(recipe, workshop / "data", output, progress=lines.append)
    base, trained = loaded(workshop / "base.safetensors"), loaded(output)
    assert trained.config.layers == 3
    groups = Groups("sheets", 1, side=SIDE)
    lot = held_out(workshop / "data" / "sheets", groups, CELL)
    pool = pool_of(lot, torch.device("cpu"))
    before, after = (measure(run.begun(m, recipe, SIDE), pool) for m in (base, trained))
    assert after["bpd"] < before["bpd"] - 0.2
    assert "common" in lines[0] and "step 40/40" in lines[1] and "test sheets" in lines[2]

    codec = ChunkCodec(trained, None, 64)
    tiles = lot.pixels[0].reshape(-1, CELL, CELL, 3)
    sizes = np.tile(np.array([CELL, CELL, 3], np.int32), (len(tiles), 1))
    told = codec.encode_by_term(tiles, sizes, b"")
    again, _ = codec.decode(told.words, sizes)
    assert np.array_equal(again, tiles)
    one = pool_of(lot_of([Tile(tiles, SIDE**2, 3)], CELL), torch.device("cpu"))
    expected = measure(run.begun(trained, recipe, SIDE), one)["bpd"] * tiles.size
    assert told.bits.sum() == pytest.approx(expected, rel=0.03)


def test_z2_is_trained(workshop: Path) -> None:
    lots = iter([small.lot(16, 16, seed) for seed in range(10)])
    grouped = run.begun(small.model(), Path("recipe.toml"), SIDE)
    groups = Groups(
        "sheets", 30, side=SIDE, tiles=40, groups=8, cells=4, pixels=32, renewal=4, rate=4e-3
    )
    training = run.GroupRun(grouped, groups, lots)
    before = {name: p.clone() for name, p in grouped.named_parameters()}
    for _ in range(30):
        assert torch.isfinite(training.advance(lambda line: None)).all()
    still = [name for name, p in grouped.named_parameters() if torch.equal(p, before[name])]
    assert still == []
    assert len(list(lots)) == 1  # two at first, which fill the pool, and every fourth step
    assert all(float(v.detach().abs().max()) <= 1 for v in training.binary)


def test_hidden_units_that_cost_are_left_at_0() -> None:
    found = []
    for sparse in (0.0, 1.0):
        grouped = run.begun(small.model(), Path("recipe.toml"), SIDE, sparse)
        groups = Groups("sheets", 30, side=SIDE, tiles=32, groups=8, cells=4, pixels=32, rate=4e-3)
        training = run.GroupRun(grouped, groups, repeat(small.lot(16, 16)))
        for _ in range(30):
            training.advance(lambda line: None)
        grouped.sparse = 1.0
        drawn = grouped.every(0, torch.Generator().manual_seed(0))
        with torch.no_grad():
            found.append(float(grouped.bits(training.pool, drawn, 0.0)[4]))
    assert found[1] < 0.9 * found[0]


def test_what_is_trained_follows_the_seed(workshop: Path) -> None:
    found = []
    for seed in (1, 1, 2):
        grouped = run.begun(small.model(), Path("recipe.toml"), SIDE)
        groups = Groups("sheets", 3, side=SIDE, tiles=32, groups=4, cells=2, pixels=16, seed=seed)
        training = run.GroupRun(grouped, groups, repeat(small.lot(16, 16)))
        for _ in range(3):
            training.advance(lambda line: None)
        found.append(training.averages[0].clone())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("steps = 40", "stepz = 40", "stepz"),
        ("steps = 40", "", "steps"),
        ("[base]", "[model]", "base"),
        ("[groups]", "[model]\n[groups]", "more than .*: model"),
        ('name = "{base}"', 'name = "none"', "none"),
        ('name = "{base}"', 'name = "natural32"\nsha256 = "0"', "natural32"),
        ("layers = 3", "layers = 1", "cannot grow"),
        ("layers = 3", "depth = 1", "wrong key"),
        ("side = 32", "side = 30", "side is a few cells"),
        ("cells = 4", "cells = 17", "cells are fewer"),
        ("pixels = 32", "pixels = 65", "pixels are those of a cell"),
        ("workers = 1", "workers = 0", "workers are 1"),
        ("flip = true", "ycc = 0.5\nplanes = 0.6", "shares"),
        ('folder = "sheets"', 'folder = "sheets"\ncell = 16', "cells of sheets"),
        ('kind = "photos"', 'kind = "jpeg"', "sources"),
        ('test = "sheets"', 'test = "none"', "no images"),
        ('folder = "photos"', 'folder = "none"', "no images"),
        ("rate = 4e-3", 'rate = "high"', "rate in"),
        ("[groups]", "[groups", "cannot read"),
    ],
)
def test_mistakes_in_a_recipe_are_one_line(
    workshop: Path, old: str, new: str, message: str
) -> None:
    assert old in RECIPE
    recipe = written(workshop, RECIPE.replace(old, new, 1))
    with pytest.raises((ModelError, InputError), match=message) as raised:
        run.train(recipe, workshop / "data", workshop / "m.safetensors", progress=lambda line: None)
    assert "\n" not in str(raised.value) and not (workshop / "m.safetensors").exists()


def test_models_of_gray_pictures_learn_of_planes_or_of_sheets() -> None:
    plain = Groups("sheets", 1, side=SIDE, cells=1, pixels=1)
    config = small.model(channels=1, common=0).config
    with pytest.raises(ModelError, match="planes"):
        plain.check(config, [Source("sheets", "photos")])
    dataclasses.replace(plain, planes=1.0).check(config, [Source("sheets", "photos")])
    plain.check(config, [Source("sheets", "sheets")])


def test_recipes_are_told_apart(workshop: Path) -> None:
    assert has_table(written(workshop, RECIPE), "groups")
    assert not has_table(written(workshop, RECIPE.replace("groups", "tuning")), "groups")
    assert not has_table(workshop / "none.toml", "groups")


def test_a_run_cannot_be_cut_in_parts(workshop: Path) -> None:
    recipe = written(workshop, RECIPE)
    with pytest.raises(InputError, match="one go"):
        models.train(
            recipe, workshop / "data", workshop / "m.safetensors", seconds=1, progress=print
        )
