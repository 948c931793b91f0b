"""What is told of files, as far as the system knows it."""

import os
from pathlib import Path

import pytest

from bitswap_cli.archive.format.attributes import ACCESS, MOST_BYTES, NONE, Attributes
from bitswap_cli.archive.system.telling import Teller

GROUP_READS = b"\2\0\0\0" + b"\4\0\4\0\xff\xff\xff\xff"


class System:
    """Extended attributes of all files, as a system with such has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.xattrs: dict[bytes, bytes] = {}
        self.error: int | None = None
        monkeypatch.setattr("os.listxattr", self.names, raising=False)
        monkeypatch.setattr("os.getxattr", self.value, raising=False)

    def names(self, path: bytes, *, follow_symlinks: bool) -> list[str]:
        self._check()
        return sorted(map(os.fsdecode, self.xattrs), reverse=True)

    def value(self, path: bytes, name: bytes, *, follow_symlinks: bool = True) -> bytes:
        self._check()
        if name not in self.xattrs:
            raise OSError(61, "No data available")
        return self.xattrs[name]

    def _check(self) -> None:
        if self.error:
            raise OSError(self.error, os.strerror(self.error))


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    return System(monkeypatch)


def test_holes_of_which_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first are told; the others will be zeros like any."""
    (tmp_path / "x").write_bytes(b"")
    os.truncate(tmp_path / "x", 1000)
    monkeypatch.setattr("bitswap_cli.archive.system.telling.MOST_RUNS", 4)
    monkeypatch.setattr("os.SEEK_HOLE", 4, raising=False)
    monkeypatch.setattr("os.lseek", lambda _, place, way: place + (10 if way == 4 else 5))
    assert told(tmp_path / "x", Teller()).holes == (10, 5, 10, 5)


def told(path: Path, teller: Teller) -> Attributes:
    return teller.of(bytes(path), path.lstat())


def test_each_of_them_where_it_is_asked_for(tmp_path: Path, system: System) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "x").chmod(0o4660)
    (tmp_path / "link").symlink_to("x")
    own = (tmp_path / "x").stat()
    names = (b"user.b", b"user.a", b"security.x", b"trusted.y", b"system.nfs4_acl", b"other.z")
    system.xattrs = {name: b"of " + name for name in names}
    users = tuple((name, b"of " + name) for name in (b"user.a", b"user.b"))
    assert told(tmp_path / "x", Teller()) == Attributes(0o4660, xattrs=users)
    assert told(tmp_path / "x", Teller(xattrs=False)) == Attributes(0o4660)
    assert told(tmp_path / "link", Teller(xattrs=False)) == NONE
    everything = tuple((n, b"of " + n) for n in (b"security.x", b"trusted.y", b"user.a", b"user.b"))
    expected = Attributes(0o4660, own.st_uid, own.st_gid, everything)
    assert told(tmp_path / "x", Teller(owners=True)) == expected
    assert told(tmp_path / "link", Teller(owners=True)) == expected._replace(mode=None)


def test_without_its_list_of_access_a_mode_is_narrower(tmp_path: Path, system: System) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "x").chmod(0o660)
    system.xattrs = {ACCESS: GROUP_READS}
    assert told(tmp_path / "x", Teller()) == Attributes(0o660, xattrs=((ACCESS, GROUP_READS),))
    assert told(tmp_path / "x", Teller(xattrs=False)) == Attributes(0o640)


def test_what_cannot_be_told_is_noted_once(tmp_path: Path, system: System) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(b"1")
        (tmp_path / name).chmod(0o600)
    teller = Teller()
    system.xattrs = {b"user.large": bytes(MOST_BYTES)}
    assert told(tmp_path / "b", teller) == Attributes(0o600)
    system.error = 13
    assert told(tmp_path / "a", teller) == Attributes(0o600)
    assert teller.notes() == [
        f"extended attributes of {tmp_path}/a and 1 more are not in the archive: Permission denied"
    ]
    system.error = 95
    quiet = Teller()
    assert told(tmp_path / "c", quiet) == Attributes(0o600)
    assert quiet.notes() == []


def test_equal_ones_take_memory_once(tmp_path: Path, system: System) -> None:
    teller = Teller()
    system.xattrs = {b"user.x": b"1"}
    found = []
    for name in "ab":
        (tmp_path / name).write_bytes(b"1")
        found.append(told(tmp_path / name, teller).xattrs)
    assert found[0] is found[1]
