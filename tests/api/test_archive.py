"""An archive as a mapping: what comes out of it is what `decompress` restores."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bitswap_cli
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format import register
from bitswap_cli.archive.format.segments import Table
from bitswap_cli.errors import ArchiveError, InputError, ModelError
from bitswap_models import zoo
from tests.images.png_files import read_png

GOLDEN = Path(__file__).parents[1] / "golden"
pytestmark = pytest.mark.skipif("photo" not in zoo.embedded(), reason="no model is installed")


@pytest.mark.parametrize("name", ["photo-bitswap", "photo-wide", "photo-turned", "photo-twins-5"])
def test_files_are_those_that_are_restored(name: str, tmp_path: Path) -> None:
    path = GOLDEN / f"{name}.bsw"
    report = bitswap_cli.decompress(path, tmp_path, threads=1)
    with bitswap_cli.open(path) as archive:
        assert len(archive) == len(list(archive)) == report.entries
        for entry, data in archive.items():
            assert data == (tmp_path / entry).read_bytes(), entry
            assert archive.mtime(entry) == (tmp_path / entry).stat().st_mtime_ns
            assert archive.info(entry).mtime in (None, archive.mtime(entry))


def test_pixels_are_those_that_files_show(tmp_path: Path) -> None:
    """Alpha, palettes by their colours, 16 bits: against Pillow, or our own reader of deep PNG."""
    bitswap_cli.decompress(GOLDEN / "photo-wide.bsw", tmp_path, threads=1)
    with bitswap_cli.open(GOLDEN / "photo-wide.bsw") as archive:
        assert "golden/palette/any.png" in archive
        for name in archive:
            if name.endswith(".txt"):
                continue
            assert archive.info(name).shape, "the model coded it"
            pixels, path = archive.pixels(name), tmp_path / name
            if "deep" in name and name.endswith(".png"):
                expected = read_png(path.read_bytes())[0]
            elif "deep" in name:
                raw = np.frombuffer(path.read_bytes()[-50 * 60 * 6 :], ">u2")
                expected = raw.reshape(50, 60, 3)
            else:
                with Image.open(path) as image:
                    expected = np.asarray(image.convert("RGB") if image.mode == "P" else image)
            assert pixels.dtype == (np.uint16 if "deep" in name else np.uint8), name
            assert np.array_equal(pixels, expected.reshape(pixels.shape)), name


def test_pictures_in_several_chunks(photos: Path) -> None:
    from tests.api.conftest import waves

    Image.fromarray(waves(2100, 900, 3)[..., 0]).save(photos / "large.png")
    bitswap_cli.compress(photos, "a.bsw", model="gray")
    with bitswap_cli.open("a.bsw", cache=1 << 20) as archive:
        name = "photos/large.png"
        assert archive.info(name).shape == (2100, 900, 1)
        assert len(archive._places[name]) > 1
        with Image.open(photos / "large.png") as image:
            assert np.array_equal(archive.pixels(name)[..., 0], np.asarray(image))
        assert archive.mtime(name) == (photos / "large.png").stat().st_mtime_ns


def test_what_is_kept_as_a_file_has_pixels_too(photos: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8))
    saved: dict[str, Image.Image] = {
        "rgba.png": picture,
        "deep.png": Image.fromarray(np.arange(63, dtype=np.uint16).reshape(9, 7) * 999),
        "one.png": picture.convert("1"),
        "palette.gif": picture.convert("RGB").quantize(9),
        "cmyk.tif": picture.convert("CMYK"),
        "deep.tif": Image.fromarray(np.arange(63, dtype=np.uint16).reshape(9, 7) * 999),
        "float.tif": Image.fromarray(np.ones((9, 7), np.float32)),
    }
    for name, image in saved.items():
        image.save(photos / name)
    bitswap_cli.compress(photos, "a.bsw", model="photo")
    with bitswap_cli.open("a.bsw") as archive:
        for name in saved:
            assert archive.info(f"photos/{name}").kind in ("file", "picture")
        found = {n: archive.pixels(f"photos/{n}") for n in saved if n != "float.tif"}
        for name, message in (("float.tif", "more than 16 bits"), ("notes.txt", "no picture")):
            with pytest.raises(InputError, match=message):
                archive.pixels(f"photos/{name}")
    shapes = {name: (array.shape[2], array.dtype.name) for name, array in found.items()}
    assert shapes == {
        "rgba.png": (4, "uint8"),
        "deep.png": (1, "uint16"),
        "one.png": (1, "uint8"),
        "palette.gif": (3, "uint8"),
        "cmyk.tif": (4, "uint8"),
        "deep.tif": (1, "uint16"),
    }
    assert np.array_equal(found["rgba.png"], np.asarray(picture))
    for name in ("deep.png", "deep.tif"):
        assert np.array_equal(found[name].ravel(), np.arange(63) * 999)
    for name, mode in (("one.png", "L"), ("palette.gif", "RGB"), ("cmyk.tif", "CMYK")):
        expected = np.asarray(saved[name].convert(mode)).reshape(9, 7, -1)
        assert np.array_equal(found[name], expected)


def test_only_chunks_that_are_needed_are_decoded(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Codecs] = []
    real = register.decode_chunk

    def noted(tag: bytes, codecs: Codecs, table: Table, body: bytes) -> object:
        decoded.append(codecs)
        return real(tag, codecs, table, body)

    monkeypatch.setattr("bitswap_cli.api.archive.decode_chunk", noted)
    with bitswap_cli.open(archive) as opened:
        assert list(opened) == ["photos/a.png", "photos/b.png", "photos/notes.txt"]
        assert "photos/a.png" in opened and "a.png" not in opened
        assert opened.info("photos/b.png").shape == (40, 33, 3)
        assert not decoded
        assert opened["photos/notes.txt"] == b"kept as it was: yes"
        assert decoded == [Codecs()], "no model for what is kept byte for byte"
        opened.pixels("photos/a.png")
        number = len(decoded)
        again = opened.pixels("photos/a.png")
        again[:] = 0
        assert opened.pixels("photos/a.png").any(), "what is kept is nobody's to change"
        assert len(decoded) == number
        with pytest.raises(KeyError):
            opened["photos/none.png"]


def test_several_threads(archive: Path) -> None:
    with bitswap_cli.open(archive, cache=0) as opened:
        expected = {name: opened[name] for name in opened}
        with ThreadPoolExecutor(4) as pool:
            names = list(opened) * 8
            assert list(pool.map(opened.get, names)) == [expected[name] for name in names]


def test_another_process_opens_it_anew(
    archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with bitswap_cli.open("photos.bsw", cache=123) as opened:
        monkeypatch.chdir("photos")  # the path was made whole
        with pickle.loads(pickle.dumps(opened)) as copy:
            assert dict(copy) == dict(opened)
        monkeypatch.chdir(tmp_path)
    context = multiprocessing.get_context("spawn")
    with bitswap_cli.open("photos.bsw") as opened, ProcessPoolExecutor(1, context) as pool:
        there = pool.submit(opened.pixels, "photos/a.png")
        assert np.array_equal(there.result(), opened.pixels("photos/a.png"))


def test_errors(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[content.index(b"TILE") + 200] ^= 1
    (tmp_path / "bad.bsw").write_bytes(content)
    with bitswap_cli.open(tmp_path / "bad.bsw") as opened:
        assert opened["photos/notes.txt"]
        with pytest.raises(ArchiveError, match=r"bad\.bsw"):
            opened.pixels("photos/a.png")
    other = bitswap_cli.open(archive, model="gray")
    with other, pytest.raises(ModelError, match="is not the model of the archive"):
        other.pixels("photos/a.png")
    for path, error in ((tmp_path / "none.bsw", InputError), (tmp_path / "photos", InputError)):
        with pytest.raises(error):
            bitswap_cli.open(path)
    (tmp_path / "text.bsw").write_bytes(b"text")
    with pytest.raises(ArchiveError):
        bitswap_cli.open(tmp_path / "text.bsw")


def test_it_says_what_it_is(archive: Path) -> None:
    with bitswap_cli.open("photos.bsw") as opened:
        assert repr(opened) == "<Archive photos.bsw: 3 entries>"
