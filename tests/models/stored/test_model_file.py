"""Model files: they come back whole, and what is damaged or computes otherwise is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from bitswap_cli.errors import InputError, ModelError
from bitswap_models import zoo
from bitswap_models.exact.tensors import built
from bitswap_models.families import register
from bitswap_models.families.markov_vae import MarkovVAE
from bitswap_models.stored import model_file
from bitswap_models.stored.known_answer import known_answer
from tests.conftest import started

PIXELS = register.names(lambda family: family.codes and family.subject == "tiles")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    model_file.write(
        started("markov_vae", latents=(2, 3)), path, recipe="# none", metrics={"bpd": 1.0}
    )
    return path


def altered(path: Path, metadata: dict[str, str], **tensors: np.ndarray) -> Path:
    stored = load_file(path)
    with safe_open(path, "np") as opened:
        kept = opened.metadata()
    other = path.with_name("other.safetensors")
    save_file({**stored, **tensors}, other, {**kept, **metadata})
    return other


def test_model_files_come_back(file: Path) -> None:
    model = model_file.load(file)
    assert known_answer(model) == known_answer(model_file.load(file))
    binary = sum(m.weight.size for m in model.layers.values() if m.shape.binary)
    packed = sum(t.size for t in load_file(file).values() if t.dtype == np.uint8)
    assert packed == -(-binary // 8)


def test_another_known_answer_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match="known answer"):
        model_file.load(altered(file, {"known_answer": "0" * 64}))
    bias = load_file(file)["features.stem.bias"]
    with pytest.raises(ModelError, match="known answer"):
        model_file.load(altered(file, {}, **{"features.stem.bias": bias + 2**24}))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"profile": "2"},
        {"config": "{"},
        {"config": "[]"},
        {"config": json.dumps({"tile": 10**9, "latents": [1]})},
        {"config": json.dumps({"tile": 32, "latents": [2] * 9})},
        {"config": json.dumps({"tile": 8.0, "latents": [2, 3]})},
    ],
)
def test_damaged_metadata_is_refused(file: Path, change: dict[str, str]) -> None:
    with pytest.raises(ModelError):
        model_file.load(altered(file, change))


def test_damaged_files_are_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        model_file.load(altered(file, {}, extra=np.zeros(1)))
    with pytest.raises(ModelError, match="wrong size"):
        model_file.load(
            altered(file, {}, **{"features.blocks.0.first.weight": np.zeros(3, np.uint8)})
        )
    with pytest.raises(ModelError, match="lacks"):
        stored = load_file(file)
        del stored["top"]
        built(MarkovVAE, model_file.load(file).config, stored)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"hello" * 100)
    for path in (tmp_path / "empty", tmp_path / "text", tmp_path / "none"):
        with pytest.raises(ModelError):
            model_file.load(path)


@pytest.mark.parametrize("kind", PIXELS)
def test_every_kind_is_written_and_read(tmp_path: Path, kind: str) -> None:
    network, path = started(kind), tmp_path / "m.safetensors"
    model_file.write(network, path, recipe="", metrics={})
    again = model_file.load(path)
    assert again.family == kind and again.config == network.config
    assert known_answer(again) == known_answer(model_file.build(network))
    written = load_file(path)
    model_file.write(again, path, recipe="", metrics={})
    assert all(np.array_equal(array, written[n]) for n, array in load_file(path).items())
    weights = next(k for k in sorted(load_file(path)) if k.endswith(".weight"))
    sign = load_file(path)[weights]  # as large, hence as exact
    other = ~sign if sign.dtype == np.uint8 else -sign
    with pytest.raises(ModelError, match="known answer"):
        model_file.load(altered(path, {}, **{weights: other}))


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    network = started("markov_vae")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "none" / "m.safetensors"):
        with pytest.raises(InputError, match="cannot write"):
            model_file.write(network, path, recipe="", metrics={})
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_file_is_read_once(file: Path) -> None:
    """What the zoo has hashed is what is loaded."""
    found = zoo.resolve(str(file))
    file.unlink()
    assert model_file.family_in(found).codes
    assert model_file.load(found).tile == 8
