"""A folder of two pictures and a note, and an archive of it by an installed model."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli
from bitswap_models import zoo


def waves(height: int, width: int, seed: int) -> np.ndarray:
    """Light that changes slowly, with noise. (H, W, 3) uint8"""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    gray = 128 + 80 * np.sin(y / 9 + seed) + 30 * np.cos(x / 7) + rng.normal(0, 4, (height, width))
    pixels: np.ndarray = gray[..., None] + rng.normal(0, 1, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def made_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, to be left as it is."""
    folder = tmp_path_factory.mktemp("api") / "photos"
    folder.mkdir()
    Image.fromarray(waves(48, 64, 0)).save(folder / "a.png")
    Image.fromarray(waves(40, 33, 1)).save(folder / "b.png")
    (folder / "notes.txt").write_text("kept as it was: yes")
    return folder


@pytest.fixture(scope="session")
def made_archive(made_photos: Path) -> Path:
    """An archive of the folder, to be left as it is."""
    if "photo" not in zoo.embedded():
        pytest.skip("the default models are not installed")
    path = made_photos.parent / "photos.bsw"
    bitswap_cli.compress(made_photos, path, model="photo")
    return path


@pytest.fixture
def photos(made_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder as ``photos`` in the current one."""
    shutil.copytree(made_photos, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


@pytest.fixture
def archive(made_archive: Path, photos: Path) -> Path:
    """A copy of the archive as ``photos.bsw`` in the current folder."""
    return Path(shutil.copy(made_archive, os.getcwd()))
