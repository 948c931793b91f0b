"""Small pictures are laid as they are coded best, where the archive has room to say so."""

from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.format.segments import Extra, TileSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.writing.coders.orientation import choose_orientations
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.orientation import ORIENTATIONS, turn
from bitswap_cli.images.tiles import cut
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)


@pytest.fixture
def codec() -> ZlibCodec:
    return ZlibCodec(tile=32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures that the codec likes in one orientation only, each lying in another; large ones."""
    for k in range(16):
        pixels = turn(smooth(20, 31, seed=k), k % ORIENTATIONS)
        write(tmp_path / "in" / "small" / f"{k}.ppm", encoded(pixels, "PPM"))
    write(tmp_path / "in" / "large.ppm", encoded(turn(smooth(60, 70), 4), "PPM"))
    write(tmp_path / "in" / "notes.txt", b"no picture")
    return tmp_path / "in"


def header(codec: ZlibCodec, oriented: bool = True) -> Header:
    return header_for(codec)._replace(
        features=frozenset(["wide", "turned"] if oriented else ["wide"])
    )


def test_turned_pictures_come_back(tmp_path: Path, folder: Path, codec: ZlibCodec) -> None:
    plain = pack([folder], tmp_path / "a", codec, header(codec, oriented=False))
    turned = pack([folder], tmp_path / "b", codec, header(codec))
    assert turned.bytes_after < 0.9 * plain.bytes_after
    with ArchiveReader(tmp_path / "b") as reader:
        assert reader.header.oriented
        assert reader.header.features == header(codec).features | {"folders", "modes"}
        tables = [reader.table(chunk) for chunk in reader.chunks if chunk.tag == TILE]
        segments = [s for table in tables for s in table.segments if isinstance(s, TileSegment)]
        entries = {entry.name: entry.shape for entry in reader.entries()}
        verify(reader, codec_for(codec))
        unpack(reader, codec_for(codec), tmp_path / "out")
    assert_same(tree(folder), tree(tmp_path / "out" / "in"))
    lying = {s.name: s.orientation for s in segments}
    assert {lying[b"in/small/%d.ppm" % k] & 4 for k in range(16) if k & 4} == {4}
    assert lying[b"in/large.ppm"] == 0
    assert entries[b"in/small/0.ppm"] == (20, 31, 3)
    assert entries[b"in/small/4.ppm"] == (31, 20, 3)


def test_threads_change_no_byte(tmp_path: Path, folder: Path, codec: ZlibCodec) -> None:
    for threads in (1, 3):
        pack([folder], tmp_path / str(threads), codec, header(codec), threads=threads)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


def test_an_orientation_costs_what_it_tells(codec: ZlibCodec) -> None:
    """What lies the same way everywhere lies so at no cost; nothing is turned for nothing."""
    flat = [np.zeros((8, 8, 3), np.uint8)] * 5
    assert choose_orientations(codec, flat, 1) == [0] * 5
    upright = [turn(smooth(20, 31, seed=k), 4) for k in range(5)]
    assert {orientation & 4 for orientation in choose_orientations(codec, upright, 1)} == {4}


@pytest.mark.parametrize("oriented", [True, False])
def test_pictures_turned_where_there_is_no_room_to_say_so(
    tmp_path: Path, codec: ZlibCodec, oriented: bool
) -> None:
    pixels = smooth(20, 31)
    segment = TileSegment(b"x", "pnm", 31, 20, 3, 0, 1, 0, orientation=4)
    body, _ = encode_tiles(
        codec, [segment], *cut(pixels, 32, 32, 3), [Extra(0, b"P6 20 31 255\n", b"")]
    )
    with ArchiveWriter(tmp_path / "a", header(codec, oriented)) as writer:
        writer.add(TILE, body, 1)
        writer.finish(Totals(1, 2000, 1860, 0))
        writer.commit()
    with ArchiveReader(tmp_path / "a") as reader:
        if oriented:
            unpack(reader, codec_for(codec), tmp_path / "out")
        else:
            with pytest.raises(ArchiveError, match="does not announce"):
                verify(reader, codec_for(codec))
    if oriented:
        written = encoded(np.ascontiguousarray(pixels.swapaxes(0, 1)), "PPM")
        assert (tmp_path / "out" / "x").read_bytes()[-1860:] == written[-1860:]
