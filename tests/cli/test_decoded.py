"""Pictures that were JPEGs, from end to end: by coefficients, byte for byte or pixel for pixel."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api.archive import Archive
from bitswap_cli.archive.format.header import DECODINGS, EQUAL, LAID
from bitswap_cli.images.history import engine
from tests.cli.conftest import Bitswap
from tests.images.history.jpegs import load, save, scene

pytestmark = pytest.mark.skipif(engine.compiled() is None, reason="no kernel finds them")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures that were JPEGs, one of them changed here and there, beside one that was none."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    changed = load(save(scene(128, 176, 3), 85, "4:2:0")).copy()
    changed[40:48, 60:80] = 200
    pictures = {
        "a.png": load(save(scene(128, 176, 1), 75)),
        "changed.png": changed,
        "gray.png": load(save(scene(160, 160, 2, gray=True), 80)),
        "odd.bmp": load(save(scene(127, 153, 4), 70)),
        "half.ppm": load(save(scene(128, 144, 5), 75, "4:2:2")),
        "none.png": scene(64, 80, 6),
        "turned.png": np.rot90(load(save(scene(128, 160, 7), 75, "4:2:0"))),
        "alpha.png": np.dstack([load(save(scene(96, 128, 8), 75)), np.full((96, 128), 255, "u1")]),
    }
    for name, pixels in pictures.items():
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        image.save(folder / name)
    return folder


def test_they_come_back(photos: Path, bitswap: Bitswap) -> None:
    done = bitswap("compress", "photos", "-o", "a.bsw", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["kinds"]["decoded-exact"] == 7
    assert bitswap("test", "a.bsw").code == 0
    assert bitswap("decompress", "a.bsw", "-o", "out").code == 0
    for path in photos.iterdir():
        assert (Path("out/photos") / path.name).read_bytes() == path.read_bytes()
    assert bitswap("verify", "a.bsw", ".").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert {DECODINGS, LAID} <= set(described["features"])
    assert described["jpeg_model"] == "jpeg"
    lines = bitswap("list", "-v", "a.bsw").out.splitlines()
    for name, was in (
        ("a.png", "quality 75, 4:4:4"),
        ("gray.png", "quality 80, gray"),
        ("turned.png", "quality 75, 4:2:0, turned"),
        ("alpha.png", "quality 75, 4:4:4"),
    ):
        line = next(line for line in lines if name in line)
        assert line.endswith(f"photos/{name} (by jpeg; was a JPEG of {was})")
    rows = json.loads(bitswap("list", "a.bsw", "--json", "-v").out)["entries"]
    told = {row["name"]: row["was"] for row in rows}
    assert told["photos/half.ppm"] == "quality 75, 4:2:2" and told["photos/none.png"] is None
    before = sum(path.stat().st_size for path in photos.glob("*.png"))
    assert Path("a.bsw").stat().st_size < before / 2


def test_pixels_may_suffice(photos: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "photos", "-o", "a.bsw", "--pixels").code == 0
    assert bitswap("decompress", "a.bsw", "-o", "out").code == 0
    with Archive("a.bsw") as archive:
        info = archive.info("photos/a.png")
        assert info[:4] == ("decoded", False, None, (128, 176, 3)) and info.crc is None
        assert archive.info("photos/odd.bmp").exact
        for path in photos.iterdir():
            with Image.open(path) as one, Image.open(Path("out/photos") / path.name) as other:
                assert np.array_equal(np.asarray(one), np.asarray(other))
            with Image.open(io.BytesIO(archive[f"photos/{path.name}"])) as other:
                assert np.array_equal(np.asarray(Image.open(path)), np.asarray(other))
    lines = bitswap("list", "a.bsw").out.splitlines()
    assert next(line for line in lines if "a.png" in line).split()[:3] == ["pixels", "decoded", "-"]


def test_they_are_written_as_the_jpegs_that_they_were(photos: Path, bitswap: Bitswap) -> None:
    Path("photos/again.ppm").write_bytes(Path("photos/half.ppm").read_bytes())
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    restored = bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg")
    assert restored.code == 0 and ", 3 of them as the JPEGs they were, " in restored.out
    made = {path.name for path in Path("out/photos").glob("*.jpg")}
    assert made == {"a.png.jpg", "gray.png.jpg", "odd.bmp.jpg"}
    assert Path("out/photos/a.png.jpg").read_bytes() == save(scene(128, 176, 1), 75)
    for path in photos.iterdir():
        there = Path("out/photos") / path.name
        if f"{path.name}.jpg" in made:
            assert not there.exists()
        else:
            assert there.read_bytes() == path.read_bytes()
    assert bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg").code == 3


def test_no_entry_makes_way_for_a_jpeg(photos: Path, bitswap: Bitswap) -> None:
    (photos / "a.png.jpg").write_text("an entry of its own")
    (photos / "gray.png.jpg").mkdir()
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    assert bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg").code == 0
    for name in ("a.png", "a.png.jpg", "gray.png"):
        assert (Path("out/photos") / name).read_bytes() == (photos / name).read_bytes()
    assert Path("out/photos/gray.png.jpg").is_dir()


def test_what_is_there_stops_it_before_the_first_byte(photos: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    other = Path("out/photos/odd.bmp.jpg")
    other.parent.mkdir(parents=True)
    other.write_text("of someone else")
    refused = bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg")
    assert refused.code == 3 and "odd.bmp.jpg" in refused.err
    assert [path.name for path in other.parent.iterdir()] == ["odd.bmp.jpg"]
    replaced = bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg", "--force", "--json")
    assert json.loads(replaced.out)["jpegs"] == 4
    assert other.read_bytes().startswith(b"\xff\xd8")


def test_what_no_picture_becomes_stops_nothing(photos: Path, bitswap: Bitswap) -> None:
    Path("photos/again.ppm").write_bytes(Path("photos/half.ppm").read_bytes())
    assert bitswap("compress", "photos", "-o", "a.bsw").code == 0
    others = [Path("out/photos") / f"{name}.jpg" for name in ("changed.png", "turned.png")]
    others += [Path("out/photos/half.ppm.jpg"), Path("out/photos/none.png.jpg")]
    others[0].parent.mkdir(parents=True)
    for other in others:
        other.write_text("of someone else")
    assert bitswap("decompress", "a.bsw", "-o", "out", "--as-jpeg").code == 0
    assert {other.read_text() for other in others} == {"of someone else"}
    for name in ("changed.png", "turned.png", "half.ppm", "again.ppm", "none.png"):
        assert (Path("out/photos") / name).read_bytes() == (Path("photos") / name).read_bytes()


def test_a_jpeg_and_what_was_decoded_of_it_are_coded_once(photos: Path, bitswap: Bitswap) -> None:
    """However often, in whatever format, turned or not; each file comes back byte for byte."""
    data = save(scene(160, 208, 11), 85, "4:2:0")
    folder = photos.parent / "once"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(data)
    assert bitswap("compress", "once", "-o", "one.bsw").code == 0
    image = Image.fromarray(load(data))
    image.save(folder / "a.png")
    image.save(folder / "b.bmp")
    image.rotate(90, expand=True).save(folder / "a.turned.png")
    (folder / "a2.jpg").write_bytes(data + b"behind")
    for threads in ("1", "2"):
        done = bitswap("compress", "once", "-o", f"{threads}.bsw", "--json", "--threads", threads)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)["kinds"] == {"decoded-exact": 3, "jpeg": 2}
    assert Path("1.bsw").read_bytes() == Path("2.bsw").read_bytes()
    assert Path("1.bsw").stat().st_size < Path("one.bsw").stat().st_size + 1500
    entries = json.loads(bitswap("list", "--json", "1.bsw").out)["entries"]
    twins = {one["name"].removeprefix("once/"): one["twin"] for one in entries}
    others = dict.fromkeys(("a.png", "a.turned.png", "a2.jpg", "b.bmp"), "once/a.jpg")
    assert twins == {"a.jpg": None, **others}
    assert bitswap("decompress", "1.bsw", "-o", "out").code == 0
    for path in folder.iterdir():
        assert (Path("out/once") / path.name).read_bytes() == path.read_bytes(), path
    assert bitswap("decompress", "1.bsw", "-o", "some", "once/a.turned.png").code == 0
    told = [json.loads(bitswap("info", f"{one}.bsw", "--json").out) for one in ("1", "one")]
    assert EQUAL in told[0]["features"] and EQUAL not in told[1]["features"]


def test_threads_change_no_byte(photos: Path, bitswap: Bitswap) -> None:
    archives = []
    for threads in ("1", "3"):
        assert bitswap("compress", "photos", "-o", "a", "--force", "--threads", threads).code == 0
        archives.append(Path("a").read_bytes())
    assert archives[0] == archives[1]


def test_nothing_is_named_where_there_is_none(photos: Path, bitswap: Bitswap) -> None:
    assert bitswap("compress", "photos/none.png", "-o", "a.bsw").code == 0
    described = json.loads(bitswap("info", "a.bsw", "--json").out)
    assert DECODINGS not in described["features"] and described["jpeg_model"] is None
