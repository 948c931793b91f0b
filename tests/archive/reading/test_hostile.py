"""Archives with sound checksums that no writer makes: refused, within bounds of time and memory."""

import io
import os
import zlib
from pathlib import Path
from typing import Any, NoReturn

import pytest
import zstandard

from bitswap_cli.archive.format.chunks import encode_bytes, encode_tiles
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, INDX, SECTION, TILE, TRAILER, section
from bitswap_cli.archive.format.segments import ByteSegment, Extra, TileSegment
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack, verify
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError, BitswapError, ModelError, PartialError
from bitswap_cli.images.tiles import cut
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    check,
    codec_for,
    header_for,
    rescue,
    smooth,
    tree,
    write,
)

Segment = tuple[bytes, str, int, int, int, int]


def of_bytes(
    path: Path, segments: list[Segment], data: bytes = b"", totals: Totals | None = None
) -> Path:
    """Write an archive of one BYTE chunk that no writer would make."""
    parts, place, crc = [], 0, 0
    for segment in segments:
        name, kind, size, offset, length, mtime = segment
        crc = zlib.crc32(data[place : place + length], crc if offset else 0)
        place += length
        parts.append(ByteSegment(name, kind, size, offset, length, mtime, crc))
    with ArchiveWriter(path, Header.without_model(), force=True) as writer:
        writer.add(BYTE, encode_bytes(parts, data), len(parts))
        writer.finish(totals or Totals(len(parts), len(data), 0, 0))
        writer.commit()
    return path


@pytest.mark.parametrize(
    "name",
    [b"../x", b"/x", b"a/../../x", b"..", b".", b"", b"a//b", b"a/", b"./x", b"a/./b", b"//x"],
)
@pytest.mark.parametrize("kind", ["file", "dir", "link"])
def test_unsafe_names_never_leave_the_output(tmp_path: Path, name: bytes, kind: str) -> None:
    path = of_bytes(
        tmp_path / "a", [(name, kind, 1, 0, 1, 0), (b"good", "file", 1, 0, 1, 0)], b"xy"
    )
    for force in (False, True):
        with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="unsafe entry name"):
            unpack(reader, codec_for(None), tmp_path / "out", force=force)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="unsafe entry name"):
        verify(reader, codec_for(None))
    assert os.listdir(tmp_path) == ["a"]
    with pytest.raises(PartialError):
        rescue(path, None, tmp_path / "out")
    assert tree(tmp_path / "out").keys() == {b"good"}
    assert sorted(os.listdir(tmp_path)) == ["a", "out"]


def test_file_below_a_link_in_the_same_archive(tmp_path: Path) -> None:
    segments = [(b"d", "link", 1, 0, 1, 0), (b"d/x", "file", 1, 0, 1, 0)]
    path = of_bytes(tmp_path / "a", segments, b".x")
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError, match="no folder"):
        unpack(reader, codec_for(None), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("segments", "data"),
    [
        ([(b"a", "file", 9, 0, 5, 0)], b"12345"),
        ([(b"a", "file", 9, 4, 5, 0)], b"12345"),
        ([(b"a", "file", 9, 0, 5, 0), (b"b", "file", 9, 5, 4, 0)], b"123456789"),
        ([(b"a", "file", 9, 0, 5, 0), (b"a", "file", 8, 5, 3, 0)], b"12345678"),
        ([(b"a", "file", 9, 0, 5, 0), (b"a", "file", 9, 0, 5, 0)], b"1234512345"),
        ([(b"a", "file", 9, 0, 5, 0), (b"a", "file", 9, 4, 5, 0)], b"1234567890"),
        ([(b"a", "file", 5, 0, 5, 0)], b"123456"),
        ([(b"a", "file", 5, 0, 5, 0)], b"1234"),
        ([(b"a", "file", 5, 3, 5, 0)], b"12345"),
        ([(b"a", "file", 5, 0, 0, 0)], b""),
        ([(b"a", "dir", 5, 0, 3, 0)], b"123"),
        ([(b"a", "link", 5, 0, 3, 0)], b"123"),
        ([(b"a", "file", 1 << 60, 0, 1 << 60, 0)], b""),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, segments: list[Segment], data: bytes) -> None:
    path = of_bytes(tmp_path / "a", segments, data)
    with pytest.raises(ArchiveError):
        check(path, None)
    with ArchiveReader(path) as reader, pytest.raises(ArchiveError):
        unpack(reader, codec_for(None), tmp_path / "out")
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []
    with pytest.raises(PartialError):
        rescue(path, None, tmp_path / "out2")


def test_wrong_totals(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 1, 0, 1, 0)], b"1", Totals(2, 1, 0, 0))
    with pytest.raises(ArchiveError, match="totals"):
        check(path, None)


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": 1 << 40, "width": 1 << 40},
        {"width": 17},
        {"channels": 2},
        {"channels": 0},
        {"first": 1},
        {"tiles": 0},
        {"tiles": 3},
        {"tiles": 5},
        {"tiles": 1 << 40},
        {"kind": "bmp"},
        {"name": b"../x"},
        {"orientation": 1},
        {"orientation": 8},
    ],
)
def test_tile_tables_that_do_not_fit(
    tmp_path: Path, codec: ZlibCodec, change: dict[str, Any]
) -> None:
    pixels = smooth(16, 16)
    tiles, sizes = cut(pixels, 8, 8, 3)
    segment = TileSegment(b"x", "pnm", 16, 16, 3, 0, 4, 0)._replace(**change)
    extras = [Extra(0, b"P6 16 16 255\n", b"")]
    body, _ = encode_tiles(codec, [segment], tiles, sizes, extras)
    with ArchiveWriter(tmp_path / "a", header_for(codec)) as writer:
        writer.add(TILE, body, 1)
        writer.finish(Totals(1, 900, 768, 0))
        writer.commit()
    with pytest.raises(ArchiveError):
        check(tmp_path / "a", codec)
    with pytest.raises(PartialError):
        rescue(tmp_path / "a", codec, tmp_path / "out")


def rewritten(path: Path, body: bytes) -> None:
    """Replace the body of the only chunk, checksums and index included."""
    data = path.read_bytes()
    with ArchiveReader(path) as reader:
        chunk = reader.chunks[0]
    own = data[10:18]
    head = data[: chunk.offset] + section(chunk.tag, body, own)
    tag = (TILE, BYTE).index(chunk.tag)
    index = section(INDX, pack_object([1, 1, 0, 0, 1, tag, len(body), 1]), own)
    path.write_bytes(head + index + TRAILER.pack(len(head), data[-8:]))


def framed(blob: bytes) -> bytes:
    return len(blob).to_bytes(4, "little") + blob + zlib.crc32(blob).to_bytes(4, "little")


def bomb(size: int) -> bytes:
    """A zstd frame of little that unfolds to much."""
    out = io.BytesIO()
    with zstandard.ZstdCompressor(level=3).stream_writer(out, size=size, closefd=False) as stream:
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return out.getvalue()


def test_hostile_bodies(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 1, 0, 1, 0)], b"1")
    with ArchiveReader(path) as reader:
        good = reader.body(reader.chunks[0])
    rewritten(path, good)
    check(path, None)
    table, rest = good[: -1 - 1], good[-1 - 1 :]
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 20))
    nested = b"\x91" * 5000 + b"\x90"
    row: dict[str, object] = {"segments": 1, "ends": b"a", "size": 1}
    row |= {"checksum": zlib.crc32(b"1"), "crc": 0}
    changes: list[dict[str, object]] = [
        {"segments": 1 << 40},
        {"segments": True},
        {"segments": 0},
        {"start": "x"},
        {"start": 1 << 63},
        {"kind": 5},
        {"ends": b"a\0b"},
        {"ends": 1},
        {"shared": 9},
        {"size": -1},
        {"size": {}},
        {"size": 1 << 62},
        {"checksum": -1},
        {"checksum": 1 << 32},
        {"crc": 1 << 32},
        {"segments": 2, "ends": b"a\0b", "size": [0, b"123"]},
        {},  # the CRC-32 of the file is not 0
    ]
    hostile = [
        b"",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff" + bytes(99),
        framed(b""),
        framed(b"\x00"),
        framed(b"\x02abc"),
        framed(b"\x01not zstd"),
        framed(b"\x01" + bomb(1 << 28)) + rest,
        framed(b"\x01" + unsized) + rest,
        framed(b"\x00" + nested) + rest,
        *(framed(b"\x00" + pack_object(row | change)) + rest for change in changes),
        framed(b"\x00" + pack_object([1, 0, 0, b"a", 0, 1, 0, 0, 0, 0])) + rest,
        framed(b"\x00" + pack_object({"a": {}})) + rest,
        table,
        table + b"\x01" + bomb(1 << 28),
        table + b"\x01" + unsized,
        table + b"\x00" + b"2",
    ]
    for body in hostile:
        rewritten(path, body)
        with pytest.raises(ArchiveError):
            check(path, None)
        with pytest.raises(PartialError):
            rescue(path, None, tmp_path / "out")
    assert not (tmp_path / "out").exists() or os.listdir(tmp_path / "out") == []


def test_names_that_unfold_without_bound(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 0, 0, 0, 0)])
    count = 60_000
    ends = b"x" * 50_000 + b"\0" * (count - 1)
    shared = b"\0\0" + (50_000).to_bytes(2, "little") * (count - 1)
    planes = shared[0::2] + shared[1::2]
    table = pack_object({"segments": count, "shared": [0, planes], "ends": ends})
    rewritten(path, framed(b"\x00" + table) + b"\x00")
    with pytest.raises(ArchiveError, match="malformed"):
        check(path, None)


def test_index_that_claims_too_many_chunks(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 1, 0, 1, 0)], b"1")
    data = path.read_bytes()
    offset = TRAILER.unpack(data[-16:])[0]
    wrong: list[object] = [
        [0, 0, 0, 0, 1 << 50, 0, 0, 0], [0, 0, 0, 0, -1], ["a"], [0, 0, 0, 0], {}
    ]  # fmt: skip
    for index in wrong:
        body = section(INDX, pack_object(index), data[10:18])
        path.write_bytes(data[:offset] + body + data[-16:])
        with pytest.raises(ArchiveError, match=r"/a: .*index"):
            check(path, None)


def test_false_tags_do_not_make_the_scan_slow(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 1, 0, 1, 0)], b"1")
    tag = SECTION.pack(TILE, 1 << 20)
    path.write_bytes(path.read_bytes() + tag * 300_000)
    with ArchiveReader(path, recover=True) as reader:
        assert [chunk.tag for chunk in reader.chunks] == [BYTE]


def test_pictures_without_a_model(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x.png", bad_png(30, 30))
    pack([tmp_path / "x.png"], tmp_path / "a", codec, Header.without_model())
    with pytest.raises(ArchiveError, match="its header does not name"):
        check(tmp_path / "a", codec)


def test_model_errors_are_passed_on(tmp_path: Path, codec: ZlibCodec) -> None:
    write(tmp_path / "x.png", bad_png(30, 30))
    write(tmp_path / "x", b"1")
    pack([tmp_path / "x.png", tmp_path / "x"], tmp_path / "a", codec, header_for(codec))

    def unknown(header: Header, _: object) -> NoReturn:
        raise ModelError(f"no model {header.models[0].name}")

    for keep_going in (False, True):
        with ArchiveReader(tmp_path / "a") as reader, pytest.raises(ModelError, match="no model f"):
            unpack(reader, unknown, tmp_path / "out", keep_going=keep_going)
    assert not (tmp_path / "out").exists()
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, unknown, tmp_path / "out", select=["x"])
    assert tree(tmp_path / "out").keys() == {b"x"}


def test_codec_of_another_payload(
    tmp_path: Path, codec: ZlibCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.png", bad_png(30, 30))
    pack([tmp_path / "x.png"], tmp_path / "a", codec, header_for(codec))
    real = codec.decode
    for change in (lambda p: p[:10], lambda p: p + b"\1"):
        monkeypatch.setattr(
            codec, "decode", lambda *a, change=change: (real(*a)[0], change(real(*a)[1]))
        )
        with pytest.raises(BitswapError, match="initial bits"):
            check(tmp_path / "a", codec)


@pytest.mark.parametrize("change", [0, 1])
def test_extras_that_do_not_fit_the_pictures_that_begin(
    tmp_path: Path, codec: ZlibCodec, change: int
) -> None:
    """Of a picture's second part, and of more pictures than begin."""
    tiles, sizes = cut(smooth(16, 16), 8, 8, 3)
    segment = TileSegment(b"x", "pnm", 16, 16, 3, 1 - change, 4 - change, 0)
    extras = [Extra(0, b"P6 16 16 255\n", b"")] * (1 + change)
    body, _ = encode_tiles(codec, [segment], tiles[: segment.tiles], sizes[: segment.tiles], extras)
    with ArchiveWriter(tmp_path / "a", header_for(codec)) as writer:
        writer.add(
            BYTE,
            encode_bytes([ByteSegment(b"good", "file", 1, 0, 1, 0, zlib.crc32(b"1"))], b"1"),
            1,
        )
        writer.add(TILE, body, 1)
        writer.finish(Totals(2, 1, 768, 0))
        writer.commit()
    with pytest.raises(ArchiveError):
        check(tmp_path / "a", codec)
    with pytest.raises(PartialError, match="not restored: x"):
        rescue(tmp_path / "a", codec, tmp_path / "out")
    assert tree(tmp_path / "out").keys() == {b"good"}


def test_columns_of_newer_versions_are_named(tmp_path: Path) -> None:
    path = of_bytes(tmp_path / "a", [(b"a", "file", 1, 0, 1, 0)], b"1")
    table = pack_object({"segments": 1, "ends": b"a", "size": 1, "colour": 7})
    rewritten(path, framed(b"\x00" + table) + b"\x001")
    with pytest.raises(ModelError, match="the column colour"):
        check(path, None)
