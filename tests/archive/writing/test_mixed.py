"""Blocks in pieces: all bytes once, and segments as readers want them."""

import time
import weakref
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import decode_bytes
from bitswap_cli.archive.format.header import COPIES, FOLDERS, MIXED, MIXED_3, REPEATS, Header
from bitswap_cli.archive.format.names import member_name
from bitswap_cli.archive.format.register import read_table, told
from bitswap_cli.archive.format.sections import BYTE, NAMED_VERSION
from bitswap_cli.archive.format.segments import ByteSegment, ByteTable, needed
from bitswap_cli.archive.format.values.blobs import Buffer
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing import blocks, mixed
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing import octets
from bitswap_cli.mixing.state import NEWEST
from bitswap_cli.threads import Threads

T = TypeVar("T")
WORDS = b"the quick brown fox jumps over the lazy dog and runs "


def segments_of(sizes: list[int], kinds: list[str]) -> tuple[list[ByteSegment], bytes]:
    """Files of a text, of these sizes."""
    data = (WORDS * (sum(sizes) // len(WORDS) + 1))[: sum(sizes)]
    found, at = [], 0
    for k, (size, kind) in enumerate(zip(sizes, kinds, strict=True)):
        crc = zlib.crc32(data[at : at + size])
        found.append(ByteSegment(b"%d" % k, kind, size, 0, size, k, crc, NONE))
        at += size
    return found, data


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(("file", "host"))), min_size=1))
def test_pieces_are_the_block(files: list[tuple[int, str]]) -> None:
    segments, data = segments_of([size for size, _ in files], [kind for _, kind in files])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixed, "PIECE", 100)
        found = mixed.pieces(segments, data)
    assert found[0].start == 0
    assert found[-1].end == len(data)
    assert all(one.end == other.start for one, other in pairwise(found))
    whole: dict[bytes, int] = {}
    for piece in found:
        assert sum(segment.length for segment in piece.segments) == piece.end - piece.start
        at = piece.start
        for segment in piece.segments:
            assert segment.offset == whole.get(segment.name, 0)
            whole[segment.name] = segment.offset + segment.length
            begin = at - segment.offset
            assert segment.crc == zlib.crc32(data[begin : at + segment.length])
            at += segment.length
        assert piece.end - piece.start <= 100 or len([s for s in piece.segments if s.length]) == 1
    assert whole == {segment.name: segment.size for segment in segments}


def test_pieces_need_nothing_that_the_block_did_not() -> None:
    """A file in another one would, in parts: the archive was begun without saying so."""
    segments, data = segments_of([900, 800], ["file", "host"])
    segments[0] = segments[0]._replace(name=member_name(b"1", 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixed, "PIECE", 100)
        found = mixed.pieces(segments, data)
    assert needed(segment for piece in found for segment in piece.segments) == needed(segments)


def test_what_zstd_leaves_nothing_of_takes_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def encode(segments: list[ByteSegment], data: bytearray, *_: object) -> list[object]:
        tried.append(len(data))
        return []

    monkeypatch.setattr(mixed, "encode", encode)
    header = Header.without_model().using([MIXED, MIXED_3])
    for name, data in (("lines", b"a line\n" * 10_000), ("text", Path(__file__).read_bytes())):
        (tmp_path / name).write_bytes(data)
        pack([tmp_path / name], tmp_path / f"{name}.bsw", None, header)
    assert tried == ([len(data)] if octets.quick() else [])


def test_nothing_is_mixed_without_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take a millisecond a byte."""
    (tmp_path / "text").write_bytes(Path(__file__).read_bytes())
    header = Header.without_model().using([MIXED, MIXED_3])
    monkeypatch.setenv("BITSWAP_ENGINE", "reference")
    pack([tmp_path / "text"], tmp_path / "a", None, header)
    with ArchiveReader(tmp_path / "a") as reader:
        assert not any(table.mixed for table in reader.tables() if isinstance(table, ByteTable))


def encoded(segments: list[ByteSegment], data: bytes) -> list[tuple[bytes, int]]:
    """Bodies; what is done of the data is told piece by piece."""
    told: list[int] = []
    with Threads(2) as pool:
        found = mixed.encode(segments, data, pool.submit, told.append)
    assert told == [piece.end for piece in mixed.pieces(segments, data)]
    return found


@pytest.mark.skipif(not octets.quick(), reason="nothing is mixed without a kernel")
def test_what_is_kept_is_told_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as it is read, which takes hardly any of the time."""
    monkeypatch.setattr(mixed, "PIECE", 4000)
    (tmp_path / "in").mkdir()
    text = Path(__file__).read_bytes()
    (tmp_path / "in" / "text").write_bytes(text)
    (tmp_path / "in" / "copy").write_bytes(text)
    (tmp_path / "in" / "half").write_bytes(text[: len(text) // 2])
    seen: list[tuple[int, int]] = []
    pack(
        [tmp_path / "in"], tmp_path / "a", None,
        Header.without_model().using([MIXED, MIXED_3, COPIES]),
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    done, totals = zip(*seen, strict=True)
    pieces = (len(text) + len(text) // 2) // 4000
    assert len(set(done)) > pieces
    assert sorted(done) == [*done]
    assert set(totals) == {done[-1]} == {2 * len(text) + len(text) // 2}


def test_bodies_are_told_and_come_back() -> None:
    segments, data = segments_of([4000, 900], ["file", "file"])
    ((body, count),) = encoded(segments, data)
    table = read_table(BYTE, body, NAMED_VERSION)
    assert isinstance(table, ByteTable)
    assert (count, table.mixed, table.segments) == (2, NEWEST, segments)
    assert told(BYTE, table, set()) == {MIXED, MIXED_3}
    assert told(BYTE, table._replace(mixed=1), set()) == {MIXED}
    with pytest.raises(ArchiveError, match="damaged|checksum"):
        decode_bytes(table._replace(mixed=1), body)()
    assert decode_bytes(table, body)() == data
    with pytest.raises(ArchiveError, match="malformed"):
        decode_bytes(table, body + b"1")()
    with pytest.raises(ArchiveError, match="damaged|checksum"):
        decode_bytes(table, body[:-4])()
    huge = segments[0]._replace(size=1 << 25, length=1 << 25)
    with pytest.raises(ArchiveError, match="too large"):
        decode_bytes(table._replace(segments=[huge]), body)()


def test_nothing_holds_a_block_whose_bodies_are_there() -> None:
    """Threads may know for a while what they called."""
    held: list[object] = []
    segments, data = segments_of([4000], ["file"])
    block = bytearray(data)

    with Threads(1) as pool:

        def submit(function: Callable[..., T], *arguments: object) -> Future[T]:
            held.append((function, arguments))
            return pool.submit(function, *arguments)

        mixed.encode(segments, block, submit, lambda count: None)
    assert held
    block.clear()  # raises `BufferError` if anything sees it


@pytest.mark.skipif(not octets.quick(), reason="nothing is mixed without a kernel")
def test_what_compressed_a_block_is_let_go_of_before_it_is_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both take hundreds of megabytes."""
    made: list[weakref.ref[_Compressor]] = []
    seen: list[bool] = []

    def squeeze(level: int, size: int, threads: int) -> _Compressor:
        compressor = _Compressor(level)
        made.append(weakref.ref(compressor))
        return compressor

    def encode(*_: object) -> list[tuple[bytes, int]]:
        until = time.monotonic() + 10
        while (lives := made[0]() is not None) and time.monotonic() < until:
            time.sleep(0.01)  # the thread that called it may know it for a while
        seen.append(lives)
        return []

    monkeypatch.setattr(blocks, "squeezer", squeeze)
    monkeypatch.setattr(mixed, "encode", encode)
    (tmp_path / "text").write_bytes(Path(__file__).read_bytes())
    pack([tmp_path / "text"], tmp_path / "a", None, Header.without_model().using([MIXED, MIXED_3]))
    assert seen == [False]


class _Compressor:
    """Compresses, and can be seen to live."""

    def __init__(self, level: int) -> None:
        self._level = level

    def __call__(self, data: Buffer) -> bytes:
        return zstandard.ZstdCompressor(self._level).compress(data)


@pytest.mark.skipif(not octets.quick(), reason="nothing is mixed without a kernel")
@pytest.mark.parametrize("features", [{MIXED, MIXED_3}, {MIXED, MIXED_3, REPEATS}])
def test_what_repeats_something_is_told_where_that_may_be(
    features: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is one chunk then, which is coded by several threads, and the rest of it is smaller."""
    monkeypatch.setattr(mixed, "PIECE", 2000)
    noise = np.random.default_rng(4).bytes(2500).hex().encode()
    data = noise + WORDS + noise[1000:4000]
    segments = [ByteSegment(b"x", "file", len(data), 0, len(data), 0, zlib.crc32(data))]
    told: list[int] = []
    with Threads(2) as pool:
        found = mixed.encode(segments, data, pool.submit, told.append, REPEATS in features)
    rest = len(noise) + len(WORDS) if REPEATS in features else len(data)
    assert len(told) == -(-rest // 2000)
    read = [read_table(BYTE, body, NAMED_VERSION) for body, _ in found]
    tables = [one for one in read if isinstance(one, ByteTable)]
    assert [one.repeats for one in tables] == ([1] if REPEATS in features else [0] * len(tables))
    kept = [decode_bytes(one, body)() for one, (body, _) in zip(tables, found, strict=True)]
    assert b"".join(kept) == data


@pytest.mark.skipif(not octets.quick(), reason="nothing is mixed without a kernel")
def test_large_blocks_are_mixed_without_asking_zstd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables, for a window of 128 MiB, take more memory than all else."""
    monkeypatch.setattr(blocks, "QUICK_SIZE", 10_000)
    monkeypatch.setattr(blocks, "squeezer", None)
    (tmp_path / "in").mkdir()
    text = Path(__file__).read_bytes()
    for name in ("a.py", "b.py"):
        (tmp_path / "in" / name).write_bytes(text + name.encode() + text)
    header = Header.without_model().using([MIXED, MIXED_3, REPEATS, FOLDERS])
    pack([tmp_path / "in" / "a.py", tmp_path / "in" / "b.py"], tmp_path / "a", None, header)
    with ArchiveReader(tmp_path / "a") as reader:
        assert REPEATS in reader.header.features
        assert unpack(reader, lambda *_: Codecs(), tmp_path / "out").entries == 2
    for name in ("a.py", "b.py"):
        assert (tmp_path / "out" / name).read_bytes() == text + name.encode() + text


def test_pieces_that_cannot_be_mixed_are_under_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, which gains nothing, and what is too large."""
    monkeypatch.setattr(mixed, "PIECE", 1000)
    monkeypatch.setattr(octets, "MOST", 2000)
    segments, text = segments_of([900, 700, 3000], ["file", "host", "host"])
    noise = np.random.default_rng(1).bytes(700)
    data = text[:900] + noise + text[1600:]
    segments[1] = segments[1]._replace(crc=zlib.crc32(noise))
    found = encoded(segments, data)
    read = (read_table(BYTE, body, NAMED_VERSION) for body, _ in found)
    tables = [one for one in read if isinstance(one, ByteTable)]
    assert [one.mixed for one in tables] == [NEWEST, 0, 0]
    kept = [decode_bytes(one, body)() for one, (body, _) in zip(tables, found, strict=True)]
    assert b"".join(kept) == data
