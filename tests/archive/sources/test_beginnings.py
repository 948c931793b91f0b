"""What the beginnings of files tell, and what becomes of large pictures that are held."""

import struct
import zlib
from pathlib import Path

import pytest

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import LARGE
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources import beginnings
from bitswap_cli.archive.sources.beginnings import begun
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.archive.writing.pack import pack_into
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.images.picture import MAX_LARGE, MAX_PIXELS
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)


def png_head(height: int, width: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + body + struct.pack(">I", zlib.crc32(body))


def test_what_they_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginnings, "MAX_FILE", 99)
    files = {
        "small.png": png_head(1 << 10, MAX_PIXELS >> 10),
        "large.png": png_head(1 << 10, (MAX_PIXELS >> 10) + 1) + bytes(99),
        "larger.png": png_head(1, MAX_LARGE + 1) + bytes(99),
        "large.qoi": b"qoif" + struct.pack(">IIBB", 1 << 13, (1 << 12) + 1, 3, 0) + bytes(99),
        "strips.pgm": b"P5 8192 4097 255\n",
        "rows.ppm": b"P6 9 9 65535\n" + bytes(99),
        "a.jpg": b"\xff\xd8\xff\xe0",
        "long.txt": b"text" * 99,
        "short.txt": b"text",
    }
    for name, data in files.items():
        write(tmp_path / "in" / name, data)
    with (tmp_path / "in" / "strips.pgm").open("r+b") as file:
        file.truncate(17 + 8192 * 4097)
    told = begun(collect([tmp_path / "in"]).sources)
    named = {name.decode()[3:] for name in told.held}
    assert named == {"small.png", "large.png", "large.qoi", "rows.ppm", "a.jpg", "short.txt"}
    assert told.jpegs == {b"in/a.jpg"} and told.strips.keys() == {b"in/strips.pgm"}
    assert LARGE in Catalogue([tmp_path / "in"]).features()
    (tmp_path / "in" / "strips.pgm").unlink()
    assert not Catalogue([tmp_path / "in"]).features() & {LARGE, "qoi"}  # these are damaged


@pytest.mark.parametrize("large", [True, False])
def test_large_pictures_need_the_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_PIXELS", 999)
    monkeypatch.setattr("bitswap_cli.images.formats.tiff.format._LARGE", 999)
    write(tmp_path / "in" / "a.png", bad_png(40, 61))
    write(tmp_path / "in" / "b.tif", encoded(smooth(61, 40), "TIFF"))
    write(tmp_path / "in" / "c.png", bad_png(24, 24))
    codec = ZlibCodec(chunk_tiles=20)
    catalogue = Catalogue([tmp_path / "in"])
    features = catalogue.features()
    assert LARGE in features
    header = header_for(codec).using(features - (set() if large else {LARGE, "samples"}))
    with ArchiveWriter(tmp_path / "a", header, catalogue.sources) as writer:
        report = pack_into(writer, catalogue, Codecs({0: codec}))
        writer.commit()
    assert report.kinds["file"] == (0 if large else 2)
    with ArchiveReader(tmp_path / "a") as reader:
        tiles = [one for c in reader.chunks if c.tag == TILE for one in reader.table(c).segments]
        assert {one.name[-5:-4] for one in tiles} == ({b"a", b"b", b"c"} if large else {b"c"})
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))
