"""What restored entries are given, what not, and what is said of that."""

import os
from pathlib import Path

import pytest

from bitswap_cli.archive.format.attributes import ACCESS, NONE, Attributes
from bitswap_cli.archive.system.giving import Giver
from bitswap_cli.errors import InputError
from tests.archive.rights import without_rights

GROUP_READS = b"\2\0\0\0" + b"\4\0\4\0\xff\xff\xff\xff"


@pytest.fixture
def file(tmp_path: Path) -> bytes:
    (tmp_path / "x").write_bytes(b"1")
    return bytes(tmp_path / "x")


def test_modes_give_rights_and_no_power(file: bytes) -> None:
    giver = Giver()
    assert giver.give(file, NONE, b"x") is None
    assert giver.give(file, Attributes(0), b"x") == 0
    assert giver.give(file, Attributes(0o7751, os.getuid(), os.getgid()), b"x") == 0o751
    assert giver.notes(frozenset()) == []


def test_windows_has_no_modes(monkeypatch: pytest.MonkeyPatch, file: bytes) -> None:
    giver = Giver()
    with monkeypatch.context() as patched:
        patched.setattr("os.name", "nt")
        assert giver.give(file, Attributes(0o600, 1, 1, ((b"user.x", b""),)), b"x") is None
    assert giver.notes(frozenset()) == []


def test_nobody_but_root_gives_files_away() -> None:
    with without_rights(), pytest.raises(InputError, match="only root can restore owners"):
        Giver(owners=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() > 0, reason="needs root")
def test_power_comes_with_the_right_owner_only(file: bytes) -> None:
    """To run as root is no right of a file of somebody else, whose owner is not told."""
    giver = Giver(owners=True)
    assert giver.give(file, Attributes(0o4755), b"x") == 0o755
    assert giver.give(file, Attributes(0o4755, 12, 13), b"x") == 0o4755
    assert (os.stat(file).st_uid, os.stat(file).st_gid) == (12, 13)
    assert giver.notes({"owners"}) == []
    assert giver.notes(frozenset()) == ["the archive tells no owners: it was made without --owners"]
    assert giver.give(file, Attributes(0o4755, (1 << 32) - 2, 1), b"x") == 0o4755


def test_a_sticky_folder_stays_so(file: bytes) -> None:
    """Else whoever may write to it could remove what others own; it takes no right to give."""
    giver = Giver()
    assert giver.give(file, Attributes(0o7777), b"x", folder=True) == 0o1777
    assert giver.give(file, Attributes(0o7777), b"x") == 0o777


def test_what_the_file_system_does_not_take_is_noted_once(
    monkeypatch: pytest.MonkeyPatch, file: bytes
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.setxattr", refuse, raising=False)
    giver = Giver()
    told = Attributes(0o660, xattrs=((ACCESS, GROUP_READS), (b"user.x", b"1")))
    assert giver.give(file, told, b"b") == 0o640, "the list is not there to narrow the mode"
    assert giver.give(file, told._replace(xattrs=told.xattrs[1:]), b"a") == 0o660
    assert giver.give(file, told._replace(xattrs=((b"security.x", b"1"),)), b"c") == 0o660
    assert giver.notes(frozenset()) == [
        "extended attributes of a and 1 more could not be restored: Operation not supported"
    ]
    silent = Giver(xattrs=False)
    assert silent.give(file, told, b"x") == 0o640
    assert silent.notes(frozenset()) == []
