"""What a process may do while it handles what is hostile: its memory, its time, where it writes."""

import ctypes
import faulthandler
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

MEMORY = 300 << 20  # bytes beyond what the process has at rest
SECONDS = 10.0  # of processor time
HUNG = 90.0  # seconds
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events of Python's audit hooks, and which of their arguments are paths that change.
_CHANGES = {
    "os.mkdir": (0,), "os.rename": (0, 1), "os.symlink": (1,), "os.link": (1,), "os.remove": (0,),
    "os.rmdir": (0,), "os.truncate": (0,), "os.utime": (0,), "os.chmod": (0,), "os.chown": (0,),
    "os.setxattr": (0,), "os.removexattr": (0,), "shutil.rmtree": (0,), "shutil.move": (0, 1),
}  # fmt: skip


class Fault(Exception):
    """What should not have been."""


class Guard:
    """Hears of all that this process writes, by its paths.

    Parameters
    ----------
    allowed : sequence of Path
        Folders below which it may.
    """

    def __init__(self, *allowed: Path) -> None:
        self._allowed = tuple(os.path.realpath(path) for path in allowed)
        self._within: str | None = None
        self.strays: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def within(self, folder: Path) -> Iterator[None]:
        """Allow writes below a folder, and those that are allowed always."""
        self._within, self.strays = os.path.realpath(folder), []
        try:
            yield
        finally:
            self._within = None
        if self.strays:
            raise Fault(f"written outside of the folder: {self.strays[0]}")

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._within is None:
            return
        if event == "open":
            path, _, flags = arguments
            paths = [path] if isinstance(flags, int) and flags & _WRITES else []
        else:
            paths = [arguments[k] for k in _CHANGES.get(event, ())]
        for path in paths:
            if isinstance(path, str | bytes | os.PathLike):
                self._look(event, os.fsdecode(path))

    def _look(self, event: str, path: str) -> None:
        folder, name = os.path.split(os.path.abspath(path))
        real = os.path.join(os.path.realpath(folder), name)
        homes = (*self._allowed, self._within or "", os.devnull)
        if not any(f"{real}/".startswith(f"{home}/") for home in homes):
            self.strays.append(f"{event} {path!r}")


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Raise `Fault` if what is done takes too much memory or time."""
    rest, began = _rested(), time.process_time()
    yield
    took, grown = time.process_time() - began, _memory("VmHWM") - rest
    if took > SECONDS * (8 if SANITIZED else 1):
        raise Fault(f"{what}: {took:.1f} s")
    if grown > MEMORY * (4 if SANITIZED else 1):
        raise Fault(f"{what}: {grown / (1 << 20):.0f} MiB")


@contextmanager
def alive(log: TextIO) -> Iterator[None]:
    """End the process if what is done hangs, and say where."""
    faulthandler.dump_traceback_later(HUNG * (4 if SANITIZED else 1), exit=True, file=log)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _rested() -> int:
    """Give back what is not used, forget the peak, and return what is held, in bytes."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError, TypeError):
        return _memory("VmHWM")
    return _memory("VmRSS")


def _memory(key: str) -> int:
    """Return a line of what Linux tells of this process, in bytes; 0 elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{key}:")), 0)
