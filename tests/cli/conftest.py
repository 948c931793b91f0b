"""A tiny model, a folder, and an archive of it, made once by the command line itself.

What was trained lies in models/, and holds the recipe that it was trained by (test_models.py trains
it again): so that nothing but training and fitting need PyTorch here.
"""

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.cli.main import run

collect_ignore = [] if find_spec("torch") else ["test_fit.py", "test_wide.py"]
MODELS = Path(__file__).parent / "models"
RECIPE = """
[model]
tile = 16
channels = 3
latents = [2, 2]
width = 8
level_width = 8
hidden = 8

[training]
test = "sheets"
rate = 0.02
warmup = 5
steps = 30
batch = 4

[[source]]
folder = "sheets"
"""


class Outcome(NamedTuple):
    """What a run of the command line gave."""

    code: int
    out: str
    err: str

    def error_line(self) -> str:
        """The one line on stderr, without its beginning."""
        assert self.err.startswith("bitswap: error: "), self.err
        assert self.err.count("\n") == 1 and self.err.endswith("\n"), self.err
        return self.err.removeprefix("bitswap: error: ").rstrip("\n")


Bitswap = Callable[..., Outcome]
SameContent = Callable[[Path, Path], None]


@pytest.fixture
def bitswap(capsys: pytest.CaptureFixture[str]) -> Bitswap:
    """Run the command line in this process."""

    def call(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return call


def smooth_pixels(height: int, width: int, seed: int) -> np.ndarray:
    """Waves and noise, nearly gray, which a model learns in seconds. (H, W, 3) uint8"""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    down, right = rng.uniform(3, 20, 2)
    gray = 128 + 90 * np.sin(y / down + x / right) + rng.normal(0, 8, (height, width))
    pixels: np.ndarray = gray[..., None] + rng.normal(0, 1, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recipe.toml, data/sheets, and tiny.safetensors that was trained on it."""
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "recipe.toml").write_text(RECIPE)
    sheets = folder / "data" / "sheets"
    sheets.mkdir(parents=True)
    Image.fromarray(smooth_pixels(128, 128, 0)).save(sheets / "00000-64.png")
    shutil.copy(MODELS / "tiny.safetensors", folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(workshop: Path) -> Path:
    """A model file that was trained for seconds."""
    return workshop / "tiny.safetensors"


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures and other files, some with names that are hard to print."""
    folder = tmp_path_factory.mktemp("sources") / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "empty").mkdir()
    Image.fromarray(smooth_pixels(100, 82, 1)).save(folder / "color.png")
    gray = Image.fromarray(smooth_pixels(66, 140, 2)[..., 0])
    gray.save(folder / "deep" / "gray.png", compress_level=0)
    Image.fromarray(smooth_pixels(40, 40, 3)).save(folder / "deep" / "er" / "raw.ppm")
    (folder / "notes.txt").write_text("not an image\n" * 20)
    (folder / "two\nlines \x1b[31m.txt").write_text("x")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("not UTF-8")
    (folder / "nothing.bin").write_bytes(b"")
    return folder


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory: pytest.TempPathFactory, photos: Path, tiny_model: Path) -> Path:
    """An archive of `photos`, to be left as it is."""
    path = tmp_path_factory.mktemp("archives") / "photos.bsw"
    assert run(["compress", "-q", str(photos), "-o", str(path), "--model", str(tiny_model)]) == 0
    return path


@pytest.fixture(scope="session")
def pixels_archive(
    tmp_path_factory: pytest.TempPathFactory, photos: Path, tiny_model: Path
) -> Path:
    """Likewise, of which PNG files come back pixel for pixel."""
    path = tmp_path_factory.mktemp("archives") / "pixels.bsw"
    command = ["compress", "-q", str(photos), "-o", str(path), "--model", str(tiny_model)]
    assert run([*command, "--pixels"]) == 0
    return path


@pytest.fixture
def archive(made_archive: Path, tmp_path: Path) -> Path:
    """A copy of the archive of `photos`, to be damaged at will."""
    return Path(shutil.copy(made_archive, tmp_path / "photos.bsw"))


@pytest.fixture
def same_content() -> SameContent:
    """Compare two folders: names, bytes, times."""

    def compare(before: Path, after: Path) -> None:
        names = sorted(os.fsencode(path.relative_to(before)) for path in before.rglob("*"))
        assert names == sorted(os.fsencode(path.relative_to(after)) for path in after.rglob("*"))
        for path in (before / os.fsdecode(name) for name in names):
            other = after / path.relative_to(before)
            if path.is_dir():
                assert other.is_dir()
                continue
            assert path.stat().st_mtime_ns == other.stat().st_mtime_ns
            assert path.read_bytes() == other.read_bytes()

    return compare
