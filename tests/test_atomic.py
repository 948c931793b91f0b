"""A new file appears whole or not at all, wherever its writer is interrupted."""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bitswap_cli.atomic import NewFile, NewLink, write_whole, writing
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
