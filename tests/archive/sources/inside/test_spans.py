"""Files in files in files, and large ones in sections: all come back, all at once and alone."""

import gzip
import os
import zlib
from collections import Counter
from pathlib import Path

import pytest

from bitswap_cli.api.archive import Archive
from bitswap_cli.api.describe import entries
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import COPIES, EMBEDDED, NESTED, STREAMS, Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.names import MAX_DEPTH, depth_of, file_of, member_name
from bitswap_cli.archive.format.sections import BYTE
from bitswap_cli.archive.format.segments import ByteSegment, Segment
from bitswap_cli.archive.format.values.pieces import pack_pieces
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.spool import Spool
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, InputError
from tests.archive.reading.test_members import EXACT, hostile, row
from tests.archive.support import ZlibCodec, bad_png, check, codec_for, encoded, smooth, tree, write
from tests.archive.writing.test_hosted import (
    BMP,
    OTHER,
    PNG,
    TEXTS,
    archived,
    each_comes_back,
    zipped,
)

TIFF = encoded(smooth(50, 60), "TIFF", compression="tiff_deflate")
SPANS = "bitswap_cli.archive.sources.inside.spans"


def packed_twice(*inside: bytes) -> bytes:
    return gzip.compress(b"<".join(zlib.compress(one) for one in inside), mtime=0)


def segments(path: Path) -> list[Segment]:
    with ArchiveReader(path) as reader:
        return [one for chunk in reader.chunks for one in reader.table(chunk).segments]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """ZIP in ZIP and in gzip, what is equal in several, and pictures that are streams inside."""
    inner = zipped([*TEXTS, BMP], picture=True)
    write(tmp_path / "in" / "a.zip", zipped([inner, TEXTS[0], zipped([inner])]), 5)
    write(tmp_path / "in" / "b.gz", gzip.compress(b"x" + inner + OTHER + inner, mtime=0), 6)
    write(tmp_path / "in" / "c", b"-" + zlib.compress(inner) + zlib.compress(inner) + PNG, 7)
    write(tmp_path / "in" / "d.zip", zipped([TIFF, encoded(smooth(9, 9), "TIFF")]), 8)
    write(tmp_path / "in" / "e.gz", packed_twice(TEXTS[0], BMP), 9)
    write(tmp_path / "in" / "f.gz", packed_twice(TEXTS[1], OTHER), 9)
    return tmp_path


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_no_more_is_inflated_than_a_file_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, levels: int
) -> None:
    """Outer streams come before those that lie in them; each file has its own share."""
    for name in (b"a", b"b"):
        texts = [name]
        for text in TEXTS[:3]:
            texts.append(gzip.compress(texts[-1] + name + text, mtime=0))
        write(tmp_path / "in" / os.fsdecode(name), texts[-1], 5)
    hosts = "bitswap_cli.archive.sources.inside.hosts."
    monkeypatch.setattr(hosts + "_MOST_TIMES", 0)
    sizes = [len(below + text) + 1 for below, text in zip(texts, TEXTS, strict=False)]
    monkeypatch.setattr(hosts + "_FREE", sum(sizes[3 - levels : 3]))
    found = Catalogue([tmp_path / "in"], pixels=False).hosts
    assert Counter(map(file_of, found)) == {b"in/a": levels, b"in/b": levels}
    archived(tmp_path)


def test_what_lies_deep_comes_back(folder: Path) -> None:
    assert archived(folder)["unfolded"] >= 5
    names = {one.name: one.kind for one in segments(folder / "a")}
    assert max(map(depth_of, names)) >= 3
    with ArchiveReader(folder / "a") as reader:
        assert NESTED in reader.header.features
    inside = {name: told.inside for name, told in each_comes_back(folder).items()}
    assert {one.name: one.inside for one in entries(folder / "a")} == {
        os.fsencode(name): count for name, count in inside.items()
    }
    assert inside["in/e.gz"] == 1


def test_threads_change_nothing(folder: Path) -> None:
    for threads in (1, 3):
        pack([folder / "in"], folder / str(threads), ZlibCodec(), EXACT, threads=threads)
    assert (folder / "1").read_bytes() == (folder / "3").read_bytes()


def test_nothing_is_kept_apart_for_nothing(tmp_path: Path) -> None:
    """Where nothing lies in what lies in something, all is as it was; nor is a picture a host."""
    noise = zlib.compress(os.urandom(999))
    write(tmp_path / "in" / "a.gz", gzip.compress(noise, mtime=0))
    write(tmp_path / "in" / "b.gz", gzip.compress(TEXTS[0] * 9 + noise, mtime=0))
    write(tmp_path / "in" / "c.gz", gzip.compress(TIFF, mtime=0))
    catalogue = Catalogue([tmp_path / "in"])
    assert NESTED not in catalogue.features() and not catalogue.kept
    members = {
        name: [one.source.size for part in parts for one in part.members]
        for name, parts in catalogue.hosts.items()
    }
    assert members == {b"in/b.gz": [], b"in/c.gz": [len(TIFF)]}


def test_large_files_come_in_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which those without anything inside are kept as files, as is all of a file without."""
    monkeypatch.setattr(f"{SPANS}.MAX_BLOCK", 50_000)
    monkeypatch.setattr(f"{SPANS}._SECTION", 20_000)
    pictures = [bad_png(40 + k, 40, seed=k) for k in range(9)]
    texts = [TEXTS[k % 3] * (k + 1) for k in range(9)]
    rest = os.urandom(70_000)
    between = [zlib.compress(text) + b"-" + one for text, one in zip(texts, pictures, strict=True)]
    whole = b"head" + b"".join(between) + rest + zlib.compress(BMP) + PNG
    write(tmp_path / "in" / "a", whole, 7)
    write(tmp_path / "in" / "b.gz", gzip.compress(whole[:90_000], mtime=0), 8)
    write(tmp_path / "in" / "c", rest * 2, 9)
    write(tmp_path / "in" / "d", rest + whole, 9)
    assert archived(tmp_path) == {"host": 3, "file": 1}
    kept = Catalogue([tmp_path / "in"]).kept
    sizes = [one.size for name, one in kept.items() if name.startswith(b"in/a//")]
    assert sum(sizes) == len(whole) and len(sizes) > 5 and max(sizes) <= 20_000
    kinds = {one.kind for one in segments(tmp_path / "a") if one.name.startswith(b"in/a//")}
    assert kinds >= {"file", "unfolded", "png-exact"}


def test_what_no_chunk_has_room_for_is_a_file_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAX_BLOCK", "MAX_CHUNK_BYTES"):
        monkeypatch.setattr(f"bitswap_cli.archive.writing.blocks.{name}", 5000)
    inner = zlib.compress(TEXTS[0]) + os.urandom(9000) + zlib.compress(TEXTS[1])
    write(tmp_path / "in" / "a.gz", gzip.compress(inner, mtime=0))
    assert archived(tmp_path) == {"unfolded": 1}
    inside = [one.kind for one in segments(tmp_path / "a") if one.name == b"in/a.gz//000000"]
    assert inside == ["file"] * 3


def test_hardly_anything_inside_is_no_reason_for_sections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{SPANS}.MAX_BLOCK", 50_000)
    write(tmp_path / "in" / "a", os.urandom(64 * len(PNG)) + PNG)
    assert archived(tmp_path) == {"file": 1}


def test_a_full_disk_leaves_streams_as_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(spool: Spool, data: bytes) -> int:
        raise InputError("cannot write a temporary file: No space left on device")

    monkeypatch.setattr(Spool, "add", full)
    assert archived(folder)["file"] >= 2
    assert not Catalogue([folder / "in"]).kept


DEEP = [row(b"a//000000//000000", "file", 3, b"abc")]


def test_an_archive_by_hand(tmp_path: Path) -> None:
    """A host in a host, and one that is a copy."""
    host = pack_pieces([0], [1], b"-")
    rows = [
        *DEEP,
        row(b"a//000000", "host", 4, host),
        row(b"a//000001", "copy", 0, b"", b"a//000000"),
        row(b"a", "host", 9, pack_pieces([0, 1], [0, 1], b"-")),
    ]
    whole = b"-abc--abc"
    rows[-1] = (rows[-1][0]._replace(crc=zlib.crc32(whole)), rows[-1][1])
    hostile(tmp_path / "a", rows, [EMBEDDED, COPIES, NESTED])
    check(tmp_path / "a", None)
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert tree(tmp_path / "out") == {b"a": ("file", whole, 0)}
    with Archive(tmp_path / "a") as archive:
        assert dict(archive) == {"a": whole}


@pytest.mark.parametrize("features", [[EMBEDDED], [EMBEDDED, STREAMS]])
def test_the_feature_has_to_be_announced(tmp_path: Path, features: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitswap_cli.archive.writing.writer.needed", lambda _: frozenset())
        hostile(tmp_path / "a", [*DEEP, row(b"a//000000", "host", 4, b"")], features)
    with pytest.raises(ArchiveError, match="tells nested though"):
        check(tmp_path / "a", None)


def test_circles_and_depths_end(tmp_path: Path) -> None:
    """A host that is a copy of what it lies in; one that lies in too many."""
    host = pack_pieces([0], [0], b"")
    rows = [row(b"a//000000", "copy", 0, b"", b"a"), row(b"a", "host", 4, host)]
    hostile(tmp_path / "a", rows, [EMBEDDED, COPIES, NESTED])
    with pytest.raises(ArchiveError, match="lacks picture 1"):
        check(tmp_path / "a", None)
    with Archive(tmp_path / "a") as archive, pytest.raises(ArchiveError, match="lacks picture 1"):
        dict(archive)
    rows = [
        row(b"a//000000//000000", "copy", 0, b"", b"a//000000"),
        row(b"a//000000", "host", 4, host), row(b"a", "host", 4, host),
    ]  # fmt: skip
    hostile(tmp_path / "a", rows, [EMBEDDED, COPIES, NESTED])
    with pytest.raises(ArchiveError, match="lacks picture 1"):
        check(tmp_path / "a", None)
    name = b"a"
    for _ in range(MAX_DEPTH + 1):
        name = member_name(name, 0)
    hostile(tmp_path / "a", [row(name, "file", 3, b"abc")], [EMBEDDED, NESTED])
    with pytest.raises(ArchiveError, match="malformed"):
        check(tmp_path / "a", None)


def test_what_many_equal_is_had_once(tmp_path: Path) -> None:
    """Hosts of thirty copies of the one before, and of nothing else, eight times over."""
    rows, original = [row(b"0//000000", "file", 0)], b"0//000000"
    for name in (b"%d" % level for level in range(MAX_DEPTH)):
        rows += [row(member_name(name, k + 1), "copy", 0, b"", original) for k in range(30)]
        stored = pack_pieces(range(1, 31), [0] * 30, b"")
        host, _ = row(name, "host", 0, stored)
        rows.append((host._replace(crc=0), stored))
        original = name
    hostile(tmp_path / "a", rows, [EMBEDDED, COPIES, NESTED])
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    with Archive(tmp_path / "a") as archive:
        assert set(dict(archive).values()) == {b""} and len(archive) == MAX_DEPTH


def test_what_comes_between_the_parts_of_a_file_is_not_mixed_with_it(tmp_path: Path) -> None:
    own, other = b"A" * 1000, b"B" * 700
    whole = ByteSegment(b"a//000000", "file", 1000, 0, 1000, 0, zlib.crc32(own))
    first = whole._replace(length=400, crc=zlib.crc32(own[:400]))
    second = whole._replace(offset=400, length=600)
    stored = pack_pieces([0, 1], [0, 0], b"")
    host, _ = row(b"a", "host", 1700, stored)
    chunks = [
        (first, own[:400]), row(b"a//000001", "file", 700, other), (second, own[400:]),
        (host._replace(crc=zlib.crc32(own + other)), stored),
    ]  # fmt: skip
    header = Header.without_model().using([EMBEDDED, NESTED])
    with ArchiveWriter(tmp_path / "a", header) as writer:
        for segment, data in chunks:
            writer.add(BYTE, encode_bytes([segment], data), 1)
        writer.finish(Totals(1, 1, 0, 0))
        writer.commit()
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(None), tmp_path / "out")
    assert tree(tmp_path / "out") == {b"a": ("file", own + other, 0)}
