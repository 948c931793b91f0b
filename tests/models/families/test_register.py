"""The register: a family is one file and one line, and nobody else asks which one a model has."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.cli.main import run
from bitswap_models.exact.tensors import built
from bitswap_models.families import register
from bitswap_models.families.family import Family, in_bounds
from bitswap_models.stored import model_file
from tests.conftest import smooth_tile
from tests.models.families import plain

ROOT = Path(register.__file__).parents[1]


@pytest.mark.parametrize("name", register.MODULES)
def test_families_are_found_by_their_names(name: str) -> None:
    family = register.find(name)
    assert isinstance(family, Family)
    assert family.name == name
    assert family.network_class().family == name
    assert family.config().sound()
    assert family.codes or not (family.fit or family.grow)


@pytest.mark.parametrize("name", register.MODULES)
def test_numbers_are_numbers_and_lists_lists(name: str) -> None:
    family = register.find(name)
    assert family and in_bounds(family.config())
    for field, usual in vars(family.config()).items():
        other: object = 1 if isinstance(usual, tuple) else ()
        fields: dict[str, Any] = {field: other}
        assert not in_bounds(family.config(**fields)), field


def test_others_are_not_found() -> None:
    assert register.find("gan") is None and register.find("") is None


def test_abilities_are_told_apart() -> None:
    every = list(register.MODULES)
    assert register.names(lambda family: family.codes) == [*every[:3], "jpeg_vae", "drawn"]
    assert register.names(lambda family: family.subject == "coefficients") == ["jpeg_vae"]
    assert register.names(lambda family: family.subject == "pictures") == ["drawn"]
    assert register.names(lambda family: family.fit) == ["pixel_vae"]


def test_a_family_is_one_file_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written, described, compressed with, evaluated, decompressed; fitting it is refused."""
    monkeypatch.setitem(register.MODULES, "plain", "tests.models.families.plain")
    pixels = np.array([[1900] * 3, [100] * 3], np.int32)
    stored = {"top": np.array([[0], [40]], np.int32), "pixels": pixels}
    path = tmp_path / "plain.safetensors"
    model = built(plain.Plain, plain.Config(), stored)
    model_file.write(model, path, recipe="", metrics={})
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for k in range(3):
        tile = smooth_tile(32, 3, k).transpose(1, 2, 0).astype(np.uint8)
        Image.fromarray(tile).save(pictures / f"{k}.png", compress_level=0)
    archive, out = str(tmp_path / "a.bsw"), tmp_path / "out"
    for command in (
        ["models", "info", str(path)],
        ["compress", str(pictures), "-o", archive, "--model", str(path)],
        ["list", archive],
        ["test", archive, "--model", str(path)],
        ["eval", str(path), str(pictures)],
        ["decompress", archive, "-o", str(out), "--model", str(path)],
    ):
        assert run(command) == 0, command
    said = capsys.readouterr().out
    assert "plain" in said and "tiles" in said
    for k in range(3):
        one, other = (np.asarray(Image.open(f / f"{k}.png")) for f in (pictures, out / "pictures"))
        assert np.array_equal(one, other)
    command = ["compress", str(pictures), "-o", archive, "--force", "--model", str(path)]
    assert run([*command, "--fit-steps", "1"]) == 3
    assert "--fit needs a model of kind pixel_vae" in capsys.readouterr().err


def test_nobody_asks_which_family_a_model_has() -> None:
    """No isinstance on a class of a model or a config, in either package."""
    classes = {
        node.name
        for path in [*(ROOT / "families").rglob("*.py"), *(ROOT / "training/networks").glob("*.py")]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    } - {"Conv", "Table"}  # layers of one network
    asked = [
        (path.name, node.lineno)
        for package in (ROOT, Path(run.__code__.co_filename).parents[1])
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "type")
        if classes & {n.id for a in node.args[1:] for n in ast.walk(a) if isinstance(n, ast.Name)}
    ]
    assert not asked
