"""Threads as many as a process may use, and places for new files."""

import os
import sys
from pathlib import Path

import pytest

from bitswap_cli.api.arguments import as_paths, check_new, processors, quota, thread_count
from bitswap_cli.errors import InputError


def test_threads() -> None:
    assert thread_count(3) == 3
    assert thread_count(None) == thread_count(0) == processors() >= 1
    with pytest.raises(InputError, match="-1 is no number of threads"):
        thread_count(-1)


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_affinity_counts() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, None),
        ({"": "max 100000"}, None),
        ({"a/b": "150000 100000"}, 2),
        ({"a/b": "50000 100000"}, 1),
        ({"a/b": "max 100000", "a": "300000 100000", "": "400000 100000"}, 3),
        ({"a/b": "nonsense"}, None),
        ({"other": "100000 100000"}, None),
    ],
)
def test_quota_of_control_groups(
    tmp_path: Path, bounds: dict[str, str], expected: int | None
) -> None:
    """The narrowest bound of a group and those above it holds."""
    own = tmp_path / "own"
    own.write_text("1:cpu:/ignored\n0::/a/b\n")
    for group, bound in bounds.items():
        folder = tmp_path / "groups" / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(bound + "\n")
    assert quota(own, tmp_path / "groups") == expected
    assert quota(tmp_path / "none", tmp_path / "groups") is None


def test_sources(tmp_path: Path) -> None:
    assert as_paths(str(tmp_path)) == [str(tmp_path)]
    assert as_paths([tmp_path, tmp_path]) == [tmp_path, tmp_path]
    with pytest.raises(InputError, match="nothing to compress"):
        as_paths([])
    with pytest.raises(InputError, match="no file or folder"):
        as_paths([tmp_path / "none"])


def test_places(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_new(tmp_path / "file", "-o", force=True)
    for path, message in (
        (tmp_path / "file", "exists"),
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "a", "there is no folder"),
    ):
        with pytest.raises(InputError, match=message):
            check_new(path, "-o", force=False)
