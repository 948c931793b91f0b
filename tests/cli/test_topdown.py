"""Archives of a ResNet VAE, by the command line: they obey what all archives obey."""

import json
import shutil
from pathlib import Path

import pytest

from bitswap_cli.cli.main import run
from tests.cli.conftest import MODELS, Bitswap, SameContent


@pytest.fixture(scope="module")
def model() -> Path:
    return MODELS / "resnet.safetensors"


@pytest.fixture(scope="module")
def made(photos: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "photos.bsw"
    assert run(["compress", "-q", str(photos), "-o", str(path), "--model", str(model)]) == 0
    return path


def test_the_archive_names_its_scheme_and_holds_coded_tiles(bitswap: Bitswap, made: Path) -> None:
    told = json.loads(bitswap("info", made, "--json").out)
    assert told["scheme"] == "topdown"
    assert told["tile_chunks"] > 0


def test_round_trip(
    bitswap: Bitswap,
    photos: Path,
    made: Path,
    model: Path,
    tmp_path: Path,
    same_content: SameContent,
) -> None:
    assert bitswap("decompress", made, "-o", tmp_path, "--model", model).code == 0
    same_content(photos, tmp_path / "photos")


@pytest.mark.parametrize("options", [["--threads", "1"], ["--batch", "1"], ["--scheme", "topdown"]])
def test_equal_bytes(
    bitswap: Bitswap, photos: Path, made: Path, model: Path, tmp_path: Path, options: list[str]
) -> None:
    again = tmp_path / "again.bsw"
    assert bitswap("compress", photos, "-o", again, "--model", model, *options).code == 0
    assert again.read_bytes() == made.read_bytes()


@pytest.mark.parametrize("scheme", ["bitswap", "bbans"])
def test_other_schemes_are_refused(
    bitswap: Bitswap, photos: Path, model: Path, tmp_path: Path, scheme: str
) -> None:
    outcome = bitswap(
        "compress", photos, "-o", tmp_path / "a.bsw", "--model", model, "--scheme", scheme
    )
    assert outcome.code == 5 and "topdown" in outcome.error_line()
    assert not list(tmp_path.iterdir())


def test_no_damage_goes_unseen(bitswap: Bitswap, made: Path, model: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    for at in range(7, len(data), len(data) // 12):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        path = tmp_path / "damaged.bsw"
        path.write_bytes(damaged)
        outcome = bitswap("test", path, "--model", model)
        assert outcome.code != 0 and outcome.err.startswith("bitswap: error: ")
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert bitswap("decompress", path, "-o", tmp_path / "out", "--model", model).code != 0
