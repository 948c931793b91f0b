"""What is coming: a format whose samples are no bytes, and a family for them, one line each."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.ans import kernel as coder
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.cli.main import run
from bitswap_cli.images.formats import register as formats
from bitswap_cli.images.inspection import inspect, inspect_wide, looks_like_picture, rebuild
from bitswap_cli.mixing import octets
from bitswap_models.exact import kernel as layers
from bitswap_models.families import register as families
from bitswap_models.stored import model_file
from tests.end_to_end import blocks, blocks_vae

ENGINES = ["reference", *(["c"] if coder.compiled() and layers.compiled() else [])]


@pytest.fixture(autouse=True)
def _registers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(families.MODULES, "blocks_vae", blocks_vae.__name__)
    with monkeypatch.context() as patch:
        patch.setitem(formats.FORMATS, "blocks", blocks)
        formats.tables.cache_clear()
        yield
    formats.tables.cache_clear()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "blocks.safetensors"
    model_file.write(blocks_vae.made(), path, recipe="", metrics={})
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Blocks, blocks with a sample that is none, and a PNG."""
    made = tmp_path / "in"
    made.mkdir()
    for k in range(3):
        (made / f"{k}.blk").write_bytes(blocks.write_blocks(9, 11 + k, k))
    data = bytearray(blocks.write_blocks(2, 2, 9))
    data[51:53] = (2048).to_bytes(2, "little")
    (made / "foreign.blk").write_bytes(data)
    Image.fromarray(np.arange(4096, dtype=np.uint8).reshape(64, 64)).save(made / "gray.png")
    return made


def use(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", engine)
    coder.engine.cache_clear()
    layers.engine.cache_clear()


@pytest.fixture(autouse=True)
def _forget_engines() -> Iterator[None]:
    yield
    coder.engine.cache_clear()
    layers.engine.cache_clear()


def test_blocks_are_a_picture_of_their_own_samples(folder: Path) -> None:
    data = (folder / "0.blk").read_bytes()
    assert looks_like_picture(data[: formats.START])
    assert inspect(data) is None
    (picture,) = inspect_wide(data)
    assert picture.pixels.shape == (72, 88, 1) and picture.pixels.dtype == np.int16
    assert picture.pixels[0, :2, 0].tolist() == [-2048, 2047]
    assert rebuild(picture.recipe, picture.pixels) == data
    assert blocks.shown(picture.recipe, picture.pixels).shape == (9, 11, 1)
    assert inspect_wide((folder / "foreign.blk").read_bytes()) == []


def test_both_engines_write_one_archive(
    folder: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archives = []
    monkeypatch.setattr(octets, "quick", lambda: True)  # so little text either engine can mix
    for engine in ENGINES:
        use(engine, monkeypatch)
        archive = tmp_path / f"{engine}.bsw"
        compress = ["compress", str(folder), "-o", str(archive), "--model", str(model)]
        assert run([*compress, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["kinds"] == {"blocks": 3, "file": 2}
        assert said["samples"] == 9 * (11 + 12 + 13) * 64
        assert said["verified"]
        archives.append(archive.read_bytes())

        assert run(["list", str(archive), "--json"]) == 0
        entries = json.loads(capsys.readouterr().out)["entries"]
        assert [entry["kind"] for entry in entries] == ["blocks"] * 3 + ["file"] * 2
        assert entries[0]["restored"] == "bytes" and entries[0]["shape"] == [72, 88, 1]
        assert run(["test", "-q", str(archive), "--model", str(model)]) == 0
        out = tmp_path / engine
        assert run(["decompress", "-q", str(archive), "-o", str(out), "--model", str(model)]) == 0
        for path in folder.iterdir():
            assert (out / "in" / path.name).read_bytes() == path.read_bytes()

        capsys.readouterr()
        assert run(["eval", str(model), str(folder), "--json", "-q"]) == 0
        measured = json.loads(capsys.readouterr().out)
        assert measured["tiles"] == 9 * (11 + 12 + 13)
        assert list(measured["terms"]) == ["likelihood", "kl1"]
        assert measured["bound"] < measured["coded"] < said["bpd"] + 0.5
    assert len(set(archives)) == 1
    with ArchiveReader(tmp_path / "reference.bsw") as reader:
        assert "wide" in reader.header.features


def test_a_model_of_bytes_takes_no_blocks(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "bytes.bsw"
    compress = ["compress", str(folder), "-o", str(archive), "--model", "gray", "--json"]
    assert run(compress) == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]
    assert kinds.get("blocks", 0) == 0
    assert kinds["file"] >= 4


def test_blocks_under_a_model_of_bytes_are_refused(
    folder: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = tmp_path / "blocks.bsw"
    compress = ["compress", "-q", str(folder), "-o", str(archive), "--model", str(model)]
    assert run(compress) == 0
    monkeypatch.setattr(blocks_vae.BlocksVAE, "low", 0)
    monkeypatch.setattr(blocks_vae.BlocksVAE, "high", 255)
    assert run(["test", str(archive), "--model", str(model)]) == 4
    assert "other samples than its model codes" in capsys.readouterr().err
