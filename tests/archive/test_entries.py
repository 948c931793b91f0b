"""What a file system tells of files and folders comes back with them."""

import os
import stat
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.chunks import encode_bytes
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.format.index import Totals
from bitswap_cli.archive.format.sections import BYTE
from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.reading.reader import ArchiveReader
from bitswap_cli.archive.reading.unpack import unpack
from bitswap_cli.archive.system.giving import Giver
from bitswap_cli.archive.writing.blocks import Keeping
from bitswap_cli.archive.writing.pack import pack
from bitswap_cli.archive.writing.writer import ArchiveWriter
from bitswap_cli.errors import ArchiveError
from tests.archive.rights import without_rights
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

MODES = (0o600, 0o644, 0o755, 0o400, 0o000, 0o666, 0o777, 0o640, 0o4755, 0o2750, 0o1777)


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


def restorable(root: Path) -> dict[str, int]:
    """The modes of all below a folder as everybody restores them, not only root."""
    told = modes(root).items()
    return {name: mode & (0o1777 if (root / name).is_dir() else 0o777) for name, mode in told}


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


def times(root: Path) -> dict[str, int]:
    """When all below a folder was modified, in nanoseconds."""
    return {str(path.relative_to(root)): path.lstat().st_mtime_ns for path in root.rglob("*")}


@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_modes_come_back(tmp_path: Path, folder: Path, codec: ZlibCodec, mask: int) -> None:
    """Whatever the umask: private files stay private, programs stay programs."""
    with masked(mask):
        pack([folder], tmp_path / "a", codec, header_for(codec), keeping=Keeping(1000))
        with ArchiveReader(tmp_path / "a") as reader:
            assert reader.header.features == {"copies", "folders", "modes"}
            assert {entry.kind for entry in reader.entries()} == {
                "png",
                "pnm",
                "file",
                "dir",
                "link",
                "copy",
            }
            unpack(reader, codec_for(codec), tmp_path / "out")
    assert modes(tmp_path / "out" / "in") == restorable(folder)


def build_folders(top: Path) -> None:
    """Folders that are closed to all but their owner, or to him, too."""
    for number, name in enumerate(("a/b/c/d", "a/b/x", "read only/x", "closed/deep/x", "shared/x")):
        write(top / name, name.encode(), 10**18 + number)
    (top / "read only" / "link").symlink_to("x")
    (top / "closed" / "empty").mkdir()
    for name, mode in (
        ("a/b", 0o700), ("read only", 0o555), ("closed/deep", 0o500), ("closed/empty", 0o555),
        ("closed", 0o700 if os.geteuid() else 0), ("shared", 0o777), ("", 0o751),
    ):  # fmt: skip
        (top / name).chmod(mode)
    for number, path in enumerate(sorted([top, *top.rglob("*")], reverse=True)):
        if path.is_dir():
            os.utime(path, ns=(number, 10**17 + number))


def test_folders_come_back_with_modes_and_times(tmp_path: Path) -> None:
    """Of one who is not root, too, to whom a folder is closed before what is in it is there."""
    build_folders(tmp_path / "in" / "top")
    report = pack([tmp_path / "in" / "top"], tmp_path / "a", None, Header.without_model())
    assert report.kinds == {"file": 5, "dir": 1, "link": 1}
    with tempfile.TemporaryDirectory() as outside, ArchiveReader(tmp_path / "a") as reader:
        os.chmod(outside, 0o777)
        assert len(list(reader.entries())) == report.entries == 7
        with without_rights():
            unpack(reader, codec_for(ZlibCodec()), outside)
        assert modes(Path(outside)) == modes(tmp_path / "in")
        assert times(Path(outside)) == times(tmp_path / "in")


def test_folders_above_what_is_selected_come_with_it(tmp_path: Path) -> None:
    build_folders(tmp_path / "top")
    pack([tmp_path / "top"], tmp_path / "a", None, Header.without_model())
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(ZlibCodec()), tmp_path / "out", select=["top/a/b/x"])
    for found in (modes, times):
        before, after = found(tmp_path / "top"), found(tmp_path / "out" / "top")
        assert after == {name: before[name] for name in ("a", "a/b", "a/b/x")}


def test_a_folder_that_was_there_stays_as_it_was_unless_it_may_be_replaced(tmp_path: Path) -> None:
    write(tmp_path / "top" / "in" / "x", b"1")
    (tmp_path / "top" / "in").chmod(0o755)
    pack([tmp_path / "top"], tmp_path / "a", None, Header.without_model())
    (tmp_path / "out" / "top" / "in").mkdir(parents=True)
    (tmp_path / "out" / "top" / "in").chmod(0o700)
    for force in (False, True):
        with ArchiveReader(tmp_path / "a") as reader:
            unpack(reader, codec_for(ZlibCodec()), tmp_path / "out", force=force)
        assert modes(tmp_path / "out")["top/in"] == (0o755 if force else 0o700)


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
        patched.setattr("bitswap_cli.archive.sources.source.os.name", "nt")
        pack([tmp_path / "x"], tmp_path / "a", None, Header.without_model())
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.features == frozenset()
        with masked(0o027):
            unpack(reader, codec_for(ZlibCodec()), tmp_path / "out")
    assert modes(tmp_path / "out") == {"x": 0o640}


def archive_of(path: Path, segments: list[ByteSegment], features: list[str]) -> Path:
    """Write an archive that no writer would, of a chunk and a byte for each segment."""
    header = Header.without_model()._replace(features=frozenset(features))
    with ArchiveWriter(path, header, force=True) as writer:
        for segment in segments:
            writer.add(BYTE, encode_bytes([segment], b"1"), 1)
        writer.finish(Totals(1, len(segments), 0, 0))
        writer.commit()
    return path


def xattrs(root: Path) -> dict[str, dict[str, bytes]]:
    """Extended attributes of all below a folder that has any."""
    found: dict[str, dict[str, bytes]] = {}
    for path in root.rglob("*"):
        names = [n for n in os.listxattr(path, follow_symlinks=False) if n != "security.selinux"]
        own = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
        found |= {str(path.relative_to(root)): own} if own else {}
    return found


@pytest.fixture
def marked(tmp_path: Path, folder: Path) -> Path:
    """The folder with extended attributes, large ones among them, and lists of access."""
    rows = [(1, 7, 0xFFFFFFFF), (2, 6, 12), (4, 0, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF)]
    rows.append((32, 0, 0xFFFFFFFF))
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)
    try:
        for name in ("large.ppm", "large.txt", "644.png", "644.txt", "755"):
            os.setxattr(folder / name, "user.of", name.encode())
            os.setxattr(folder / name, b"user.\xff", bytes(range(256)) * 4)
        os.setxattr(folder / "755", "system.posix_acl_default", access)
        for name in ("640.txt", "640.png", "755"):
            os.setxattr(folder / name, "system.posix_acl_access", access)
    except (OSError, AttributeError):
        pytest.skip("this system, or this file system, has no such attributes")
    return folder


@pytest.mark.parametrize("keep", [True, False])
def test_extended_attributes_come_back(
    tmp_path: Path, marked: Path, codec: ZlibCodec, keep: bool
) -> None:
    pack([marked], tmp_path / "a", codec, header_for(codec), keeping=Keeping(1000))
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.features == {"copies", "folders", "modes", "xattrs"}
        giver = Giver(xattrs=keep)
        report = unpack(reader, codec_for(codec), tmp_path / "out", giver=giver)
    assert report.notes == []
    assert xattrs(tmp_path / "out" / "in") == (xattrs(marked) if keep else {})
    expected = restorable(marked)
    if not keep:  # what the group had was said by the lists
        expected |= {"640.txt": 0o700, "640.png": 0o700, "755": 0o700}
    assert modes(tmp_path / "out" / "in") == expected
    assert times(tmp_path / "out" / "in") == times(marked)


def test_a_list_that_a_folder_leaves_to_its_files_gives_nobody_a_right(
    tmp_path: Path, marked: Path
) -> None:
    pack([marked / "644.txt", marked / "600"], tmp_path / "a", None, Header.without_model())
    with ArchiveReader(tmp_path / "a") as reader:
        unpack(reader, codec_for(ZlibCodec()), marked / "755")
    assert not any(name.startswith("system") for name in os.listxattr(marked / "755" / "644.txt"))
    assert os.listxattr(marked / "755" / "600") == []
    assert modes(marked / "755") == {"644.txt": 0o644, "600": 0o600}


def layout(path: Path) -> list[int]:
    """Where data and holes of a file begin, in turn."""
    found, size = [0], path.stat().st_size
    with path.open("rb") as file:
        while found[-1] < size:
            hole = os.lseek(file.fileno(), found[-1], os.SEEK_HOLE)
            try:
                data = os.lseek(file.fileno(), hole, os.SEEK_DATA)
            except OSError:
                data = size
            found += [hole, data]
    return found


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """Files with holes before, between and behind their data, or with none, though all is zero."""
    top = tmp_path / "sparse"
    top.mkdir()
    page = 1 << 16  # as much as any file system's block
    for name, size, places in (
        ("between", 9 * page, (0, 4, 8)), ("before", 3 * page, (2,)),
        ("behind", 5 * page + 7, (0,)), ("nothing else", 4 * page, ()),
        ("full", 4 * page, range(4)), ("short", 20, ()),
    ):  # fmt: skip
        with (top / name).open("wb") as file:
            file.truncate(size)
            for place in places:
                file.seek(place * page)
                file.write(bytes(page) if name == "full" else b"data" * (page // 4))
    if not hasattr(os, "SEEK_HOLE") or len(layout(top / "between")) < 5:
        pytest.skip("this system, or this file system, has no sparse files")
    return top


def test_sparse_files_come_back_sparse(tmp_path: Path, sparse: Path) -> None:
    """And others do not become sparse, whatever is in them; copies are as their originals."""
    (sparse / "again").write_bytes((sparse / "between").read_bytes())
    pack([sparse], tmp_path / "a", None, Header.without_model(), keeping=Keeping(100_000))
    with ArchiveReader(tmp_path / "a") as reader:
        assert reader.header.features == {"copies", "folders", "modes", "sparse"}
        unpack(reader, codec_for(None), tmp_path / "out")
    for path in sparse.iterdir():
        restored = tmp_path / "out" / "sparse" / path.name
        assert restored.read_bytes() == path.read_bytes()
        assert layout(restored) == layout(path), path.name
    assert len(layout(sparse / "full")) == len(layout(sparse / "again")) == 3


def test_what_the_header_does_not_announce_is_refused(tmp_path: Path) -> None:
    told = ByteSegment(b"x", "file", 1, 0, 1, 0, zlib.crc32(b"1"), Attributes(0o600))
    assert check(archive_of(tmp_path / "a", [told], ["modes"]), None).entries == 1
    with pytest.raises(ArchiveError, match="tells modes though its header does not announce"):
        check(archive_of(tmp_path / "a", [told], ["wide"]), None)


def test_what_is_told_again_is_refused(tmp_path: Path) -> None:
    """Attributes stand where an entry begins, and nowhere else."""
    first = ByteSegment(b"x", "file", 2, 0, 1, 0, zlib.crc32(b"1"), Attributes(0o600))
    second = ByteSegment(b"x", "file", 2, 1, 1, 0, zlib.crc32(b"11"))
    assert check(archive_of(tmp_path / "a", [first, second], ["modes"]), None).entries == 1
    again = second._replace(attributes=first.attributes)
    with pytest.raises(ArchiveError, match="malformed"):
        check(archive_of(tmp_path / "a", [first, again], ["modes"]), None)
