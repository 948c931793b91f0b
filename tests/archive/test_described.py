"""PNG files in archives that hold descriptions: byte for byte, or their pixels if asked for."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest

import bitswap_cli
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images import inspection
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    build_zoo,
    check,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)
from tests.images.png_files import write_png


def described(codec: ZlibCodec, *more: str) -> Header:
    return header_for(codec)._replace(features=frozenset(("described", *more)))


@pytest.mark.parametrize("features", [(), ("wide",)])
def test_everything_comes_back_byte_for_byte(tmp_path: Path, features: tuple[str, ...]) -> None:
    build_zoo(tmp_path / "in" / "zoo")
    archives = []
    for threads in (1, 3):
        codec = ZlibCodec()
        header = described(codec, *features)
        report = pack([tmp_path / "in" / "zoo"], tmp_path / "a", codec, header, force=True,
                      threads=threads)  # fmt: skip
        archives.append((tmp_path / "a").read_bytes())
    assert archives[0] == archives[1]
    assert report.kinds["png-exact"] >= 5 and not report.kinds["png"]
    assert check(tmp_path / "a", codec).entries == report.entries
    with ArchiveReader(tmp_path / "a") as reader:
        assert all(entry.exact for entry in reader.entries())
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert tree(tmp_path / "in") == tree(tmp_path / "out")


def test_pixels_if_these_are_asked_for(tmp_path: Path) -> None:
    build_zoo(tmp_path / "in" / "zoo")
    codec = ZlibCodec()
    pack([tmp_path / "in" / "zoo"], tmp_path / "a", codec, described(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(codec), tmp_path / "out", pixels=True)
    before, after = tree(tmp_path / "in"), tree(tmp_path / "out")
    assert_same(before, after)
    assert before != after
    assert all(before[n] == after[n] for n in before if not n.endswith(b".png"))


@pytest.mark.parametrize("codec", [None, ZlibCodec()])
def test_pictures_that_no_model_codes_are_kept_as_samples(
    tmp_path: Path, codec: ZlibCodec | None
) -> None:
    """And copies of them as copies; pixels are had, and are enough if they are asked for."""
    steps = np.arange(60 * 80).reshape(60, 80, 1) // 37 % 2 * [200, 100, 50, 255]
    for name in ("a", "copy", "hard link"):
        write(tmp_path / "in" / f"{name}.png", write_png(steps.astype(np.uint8), 8, 6))
    write(tmp_path / "in" / "smooth.png", encoded(smooth(40, 40, 4)))
    (tmp_path / "in" / "hard link.png").unlink()
    os.link(tmp_path / "in" / "a.png", tmp_path / "in" / "hard link.png")
    header = described(codec) if codec else Header.without_model().using(["described"])
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header)
    assert report.kinds == {"picture": 1, "copy": 1, "hard link": 1, "file": 1}
    assert check(tmp_path / "a", codec).entries == 4
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.features >= {"samples", "described"}
        data = (tmp_path / "in" / "a.png").read_bytes()
        told = {entry.name: entry for entry in reader.entries()}[b"in/a.png"]
        assert (told.size, told.crc, told.exact) == (len(data), zlib.crc32(data), True)
        for pixels in (True, False):
            out = tmp_path / f"{pixels}"
            unpack(reader, codec_for(codec), out, pixels=pixels)
            same = (out / "in" / "a.png").read_bytes() == data
            assert same != pixels
            assert_same(tree(tmp_path / "in"), tree(out / "in"))
    with bitswap_cli.open(tmp_path / "a") as archive:
        assert archive["in/a.png"] == archive["in/copy.png"] == data
        assert np.array_equal(archive.pixels("in/a.png"), steps)


def test_descriptions_cost_little_and_are_no_part_of_other_archives(tmp_path: Path) -> None:
    for seed in range(9):
        write(tmp_path / "in" / f"{seed}.png", bad_png(40, 40, seed=seed))
    codec, sizes = ZlibCodec(), []
    for header in (header_for(codec), described(codec)):
        report = pack([tmp_path / "in"], tmp_path / "a", codec, header, force=True)
        assert sum(report.kinds.values()) == 9 == report.tile_entries
        sizes.append(report.bytes_after)
    # size and CRC-32 of the files, and the names of features, included
    assert sizes[0] < sizes[1] < sizes[0] + 9 * 40 + 20


def test_a_reader_refuses_what_no_feature_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.png", bad_png(30, 30))
    codec = ZlibCodec()
    pack([tmp_path / "x.png"], tmp_path / "a", codec, described(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        assert [entry.kind for entry in reader.entries()] == ["png-exact"]
        reader.header = header_for(codec)
        with pytest.raises(ArchiveError, match="does not announce"):
            list(reader.entries())


def files(catalogue: Catalogue) -> list[Source]:
    return [source for source in catalogue.sources if source.kind == "file"]


def test_files_are_looked_at_ahead_in_order(tmp_path: Path) -> None:
    for number in range(9):
        write(tmp_path / "in" / f"{number:02}.png", encoded(smooth(20, 20, seed=number)))
    write(tmp_path / "in" / "text.png", b"no picture")
    catalogue = Catalogue([tmp_path / "in"], threads=3)
    seen = dict(catalogue.look_at(files(catalogue)))
    assert list(seen) == files(catalogue)
    for source, found in seen.items():
        again = catalogue.look(source)
        assert (found is None) == (again is None) == (source.name == b"in/text.png")
        if found and again:
            assert again.pictures[0] is found.pictures[0]


def test_what_was_found_ahead_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        write(tmp_path / "in" / f"{number}.png", encoded(smooth(20, 20, seed=number)))
    catalogue = Catalogue([tmp_path / "in"], threads=2)
    looks = catalogue.look_at(files(catalogue))
    next(looks)
    looks.close()
    calls: list[bytes] = []
    real = inspection.describe

    def counted(data: bytes) -> bytes | None:
        calls.append(data)
        return real(data)

    monkeypatch.setattr("bitswap_cli.archive.sources.seen.describe", counted)
    assert len(list(catalogue.look_at(files(catalogue)))) == 9
    assert len(calls) <= 8


@pytest.mark.parametrize("strict", [False, True])
def test_what_cannot_be_read_is_skipped_in_its_turn(tmp_path: Path, strict: bool) -> None:
    for number in range(6):
        write(tmp_path / "in" / f"{number}.png", encoded(smooth(20, 20, seed=number)))
    catalogue = Catalogue([tmp_path / "in"], threads=2, strict=strict)
    (tmp_path / "in" / "2.png").write_bytes(encoded(smooth(21, 20)))
    if strict:
        with pytest.raises(InputError, match="2.png: it changed"):
            list(catalogue.look_at(files(catalogue)))
        return
    seen = [found is not None for _, found in catalogue.look_at(files(catalogue))]
    assert seen == [True, True, False, True, True, True]
    assert [path.endswith(b"2.png") for path in catalogue.skipped] == [True]
