"""`verify`: is a folder what an archive holds?"""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Bitswap


@pytest.fixture
def restored(bitswap: Bitswap, made_archive: Path, tiny_model: Path, tmp_path: Path) -> Path:
    """Return a folder that the archive was restored into."""
    out = tmp_path / "out"
    assert bitswap("decompress", made_archive, "-o", out, "--model", tiny_model).code == 0
    return out


def outcomes(
    bitswap: Bitswap, archive: Path, folder: Path, model: Path, code: int
) -> dict[str, str]:
    """Return the outcome of each entry."""
    told = bitswap("verify", archive, folder, "--model", model, "--json")
    found = {row["name"]: row["outcome"] for row in json.loads(told.out)["entries"]}
    every = list(found.values())
    for options, wanted in (["-v"], every), ([], [own for own in every if own != "same"]):
        shown = bitswap("verify", archive, folder, "--model", model, *options)
        *rows, summary = shown.out.splitlines()
        assert (told.code, shown.code) == (code, code)
        assert [line.split()[0] for line in rows] == wanted
        counts = dict(part.split()[::-1] for part in summary.rsplit(": ")[-1].split(", "))
        assert counts == {own: str(count) for own, count in Counter(every).items()}
    return found


def test_what_was_restored_and_what_was_archived(
    bitswap: Bitswap, made_archive: Path, photos: Path, restored: Path, tiny_model: Path
) -> None:
    for folder in (photos.parent, photos, restored, restored / photos.name):
        assert set(outcomes(bitswap, made_archive, folder, tiny_model, 0).values()) == {"same"}


def test_what_came_back_pixel_for_pixel(
    bitswap: Bitswap, pixels_archive: Path, photos: Path, tiny_model: Path
) -> None:
    found = outcomes(bitswap, pixels_archive, photos.parent, tiny_model, 0)
    pixels = {name for name, outcome in found.items() if outcome == "pixels"}
    assert "photos/deep/gray.png" in pixels <= {"photos/color.png", "photos/deep/gray.png"}
    assert {found[name] for name in found.keys() - pixels} == {"same"}


def test_what_differs_or_is_missing(
    bitswap: Bitswap, made_archive: Path, restored: Path, tiny_model: Path
) -> None:
    folder = restored / "photos"
    (folder / "notes.txt").write_bytes(b"other")
    (folder / "deep/er/raw.ppm").unlink()
    pixels = np.array(Image.open(folder / "color.png"))
    pixels[5, 5] ^= 1
    Image.fromarray(pixels).save(folder / "color.png")
    (folder / "deep/gray.png").write_bytes(b"no picture")
    (folder / "nothing.bin").unlink()
    os.symlink("notes.txt", folder / "nothing.bin")
    shutil.copy(folder / "notes.txt", folder / "more.txt")
    found = outcomes(bitswap, made_archive, restored, tiny_model, 6)
    changed = {name for name, outcome in found.items() if outcome == "differs"}
    assert changed == {
        f"photos/{name}" for name in ("notes.txt", "color.png", "deep/gray.png", "nothing.bin")
    }
    assert found["photos/deep/er/raw.ppm"] == "missing"
    assert "photos/more.txt" not in found
