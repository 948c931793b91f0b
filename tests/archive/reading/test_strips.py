"""Pictures that are too large to be held: what a reader refuses, and what damage leaves of them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitswap_cli.archive.format.chunks import encode_tiles
from bitswap_cli.archive.format.header import LARGE, TURNED
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import TILE
from bitswap_cli.archive.format.segments import Extra, TileSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.contract import Tiles
from bitswap_cli.errors import ArchiveError, PartialError
from bitswap_cli.images import strips
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.picture import MAX_LARGE, MAX_PIXELS, MAX_ROWS
from tests.archive.support import (
    ZlibCodec,
    check,
    codec_for,
    encoded,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)

HEIGHT, WIDTH = 1 << 21, 1 << 10
"""Of the largest picture, of which archives here have the first tiles."""


def written(where: Path, features: set[str], **change: Any) -> Path:
    """An archive of four tiles of a picture of the largest size, as a table tells it."""
    told = {"height": HEIGHT, "width": WIDTH} | change
    segment = TileSegment(b"x", "pnm", 0, 0, 1, 0, 4, 1 << 31, crc=1)._replace(**told)
    tiles = Tiles(np.zeros((4, 8, 8, 1), np.uint8), np.array([[8, 8, 1]] * 4, np.int32))
    prefix = b"P5 %d %d 255\n" % (segment.width, segment.height)
    codec = ZlibCodec(1)
    body, _ = encode_tiles(codec, [segment], *tiles, [Extra(0, prefix, b"")])
    with ArchiveWriter(where / "a", header_for(codec).using(features)) as writer:
        writer.add(TILE, body, 1)
        writer.finish(Totals(1, 0, 0, 0))
        writer.commit()
    return where / "a"


@pytest.mark.parametrize(
    ("features", "change", "why"),
    [
        ({LARGE}, {}, "only a part"),
        ({LARGE, TURNED}, {}, "only a part"),
        (set(), {}, "does not announce"),
        (set(), {"height": MAX_PIXELS // WIDTH + 1}, "does not announce"),
        ({LARGE, DESCRIBED}, {"kind": "png-exact"}, "malformed"),
        (
            {DESCRIBED},
            {"kind": "png-exact", "height": MAX_PIXELS // WIDTH + 1},
            "does not announce",
        ),
        ({LARGE, DESCRIBED}, {"kind": "png-exact", "height": MAX_LARGE // WIDTH}, "only a part"),
        ({LARGE}, {"orientation": 3}, "does not announce"),
        ({LARGE}, {"orientation": 2}, "does not lie as in its file"),
        ({LARGE, TURNED}, {"orientation": 1}, "does not lie as in its file"),
        ({LARGE}, {"height": HEIGHT + 1}, "malformed"),
        ({LARGE}, {"width": WIDTH + 1}, "malformed"),
        ({LARGE}, {"height": 1 << 61, "width": 1 << 61}, "malformed"),
        ({LARGE}, {"height": MAX_ROWS >> 19, "width": 1 << 19}, "malformed"),
        ({LARGE}, {"height": 1 << 62, "width": 0}, "malformed"),
    ],
)
def test_what_a_reader_refuses(
    tmp_path: Path, features: set[str], change: dict[str, Any], why: str
) -> None:
    path = written(tmp_path, features, **change)
    with pytest.raises(ArchiveError, match=why):
        check(path, ZlibCodec(1))
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match=why):
        unpack(reader, codec_for(ZlibCodec(1)), tmp_path / "out")
    with pytest.raises(PartialError):
        rescue(path, ZlibCodec(1), tmp_path / "out")
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("chunk", [0, 1, 3])
def test_one_that_misses_a_part_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(strips, "MAX_PIXELS", 999)
    codec = ZlibCodec(chunk_tiles=20, factors=(1,))
    for name in "ab":
        write(tmp_path / "in" / name, encoded(smooth(70, 61), "PPM"))
    write(tmp_path / "in" / "b", encoded(smooth(61, 70), "PPM"))
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        place = reader.chunks[chunk].offset + reader.chunks[chunk].length
    data = bytearray((tmp_path / "a").read_bytes())
    data[place] ^= 1
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(PartialError, match="not restored: in/a"):
        rescue(tmp_path / "a", codec, tmp_path / "out")
    kept = tree(tmp_path / "out")
    assert kept.keys() == {b"in/b"} and kept[b"in/b"] == tree(tmp_path)[b"in/b"]
