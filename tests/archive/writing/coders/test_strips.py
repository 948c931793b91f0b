"""Pictures that are had by strips: coded and restored without being held, or kept as files."""

import os
from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.archive.format.header import LARGE
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.reading.opened import OpenPicture
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources import strips as sources
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.probe import probes
from bitswap_cli.images import strips
from bitswap_cli.images.formats.arrays import npy
from bitswap_cli.images.formats.rasters import bmp, pnm, tga
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    check,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pictures of 1,000 pixels and more be had by strips, and no other way."""

    def refuse(*_: object) -> None:
        raise AssertionError("a picture was held")

    monkeypatch.setattr(strips, "MAX_PIXELS", 999)
    for form in (bmp, npy, pnm, tga):
        monkeypatch.setattr(form, "split", refuse)


def packed(where: Path, codec: ZlibCodec, threads: int = 1) -> PackReport:
    return pack([where / "in"], where / f"a{threads}", codec, header_for(codec), threads=threads)


def restored(where: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore an archive, and hold no picture for it."""
    with monkeypatch.context() as patch, ArchiveReader(where / "a1") as reader:
        patch.delattr(OpenPicture, "add")
        unpack(reader, codec_for(codec), where / "out", threads=2)
    assert_same(tree(where / "in"), tree(where / "out" / "in"))


FILES = {
    "a.ppm": encoded(smooth(150, 61), "PPM") + b"behind",
    "b.bmp": encoded(smooth(61, 150), "BMP"),
    "c.bmp": encoded(smooth(90, 37, 1), "BMP"),
    "d.bmp": encoded(np.dstack([smooth(90, 37), np.full((90, 37), 9, np.uint8)]), "BMP"),
    "e.tga": encoded(smooth(300, 9), "TGA"),
}


def test_pictures_come_back_and_are_never_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in FILES.items():
        write(tmp_path / "in" / name, data)
    os.link(tmp_path / "in" / "a.ppm", tmp_path / "in" / "z.ppm")
    codec = ZlibCodec(chunk_tiles=20, factors=(1,))
    report = packed(tmp_path, codec)
    assert report.kinds == {"pnm": 1, "bmp": 2, "bmp-32": 1, "tga": 1, "hard link": 1}
    assert max(codec.coded_tiles) <= 20
    assert report.tile_entries == 5 and report.tile_bytes < report.tile_bytes_before
    assert report.samples == 3 * (150 * 61 + 61 * 150 + 90 * 37 + 300 * 9) + 90 * 37
    check(tmp_path / "a1", codec)
    restored(tmp_path, codec, monkeypatch)
    packed(tmp_path, codec, threads=3)
    assert (tmp_path / "a1").read_bytes() == (tmp_path / "a3").read_bytes()
    with ArchiveReader(tmp_path / "a1") as reader:
        assert LARGE in reader.header.features


def test_one_that_loses_is_kept_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)
    write(tmp_path / "in" / "a.ppm", encoded(noise, "PPM"))
    write(tmp_path / "in" / "b.ppm", FILES["a.ppm"])
    codec = ZlibCodec(chunk_tiles=20)
    report = packed(tmp_path, codec)
    assert report.kinds == {"file": 1, "pnm": 1}
    with ArchiveReader(tmp_path / "a1") as reader:
        told = [one for c in reader.chunks if c.tag == TILE for one in reader.table(c).segments]
        assert {segment.name for segment in told} == {b"in/b.ppm"}
    restored(tmp_path, codec, monkeypatch)


def test_one_that_does_not_come_back_is_kept_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in" / "b.bmp", FILES["b.bmp"][:-1] + b"\7")
    codec = ZlibCodec()
    assert packed(tmp_path, codec).kinds == {"file": 1}
    restored(tmp_path, codec, monkeypatch)


@pytest.mark.parametrize("size", [5, 20_000, 40_000])
def test_one_that_changes_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    write(tmp_path / "in" / "a.ppm", FILES["a.ppm"])
    write(tmp_path / "in" / "b.bmp", FILES["b.bmp"])
    look = sources.look

    def change(source: Source, begun: strips.Strips) -> sources.SeenStrips | None:
        found = look(source, begun)
        if source.name == b"in/a.ppm":
            os.truncate(source.path, size)
        return found

    monkeypatch.setattr(sources, "look", change)
    codec = ZlibCodec(chunk_tiles=20)
    report = packed(tmp_path, codec)
    assert report.kinds == {"bmp": 1}
    assert list(report.skipped.values()) == ["it changed while it was read"]
    check(tmp_path / "a1", codec)


def test_models_are_tried_on_the_middle(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.ppm", encoded(smooth(600, 700), "PPM"))
    (probe,) = probes(Catalogue([tmp_path / "in"]))
    (picture,) = probe.pictures
    assert np.array_equal(picture.pixels, smooth(600, 700)[172:428, 222:478])
    assert probe.size == round((tmp_path / "in" / "a.ppm").stat().st_size * 256**2 / (600 * 700))


def test_twins_are_read_once_and_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose rows come in the same order: not of a BMP, which begins with the last."""
    pixels = smooth(150, 61)
    same = {
        "a.ppm": FILES["a.ppm"],
        "b.ppm": encoded(pixels, "PPM"),
        "c.pam": b"P7\nWIDTH 61\nHEIGHT 150\nDEPTH 3\nMAXVAL 255\nENDHDR\n" + pixels.tobytes(),
        "d.bmp": encoded(pixels, "BMP"),
    }
    for name, data in same.items():
        write(tmp_path / "in" / name, data)
    codec = ZlibCodec(chunk_tiles=20, factors=(1,))
    report = packed(tmp_path, codec)
    assert report.kinds == {"pnm": 2, "pam": 1, "bmp": 1}
    with ArchiveReader(tmp_path / "a1") as reader:
        twins = {entry.name: entry.twin for entry in reader.entries() if entry.twin}
    assert twins == {b"in/b.ppm": b"in/a.ppm", b"in/c.pam": b"in/a.ppm"}
    check(tmp_path / "a1", codec)
    restored(tmp_path, codec, monkeypatch)
