"""`models`, `train` and `doctor`."""

import json
import shutil
from pathlib import Path

import pytest

from bitswap_models import zoo
from tests.cli.conftest import Bitswap


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


def test_train_refuses(bitswap: Bitswap, workshop: Path, tmp_path: Path) -> None:
    recipe, data = workshop / "recipe.toml", workshop / "data"
    output = tmp_path / "model.safetensors"
    assert bitswap("train", tmp_path / "none.toml", data, "-o", output).code == 3
    assert bitswap("train", recipe, tmp_path / "none", "-o", output).code == 3
    (tmp_path / "bad.toml").write_text("[model]\nfrobnicate = 1\n[training]\n")
    assert bitswap("train", tmp_path / "bad.toml", data, "-o", output).code == 5
    (tmp_path / "empty").mkdir()
    outcome = bitswap("train", recipe, tmp_path / "empty", "-o", output)
    assert outcome.code == 5
    assert outcome.error_line()
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
