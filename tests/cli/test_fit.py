"""`compress --fit`: archives that carry their own model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.archive.format.sections import ID, SECTION, section
from bitswap_cli.archive.format.segments import TileSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.cli.common import Console
from bitswap_cli.cli.fit import Watcher
from bitswap_models import zoo
from tests.cli.conftest import Bitswap, SameContent
from tests.conftest import heed_ctrl_c

STEPS = "150"
pytestmark = pytest.mark.skipif(
    not {"gray", "photo"} <= set(zoo.embedded()), reason="the default models are not installed"
)


def drawing(seed: int) -> np.ndarray:
    """Waves whose samples are all even: what no model has seen. (200, 200, 3) uint8"""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:200, :200]
    down, right = random.uniform(5, 30, 2)
    gray = 128 + 90 * np.sin(y / down + x / right) + random.normal(0, 5, (200, 200))
    pixels: np.ndarray = gray[..., None] + random.normal(0, 3, (200, 200, 3))
    return pixels.clip(0, 255).astype(np.uint8) // 2 * 2


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources") / "drawings"
    folder.mkdir()
    for number in range(8):
        Image.fromarray(drawing(number)).save(folder / f"{number}.ppm")
    Image.fromarray(drawing(8)).save(folder / "photo.jpg", quality=90)
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, drawings: Path) -> Path:
    """An archive of drawings with a fitted model, the model's file, and what compress said."""
    from bitswap_cli.cli.main import run

    path = tmp_path_factory.mktemp("fitted")
    command = ["compress", "-q", drawings, "-o", path / "a.bsw", "--model", "photo"]
    command += ["--fit-steps", STEPS, "--save-model", path / "own.safetensors"]
    assert run([str(word) for word in command]) == 0
    return path


def test_a_fitted_archive_is_smaller_and_comes_back(
    bitswap: Bitswap, drawings: Path, fitted: Path, tmp_path: Path, same_content: SameContent
) -> None:
    plain = bitswap("compress", drawings, "-o", tmp_path / "b.bsw", "--model", "photo", "--json")
    archive = fitted / "a.bsw"
    assert archive.stat().st_size < json.loads(plain.out)["after"]
    assert bitswap("test", archive).code == 0
    assert bitswap("decompress", archive, "-o", tmp_path).code == 0
    same_content(drawings, tmp_path / "drawings")


def test_info_tells_what_the_archive_was_fitted_from(bitswap: Bitswap, fitted: Path) -> None:
    told = json.loads(bitswap("info", fitted / "a.bsw", "--json").out)
    assert (told["format"], told["model"]) == (5, "photo")
    with ArchiveReader(fitted / "a.bsw") as reader:
        assert told["fitted"] == reader.header.fitted_bytes > 100
    assert f"fitted from photo, {told['fitted']:,} bytes" in bitswap("info", fitted / "a.bsw").out


@pytest.mark.parametrize("options", [["--threads", "1", "--batch", "1"]])
def test_the_same_bytes_whatever_the_speed(
    bitswap: Bitswap, drawings: Path, fitted: Path, tmp_path: Path, options: list[str]
) -> None:
    command = ["compress", drawings, "-o", tmp_path / "a.bsw", "--model", "photo"]
    assert bitswap(*command, "--fit-steps", STEPS, *options).code == 0
    assert (tmp_path / "a.bsw").read_bytes() == (fitted / "a.bsw").read_bytes()


def test_the_saved_model_codes_as_the_archive_does(
    bitswap: Bitswap, drawings: Path, fitted: Path, tmp_path: Path
) -> None:
    model = fitted / "own.safetensors"
    assert "photo" in bitswap("models", "info", model).out
    path = tmp_path / "a.bsw"
    assert bitswap("compress", drawings, "-o", path, "--model", model).code == 0
    with ArchiveReader(path) as own, ArchiveReader(fitted / "a.bsw") as other:
        assert [own.body(c) for c in own.chunks] == [other.body(c) for c in other.chunks]


def test_small_pictures_are_turned_and_come_back(
    bitswap: Bitswap, tmp_path: Path, same_content: SameContent
) -> None:
    """Where models are fitted, a small picture lies as it is coded best."""
    folder = tmp_path / "small"
    folder.mkdir()
    for number in range(200):
        pixels = drawing(number % 8)[number % 170 :][:30, :40]
        pixels = np.rot90(pixels, number % 4) if number % 3 else pixels
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{number}.ppm")
    path = tmp_path / "a.bsw"
    assert bitswap("compress", folder, "-o", path, "--model", "photo", "--fit-steps", 150).code == 0
    with ArchiveReader(path) as reader:
        assert reader.header.oriented
        assert {e.shape for e in reader.entries()} == {(30, 40, 3), (40, 30, 3)}
        segments = [s for chunk in reader.chunks for s in reader.table(chunk).segments]
        assert any(isinstance(s, TileSegment) and s.orientation for s in segments)
    assert bitswap("decompress", path, "-o", tmp_path / "out").code == 0
    same_content(folder, tmp_path / "out/small")


def test_fitting_that_does_not_pay_leaves_the_archive_as_it_was(
    bitswap: Bitswap, drawings: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one"
    one.mkdir()
    Image.fromarray(drawing(0)[:140, :140]).save(one / "a.ppm")
    assert bitswap("compress", one, "-o", tmp_path / "a.bsw", "--model", "photo").code == 0
    outcome = bitswap(
        "compress", "--fit-steps", 3, one, "-o", tmp_path / "b.bsw", "--model", "photo"
    )
    assert outcome.code == 0
    assert "did not pay" in outcome.err
    assert (tmp_path / "a.bsw").read_bytes() == (tmp_path / "b.bsw").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bsw", "b.bsw", "one"]


@pytest.mark.parametrize("model", ["auto", "photo", "gray"])
@pytest.mark.parametrize("picture", [None, "LA"])
def test_nothing_to_fit_changes_no_byte(
    bitswap: Bitswap, tmp_path: Path, model: str, picture: str | None
) -> None:
    """Neither do wide pictures that do not pay, though `--fit` looks at them."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "notes.txt").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")
    if picture:
        Image.fromarray(drawing(0)[:40, :40, 0]).convert(picture).save(folder / "a.png")
        Image.fromarray(drawing(1)[:90, :90, 0]).save(folder / "gray.png")
    command = ("compress", folder, "--model", model, "-o")
    assert bitswap(*command, tmp_path / "a").code == 0
    save = ("--save-model", tmp_path / "m.safetensors") if picture is None else ()
    outcome = bitswap(*command, tmp_path / "b", "--fit-steps", 1, "--json", *save)
    assert outcome.code == 0 and "note: fitting did not pay" in outcome.err
    assert json.loads(outcome.out)["saved"] == 0
    assert ("there is no picture" in outcome.err) == (picture is None)
    assert ("and none is saved" in outcome.err) == (picture is None)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert not (tmp_path / "m.safetensors").exists()


def test_no_step_changes_no_byte(bitswap: Bitswap, drawings: Path, tmp_path: Path) -> None:
    for name, options in (("a", []), ("b", ["--fit-steps", 0])):
        command = ["compress", drawings, "-o", tmp_path / name, "--model", "photo"]
        assert bitswap(*command, *options).code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damage_to_the_model_is_an_error(
    bitswap: Bitswap, drawings: Path, fitted: Path, tmp_path: Path
) -> None:
    """It costs the pictures that the model codes, and no others."""
    good = (fitted / "a.bsw").read_bytes()
    start = good.index(b"MODL")
    for at in (start, start + 5, start + 20, start + 60, start + 200):
        bad = bytearray(good)
        bad[at] ^= 4
        (tmp_path / "bad").write_bytes(bad)
        outcome = bitswap("test", tmp_path / "bad")
        assert outcome.code == 4
        assert outcome.error_line()
    outcome = bitswap("decompress", "--keep-going", tmp_path / "bad", "-o", tmp_path / "out")
    assert outcome.code == 6
    assert "without the model" in outcome.error_line()
    back = {path.name: path.read_bytes() for path in (tmp_path / "out/drawings").iterdir()}
    assert back == {name: (drawings / name).read_bytes() for name in ("notes.txt", "photo.jpg")}


def test_a_forged_model_is_refused(bitswap: Bitswap, fitted: Path, tmp_path: Path) -> None:
    """Its checksum is made to fit: what is left is the coder, the proof and the known answer."""
    good = (fitted / "a.bsw").read_bytes()
    start = good.index(b"MODL")
    _, length = SECTION.unpack_from(good, start)
    own = good[start + SECTION.size :][:ID]
    end = start + SECTION.size + ID + length
    body, rest = good[end - length : end], good[end + 4 :]
    for at in (0, 31, 40, 100, length // 2, length - 1):
        forged = bytearray(body)
        forged[at] ^= 1
        (tmp_path / "bad").write_bytes(good[:start] + section(b"MODL", bytes(forged), own) + rest)
        outcome = bitswap("test", tmp_path / "bad")
        assert outcome.code in (4, 5)
        assert outcome.error_line()


def test_errors(bitswap: Bitswap, drawings: Path, tiny_model: Path, tmp_path: Path) -> None:
    command = ["compress", "-o", tmp_path / "a.bsw"]
    outcome = bitswap(*command, drawings, "--fit-steps", 3, "--model", tiny_model)
    assert (outcome.code, "pixel_vae" in outcome.error_line()) == (3, True)
    outcome = bitswap(*command, drawings, "--fit=soon")
    assert (outcome.code, "90s" in outcome.error_line()) == (2, True)
    outcome = bitswap(*command, drawings, "--save-model", tmp_path / "m.safetensors")
    assert (outcome.code, "--fit" in outcome.error_line()) == (3, True)
    command += [drawings, "--fit", "1h", "--save-model"]  # an hour that is not to be lost
    outcome = bitswap(*command, tmp_path / "none" / "m.safetensors")
    assert (outcome.code, "there is no folder" in outcome.error_line()) == (3, True)
    outcome = bitswap(*command, drawings)
    assert (outcome.code, "is a folder" in outcome.error_line()) == (3, True)
    outcome = bitswap(*command, tmp_path / "a.bsw")
    assert (outcome.code, "both name" in outcome.error_line()) == (3, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--fit"], ["--fit", "1s"], ["--fit=1s"]])
def test_fit_takes_a_duration_or_none(
    bitswap: Bitswap, drawings: Path, tmp_path: Path, words: list[str]
) -> None:
    """A folder that follows is not taken for a duration."""
    missing = tmp_path / "missing"
    outcome = bitswap("compress", *words, missing, "-o", tmp_path / "a.bsw")
    assert outcome.error_line() == f"there is no file or folder {missing}"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_an_interrupt_that_is_ignored_ends_no_fitting() -> None:
    """As of what a script runs in the background, or nohup: Ctrl-C is meant for something else."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Watcher(Console(quiet=True)) as watcher:
            watcher.begin()
            signal.raise_signal(signal.SIGINT)
            assert not watcher.stopped()
            watcher.end()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Watcher(Console(quiet=True)) as watcher:
            watcher.begin()
            signal.raise_signal(signal.SIGINT)
            assert watcher.stopped(), "anybody else's does"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_an_interrupt_ends_fitting_and_goes_on(drawings: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bitswap_cli", "compress", "--fit", "1h", "-v"]
    with subprocess.Popen(
        [*command, drawings, "-o", tmp_path / "a.bsw"], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, preexec_fn=heed_ctrl_c,
    ) as process:  # fmt: skip
        assert process.stderr
        for line in process.stderr:
            if "less than unfitted" in line:
                break
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        rest = process.stderr.read()
        assert process.wait() == 0, rest
    assert time.monotonic() - began < 600
    assert "fitting ends here" in rest
    with ArchiveReader(tmp_path / "a.bsw") as reader:
        assert len(list(reader.entries())) == 10
