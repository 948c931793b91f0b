"""Files that are kept lie together by their kind, in blocks that zstd looks back through."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import LONG, Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, MAX_CHUNK_BYTES
from bitswap_cli.archive.format.segments import ByteSegment, ByteTable
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.walk import collect
from bitswap_cli.archive.writing import blocks, squeezing
from bitswap_cli.archive.writing.blocks import Keeping, order
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.squeezing import squeezer
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError
from tests.archive.support import assert_same, check, codec_for, tree, write

QUICK = Keeping(level=3)


def _chunks(archive: Path) -> list[list[tuple[bytes, int]]]:
    """Names and lengths of what lies in each chunk."""
    with ArchiveReader(archive) as reader:
        tables = [reader.table(chunk) for chunk in reader.chunks]
    return [
        [(part.name, part.length) for part in table.segments]
        for table in tables
        if isinstance(table, ByteTable)
    ]


def _comes_back(tmp_path: Path, archive: Path) -> None:
    check(archive, None)
    with ArchiveReader(archive) as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert_same(tree(tmp_path / "in"), tree(tmp_path / "out" / "in"))


def test_files_of_one_kind_lie_together(tmp_path: Path) -> None:
    names = ["b.txt", "a.c", "sub/z.TXT", "sub/a.c", "README", ".hidden", "c.d/noext"]
    for name in names:
        write(tmp_path / "in" / name, name.encode())
    (tmp_path / "in" / "empty").mkdir()
    (tmp_path / "in" / "a link").symlink_to("README")
    sources = [source for source in collect([tmp_path / "in"]).sources if source.name != b"in"]
    found = sorted(sources, key=order)
    assert [source.name[3:].decode() for source in found] == [
        *("README", "c.d/noext", "a.c", "sub/a.c", ".hidden", "b.txt", "sub/z.TXT"),
        *("a link", "empty", "c.d", "sub"),
    ]
    pack([tmp_path / "in"], tmp_path / "a", None, Header.without_model())
    names = [name.decode() for chunk in _chunks(tmp_path / "a") for name, _ in chunk]
    assert [name[3:] for name in names if name != "in"] == [s.name[3:].decode() for s in found]


def test_what_is_far_away_is_found(tmp_path: Path) -> None:
    """20 MB that zstd cannot make smaller, and again, but for a byte: in one chunk."""
    data = bytearray(os.urandom(20_000_000))
    write(tmp_path / "in" / "a", bytes(data))
    data[0] ^= 1
    write(tmp_path / "in" / "b", bytes(data))
    report = pack([tmp_path / "in"], tmp_path / "a", None, Header.without_model())
    assert report.bytes_after < 20_100_000
    with ArchiveReader(tmp_path / "a") as reader:
        assert LONG in reader.header.features and len(reader.chunks) == 1
    _comes_back(tmp_path, tmp_path / "a")
    small = pack([tmp_path / "in"], tmp_path / "b", None, Header.without_model(),
                 keeping=Keeping(MAX_CHUNK_BYTES))  # fmt: skip
    assert small.bytes_after > 39_000_000
    with ArchiveReader(tmp_path / "b") as reader:
        assert LONG not in reader.header.features


def test_what_does_not_become_smaller_lies_in_small_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MAX_CHUNK_BYTES", 10_000)
    for number in range(7):
        write(tmp_path / "in" / f"{number}.jpg", os.urandom(4000))
        write(tmp_path / "in" / f"{number}.txt", b"%d" % number * 4000)
    write(tmp_path / "in" / "large.jpg", os.urandom(12_000))
    header = Header.without_model().using([LONG])
    pack([tmp_path / "in"], tmp_path / "a", None, header)
    lengths = [[length for _, length in chunk] for chunk in _chunks(tmp_path / "a")]
    assert lengths == [[4000] * 2, [4000] * 2, [4000] * 2, [4000], [12_000], [*[4000] * 7, 0]]
    _comes_back(tmp_path, tmp_path / "a")


@pytest.mark.parametrize("dense", [False, True])
def test_parts_of_a_file_follow_each_other(tmp_path: Path, dense: bool) -> None:
    """Whatever is open beside it."""
    rng = np.random.default_rng(0)
    for number in range(9):
        write(tmp_path / "in" / f"{number}a", rng.bytes(1500))
        write(tmp_path / "in" / f"{number}b", bytes([number]) * 1400)
    write(tmp_path / "in" / "5", rng.bytes(9000) if dense else b"x" * 8999 + b"y")
    keeping = Keeping(4000)
    pack([tmp_path / "in"], tmp_path / "a", None, Header.without_model(), keeping=keeping)
    chunks = _chunks(tmp_path / "a")
    assert max(sum(length for _, length in chunk) for chunk in chunks) <= 4000
    places = [k for k, chunk in enumerate(chunks) if any(name == b"in/5" for name, _ in chunk)]
    assert places == list(range(places[0], places[0] + 3))
    _comes_back(tmp_path, tmp_path / "a")


def test_bytes_do_not_depend_on_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squeezing, "_JOBS", (1 << 19, 1 << 20))
    words = [b"%d " % number for number in np.random.default_rng(1).integers(0, 9999, 900_000)]
    write(tmp_path / "in" / "a", b"".join(words))
    archives = set()
    for threads in (1, 2, 3):
        path = tmp_path / f"{threads}"
        header = Header.without_model()
        pack([tmp_path / "in"], path, None, header, keeping=QUICK, threads=threads)
        archives.add(path.read_bytes())
    assert len(archives) == 1
    _comes_back(tmp_path, tmp_path / "3")


def test_the_feature_is_named_where_it_may_be_needed(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a", b"a" * (MAX_CHUNK_BYTES // 2))
    write(tmp_path / "in" / "b", b"a" * (MAX_CHUNK_BYTES // 2))
    assert LONG not in Catalogue([tmp_path / "in"], pixels=True).features()  # they are equal
    assert LONG in Catalogue([tmp_path / "in"]).features()  # pictures have more bytes than files
    write(tmp_path / "in" / "c", b"b" * (MAX_CHUNK_BYTES // 2 + 1))
    for pixels in (True, False):
        assert LONG in Catalogue([tmp_path / "in"], pixels=pixels).features()
        assert LONG not in Catalogue([tmp_path / "in"], pixels=pixels).features(MAX_CHUNK_BYTES)


def test_long_chunks_are_announced(tmp_path: Path) -> None:
    """And none is longer than a block."""
    small, large = 1 << 24, 1 << 27
    for name, size, features in (("a", small, []), ("b", small + 1, [LONG]), ("c", large, [LONG])):
        path = of_zeros(tmp_path / name, size, features)
        assert check(path, None).bytes == size
    for name, size, features in (("d", small + 1, []), ("e", large + 1, [LONG])):
        path = of_zeros(tmp_path / name, size, features)
        with pytest.raises(ArchiveError, match="tells long though its header|malformed"):
            check(path, None)


def of_zeros(path: Path, size: int, features: list[str]) -> Path:
    """Write an archive of one chunk of zeros."""
    segment = ByteSegment(b"x", "file", size, 0, size, 0, zlib.crc32(bytes(size)))
    squeeze = zstandard.ZstdCompressor(level=1).compress
    with ArchiveWriter(path, Header.without_model().using(features)) as writer:
        writer.add(BYTE, encode_bytes([segment], bytes(size), squeeze), 1)
        writer.finish(Totals(1, size, 0, 0))
        writer.commit()
    return path


def test_what_is_all_zero_takes_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holes of a large file, as a rule: a high level is slow at them and gains nothing."""
    levels: list[int] = []

    def squeeze(level: int, size: int, threads: int) -> Callable[[Buffer], bytes]:
        levels.append(level)
        return squeezer(level, size, threads)

    monkeypatch.setattr(blocks, "squeezer", squeeze)
    monkeypatch.setattr(squeezing, "QUICK_SIZE", 10_000)
    write(tmp_path / "in" / "x", bytes(50_001) + b"1" + bytes(49_998))
    keeping = Keeping(25_000)
    pack([tmp_path / "in"], tmp_path / "a", None, Header.without_model(), keeping=keeping)
    assert levels == [3, 3, 19, 3, 19], "the last is that of the folder"
    _comes_back(tmp_path, tmp_path / "a")
