"""A new file appears whole or not at all, wherever its writer is interrupted."""

import gc
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bitswap_cli import atomic
from bitswap_cli.atomic import (
    NewFile,
    NewHardLink,
    NewLink,
    Scratch,
    make_durable,
    write_whole,
    writing,
)
from bitswap_cli.errors import InputError


def _write(path: Path) -> None:
    file = NewFile(bytes(path), force=False)
    file.write(b"all of it")
    file.commit()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # left to close
def test_interruption_at_any_line(tmp_path: Path) -> None:
    """As a signal's handler does: before the writer holds the file as well as after."""
    for lines in range(1000):
        left = lines

        def interrupt(
            frame: FrameType, event: str, _: object
        ) -> Callable[[FrameType, str, object], Any]:
            nonlocal left
            if frame.f_code.co_filename == NewFile.__init__.__code__.co_filename:
                left -= event == "line"
                if left == 0:
                    left = -1
                    raise KeyboardInterrupt
            return interrupt  # noqa: B023 (called in this round only)

        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            _write(tmp_path / "a")
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert [path.name for path in tmp_path.iterdir()] in ([], ["a"])
        if left > 0:  # there were not so many lines
            break
        for path in tmp_path.iterdir():
            assert path.read_bytes() == b"all of it"
            path.unlink()
    assert lines > 10
    assert (tmp_path / "a").read_bytes() == b"all of it"


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    _write(tmp_path / "a")
    with pytest.raises(InputError, match="exists already"):
        _write(tmp_path / "a")
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="a folder is there"):
        _write(tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("make", [NewFile, lambda path, force: NewLink(path, b"x", force=force)])
def test_a_name_that_another_process_has_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., NewFile | NewLink]
) -> None:
    names = iter(["taken", "free"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(names))
    other = tmp_path / ".bitswap-taken.tmp"
    other.write_bytes(b"another's")
    make(tmp_path / "a", force=False).commit()
    gc.collect()
    assert other.read_bytes() == b"another's"
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a"]


def test_writing_a_block(tmp_path: Path) -> None:
    with writing(tmp_path / "a") as file:
        file.write(b"all")
        assert not (tmp_path / "a").exists()
    write_whole(tmp_path / "b", b"of it")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "a") as file:
        file.write(b"a part")
        raise ZeroDivisionError
    with pytest.raises(InputError, match="cannot write"), writing(tmp_path / "no" / "a"):
        pass
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"all",
        "b": b"of it",
    }


def test_a_file_that_goes_unfinished_leaves_nothing(tmp_path: Path) -> None:
    file = NewFile(tmp_path / "a", force=False)
    file.write(b"a part")
    file.finish()
    assert (tmp_path / os.fsdecode(file.temporary)).read_bytes() == b"a part"
    del file
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def _modes(path: Path) -> list[int]:
    return [file.stat().st_mode & 0o777 for file in sorted(path.iterdir())]


@pytest.mark.parametrize("linux", [True, False])
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_only_the_owner_can_read_what_is_not_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int, linux: bool
) -> None:
    if not linux:
        monkeypatch.setattr(atomic, "_STATUS", str(tmp_path / "none"))
    before = os.umask(mask)
    try:
        file = NewFile(tmp_path / "a", force=False)
        file.write(b"secret")
        assert _modes(tmp_path) == [0o600]
        file.commit()
        assert _modes(tmp_path) == [0o666 & ~mask]
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


def test_what_is_replaced_does_not_become_readable(tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o755):
        write_whole(tmp_path / "a", b"old")
        (tmp_path / "a").chmod(mode)
        write_whole(tmp_path / "a", b"new")
        assert _modes(tmp_path) == [0o644 & mode & ~os.umask(os.umask(0o022))]
        (tmp_path / "a").unlink()


def test_a_file_is_dressed_when_all_is_written(tmp_path: Path) -> None:
    """With any mode, whatever the umask and the mode of what it replaces."""

    def dress(number: int) -> int:
        assert os.pread(number, 99, 0) == b"secret"
        assert stat.S_IMODE(os.fstat(number).st_mode) == 0o600
        return mode

    for mode in (0o400, 0o777, 0o660):
        file = NewFile(tmp_path / "a", force=True, dress=dress)
        file.write(b"secret")
        file.commit()
        assert _modes(tmp_path) == [mode]


def test_a_link_that_takes_the_place_of_a_file_leads_to_no_other(tmp_path: Path) -> None:
    """Whoever can write in the folder must not decide whose mode it is."""
    (tmp_path / "other").write_bytes(b"another's")
    (tmp_path / "other").chmod(0o600)

    def dress(_: int) -> int:
        os.unlink(file.temporary)
        os.symlink("other", file.temporary)
        return 0o666

    file = NewFile(tmp_path / "a", force=False, dress=dress)
    file.commit()
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("make", [NewFile, lambda path, force: NewLink(path, b"x", force=force)])
def test_a_pipe_is_never_replaced(tmp_path: Path, make: Callable[..., NewFile | NewLink]) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(InputError, match="no regular file, and never replaced"):
        make(tmp_path / "a", force=True)
    assert (tmp_path / "a").is_fifo() and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("count", [0, 3, 20])
@pytest.mark.parametrize("linux", [True, False])
def test_many_files_appear_when_all_are_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, linux: bool
) -> None:
    events: list[str] = []

    def heard(name: str) -> Callable[..., object]:
        real = getattr(atomic, name)

        def call(path: bytes) -> object:
            events.append(name)
            return real(path) if linux or name == "_sync" else False

        return call

    for name in ("_sync", "_sync_around"):
        monkeypatch.setattr(atomic, name, heard(name))
    real_replace = os.replace

    def replace(old: bytes, new: bytes) -> None:
        events.append("replace")
        real_replace(old, new)

    monkeypatch.setattr(os, "replace", replace)
    files = []
    for number in range(count):
        file = NewFile(tmp_path / f"{number:02}", force=False)
        file.write(b"%d" % number)
        file.finish(sync=False)
        files.append((file, number))
    assert not events
    make_durable([file for file, _ in files])
    for file, number in files:
        file.commit(number)
    syncs = ["_sync_around"] * (count > 8) + ["_sync"] * (count if count <= 8 or not linux else 0)
    assert events == syncs + ["replace"] * count
    for number, path in enumerate(sorted(tmp_path.iterdir())):
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (b"%d" % number, number)


def test_what_was_taken_back_is_gone(tmp_path: Path) -> None:
    file = NewFile(tmp_path / "a", force=False)
    file.write(b"0123456789")
    file.truncate(4)
    file.write(b"ab")
    file.commit()
    assert (tmp_path / "a").read_bytes() == b"0123ab"


@pytest.mark.skipif(os.name == "nt", reason="an open file has a name")
def test_a_file_for_a_while_has_no_name(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert os.listdir(tmp_path) == []
    scratch.file.write(b"0123456789")
    scratch.file.seek(4)
    assert scratch.file.read(3) == b"456"
    scratch.close()
    assert scratch.file.closed and os.listdir(tmp_path) == []
    with pytest.raises(InputError, match="cannot write .*/none/"):
        Scratch(tmp_path / "none")


def test_hard_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    NewHardLink(tmp_path / "b", bytes(tmp_path / "a"), force=False).commit()
    with pytest.raises(InputError, match="exists already"):
        NewHardLink(tmp_path / "b", bytes(tmp_path / "a"), force=False)
    NewHardLink(tmp_path / "b", bytes(tmp_path / "a"), force=True).commit()  # they are one already
    with pytest.raises(InputError, match="cannot write"):
        NewHardLink(tmp_path / "c", bytes(tmp_path / "none"), force=False)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert (tmp_path / "a").samefile(tmp_path / "b")
