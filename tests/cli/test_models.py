"""`models`, `train` and `doctor`."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from safetensors import numpy as safetensors
from safetensors import safe_open

from bitswap_models import zoo
from tests.cli.conftest import MODELS, Bitswap
from tests.conftest import needs_torch


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No model but the installed ones."""
    monkeypatch.setenv("BITSWAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_list(
    bitswap: Bitswap,
    empty_cache: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sha256 = zoo.resolve(str(tiny_model)).sha256
    (empty_cache / "tiny").mkdir(parents=True)
    shutil.copy(tiny_model, empty_cache / "tiny" / f"{sha256}.safetensors")
    far = f'[[model]]\nname = "far"\nsha256 = "{"0" * 64}"\nsize = 12345\nurls = []\n'
    (tmp_path / "registry.toml").write_text(far)
    monkeypatch.setenv("BITSWAP_REGISTRY", str(tmp_path / "registry.toml"))
    listed = json.loads(bitswap("models", "list", "--json").out)["models"]
    states = {model["name"]: model["state"] for model in listed}
    assert states == {"tiny": "downloaded", "far": "to download"} | dict.fromkeys(
        zoo.embedded(), "installed"
    )
    lines = bitswap("models", "list").out.splitlines()
    assert len(lines) == len(listed) + 1
    assert lines[-1].split() == ["far", "to", "download", "12.3", "kB", "0" * 16]


def test_a_registry_out_of_reach_is_needed_for_nothing_that_is_here(
    bitswap: Bitswap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITSWAP_REGISTRY", str(tmp_path / "none.toml"))
    outcome = bitswap("models", "list", "--json")
    assert outcome.code == 0 and "note: only models that are here are listed" in outcome.err
    names = [model["name"] for model in json.loads(outcome.out)["models"]]
    assert names == zoo.embedded()
    for name in names[:1]:
        assert zoo.find(name).sha256 in bitswap("models", "fetch", name).out
    outcome = bitswap("models", "fetch", "nobody")
    assert outcome.code == 5 and "cannot read the model registry" in outcome.error_line()


def nested_header(depth: int) -> bytes:
    """A model file whose config is that many lists deep."""
    text = json.dumps({"__metadata__": {"kind": "pixel_vae", "config": "[" * depth}}).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize("verb", [("models", "info"), ("eval",), ("compress", "--model")])
@pytest.mark.parametrize("fault", ["deep", "header", "true", "nan"])
def test_a_model_file_that_is_forged(
    bitswap: Bitswap, tiny_model: Path, tmp_path: Path, verb: tuple[str, ...],
    fault: str,
) -> None:  # fmt: skip
    path = tmp_path / "bad.safetensors"
    if fault == "deep":
        path.write_bytes(nested_header(100_000))
    elif fault == "header":
        path.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000)
    else:
        tensors, metadata = safetensors.load_file(tiny_model), zoo.read_metadata(tiny_model)
        config = json.dumps(metadata["config"])
        value = {"true": "true", "nan": "NaN"}[fault]
        config = config.replace('"width": 8', f'"width": {value}')
        words = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
        safetensors.save_file(tensors, path, {**words, "config": config})
    place = ("-o", tmp_path / "a", tmp_path) if verb[0] == "compress" else ()
    outcome = bitswap(*verb, path, *place, *([tmp_path] if verb[0] == "eval" else []))
    assert outcome.code == 5 and str(path) in outcome.error_line()


def test_a_model_file_tells_neither_its_name_nor_the_terminal_anything(
    bitswap: Bitswap, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "forged.safetensors"
    told = zoo.read_metadata(tiny_model)
    words = {k: v if isinstance(v, str) else json.dumps(v) for k, v in told.items()}
    lies = {"name": "photo", "sha256": "0" * 64, "path": "elsewhere", "a\x1b[2J": "b\x1b[2J\r"}
    safetensors.save_file(safetensors.load_file(tiny_model), path, {**words, **lies})
    described = json.loads(bitswap("models", "info", path, "--json").out)
    assert described["name"] == "forged" and described["path"] == str(path)
    assert described["sha256"] == zoo.resolve(str(path)).sha256
    shown = bitswap("models", "info", path).out
    assert all(line.isprintable() for line in shown.splitlines()) and r"b\x1b[2J" in shown


def test_path_and_fetch(bitswap: Bitswap, empty_cache: Path, tiny_model: Path) -> None:
    file = zoo.resolve(str(tiny_model))
    (empty_cache / "tiny").mkdir(parents=True)
    path = shutil.copy(tiny_model, empty_cache / "tiny" / f"{file.sha256}.safetensors")
    assert bitswap("models", "path", "tiny").out == f"{path}\n"
    assert bitswap("models", "path", tiny_model).out == f"{tiny_model}\n"
    assert file.sha256 in bitswap("models", "fetch", "tiny").out
    for verb in ("path", "fetch", "info"):
        outcome = bitswap("models", verb, "nobody")
        assert outcome.code == 5
        assert "nobody" in outcome.error_line()


def test_info(bitswap: Bitswap, tiny_model: Path) -> None:
    described = json.loads(bitswap("models", "info", tiny_model, "--json").out)
    assert described["name"] == "tiny"
    assert described["path"] == str(tiny_model)
    assert described["size"] == tiny_model.stat().st_size
    assert described["config"]["tile"] == 16
    outcome = bitswap("models", "info", tiny_model)
    assert outcome.code == 0
    assert described["sha256"] in outcome.out


@needs_torch
@pytest.mark.parametrize("name", ["tiny", "resnet"])
def test_train(bitswap: Bitswap, workshop: Path, photos: Path, tmp_path: Path, name: str) -> None:
    """What is trained by the recipe of a model file is of its shape, and codes."""
    with safe_open(MODELS / f"{name}.safetensors", "numpy") as file:
        (tmp_path / "recipe.toml").write_text(file.metadata()["recipe"])
    model, archive = tmp_path / "m.safetensors", tmp_path / "a.bsw"
    done = bitswap("train", "-q", tmp_path / "recipe.toml", workshop / "data", "-o", model)
    assert done.code == 0
    told = [
        json.loads(bitswap("models", "info", path, "--json").out)
        for path in (model, MODELS / f"{name}.safetensors")
    ]
    assert told[0]["config"] == told[1]["config"]
    assert bitswap("compress", photos, "-o", archive, "--model", model).code == 0


@needs_torch
def test_train_refuses(bitswap: Bitswap, workshop: Path, tmp_path: Path) -> None:
    recipe, data = workshop / "recipe.toml", workshop / "data"
    output = tmp_path / "model.safetensors"
    assert bitswap("train", tmp_path / "none.toml", data, "-o", output).code == 3
    assert bitswap("train", recipe, tmp_path / "none", "-o", output).code == 3
    (tmp_path / "bad.toml").write_text("[model]\nfrobnicate = 1\n[training]\n")
    assert bitswap("train", tmp_path / "bad.toml", data, "-o", output).code == 5
    (tmp_path / "empty").mkdir()
    outcome = bitswap("train", recipe, tmp_path / "empty", "-o", output)
    assert outcome.code == 3
    assert "no images" in outcome.error_line()
    text = recipe.read_text().replace('folder = "sheets"', 'folder = "small"\nkind = "photos"')
    (tmp_path / "photos.toml").write_text(text)
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "small" / "class").mkdir(parents=True)
    Image.new("RGB", (15, 15)).save(tmp_path / "data" / "small" / "class" / "1.png")
    outcome = bitswap("train", tmp_path / "photos.toml", tmp_path / "data", "-o", output)
    assert outcome.code == 3
    assert 'kind = "sheets"' in outcome.error_line()
    assert not output.exists()
    output.write_bytes(b"precious")
    outcome = bitswap("train", recipe, data, "-o", output)
    assert outcome.code == 3
    assert "--force" in outcome.error_line()
    assert output.read_bytes() == b"precious"


@pytest.mark.skipif(not zoo.embedded(), reason="no model is installed, hence no golden archive")
def test_doctor(bitswap: Bitswap) -> None:
    outcome = bitswap("doctor")
    checks = ["versions", "engine", *(f"model {name}" for name in zoo.embedded()), "golden archive"]
    assert [line[8:].split(":")[0] for line in outcome.out.splitlines()] == checks
    assert outcome.code == 0, outcome.out
    assert all(line.startswith("ok ") for line in outcome.out.splitlines())
    assert json.loads(bitswap("doctor", "--json").out)["ok"] is True


def test_doctor_reports_what_is_wrong(
    bitswap: Bitswap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "golden.bsw").write_bytes(b"damaged")
    monkeypatch.setattr(zoo, "GOLDEN_ARCHIVE", tmp_path / "golden.bsw")
    outcome = bitswap("doctor")
    assert outcome.code == 5
    assert "golden archive" in outcome.error_line()
    assert [line for line in outcome.out.splitlines() if line.startswith("failed")]
    outcome = bitswap("doctor", "--json", "-q")
    assert json.loads(outcome.out)["ok"] is False
