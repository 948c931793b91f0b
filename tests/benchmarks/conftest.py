"""Folders of a few tiny pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.data.kinds import photo


def save(pixels: np.ndarray, path: Path) -> None:
    """Write a picture, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small color pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "photographs"
    for seed in range(2):
        save(photo(72, 64, seed=seed), folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of several kinds, one too deep for most codecs, and a text."""
    folder = tmp_path_factory.mktemp("pictures") / "mixed"
    save(photo(64, 48), folder / "color.png")
    save(photo(64, 48, 4, seed=1), folder / "alpha" / "rgba.png")
    save(photo(64, 48, 1).astype(np.uint16) * 257, folder / "deep.png")
    Image.fromarray(photo(64, 48, seed=2)).quantize(64).save(folder / "palette.png")
    Image.fromarray(photo(64, 48, seed=3)).save(folder / "photo.jpg")
    (folder / "notes.txt").write_text("no picture\n" * 20)
    return folder


@pytest.fixture(scope="session")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet of 4 gray cells of 28x28 pixels."""
    folder = tmp_path_factory.mktemp("pictures") / "sheets"
    save(photo(56, 56, 1), folder / "00000-4.png")
    return folder
