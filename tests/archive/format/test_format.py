"""The format byte by byte (docs/format.md): a change here is a change of the format."""

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import Fitted, Header, Tiled
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.names import check_name, stays_inside
from bitswap_cli.archive.format.register import decode_chunk
from bitswap_cli.archive.format.sections import BYTE, MAX_MIXED_EXTRAS, TILE
from bitswap_cli.archive.format.segments import (
    ByteSegment,
    ByteTable,
    Extra,
)
from bitswap_cli.archive.format.tables import (
    mix_extras,
    pack_byte_table,
    pack_extras,
    unpack_byte_table,
    unpack_extras,
)
from bitswap_cli.archive.format.values.blobs import pack_blob, unpack_blob
from bitswap_cli.archive.format.values.columns import pack_column, unpack_column
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter, archive_id
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.mixing.state import NEWEST, VERSIONS
from tests.archive.format.test_attributes import attributes
from tests.archive.support import ZlibCodec, bad_png, header_for, write

MODEL = Tiled("m", "00" * 31 + "ff", "bitswap", 1, (32, 32, 3))
HEADER = Header((MODEL,))


SEGMENTS = [
    ByteSegment(b"d/one", "file", 2, 0, 2, 5, zlib.crc32(b"hi")),
    ByteSegment(b"d/two", "link", 3, 0, 3, 7, zlib.crc32(b"one")),
    ByteSegment(b"e", "dir", 0, 0, 0, 7, 0),
]


def test_golden_archive(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "a", HEADER) as writer:
        writer.add(BYTE, encode_bytes(SEGMENTS, b"hione"), 3)
        writer.finish(Totals(3, 5, 0, 0))
        writer.commit()
    assert (tmp_path / "a").read_bytes() == bytes.fromhex(GOLDEN)


GOLDEN = """
    894253570d0a1a0a 0500 356a23f02121e158
    48454144 35000000 356a23f02121e158
        92 90 91 98 a16d c420 00000000000000000000000000000000000000000000000000000000000000ff
        a7 62697473776170 01 20 20 03 00
        2d59f4c1
    42595445 87000000 356a23f02121e158
        79000000
        00 89
        a8 7365676d656e7473 03  a8 636865636b73756d ce ac632cfb
        a6 736861726564 92 00 c403 000200  a4 656e6473 c40b 642f6f6e65 00 74776f 00 65
        a4 6b696e64 92 00 c403 000201  a4 73697a65 92 00 c403 020300
        a5 7374617274 05  a5 7374657073 92 00 c402 0200
        a3 637263 92 00 c40c acf1002a8600936c00d87a00
        1744f97f
        00 68696f6e65
        1bbcd0ba
    494e4458 0a000000 356a23f02121e158 98 03 05 00 00 01 01 cc87 03 a175b025
    f600000000000000 89425357454e440a
"""


def test_golden_archive_of_version_1(tmp_path: Path) -> None:
    """What it holds is read as from others, but for checksums of files."""
    (tmp_path / "a").write_bytes(bytes.fromhex(GOLDEN_1))
    with ArchiveReader(tmp_path / "a") as reader:
        assert (reader.version, reader.header, reader.totals) == (1, HEADER, Totals(3, 5, 0, 0))
        (chunk,) = reader.chunks
        table = reader.table(chunk)
        assert table.segments == [segment._replace(crc=None) for segment in SEGMENTS]
        assert decode_chunk(chunk.tag, Codecs(), table, reader.body(chunk))() == b"hione"


GOLDEN_1 = """
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
    (model,) = header_for(codec).models
    header = Header((model._replace(name="natural32"),))
    report = pack([tmp_path / "picture.png"], tmp_path / "a", codec, header)
    assert report.tile_entries == 1
    assert report.bytes_after - codec.words_length < 300


numbers = st.integers(0, (1 << 62) - 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(numbers, st.integers(0, 300)), min_size=1, max_size=40))
def test_columns(values: list[int]) -> None:
    assert unpack_column(pack_column(values), len(values)) == values


times = st.integers(-(1 << 62), 1 << 62)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(
            lambda name, size, mtime, own: ByteSegment(
                name, "file", size, 0, size, mtime, size + 3, own
            ),
            st.sampled_from([b"a", b"ab", b"b/c", b"\xff\n"]),
            st.integers(0, 1000),
            times,
            attributes,
        ),
        min_size=1,
        max_size=9,
    )
)
def test_byte_tables(segments: list[ByteSegment]) -> None:
    table = ByteTable(segments, 7)
    assert unpack_byte_table(pack_byte_table(table)) == table


@settings(deadline=None, max_examples=40)
@given(st.lists(st.builds(Extra, times, *3 * [st.binary(max_size=5)])))
def test_extras(extras: list[Extra]) -> None:
    assert unpack_extras(pack_extras(extras), len(extras)) == extras
    for version in VERSIONS:
        mixed = mix_extras(extras, version)
        assert not mixed or unpack_extras(mixed, len(extras), mixed=version) == extras


def test_mixed_extras_are_whole_and_few() -> None:
    extras = [Extra(0, bytes(range(40, 90)) * k, b"shade %d of %d" % (k, 9)) for k in (1, 2)]
    mixed = mix_extras(extras)
    assert mixed and len(mixed) < len(pack_extras(extras))
    more = struct.pack("<I", MAX_MIXED_EXTRAS + 1) + mixed[4:]
    for harmed in (b"", mixed[:-1], mixed[:4], mixed[:-4], mixed + bytes(4), more):
        with pytest.raises(ArchiveError, match="malformed|damaged"):
            unpack_extras(harmed, 2, mixed=NEWEST)
    assert mix_extras([Extra(0, bytes(MAX_MIXED_EXTRAS), b"")]) is None


@pytest.mark.parametrize(
    "told", [[1], [1, b""], [1, b"a"], [0, b"ab"], [2, b"ab"], [1, "ab"], [1, b"ab", 0]]
)
def test_descriptions_are_as_long_as_told(told: list[object]) -> None:
    """Those of two pictures."""
    assert unpack_extras(pack_blob(pack_object([0, 0, 0, [b""], [b""]])), 2)
    assert unpack_extras(pack_blob(pack_object([0, 0, 0, [b""], [b""], 1, b"ab"])), 2)
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_extras(pack_blob(pack_object([0, 0, 0, [b""], [b""], *told])), 2)


@pytest.mark.parametrize("data", [b"", b"x", bytes(1000), os.urandom(1000)])
def test_blobs(data: bytes) -> None:
    blob = pack_blob(data)
    assert len(blob) <= len(data) + 1
    assert unpack_blob(blob, len(data), "test") == data
    if data:
        with pytest.raises(ArchiveError):
            unpack_blob(blob, len(data) - 1, "test")


def test_ids_depend_on_the_header_and_on_what_is_archived() -> None:
    source = Source(b"a", b"/somewhere/a", "file", 3, 7)
    ids = [
        archive_id(HEADER, []),
        archive_id(HEADER, [source]),
        archive_id(HEADER, [source, source]),
        archive_id(Header((MODEL._replace(fitted=(Fitted(3, 0, 0, b"x"),)),)), [source]),
        archive_id(Header.without_model(), [source]),
        archive_id(HEADER, [source._replace(name=b"b")]),
        archive_id(HEADER, [source._replace(kind="link")]),
        archive_id(HEADER, [source._replace(size=4)]),
        archive_id(HEADER, [source._replace(mtime=8)]),
        archive_id(HEADER, [source._replace(attributes=Attributes(0o644))]),
    ]
    assert len(set(ids)) == len(ids)
    assert archive_id(HEADER, [source._replace(path=b"/elsewhere")]) == ids[1]


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
