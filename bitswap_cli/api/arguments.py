"""What the functions of this room take: defaults, threads, and places for new files.

Imports nothing heavy: the command line reads its defaults here before it knows what it is to do.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bitswap_cli.atomic import special
from bitswap_cli.errors import InputError

AUTO = "auto"  # the installed model that codes a sample best
SPEEDS = ("fast", "balanced", "small")
FAST, _, SMALL = SPEEDS
SCHEMES = ("bitswap", "bbans", "topdown")
BATCH = 64  # tiles that the networks see at a time
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")

PathLike = str | os.PathLike[str]
Progress = Callable[[str, int, int], None]
"""Called with the name of what is being done, and the bytes done and in all."""
Notes = Callable[[str], None]
"""Called with a line, a detail of what is being done."""


def ignore(line: str) -> None:
    """Be `Notes` that nobody reads."""


def stage(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    """Return what is called with the bytes done and in all of one stage."""
    return progress and partial(progress, name)


def thread_count(threads: int | None) -> int:
    """Return how many threads to use: as many as asked for; all there are for None or 0.

    Raises
    ------
    InputError
        If the number is negative.
    """
    if threads is not None and threads < 0:
        raise InputError(f"{threads} is no number of threads: give 1 or more, or 0 for all")
    return threads or processors()


def processors() -> int:
    """Return how many processors this process may use, by its affinity and its control group."""
    count: Callable[[], int | None] | None = getattr(os, "process_cpu_count", None)  # from 3.13 on
    if count is None and hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = (count or os.cpu_count)() or 1
    return max(1, min(allowed, quota(_OWN_GROUP, _CONTROL_GROUPS) or allowed))


def quota(own: Path, groups: Path) -> int | None:
    """Return how many processors control groups leave this process, rounded up.

    Parameters
    ----------
    own : Path
        File that names the process's groups, as /proc/self/cgroup.
    groups : Path
        Folder of all groups. Those of version 2 have a ``cpu.max``: microseconds, or ``max``, in a
        period of so many; those of version 1, in a folder of their controller, a
        ``cpu.cfs_quota_us``, which is -1 without bound, and a ``cpu.cfs_period_us``.

    Returns
    -------
    int or None
        None where there is no bound.
    """
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        return None
    bounds: list[int] = []
    for _, controllers, name in (line for line in lines if len(line) == 3):
        if not controllers:
            bounds += _bounds(groups, name, "cpu.max")
        elif "cpu" in controllers.split(","):
            bounds += _bounds(groups / "cpu", name, "cpu.cfs_quota_us", "cpu.cfs_period_us")
    return min(bounds, default=None)


def _bounds(top: Path, name: str, *files: str) -> Iterator[int]:
    """What is said by files of a group, and of those above it, up to the top.

    In a container the group's own name may be one that is seen outside only; what is there as the
    top is the container's.
    """
    group = top / name.strip("/")
    for folder in (group, *group.parents):
        try:
            time, period = map(int, " ".join((folder / f).read_text() for f in files).split())
            if time > 0 < period:
                yield -(-time // period)
        except (OSError, ValueError):  # none there, or "max"
            pass
        if folder == top:
            break


def as_paths(sources: PathLike | Sequence[PathLike]) -> list[PathLike]:
    """Return one path, or several, as a list.

    Raises
    ------
    InputError
        If there is none, or nothing is there.
    """
    paths = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    if not paths:
        raise InputError("there is nothing to compress: give files or folders")
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(f"there is no file or folder {os.fspath(path)}")
    return paths


def check_new(path: PathLike, option: str, *, force: bool) -> None:
    """Refuse a place for a new file where none could be written, before the work for it is done.

    Raises
    ------
    InputError
        If a file is there and `force` is not given, a folder, a device or a pipe is there, or its
        folder is not there or cannot be written to.
    """
    place = Path(path)
    if place.is_dir():
        raise InputError(f"{path} is a folder: give another {option}")
    # /dev/stdout is a link, whatever it leads to
    if place.exists() and (
        not place.is_file() or (place.is_symlink() and os.readlink(place).startswith("/proc/"))
    ):
        raise special(path)
    if place.exists() and not force:
        raise InputError(f"{path} exists: give another {option}, or --force to replace it")
    if not place.parent.is_dir():
        raise InputError(f"there is no folder {place.parent} for {path}: make it first")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: its folder is read-only")
