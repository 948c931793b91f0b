"""The folder that entries are restored to: files together, then links, then times of folders."""

import os
from pathlib import Path

import pytest

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.reading import restore
from bitswap_cli.archive.reading.restore import Folder
from bitswap_cli.errors import InputError


def test_small_files_appear_together_and_have_their_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "_TOGETHER", 4)
    folder = Folder(tmp_path / "out", force=False)
    for number in range(6):
        folder.put(b"in/%d" % number, b"%d" % number, number)
        there = sorted(path.name for path in (tmp_path / "out" / "in").glob("[0-9]"))
        assert there == (["0", "1", "2", "3"] if number >= 3 else [])
    folder.make_folder(b"empty", 7)
    folder.make_link(b"in/link", b"0", 8)
    assert folder.finish() == []
    folder.close()
    times = {path.name: path.lstat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    del times["in"]
    assert times == {**{str(n): n for n in range(6)}, "empty": 7, "link": 8}


def test_folders_are_closed_to_others_until_their_modes_are_given(tmp_path: Path) -> None:
    before = os.umask(0)
    folder = Folder(tmp_path, force=False, private=True)
    try:
        folder.put(b"a/b/c", b"1", 1)
        folder.make_folder(b"a", 7, Attributes(0o777))
        folder.make_folder(b"a/b", 8, Attributes(0o2771))
        modes = [(tmp_path / name).stat().st_mode & 0o7777 for name in ("a", "a/b")]
        assert modes == [0o700, 0o700]
        assert folder.finish() == []
    finally:
        folder.close()
        os.umask(before)
    for name, mode, time in (("a", 0o777, 7), ("a/b", 0o771, 8)):
        status = (tmp_path / name).stat()
        assert (status.st_mode & 0o7777, status.st_mtime_ns) == (mode, time)


def test_what_is_whole_appears_even_if_the_rest_does_not(tmp_path: Path) -> None:
    folder = Folder(tmp_path, force=False)
    folder.put(b"a", b"1", 1)
    part = folder.open(b"b")
    part.write(b"a part")
    folder.close()
    part.discard()
    assert (tmp_path / "a").read_bytes() == b"1" and not (tmp_path / "b").exists()


def test_a_file_of_a_name_that_was_taken_meanwhile(tmp_path: Path) -> None:
    folder = Folder(tmp_path, force=False)
    for name in (b"a", b"b", b"c"):
        folder.put(name, b"1", 1)
    (tmp_path / "b").write_text("another's")
    with pytest.raises(InputError, match="b exists already"):
        folder.finish()
    folder.close()
    assert (tmp_path / "b").read_text() == "another's"
    assert not list(tmp_path.glob(".bitswap-*"))


def test_special_files_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    folder = Folder(tmp_path, force=True)
    with pytest.raises(InputError, match="never replaced"):
        folder.check(b"pipe")
    folder.check(b"null")
    folder.make_link(b"null", b"pipe", 1)
    assert folder.finish() == []
    folder.close()
    assert os.readlink(tmp_path / "null") == "pipe"
