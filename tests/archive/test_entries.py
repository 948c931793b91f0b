"""What a file system tells of files and folders comes back with them."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE, Header
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.writing import batches
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError
from tests.archive.support import (
    ZlibCodec,
    bad_png,
    check,
    codec_for,
    encoded,
    header_for,
    smooth,
    write,
)

MODES = (0o600, 0o644, 0o755, 0o400, 0o000, 0o666, 0o777, 0o640, 0o4755, 0o2750)


@contextmanager
def masked(mask: int) -> Iterator[None]:
    """New files get no more than a umask leaves."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(root: Path) -> dict[str, int]:
    """The modes of all below a folder that is no link."""
    paths = [path for path in root.rglob("*") if not path.is_symlink()]
    return {str(path.relative_to(root)): stat.S_IMODE(path.lstat().st_mode) for path in paths}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in one chunk and in several, files likewise, copies, empty folders, and a link."""
    top = tmp_path / "in"
    for mode in MODES:
        write(top / f"{mode:o}.png", bad_png(16, 16, seed=mode))
        write(top / f"{mode:o}.txt", b"kept as it is")
        (top / f"{mode:o}").mkdir()
    write(top / "large.ppm", encoded(smooth(100, 200), "PPM"))
    write(top / "large.txt", bytes(2500))
    for path in top.iterdir():
        path.chmod(int(path.stem, 8) if path.stem != "large" else 0o640)
    (top / "link").symlink_to("large.txt")
    return top


@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_modes_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, codec: ZlibCodec, mask: int
) -> None:
    """Whatever the umask: private files stay private, programs stay programs."""
    monkeypatch.setattr(batches, "CHUNK_BYTES", 1000)
    with masked(mask):
        pack([folder], tmp_path / "a", codec, header_for(codec))
        with ArchiveReader(tmp_path / "a") as reader:
            assert reader.header.features == {"modes", "copies"}
            assert {entry.kind for entry in reader.entries()} == {
                "png",
                "pnm",
                "file",
                "dir",
                "link",
                "copy",
            }
            unpack(reader, codec_for(codec), tmp_path / "out")
    expected = {name: mode & 0o777 for name, mode in modes(folder).items()}
    assert modes(tmp_path / "out" / "in") == expected


def test_a_file_gets_the_mode_that_is_told_not_that_of_what_it_replaces(tmp_path: Path) -> None:
    write(tmp_path / "x", b"new")
    (tmp_path / "x").chmod(0o750)
    pack([tmp_path / "x"], tmp_path / "a", None, Header.without_model())
    for mode in (0o600, 0o777):
        write(tmp_path / "out" / "x", b"old")
        (tmp_path / "out" / "x").chmod(mode)
        with ArchiveReader(tmp_path / "a") as reader:
            unpack(reader, codec_for(ZlibCodec()), tmp_path / "out", force=True)
        assert modes(tmp_path / "out") == {"x": 0o750}


def test_windows_tells_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "x", b"1")
    with monkeypatch.context() as patched:
        patched.setattr("bitswap_cli.archive.writing.sources.os.name", "nt")
        pack([tmp_path / "x"], tmp_path / "a", None, Header.without_model())
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.features == frozenset()
        with masked(0o027):
            unpack(reader, codec_for(ZlibCodec()), tmp_path / "out")
    assert modes(tmp_path / "out") == {"x": 0o640}


def archive_of(path: Path, segments: list[ByteSegment], features: list[str]) -> Path:
    """Write an archive that no writer would, of a chunk of one byte for each segment."""
    header = Header.without_model()._replace(features=frozenset(features))
    with ArchiveWriter(path, header, force=True) as writer:
        writer.add(BYTE, encode_bytes(segments, b"1" * len(segments)), len(segments))
        writer.finish(Totals(1, len(segments), 0, 0))
        writer.commit()
    return path


def test_what_the_header_does_not_announce_is_refused(tmp_path: Path) -> None:
    told = ByteSegment(b"x", "file", 1, 0, 1, 0, zlib.crc32(b"1"), Attributes(0o600))
    assert check(archive_of(tmp_path / "a", [told], ["modes"]), None).entries == 1
    with pytest.raises(ArchiveError, match="attributes that its header does not announce"):
        check(archive_of(tmp_path / "a", [told], ["wide"]), None)


def test_what_is_told_again_is_refused(tmp_path: Path) -> None:
    """Attributes stand where an entry begins, and nowhere else."""
    first = ByteSegment(b"x", "file", 2, 0, 1, 0, zlib.crc32(b"1"), Attributes(0o600))
    second = ByteSegment(b"x", "file", 2, 1, 1, 0, zlib.crc32(b"11"))
    assert check(archive_of(tmp_path / "a", [first, second], ["modes"]), None).entries == 1
    again = second._replace(attributes=first.attributes)
    with pytest.raises(ArchiveError, match="malformed"):
        check(archive_of(tmp_path / "a", [first, again], ["modes"]), None)
