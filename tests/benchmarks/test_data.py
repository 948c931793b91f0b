"""Benchmarks' pictures: rendered, cut, compared."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.data import kinds, pictures
from benchmarks.data.kinds import photo
from benchmarks.data.renderings.__main__ import SETS, main
from tests.benchmarks.conftest import save


@pytest.mark.parametrize("name", SETS)
def test_renderings(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path), "--only", name, "--count", "1"])
    assert capsys.readouterr().out.startswith(f"{name}: 1 files, ")
    (path,) = (tmp_path / name).iterdir()
    assert min(pictures.shape(path)[:2]) >= 32


def test_a_seed_gives_the_same_again(tmp_path: Path) -> None:
    for folder, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        main([str(tmp_path / folder), "--only", "sprites", "--count", "1", "--seed", seed])
    assert pictures.compare(tmp_path / "one", tmp_path / "same") > 0
    with pytest.raises(ValueError, match="came back different"):
        pictures.compare(tmp_path / "one", tmp_path / "other")


def test_kinds_are_the_same_at_any_time() -> None:
    first = kinds.files()
    time.sleep(1.1)  # of which a profile's header would tell
    assert kinds.files() == first


def test_a_difference_is_seen(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        save(photo(20, 30), tmp_path / folder / "a.png")
        (tmp_path / folder / "b.txt").write_text("text")
        for path in (tmp_path / folder).iterdir():
            os.utime(path, (1, 1))
    one, other = tmp_path / "one", tmp_path / "other"
    assert pictures.compare(one, other) == 20 * 30 * 3
    (other / "b.txt").write_text("else")
    with pytest.raises(ValueError, match=r"b\.txt came back different"):
        pictures.compare(one, other)
    (other / "b.txt").unlink()
    with pytest.raises(ValueError, match="2 files went in, 1 came back"):
        pictures.compare(one, other)


def test_pixels_as_they_are(mixed: Path) -> None:
    found = {path.name: pictures.plain(path) for path in pictures.below(mixed)}
    shapes = {name: None if x is None else x.shape for name, x in found.items()}
    assert shapes == {
        "color.png": (64, 48, 3),
        "rgba.png": (64, 48, 4),
        "palette.png": (64, 48, 3),
        "deep.png": None,
        "photo.jpg": None,
        "notes.txt": None,
    }


def test_color_of_16_bits_is_not_taken_for_8(tmp_path: Path) -> None:
    samples = np.arange(2 * 3 * 3, dtype=">u2") * 3000
    (tmp_path / "deep.ppm").write_bytes(b"P6 3 2 65535\n" + samples.tobytes())
    (tmp_path / "flat.ppm").write_bytes(b"P6 3 2 255\n" + bytes(18))
    with Image.open(tmp_path / "deep.ppm") as image:
        assert image.mode == "RGB"
    assert pictures.plain(tmp_path / "deep.ppm") is None
    flat = pictures.plain(tmp_path / "flat.ppm")
    assert flat is not None and flat.shape == (2, 3, 3)
