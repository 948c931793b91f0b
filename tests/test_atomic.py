"""A new file appears whole or not at all, wherever its writer is interrupted."""

import sys
from pathlib import Path

import pytest

from bitswap_cli.atomic import NewFile
from bitswap_cli.errors import InputError


def _write(path: Path) -> None:
    file = NewFile(bytes(path), force=False)
    file.write(b"all of it")
    file.commit()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # left to close
def test_interruption_at_any_line(tmp_path):
    """As a signal's handler does: before the writer holds the file as well as after."""
    for lines in range(1000):
        left = lines

        def interrupt(frame, event, _):
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


def test_what_is_there_is_kept(tmp_path):
    _write(tmp_path / "a")
    with pytest.raises(InputError, match="exists already"):
        _write(tmp_path / "a")
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="a folder is there"):
        _write(tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
