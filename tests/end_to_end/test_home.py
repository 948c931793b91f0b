"""A folder like somebody's home comes back, with all that the file system tells of it."""

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import NamedTuple

import pytest

import bitswap_cli
from bitswap_cli.atomic import set_mtime
from tests.archive.test_entries import layout
from tests.golden.make import netpbm, photo, png

FILES = {
    "Pictures/a.png": (png(photo(40, 60, 1)), 0o640),
    "Pictures/a.ppm": (netpbm(photo(30, 31, 2)), 0o600),
    ".ssh/key": (b"secret\n", 0o600),
    "bin/tool": (b"#!/bin/sh\nexit 0\n", 0o755),
    "bin/of the group": (b"tool", 0o664),
    "read only/x": (b"r" * 3000, 0o444),
    "again/1": (b"equal content" * 99, 0o644),
    "again/2": (b"equal content" * 99, 0o400),
    "new\nline": (b"", 0o666),
    "zeros": (bytes(1 << 20), 0o644),
}


class Seen(NamedTuple):
    """What is seen of an entry."""

    mode: int
    mtime: int
    content: bytes
    names: int
    holes: list[int]
    xattrs: dict[str, bytes]


def look(path: Path) -> Seen:
    """Look at an entry, without following it."""
    status = path.lstat()
    content, holes = b"", []
    if stat.S_ISREG(status.st_mode):
        content, holes = path.read_bytes(), layout(path) if hasattr(os, "SEEK_HOLE") else []
    elif stat.S_ISLNK(status.st_mode):
        content = os.fsencode(os.readlink(path))
    xattrs = {}
    with contextlib.suppress(OSError, AttributeError):
        names = [n for n in os.listxattr(path, follow_symlinks=False) if n.startswith("user.")]
        xattrs = {name: os.getxattr(path, name, follow_symlinks=False) for name in names}
    links = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
    return Seen(status.st_mode, status.st_mtime_ns, content, links, holes, xattrs)


def home(top: Path) -> Path:
    """Make one: private, shared, linked, sparse, marked, old, and deep."""
    for name, (data, mode) in FILES.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
    os.link(top / "again" / "1", top / "bin" / "linked")
    for name, target in {"link": "bin/tool", "broken": "nowhere", "folder": "Pictures"}.items():
        (top / name).symlink_to(target)
    (top / "/".join("deep" * 30) / "empty").mkdir(parents=True)
    with (top / "disk.img").open("wb") as file:
        file.truncate(1 << 22)
        file.seek(1 << 20)
        file.write(b"data" * (1 << 14))
    with contextlib.suppress(OSError, AttributeError):
        os.setxattr(top / "Pictures" / "a.png", "user.tags", b"holiday")
        os.setxattr(top / "bin", "user.of", b"folders")
    (top / ".ssh").chmod(0o700)
    (top / "read only").chmod(0o555)
    for number, path in enumerate(sorted([top, *top.rglob("*")], reverse=True)):
        set_mtime(bytes(path), 10**18 + 1001 * number)
    return top


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return home(tmp_path / "in" / "home")


def test_everything_comes_back(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.relative_to(source): look(path) for path in [source, *source.rglob("*")]}
    os.mkfifo(source / "pipe")
    monkeypatch.chdir(source)  # a socket's path has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    set_mtime(bytes(source), before[Path()].mtime)
    report = bitswap_cli.compress(source, tmp_path / "a.bsw", model="photo")
    assert sorted(Path(path).name for path in report.skipped) == ["pipe", "socket"]
    restored = bitswap_cli.decompress(tmp_path / "a.bsw", tmp_path / "out")
    assert (restored.notes, restored.lost) == ([], [])
    top = tmp_path / "out" / "home"
    after = {path.relative_to(top): look(path) for path in [top, *top.rglob("*")]}
    assert after == before
    assert (top / "again" / "1").samefile(top / "bin" / "linked")
    again = bitswap_cli.compress(source, tmp_path / "b.bsw", model="photo", threads=1)
    assert again.bytes_after == report.bytes_after
    assert (tmp_path / "a.bsw").read_bytes() == (tmp_path / "b.bsw").read_bytes()
