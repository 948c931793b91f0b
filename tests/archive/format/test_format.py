"""The format byte by byte (docs/format.md): a change here is a change of the format."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.names import check_name, stays_inside
from bitswap_cli.archive.format.objects import pack_object, unpack_object
from bitswap_cli.archive.format.sections import (
    BYTE,
    MAX_EXTRAS,
    TILE,
    Fitted,
    Header,
    pack_blob,
    unpack_blob,
)
from bitswap_cli.archive.format.tables import (
    ByteSegment,
    ByteTable,
    Extra,
    TileSegment,
    TileTable,
    pack_byte_table,
    pack_column,
    pack_extras,
    pack_tile_table,
    unpack_byte_table,
    unpack_column,
    unpack_extras,
    unpack_tile_table,
)
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, ModelError, display
from tests.archive.support import ZlibCodec, bad_png, header_for, write

HEADER = Header("m", "00" * 31 + "ff", "bitswap", 1, (32, 32, 3))


def test_golden_archive(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "a", HEADER) as writer:
        segments = [
            ByteSegment(b"d/one", "file", 2, 0, 2, 5),
            ByteSegment(b"d/two", "link", 3, 0, 3, 7),
            ByteSegment(b"e", "dir", 0, 0, 0, 7),
        ]
        writer.add(BYTE, encode_bytes(segments, b"hione"), 3)
        writer.finish(Totals(3, 5, 0, 0))
        writer.commit()
    assert (tmp_path / "a").read_bytes() == bytes.fromhex(GOLDEN)


GOLDEN = """
    894253570d0a1a0a 0100
    48454144 31000000
        97 a16d c420 00000000000000000000000000000000000000000000000000000000000000ff
        a7 62697473776170 01 20 20 03
        3d9ab8c7
    42595445 41000000
        33000000
        00 9a 03 ceac632cfb
        92 00 c403 000200  c40b 642f6f6e65 00 74776f 00 65
        92 00 c403 000201  92 00 c403 020300  00  00  05  92 00 c402 0200
        afb3fff0
        00 68696f6e65
        24029285
    494e4458 09000000 98 03 05 00 00 01 01 41 03 563b4c4c
    9400000000000000 89425357454e440a
"""


def test_framing_of_a_single_small_picture_is_short(tmp_path: Path) -> None:
    write(tmp_path / "picture.png", bad_png(32, 32))
    codec = ZlibCodec(3, 32, 1024, swallow=1 << 20)
    header = header_for(codec)._replace(model="natural32")
    report = pack([tmp_path / "picture.png"], tmp_path / "a", codec, header)
    assert report.tile_entries == 1
    assert report.bytes_after - codec.words_length < 200


numbers = st.integers(0, (1 << 62) - 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(numbers, st.integers(0, 300)), min_size=1, max_size=40))
def test_columns(values: list[int]) -> None:
    assert unpack_column(pack_column(values), len(values)) == values


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            TileSegment,
            st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name),
            st.sampled_from(["png", "bmp", "pnm"]),
            *[numbers] * 6,
            st.integers(0, 7),
        ),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, MAX_EXTRAS),
)
def test_tile_tables(segments: list[TileSegment], checksum: int, swallowed: int) -> None:
    table = TileTable(segments, checksum, swallowed, 1)
    assert unpack_tile_table(pack_tile_table(table)) == table


times = st.integers(-(1 << 62), 1 << 62)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda name, size, mtime: ByteSegment(name, "file", size, 0, size, mtime),
            st.sampled_from([b"a", b"ab", b"b/c", b"\xff\n"]),
            st.integers(0, 1000),
            times,
        ),
        min_size=1,
        max_size=9,
    )
)
def test_byte_tables(segments: list[ByteSegment]) -> None:
    table = ByteTable(segments, 7)
    assert unpack_byte_table(pack_byte_table(table)) == table


@settings(deadline=None, max_examples=40)
@given(st.lists(st.builds(Extra, times, st.binary(max_size=5), st.binary(max_size=5))))
def test_extras(extras: list[Extra]) -> None:
    assert unpack_extras(pack_extras(extras), len(extras)) == extras


@pytest.mark.parametrize("data", [b"", b"x", bytes(1000), os.urandom(1000)])
def test_blobs(data: bytes) -> None:
    blob = pack_blob(data)
    assert len(blob) <= len(data) + 1
    assert unpack_blob(blob, len(data), "test") == data
    if data:
        with pytest.raises(ArchiveError):
            unpack_blob(blob, len(data) - 1, "test")


SAME, WIDER = Fitted(HEADER.tile[2], 0, 0, b"same"), Fitted(4, 0, 0, b"four channels")
HEADERS = (  # by version
    (1, HEADER),
    (1, Header.without_model()),
    (2, HEADER._replace(fitted=(SAME,))),
    (3, HEADER._replace(wide=True)),
    (3, HEADER._replace(wide=True, fitted=(SAME,))),
    (3, HEADER._replace(wide=True, fitted=(SAME, WIDER))),
    (3, HEADER._replace(wide=True, fitted=(Fitted(HEADER.tile[2], 1, 300, b"larger"),))),
    (3, HEADER._replace(wide=True, tile=(32, 32, 4))),
)


@pytest.mark.parametrize("version, header", HEADERS)
def test_headers(version: int, header: Header) -> None:
    assert header.version == version
    read, models = Header.from_bytes(header.to_bytes(), version)
    assert models == len(header.fitted)
    assert read.with_models(header.models()) == header
    for other in {1, 2, 3} - {version}:
        if {version, other} != {1, 2} and header.model:
            with pytest.raises(ArchiveError, match="header"):
                Header.from_bytes(header.to_bytes(), other)


def test_malformed_headers() -> None:
    for body in (b"", b"\x90", b"\xc1", HEADER.to_bytes() + b"\0", HEADER.to_bytes()[:-1] + b"\2"):
        with pytest.raises(ArchiveError, match="header"):
            Header.from_bytes(body, 1)
    wide = HEADER._replace(wide=True)
    for bodies in ([b"123"], [b"\4\0\0\0a", b"\4\1\0\0b"]):
        with pytest.raises(ArchiveError, match="model"):
            wide.with_models(bodies)


@pytest.mark.parametrize("version, header", HEADERS)
def test_headers_in_files(tmp_path: Path, version: int, header: Header) -> None:
    """Each model is found again, and none of its bytes can change."""
    path = tmp_path / "a.bsw"
    with ArchiveWriter(path, header) as writer:
        writer.finish(Totals(0, 0, 0, 0))
        writer.commit()
    good = path.read_bytes()
    with ArchiveReader(path) as reader:
        assert (reader.version, reader.header) == (version, header)
    for at in range(8, good.index(b"INDX") if header.fitted else 10):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises((ArchiveError, ModelError)):
            ArchiveReader(path)


def test_only_chunks_are_added(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "a", HEADER) as writer, pytest.raises(ValueError):
        writer.add(b"HEAD", b"", 0)
    assert os.listdir(tmp_path) == []


def test_names() -> None:
    for name in (b"a", b"a/b", b"..a", b"a..", b"...", b"\xff\n", b"c:x", b"a\\b"):
        check_name(name)
    assert display(b"a\nb\xff\xc3\xa4") == "a\\nb\\xffä"
    for target in (b"b", b"../b", b"./b", b"../../b", b"..", b"b/c"):
        assert stays_inside(b"x/y/link", target)
    for target in (b"", b"/b", b"../../../b", b"b/../c", b"../b/..", b"b\0"):
        assert not stays_inside(b"x/y/link", target)
    assert not stays_inside(b"link", b"..")


def test_tables_are_readable_without_bodies(tmp_path: Path) -> None:
    write(tmp_path / "x.png", bad_png(32, 32))
    codec = ZlibCodec()
    pack([tmp_path / "x.png"], tmp_path / "a", codec, header_for(codec))
    with ArchiveReader(tmp_path / "a") as reader:
        chunk = reader.chunks[0]
        assert chunk.tag == TILE
    data = bytearray((tmp_path / "a").read_bytes())
    data[chunk.offset + chunk.length - 9] ^= 1
    (tmp_path / "a").write_bytes(data)
    with ArchiveReader(tmp_path / "a") as reader:
        assert [entry.name for entry in reader.entries()] == [b"x.png"]
        with pytest.raises(ArchiveError):
            reader.body(chunk)


def test_a_kind_that_has_no_number_here_is_malformed() -> None:
    segment = TileSegment(b"a", "pnm-16", 1, 1, 2, 0, 1, 0)
    row = unpack_object(unpack_blob(pack_tile_table(TileTable([segment], 0, 0, 1)), 999, "t"), "t")
    assert row[6] == 5
    row[6] = 6
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_tile_table(pack_blob(pack_object(row)))
