"""JPEG files, from end to end: by their coefficients, byte for byte, whatever they are."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli
from bitswap_cli.api.archive import Archive
from bitswap_cli.archive.writing.coders import jpegs
from bitswap_cli.images.formats.jpeg import frame
from tests.cli.conftest import Bitswap
from tests.conftest import needs_torch
from tests.images.formats.jpeg.files import photograph, pillow


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """JPEG files beside a PNG and a text; one is broken, one is called otherwise."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    large = pillow(photograph(100, 130, seed=1), quality=92, subsampling=0)
    (folder / "a.jpg").write_bytes(large)
    (folder / "b.jpeg").write_bytes(pillow(photograph(80, 90, seed=2), progressive=True))
    (folder / "gray.jpg").write_bytes(pillow(photograph(64, 70, 1, seed=3), quality=60))
    (folder / "c.png").write_bytes(pillow(photograph(90, 72, seed=4), subsampling=1))
    (folder / "ink.jpg").write_bytes(pillow(photograph(60, 61, 4, seed=5)))
    (folder / "behind.jpg").write_bytes(large + b"what stands behind the end" * 9)
    (folder / "broken.jpg").write_bytes(large[:50])
    (folder / "real.png").write_bytes(png(photograph(40, 40)))
    (folder / "notes.txt").write_text("JPEG")
    return folder


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_they_come_back_and_are_listed(photos: Path, bitswap: Bitswap) -> None:
    done = bitswap("compress", "photos", "-o", "a.bsw", "--json")
    assert (done.code, done.err) == (0, "")
    assert '"jpeg": 6' in done.out
    listed = bitswap("list", "a.bsw").out
    for name, shape in (("a.jpg", "100x130x3"), ("ink.jpg", "60x61x4")):
        line = next(line for line in listed.splitlines() if line.endswith(name)).split()
        assert line[:2] == ["bytes", "jpeg"] and line[3] == shape
    assert bitswap("test", "a.bsw").code == 0
    assert bitswap("decompress", "a.bsw", "-o", "out").code == 0
    for path in photos.iterdir():
        if path.name != "real.png":
            assert (Path("out/photos") / path.name).read_bytes() == path.read_bytes()
    assert bitswap("verify", "a.bsw", ".").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert described["jpeg_model"] == "jpeg" and {"jpeg", "learning"} < set(described["features"])
    assert described["jpeg_chunks"] == 1


def test_threads_change_no_byte(photos: Path, bitswap: Bitswap) -> None:
    archives = []
    for threads in ("1", "3"):
        assert bitswap("compress", "photos", "-o", "a", "--force", "--threads", threads).code == 0
        archives.append(Path("a").read_bytes())
    assert archives[0] == archives[1]


@needs_torch
def test_they_are_not_fitted_to(photos: Path, bitswap: Bitswap) -> None:
    (photos / "real.png").unlink()
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    done = bitswap("compress", "photos", "-o", "fitted.bsw", "--fit", "1s")
    assert done.code == 0
    assert "JPEG files are not fitted to: the model jpeg learns while it codes" in done.err
    assert Path("fitted.bsw").read_bytes() == Path("a.bsw").read_bytes()


def test_one_of_them_can_be_had_alone(photos: Path) -> None:
    report = bitswap_cli.compress("photos", "a.bsw")
    assert report.kinds["jpeg"] == 6 and report.jpeg_bytes < report.jpeg_bytes_before
    with Archive("a.bsw") as archive:
        assert archive["photos/b.jpeg"] == (photos / "b.jpeg").read_bytes()
        info = archive.info("photos/a.jpg")
        assert info[:4] == ("jpeg", True, os.stat(photos / "a.jpg").st_size, (100, 130, 3))
        assert archive.mtime("photos/a.jpg") == os.stat(photos / "a.jpg").st_mtime_ns
        with Image.open(photos / "c.png") as image:
            assert np.array_equal(archive.pixels("photos/c.png"), np.asarray(image))


def test_a_folder_without_them_names_no_model_of_them(photos: Path, bitswap: Bitswap) -> None:
    for path in photos.iterdir():
        if path.name not in ("real.png", "notes.txt", "broken.jpg"):
            path.unlink()
    os.unlink(photos / "broken.jpg")
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert described["jpeg_model"] is None and "jpeg" not in described["features"]


def test_large_ones_that_are_kept_are_named(
    photos: Path, bitswap: Bitswap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; of those that cannot be coded for another reason nothing is said."""
    monkeypatch.setattr(frame, "MOST_SAMPLES", 3 * 10_000)
    monkeypatch.setattr(jpegs, "MOST_SAMPLES", 3 * 10_000)
    done = bitswap("compress", "photos", "-o", "a", "--threads", "1")
    assert done.code == 0
    named = [line for line in done.err.splitlines() if "megapixels" in line]
    assert len(named) == 2 and all("0 megapixels: it is kept as a file" in n for n in named)
    assert "a.jpg" in named[0] and "behind.jpg" in named[1]
