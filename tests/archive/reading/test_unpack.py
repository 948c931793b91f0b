"""What cannot be restored does not stop the rest, and is named."""

import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitswap_cli.archive.format.chunks import encode_bytes, encode_tiles
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, TILE
from bitswap_cli.archive.format.segments import ByteSegment, Extra, TileSegment, WholeSegment
from bitswap_cli.archive.reading.opened import whole_file
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import TileCodec
from bitswap_cli.errors import ArchiveError, InputError, ModelError, PartialError
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.rows import write_rows
from bitswap_cli.images.formats.register import is_described, is_inexact
from bitswap_cli.images.inspection import decode, describe, rebuild
from bitswap_cli.images.picture import Picture, Recipe
from bitswap_cli.images.tiles import cut
from tests.archive.reading.test_hostile import of_bytes
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    check,
    codec_for,
    encoded,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)


class Whole:
    """A file that was decoded as a whole."""

    held = samples = 0

    def file(self, *, quick: bool = False) -> bytes:
        """See `DecodedFile.file`."""
        return b"quick" if quick else b"x"


@pytest.mark.parametrize("kind", ["jpeg", "decoded-exact", "bmp"])
def test_what_is_made_no_sooner_is_checked_however_soon_it_is_wanted(kind: str) -> None:
    right = WholeSegment(b"a", kind, 1, 1, 3, 1, 0, zlib.crc32(b"x"))
    assert whole_file(right, Whole(), is_described) == b"x"
    with pytest.raises(ArchiveError, match="checksum"):
        whole_file(right._replace(crc=1), Whole(), is_described)
    described = right._replace(kind="png-exact")
    assert whole_file(described, Whole(), is_described) == b"quick"


@pytest.mark.parametrize(("kind", "quick"), [("png", True), ("png-exact", False), ("bmp", False)])
def test_what_comes_back_by_its_pixels_is_checked_but_not_deflated(kind: str, quick: bool) -> None:
    crc = 0 if quick else zlib.crc32(b"x")
    one = WholeSegment(b"a", kind, 1, 1, 3, 0 if quick else 1, 0, crc)
    assert whole_file(one, Whole(), is_inexact) == (b"quick" if quick else b"x")


def test_verify_deflates_no_pixels_whose_file_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[int] = []

    def noted(stored: np.ndarray, head: Head, level: int) -> bytes:
        levels.append(level)
        return write_rows(stored, head, level)

    monkeypatch.setattr(png, "write_rows", noted)
    write(tmp_path / "a.png", bad_png(30, 40))
    codec = ZlibCodec()
    pack([tmp_path / "a.png"], tmp_path / "a.bsw", codec, header_for(codec))
    levels.clear()
    with ArchiveReader(tmp_path / "a.bsw") as reader:
        assert verify(reader, codec_for(codec)).entries == 1
        assert levels == [0]
        unpack(reader, codec_for(codec), tmp_path / "out")
        assert levels == [0, 6]


def unneeded(header: Header) -> TileCodec:
    """A decoder that no file asks for."""
    raise ModelError(f"no model {header.models[0].name}")


def test_an_entry_twice_and_names_that_are_too_long(tmp_path: Path) -> None:
    """The rest comes back, and both commands say which does not."""
    long = b"y" * 256
    segments = [(name, "file", 1, 0, 1, 0) for name in (b"a", b"a", b"a/b", long, b"z")]
    path = of_bytes(tmp_path / "a.bsw", segments, b"12345")
    with pytest.raises(ArchiveError, match="a twice"):
        check(path, None)
    with pytest.raises(PartialError, match="a twice.*a/b.*too long"):
        rescue(path, None, tmp_path / "out")
    found = tree(tmp_path / "out")
    assert {name: data for name, (_, data, _) in found.items()} == {b"a": b"1", b"z": b"5"}
    path = of_bytes(tmp_path / "long.bsw", segments[3:], b"45")
    with ArchiveReader(path) as reader, pytest.raises(InputError, match="too long"):
        unpack(reader, codec_for(None), tmp_path / "out2")
    assert not (tmp_path / "out2").exists()
    report = check(path, None)
    assert (report.entries, len(report.lost)) == (2, 1)


def test_what_cannot_be_written_does_not_stop_the_rest(tmp_path: Path) -> None:
    """A file where a folder should be, a folder where a file should be."""
    names = (b"d/x", b"f", b"good", b"link")
    segments = [(name, "link" if name == b"link" else "file", 1, 0, 1, 0) for name in names]
    path = of_bytes(tmp_path / "a", segments, b"1234")
    for folder in ("out/f", "out/link"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path / "out/d", b"a file")
    with ArchiveReader(path) as reader, pytest.raises(PartialError) as caught:
        unpack(reader, codec_for(None), tmp_path / "out", force=True, keep_going=True)
    assert all(f"{name} (" in str(caught.value) for name in ("d/x", "f", "link"))
    assert tree(tmp_path / "out")[b"good"][1] == b"3"


@pytest.mark.parametrize("kind", ["pnm", "png-exact"])
@pytest.mark.parametrize("change", [{"crc": 1}, {"size": 780}, {"size": 0}, {}])
def test_rebuilt_pictures_are_what_the_table_tells(
    tmp_path: Path, codec: ZlibCodec, change: dict[str, Any], kind: str
) -> None:
    """Size and CRC-32 of the file, where a size is told."""
    data, (pixels, recipe) = _file_of(kind, smooth(16, 16))
    told = TileSegment(b"x", kind, 16, 16, 3, 0, 4, len(data), crc=zlib.crc32(data))
    segment = told._replace(size=change.get("size", told.size), crc=change.get("crc", told.crc))
    body, _ = encode_tiles(codec, [segment], *cut(pixels, 8, 8, 3), [Extra(0, *recipe[1:])])
    with ArchiveWriter(tmp_path / "a", header_for(codec).using([DESCRIBED])) as writer:
        writer.add(TILE, body, 1)
        writer.finish(Totals(1, len(data), pixels.size, 0))
        writer.commit()
    if segment in (told, told._replace(size=0)):
        assert check(tmp_path / "a", codec).bytes == len(data)
        return
    with pytest.raises(ArchiveError, match="x does not come back as it was"):
        check(tmp_path / "a", codec)
    with pytest.raises(PartialError, match="x does not come back as it was"):
        rescue(tmp_path / "a", codec, tmp_path / "out")


def _file_of(kind: str, pixels: np.ndarray) -> tuple[bytes, Picture]:
    """A file, and the picture that it is."""
    data = encoded(pixels, "PPM" if kind == "pnm" else "PNG", compress_level=0)
    picture = decode(data, kind, describe(data) or b"")
    assert picture is not None
    return data, picture


def test_files_that_take_long_are_made_once_by_those_who_decode(
    tmp_path: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for those in several chunks."""
    sizes = {"a.png": 16, "b.png": 24, "large.png": 56}
    for name, size in sizes.items():
        write(tmp_path / "in" / name, bad_png(size, size))
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec).using([DESCRIBED]))
    made: list[tuple[int, bool]] = []

    def noted(recipe: Recipe, pixels: np.ndarray, **how: bool) -> bytes:
        made.append((len(pixels), threading.current_thread() is threading.main_thread()))
        return rebuild(recipe, pixels, **how)

    monkeypatch.setattr("bitswap_cli.archive.reading.opened.rebuild", noted)
    with ArchiveReader(tmp_path / "a") as reader:
        rows = [row.kind for table in reader.tables() for row in table.segments]
        assert rows.count("png-exact") > len(sizes)
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert sorted(made) == [(16, False), (24, False), (56, True)]
    assert tree(tmp_path / "in") == tree(tmp_path / "out" / "in")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_parts_of_files_are_what_the_table_tells(tmp_path: Path, part: int) -> None:
    """The CRC-32 of each counts what came before it."""
    data, parts, crc = b"abcdef", [], 0
    for offset in (0, 2, 4):
        crc = zlib.crc32(data[offset : offset + 2], crc)
        parts.append(ByteSegment(b"x", "file", 6, offset, 2, 0, crc))
    for wrong in (False, True):
        own = parts[part]._replace(crc=0) if wrong else parts[part]
        with ArchiveWriter(tmp_path / "a", Header.without_model(), force=True) as writer:
            for segment in (*parts[:part], own, *parts[part + 1 :]):
                piece = data[segment.offset : segment.offset + 2]
                writer.add(BYTE, encode_bytes([segment], piece), 1)
            writer.finish(Totals(1, 6, 0, 0))
            writer.commit()
        if not wrong:
            assert check(tmp_path / "a", None).bytes == 6
            with ArchiveReader(tmp_path / "a") as reader:
                assert [entry.crc for entry in reader.entries()] == [zlib.crc32(data)]
            continue
        with pytest.raises(ArchiveError, match="x does not come back as it was"):
            check(tmp_path / "a", None)
