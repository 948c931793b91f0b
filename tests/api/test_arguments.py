"""Threads as many as a process may use, and places for new files."""

import os
import sys
from pathlib import Path

import pytest

from bitswap_cli.api import arguments
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


Bounds = dict[str, str]  # of groups, by their folders


def quota_of(tmp_path: Path, groups: str, files: Bounds) -> int | None:
    """The quota of a process in these groups, where these files say something."""
    (tmp_path / "own").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return quota(tmp_path / "own", tmp_path / "groups")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, None),
        ({"": "max 100000"}, None),
        ({"a/b": "150000 100000"}, 2),
        ({"a/b": "50000 100000"}, 1),
        ({"a/b": "max 100000", "a": "300000 100000", "": "400000 100000"}, 3),
        ({"": "200000 100000"}, 2),  # of a container, whose own name is not seen in it
        ({"a/b": "nonsense"}, None),
        ({"a/b": "100000 0"}, None),
        ({"other": "100000 100000"}, None),
    ],
)
def test_quota_of_control_groups(tmp_path: Path, bounds: Bounds, expected: int | None) -> None:
    """The narrowest bound of a group and those above it holds."""
    files = {f"{group}/cpu.max".lstrip("/"): bound for group, bound in bounds.items()}
    assert quota_of(tmp_path, "1:cpuset:/ignored\n0::/a/b\n", files) == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, None),
        ({"": "-1"}, None),
        ({"a/b": "150000"}, 2),
        ({"a/b": "-1", "a": "300000", "": "400000"}, 3),
        ({"": "200000"}, 2),
        ({"other": "100000"}, None),
    ],
)
@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
def test_quota_of_control_groups_of_version_1(
    tmp_path: Path, controllers: str, bounds: Bounds, expected: int | None
) -> None:
    files = {}
    for group, bound in bounds.items():
        files[f"cpu/{group}/cpu.cfs_quota_us"] = bound
        files[f"cpu/{group}/cpu.cfs_period_us"] = "100000"
    groups = f"9:name=systemd:/\n4:memory:/x:y\n3:{controllers}:/a/b\n2:cpuset:/other\n0::/\n"
    assert quota_of(tmp_path, groups, files) == expected


def test_the_narrower_of_both_versions_holds(tmp_path: Path) -> None:
    files = {
        "cpu.max": "300000 100000",
        "cpu/cpu.cfs_quota_us": "200000",
        "cpu/cpu.cfs_period_us": "100000",
    }
    assert quota_of(tmp_path, "1:cpu:/\n0::/\n", files) == 2
    assert quota_of(tmp_path, "no group\n\n", {}) is None
    assert quota(tmp_path / "none", tmp_path / "groups") is None


def test_as_many_processors_as_affinity_and_groups_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text("0::/\n")
    monkeypatch.setattr(arguments, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(arguments, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    assert processors() == 8
    for bound, expected in (("300000 100000", 3), ("1600000 100000", 8), ("1000 100000", 1)):
        (tmp_path / "cpu.max").write_text(bound)
        assert processors() == expected
    monkeypatch.setattr(os, "process_cpu_count", lambda: None)
    assert processors() == 1


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


def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "file").write_text("stdout goes here")
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path / "stdout", "/dev/null"):
        with pytest.raises(InputError, match="no regular file, and never replaced"):
            check_new(path, "-o", force=True)
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("file")
    check_new(tmp_path / "link", "-o", force=True)
