"""Files with VP8 frames in them come back, and take less room."""

import io
import tarfile
import zlib
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from bitswap_cli.api.compress import compress
from bitswap_cli.api.decompress import decompress
from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.chunks import decode_bytes, encode_frames
from bitswap_cli.archive.format.header import COPIES, MIXED, MIXED_3, VP8, Header
from bitswap_cli.archive.format.register import read_table, told
from bitswap_cli.archive.format.sections import BYTE, NAMED_VERSION, after_table
from bitswap_cli.archive.format.segments import ByteSegment, ByteTable
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing import frames
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.vp8 import engine
from bitswap_cli.threads import Threads
from tests.images.vp8.webp_files import scene, webp

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="files are kept without it")


def write(folder: Path) -> Path:
    """A folder of WebP files, alone and in a TAR, beside others."""
    folder.mkdir()
    files = {f"{n}.webp": webp(scene(90, 120, n), quality=70) for n in range(4)}
    files |= {"lossless.webp": webp(scene(30, 30, 7), lossless=True), "cut.webp": b"RIFF"}
    files["cut.webp"] = files["0.webp"][:1000]
    files["note.txt"] = b"a note\n" * 90
    files["equal.webp"] = files["1.webp"]
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with tarfile.open(folder / "some.tar", "w") as tar:
        for n in range(4, 8):
            data = webp(scene(90, 120, n), quality=80)
            member = tarfile.TarInfo(f"{n}.webp")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@needs_kernel
def test_files_with_frames_come_back(tmp_path: Path) -> None:
    source = write(tmp_path / "in")
    pack(
        [source], tmp_path / "a", None, Header.without_model().using([MIXED, MIXED_3, VP8, COPIES])
    )
    with ArchiveReader(tmp_path / "a") as reader:
        tables = [table for table in reader.tables() if isinstance(table, ByteTable)]
        assert sum(table.frames for table in tables) == 8
        assert VP8 in reader.header.features
        unpack(reader, lambda header, needs: Codecs(), tmp_path / "out")
    assert contents(tmp_path / "out" / "in") == contents(source)


@needs_kernel
def test_what_is_left_of_hosts_is_framed(tmp_path: Path) -> None:
    """A TAR that holds a picture that others are found in, too."""
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "in" / "some.tar", "w") as tar:
        own = [webp(scene(90, 120, n), quality=80) for n in range(3)]
        out = io.BytesIO()
        Image.fromarray(scene(40, 50, 9)).save(out, "PNG")
        for n, data in enumerate([*own, out.getvalue()]):
            member = tarfile.TarInfo(str(n))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    compress([tmp_path / "in"], tmp_path / "a")
    with ArchiveReader(tmp_path / "a") as reader:
        tables = [table for table in reader.tables() if isinstance(table, ByteTable)]
        kinds = {segment.kind for table in tables for segment in table.segments if table.frames}
        assert (sum(table.frames for table in tables), kinds) == (3, {"host"})
    decompress(tmp_path / "a", tmp_path / "out")
    assert contents(tmp_path / "out" / "in") == contents(tmp_path / "in")


@needs_kernel
def test_pieces_are_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 6000)
    files = [webp(scene(60, 80, n)) for n in range(5)] + [b"no frames " * 90]
    crcs = map(zlib.crc32, files)
    segments = [
        ByteSegment(b"%d" % n, "file", len(data), 0, len(data), 0, crc, NONE)
        for n, (data, crc) in enumerate(zip(files, crcs, strict=True))
    ]
    done: list[int] = []
    data = b"".join(files)
    with Threads(2) as pool:
        found = frames.encode(segments, data, pool.submit, done.append)
    assert done[-1] == len(data)
    assert len(found) == len(done) > 1
    kept = b""
    for body, count in found:
        table = read_table(BYTE, body, NAMED_VERSION)
        assert isinstance(table, ByteTable)
        assert len(table.segments) == count
        assert (told(BYTE, table, set()) == {VP8}) == (table.frames > 0)
        kept += decode_bytes(table, body)()
    assert kept == data


@needs_kernel
def test_large_files_are_cut_between_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 4000)
    monkeypatch.setattr(frames, "MAX_FRAMED", 60000)
    large = webp(scene(160, 200, 1), quality=95)
    many = b"".join(webp(scene(60, 80, n)) for n in range(12))
    huge = webp(scene(300, 400, 2, 40), quality=100)
    segments = [
        ByteSegment(name, "file", len(data), 0, len(data), 0, zlib.crc32(data), NONE)
        for name, data in ((b"l", large), (b"m", many), (b"h", huge))
    ]
    data = large + many + huge
    assert len(large) > 4000 < len(many) < 60000 < len(huge)
    with Threads(2) as pool:
        found = frames.encode(segments, data, pool.submit, lambda count: None)
    tables = [read_table(BYTE, body, NAMED_VERSION) for body, _ in found]
    assert [body for body, count in found if count != 1] == []
    told = [table for table in tables if isinstance(table, ByteTable)]
    assert sum(table.frames for table in told) == 1 + 12  # and none of what is too large
    assert len([1 for table in told if table.segments[0].name == b"m"]) > 2
    assert max(table.length for table in told) == len(large)
    bodies = zip(told, (body for body, _ in found), strict=True)
    assert b"".join(decode_bytes(table, body)() for table, body in bodies) == data


@needs_kernel
def test_what_is_no_such_chunk_is_refused() -> None:
    data = webp(scene(60, 80, 1))
    segment = ByteSegment(b"a", "file", len(data), 0, len(data), 0, zlib.crc32(data), NONE)
    body = encode_frames([segment], data)
    assert body is not None
    table = read_table(BYTE, body, NAMED_VERSION)
    assert isinstance(table, ByteTable)
    huge = segment._replace(size=1 << 25, length=1 << 25)
    bad = [(table._replace(frames=2), body), (table._replace(mixed=2), body)]
    bad += [(table, body + b"1"), (table, body[:-4]), (table, body[: len(body) - len(data)])]
    bad += [(table._replace(segments=[huge]), body), (table, body[: after_table(body)])]
    for own, told_body in bad:
        with pytest.raises(ArchiveError):
            decode_bytes(own, told_body)()
    assert encode_frames([segment], b"none") is None


@needs_kernel
def test_frames_of_too_many_decisions_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    data = webp(scene(60, 80, 1))
    segment = ByteSegment(b"a", "file", len(data), 0, len(data), 0, zlib.crc32(data), NONE)
    monkeypatch.setattr(engine, "encode", partial(engine.encode, most=2000))
    assert encode_frames([segment], data) is None
