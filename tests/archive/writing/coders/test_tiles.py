"""Pictures on their way into TILE chunks: those whose descriptions are told in parts, one in each
chunk that holds some of their tiles."""

from pathlib import Path

import numpy as np
import pytest

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.header import TWINS
from bitswap_cli.archive.format.segments import Extra, Segment, TileSegment
from bitswap_cli.archive.reading import opened
from bitswap_cli.archive.reading.opened import Begun, OpenPicture
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import high_bits
from bitswap_cli.images.formats.format import DESCRIBED
from bitswap_cli.images.formats.high_bits import FEATURES, IN_PARTS
from bitswap_cli.images.tiles import count_tiles
from tests.archive.support import ZlibCodec, check, codec_for, header_for, smooth, tree, write
from tests.images.formats.samples import array_file

FEW = ZlibCodec(channels=3, chunk_tiles=20, factors=(1,))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no recipe of more than 500 bytes be told at once."""
    monkeypatch.setattr(high_bits, "MAX_RECIPE", 500)


def deep(height: int, width: int, seed: int) -> np.ndarray:
    """Smooth pictures of 12 bits with noise in their lower bits."""
    noise = np.random.default_rng(seed).integers(0, 16, (height, width, 3), np.uint16)
    found: np.ndarray = smooth(height, width, seed=seed).astype(np.uint16) << 4 | noise
    return found


def packed(folder: Path, threads: int = 1) -> ArchiveReader:
    header = header_for(FEW).using([DESCRIBED, TWINS, *FEATURES])
    archive = folder / f"a{threads}"
    report = pack([folder / "in"], archive, FEW, header, threads=threads)
    assert report.kinds["high-bits-parts-exact"]
    return ArchiveReader(archive)


def test_they_come_back_from_one_chunk_or_many(tmp_path: Path) -> None:
    """And with twins, by any number of threads, in equal archives."""
    for name, pixels in {
        "a": deep(61, 50, 1), "b": deep(30, 30, 2), "c": deep(61, 50, 1), "d": deep(9, 9, 3)
    }.items():  # fmt: skip
        write(tmp_path / "in" / f"{name}.npy", array_file(pixels))
        write(tmp_path / "in" / f"{name}.ppm", _ppm(pixels))
    for threads in (1, 3):
        with packed(tmp_path, threads) as reader:
            assert {IN_PARTS, TWINS} < reader.header.features
            rows = [row for table in reader.tables() for row in table.segments]
            assert sum(row.name.endswith(b"a.npy") for row in rows) > 1
            out = tmp_path / f"out{threads}"
            unpack(reader, codec_for(FEW), out, threads=threads)
            assert tree(out / "in") == tree(tmp_path / "in")
    assert (tmp_path / "a1").read_bytes() == (tmp_path / "a3").read_bytes()


def test_the_feature_is_named_only_where_there_are_parts(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.npy", array_file(deep(16, 16, 1) >> 1))
    header = header_for(FEW).using([DESCRIBED, *FEATURES])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(high_bits, "MAX_RECIPE", 1 << 23)
        pack([tmp_path / "in"], tmp_path / "a", FEW, header)
    with ArchiveReader(tmp_path / "a") as reader:
        assert not any(row.kind.startswith("high-bits-parts") for row in _rows(reader))


def test_a_part_more_than_samples_have_need_of_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many chunks a hostile archive spreads them over."""
    write(tmp_path / "in" / "a.npy", array_file(deep(61, 50, 1)))
    packed(tmp_path).close()
    monkeypatch.setattr(opened, "MAX_RECIPE", -61 * 50 * 3 // 2)
    with pytest.raises(ArchiveError, match="only a part of"):
        check(tmp_path / "a1", FEW)


def test_parts_are_put_together_once_at_the_end() -> None:
    """A hostile archive may tell one of each tile: time is not to grow by their square."""
    rows = [
        TileSegment(b"a", "high-bits-parts-exact", 61, 50, 1, first, 1, 0, 0, None, NONE, 0)
        for first in range(count_tiles(61, 50, 8, 4))
    ]
    tiles = np.zeros((1, 8, 4, 1), np.uint8)
    parts = [Extra(0, b"", b"", bytes([number])) for number in range(count_tiles(61, 50, 8, 4))]
    picture = OpenPicture([Begun(rows[0], parts[0])], tiles)
    begun = picture.files
    for row, part in zip(rows, parts, strict=True):
        assert picture.files is begun
        picture.add([row], tiles, [part])
    assert picture.whole
    assert picture.files[0].extra == Extra(0, b"", b"", bytes(range(len(parts))))


def _ppm(pixels: np.ndarray) -> bytes:
    return b"P6 %d %d 4095\n" % pixels.shape[1::-1] + pixels.astype(">u2").tobytes()


def _rows(reader: ArchiveReader) -> list[Segment]:
    return [row for table in reader.tables() for row in table.segments]
