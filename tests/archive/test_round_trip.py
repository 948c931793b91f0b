"""Whole archives: everything comes back, nothing takes more room than it did."""

import os
import signal
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.segments import TileTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.report import UnpackReport
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.contract import Integers, Samples
from bitswap_cli.errors import ArchiveError, InputError, PartialError
from tests.archive.support import (
    ZlibCodec,
    assert_same,
    bad_png,
    build_zoo,
    codec_for,
    encoded,
    header_for,
    smooth,
    tree,
    write,
)


def restored(
    archive: Path, directory: Path, codec: ZlibCodec | None, **options: Any
) -> UnpackReport:
    with ArchiveReader(archive) as reader:
        return unpack(reader, codec_for(codec), directory, **options)


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    build_zoo(tmp_path / "in" / "zoo")
    return tmp_path / "in" / "zoo"


@pytest.mark.parametrize("channels", [1, 3, None])
def test_hostile_zoo_comes_back(tmp_path: Path, zoo: Path, channels: int | None) -> None:
    codec = ZlibCodec(channels) if channels else None
    header = header_for(codec) if codec else Header.without_model()
    seen = []
    report = pack(
        [zoo],
        tmp_path / "a",
        codec,
        header,
        progress=lambda done, total: seen.append((done, total)),
    )
    before = tree(tmp_path / "in")
    assert report.entries == len(before)
    assert report.bytes_before == sum(len(data) for _, data, _ in before.values())
    assert report.bytes_after == (tmp_path / "a").stat().st_size < report.bytes_before
    assert seen[-1] == (report.bytes_before, report.bytes_before)
    assert (report.samples > 0) == (codec is not None)
    with ArchiveReader(tmp_path / "a") as reader:
        # there are a GIF and an animated PNG, which may be pictures, and gray in three channels
        used = ["apng", "folders", "gif", "lattice", "modes", "samples"]
        assert reader.header == header._replace(features=frozenset(used))
        entries = {entry.name: entry for entry in reader.entries()}
        assert reader.totals is not None
        assert reader.totals.entries == len(entries)
        assert reader.totals.samples == report.samples
        checked = verify(reader, codec_for(codec))
    assert (checked.entries, checked.samples) == (report.entries, report.samples)
    assert checked.bytes > 0
    assert sorted(os.listdir(tmp_path)) == ["a", "in"]
    restored(tmp_path / "a", tmp_path / "out", codec)
    after = tree(tmp_path / "out")
    assert_same(before, after)
    for name, entry in entries.items():
        kind, data, _ = before[name]
        told = entry.exact or not entry.shape
        assert (entry.size, entry.crc) == ((len(data), zlib.crc32(data)) if told else (None, None))
        assert not entry.exact or after[name][1] == data
        assert (entry.kind in ("dir", "link")) == (kind != "file")
    if channels == 3:
        assert entries[b"zoo/300x17.png"].shape == (300, 17, 3)
        assert entries[b"zoo/gray.pgm"].kind == "pnm"
        assert not entries[b"zoo/metadata.png"].exact
        assert entries[b"zoo/flat.bmp"].kind == "file"
        assert entries[b"zoo/big.ppm"].kind == "pnm"
    assert not any(name.startswith(".bitswap") for name in os.listdir(tmp_path / "out" / "zoo"))


def test_threads_do_not_change_the_archive(tmp_path: Path, zoo: Path) -> None:
    archives = []
    for threads in (1, 2, 5):
        codec = ZlibCodec()
        path = tmp_path / f"{threads}"
        pack([zoo], path, codec, header_for(codec), threads=threads)
        archives.append(path.read_bytes())
        restored(path, tmp_path / f"out{threads}", codec, threads=threads)
        assert_same(tree(zoo), tree(tmp_path / f"out{threads}" / "zoo"))
    assert archives[0] == archives[1] == archives[2]


def test_large_picture_spans_chunks(tmp_path: Path) -> None:
    codec = ZlibCodec(factors=(1,))
    write(tmp_path / "in" / "large.ppm", encoded(smooth(100, 200), "PPM"))
    write(tmp_path / "in" / "small.png", bad_png(16, 16))
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec), threads=2)
    assert max(codec.coded_tiles) <= codec.chunk_tiles
    with ArchiveReader(tmp_path / "a") as reader:
        assert [chunk.tag for chunk in reader.chunks] == [b"TILE"] * 10 + [b"BYTE"]
        assert [entry.name for entry in reader.entries()] == [b"in/large.ppm", b"in/small.png"]
    restored(tmp_path / "a", tmp_path / "out", codec)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_tiles_are_as_large_as_their_picture_allows(tmp_path: Path) -> None:
    codec = ZlibCodec(factors=(1, 2, 4))
    shapes = {
        "a": (8, 8),
        "b": (16, 16),
        "c": (64, 96),
        "d": (33, 33),
        "e": (9, 64),
        "f": (200, 90),
    }
    for name, shape in shapes.items():
        write(tmp_path / "in" / f"{name}.ppm", encoded(smooth(*shape), "PPM"))
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec), threads=2)
    factors: dict[str, int] = {}
    with ArchiveReader(tmp_path / "a") as reader:
        for chunk in reader.chunks.only([b"TILE"]):
            table = reader.table(chunk)
            assert isinstance(table, TileTable)
            factors |= {segment.name[3:4].decode(): table.factor for segment in table.segments}
    assert factors == {"a": 1, "b": 2, "c": 4, "d": 1, "e": 2, "f": 4}
    restored(tmp_path / "a", tmp_path / "out", codec)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_large_picture_that_loses_is_kept_as_bytes(tmp_path: Path, codec: ZlibCodec) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3)).astype(np.uint8)
    write(tmp_path / "in" / "noise.ppm", encoded(noise, "PPM"))
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert report.kinds == {"file": 1}
    assert report.bytes_after < report.bytes_before + 420
    restored(tmp_path / "a", tmp_path / "out", None)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_only_the_chunk_with_a_loser_is_coded_again(tmp_path: Path) -> None:
    codec = ZlibCodec(chunk_tiles=8, factors=(1,))
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    for name in "abdef":
        write(tmp_path / "in" / f"{name}.png", bad_png(16, 16, seed=ord(name)))
    write(tmp_path / "in" / "c.ppm", encoded(noise, "PPM"))
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert codec.coded_tiles == [8, 8, 4, 8]
    assert report.kinds == {"png": 5, "file": 1}
    restored(tmp_path / "a", tmp_path / "out", codec)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_a_picture_that_loses_much_takes_no_other_with_it(tmp_path: Path) -> None:
    codec = ZlibCodec(chunk_tiles=1000, factors=(1,))
    noise = np.random.default_rng(0).integers(0, 256, (64, 208, 3)).astype(np.uint8)
    # zstd sees the repetition, the codec does not
    write(tmp_path / "in" / "again.ppm", encoded(np.concatenate([noise] * 3), "PPM"))
    write(tmp_path / "in" / "winner.png", bad_png(16, 16))
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert len(codec.coded_tiles) == 2  # both pictures, then the winner
    assert report.kinds == {"png": 1, "file": 1}
    restored(tmp_path / "a", tmp_path / "out", codec)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_large_file_spans_chunks(tmp_path: Path, codec: ZlibCodec) -> None:
    rng = np.random.default_rng(0)
    for name, size in (("a", 300), ("b", 4500), ("c", 1000), ("d", 999), ("e", 2000), ("f", 0)):
        write(tmp_path / "in" / name, rng.bytes(size))
    write(tmp_path / "in" / "bb.png", bad_png(16, 16))
    small = Keeping(1000)
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec), keeping=small)
    with ArchiveReader(tmp_path / "a") as reader:
        assert len(reader.chunks) > 8
        assert verify(reader, codec_for(codec)).entries == report.entries
    restored(tmp_path / "a", tmp_path / "out", codec)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_no_entry_takes_more_room_than_its_file(tmp_path: Path, codec: ZlibCodec) -> None:
    pack_nothing = pack([_file(tmp_path / "e", b"")], tmp_path / "0", codec, header_for(codec))
    framing = pack_nothing.bytes_after
    for number, data in enumerate([b"x", os.urandom(5000), encoded(smooth(1, 1)), b"a" * 9999]):
        report = pack(
            [_file(tmp_path / "e", data)], tmp_path / "1", codec, header_for(codec), force=True
        )
        row = len("checksumsizecrc") + 3 + 5 + 3 + 5 + 5  # columns that an empty file does not need
        assert report.bytes_after <= framing + len(data) + row, number


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_table_takes_few_bytes_an_entry(tmp_path: Path) -> None:
    codec = ZlibCodec(1, 28, 5000, swallow=0)
    rng = np.random.default_rng(0)
    mtime = 1_700_000_000_000_000_000
    for number in range(1000):
        mtime += int(rng.integers(80_000, 90_000))
        path = tmp_path / "in" / f"{number:05}.png"
        write(path, bad_png(28, 28, 1, number), mtime)
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert report.tile_entries == 1000
    assert (report.bytes_after - codec.words_length) / 1000 < 4


def test_select(tmp_path: Path, zoo: Path, codec: ZlibCodec) -> None:
    pack([zoo], tmp_path / "a", codec, header_for(codec))
    restored(tmp_path / "a", tmp_path / "out", codec, select=["zoo/nested", "zoo/big.ppm"])
    everything = tree(zoo)
    wanted = {n: v for n, v in everything.items() if n.startswith(b"nested") or n == b"big.ppm"}
    assert_same(wanted, tree(tmp_path / "out" / "zoo"))
    with pytest.raises(InputError, match="no entry zoo/none"):
        restored(tmp_path / "a", tmp_path / "out2", codec, select=["zoo/none"])
    assert not (tmp_path / "out2").exists()


def test_existing_archive_is_not_replaced_without_force(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x", b"1")
    write(tmp_path / "a", b"precious")
    with pytest.raises(InputError, match="exists already; use --force"):
        pack([tmp_path / "x"], tmp_path / "a", codec, header_for(codec))
    assert (tmp_path / "a").read_bytes() == b"precious"
    pack([tmp_path / "x"], tmp_path / "a", codec, header_for(codec), force=True)
    assert sorted(os.listdir(tmp_path)) == ["a", "x"]
    with pytest.raises(InputError, match="a folder is there"):
        pack([tmp_path / "x"], tmp_path, codec, header_for(codec), force=True)
    with pytest.raises(InputError, match="cannot write"):
        pack([tmp_path / "x"], tmp_path / "no" / "a", codec, header_for(codec))


def test_existing_output_is_not_replaced_without_force(tmp_path: Path, codec: ZlibCodec) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "in" / name, name.encode())
    pack([tmp_path / "in"], tmp_path / "archive", codec, header_for(codec))
    write(tmp_path / "out" / "in" / "b", b"precious")
    with pytest.raises(InputError, match="b exists already; use --force"):
        restored(tmp_path / "archive", tmp_path / "out", codec)
    assert tree(tmp_path / "out").keys() == {b"in/b"}
    assert (tmp_path / "out" / "in" / "b").read_bytes() == b"precious"
    restored(tmp_path / "archive", tmp_path / "out", codec, force=True)
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def limit_file_size(size: int) -> Callable[[], None]:
    resource = pytest.importorskip("resource", reason="this system limits no file")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_full_leaves_nothing(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x", os.urandom(50_000))
    pack([tmp_path / "x"], tmp_path / "good", codec, header_for(codec))
    lift = limit_file_size(20_000)
    try:
        with pytest.raises(InputError, match="cannot write"):
            pack([tmp_path / "x"], tmp_path / "a", codec, header_for(codec))
        with pytest.raises(InputError, match="cannot write"):
            restored(tmp_path / "good", tmp_path / "out", codec)
    finally:
        lift()
    assert sorted(os.listdir(tmp_path)) == ["good", "out", "x"]
    assert os.listdir(tmp_path / "out") == []


def test_interrupted_pack_leaves_nothing(
    tmp_path: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.png", bad_png(40, 40))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(codec, "encode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        pack([tmp_path / "x.png"], tmp_path / "a", codec, header_for(codec))
    assert os.listdir(tmp_path) == ["x.png"]


def test_link_that_points_outside_is_refused(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "in" / "file", b"1")
    os.symlink("/etc/passwd", tmp_path / "in" / "absolute")
    os.symlink("../../x", tmp_path / "in" / "climbing")
    os.symlink("file", tmp_path / "in" / "good")
    report = pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    assert len(report.notes) == 2
    with ArchiveReader(tmp_path / "a") as reader:
        assert verify(reader, codec_for(codec)).entries == 4
    with pytest.raises(PartialError, match=r"in/absolute \(a link to /etc/passwd, outside"):
        restored(tmp_path / "a", tmp_path / "out", codec)
    assert tree(tmp_path / "out").keys() == {b"in/file", b"in/good"}


def test_nothing_is_written_through_a_link(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "in" / "sub" / "file", b"1")
    pack([tmp_path / "in"], tmp_path / "a", codec, header_for(codec))
    os.makedirs(tmp_path / "out" / "in")
    os.makedirs(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", tmp_path / "out" / "in" / "sub")
    with pytest.raises(InputError, match="refusing to write through the link"):
        restored(tmp_path / "a", tmp_path / "out", codec, force=True)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_header_that_disagrees_with_the_model(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x.png", bad_png(40, 40))
    pack([tmp_path / "x.png"], tmp_path / "a", codec, header_for(codec))
    with pytest.raises(ArchiveError, match="tiles in its header"):
        restored(tmp_path / "a", tmp_path / "out", ZlibCodec(tile=9))


def test_wrong_pixels_do_not_go_unnoticed(
    tmp_path: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.png", bad_png(40, 40))
    pack([tmp_path / "x.png"], tmp_path / "a", codec, header_for(codec))
    real = codec.decode

    def wrong(words: bytes, sizes: Integers, factor: int) -> tuple[Samples, bytes]:
        tiles, payload = real(words, sizes, factor)
        tiles[-1, 0, 0, 0] ^= 1
        return tiles, payload

    monkeypatch.setattr(codec, "decode", wrong)
    with pytest.raises(ArchiveError, match="pixels were decoded wrongly"):
        restored(tmp_path / "a", tmp_path / "out", codec)
    assert tree(tmp_path / "out") == {}
