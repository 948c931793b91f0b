"""PNG files of other makers: each is the picture that was given, as far as its colours allow."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.data.kinds import photo
from benchmarks.peers import makers
from benchmarks.peers.pngs import png_makers
from tests.images.png_files import read_png

MAKERS = png_makers()
WRITTEN = [name for name in MAKERS if name.startswith(("zlib 6, ", "macOS"))]


@pytest.fixture
def image(tmp_path: Path) -> Image.Image:
    found = Image.fromarray(photo(13, 17))
    found.save(tmp_path / "source.png")
    return found


@pytest.mark.parametrize("name", MAKERS)
def test_each_makes_a_picture_of_this_size(name: str, image: Image.Image, tmp_path: Path) -> None:
    made = MAKERS[name](image, tmp_path)
    if made is not None:  # a program that does not like it
        assert made.startswith(b"\x89PNG") and Image.open(io.BytesIO(made)).size == image.size
    assert [path.name for path in tmp_path.iterdir()] == ["source.png"]


@pytest.mark.parametrize("name", WRITTEN)
def test_files_of_our_own_are_whole(name: str, image: Image.Image, tmp_path: Path) -> None:
    made = MAKERS[name](image, tmp_path)
    assert made is not None
    samples, _ = read_png(made)
    assert samples.shape[:2] == (13, 17)
    if name == "zlib 6, RGB, 8 bits, Adam7":
        assert np.array_equal(samples, np.asarray(image))


def test_table(
    image: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = {name: MAKERS[name] for name in ("Pillow, RGB", "zlib 9")}
    monkeypatch.setattr(makers, "png_makers", lambda: few)
    makers.main(["--png", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(few)
    assert all(" 100.0 % " in line for line in lines[2:])
