"""Processes that look at files, beside this one: to look at many small ones takes more of Python
than an interpreter does at a time, however many threads it has.

A looker is this program once more: a copy of the process, which has all that it needs at once; or,
where other threads could leave something half done in that, one that begins anew. It reads which
file to look at and writes what it sees, until there is nothing more to read: so it ends with
whoever started it. No signal but that is for it.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import BinaryIO, Protocol

from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.ahead import Outcome, each
from bitswap_cli.archive.sources.seen import Known
from bitswap_cli.archive.sources.source import Source, SourceError, read

MANY = 400
"""Files that are worth a start, which takes about as long as to look at 300 of them, if it is no
copy that begins."""
_SMALL = 1 << 16  # bytes of a file, on average
_SETTINGS = {"OMP_NUM_THREADS": "1"}
_TASKS, _MOMENTS = "/proc/self/task", 20  # milliseconds


class _Copy:
    """A copy of this process that looks at files, with what `subprocess.Popen` has for others."""

    def __init__(self) -> None:
        (asked, own), (answers, told) = os.pipe(), os.pipe()
        self.returncode: int | None = None
        self._number = os.fork()
        if not self._number:
            try:
                os.setsid()
                for one in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(one, signal.SIG_DFL)
                for end in (own, answers):  # or it would wait for itself
                    os.close(end)
                serve(os.fdopen(asked, "rb"), os.fdopen(told, "wb"))
            finally:  # it has nothing else of what this process was about
                os._exit(0)
        os.close(asked)
        os.close(told)
        self.stdin, self.stdout = os.fdopen(own, "wb"), os.fdopen(answers, "rb")

    def kill(self) -> None:
        """End it."""
        os.kill(self._number, signal.SIGKILL)

    def communicate(self) -> None:
        """Wait until it has ended, as it does once it is killed: until then, it waits for more."""
        _, self.returncode = os.waitpid(self._number, 0)
        for file in (self.stdin, self.stdout):
            with suppress(OSError):
                file.close()


_Process = subprocess.Popen[bytes] | _Copy
_Free = SimpleQueue[_Process | None]
"""Processes that look at nothing now; None is this one."""
_How = tuple[bool, bool, bool]
"""What is of interest, see `seen.look`: wide pictures, pixels only, mixing."""


class Look(Protocol):
    """What looks at files, such as `here`."""

    def __call__(
        self, sources: Sequence[Source], *, wide: bool, pixels: bool, mixing: bool = True
    ) -> list[Outcome[Known]]: ...


def here(
    sources: Sequence[Source], *, wide: bool, pixels: bool, mixing: bool = True
) -> list[Outcome[Known]]:
    """Look at files in this process, see `seen.look`."""
    return [*each(partial(seen.look, wide=wide, pixels=pixels, mixing=mixing))(sources)]


@contextmanager
def lookers(sources: Sequence[Source], count: int) -> Generator[Look]:
    """Let other processes look at files meanwhile, if these are many and small.

    Parameters
    ----------
    sources : sequence of Source
        Those that will be looked at.
    count : int
        Threads that look at the same time, and processes, with this one, if there are enough files
        for so many.
    """
    small = sum(source.size for source in sources) <= _SMALL * len(sources)
    if count < 2 or len(sources) < MANY or not small or not sys.executable:
        yield here
        return
    own, free = list[_Process](), _Free()
    free.put(None)
    try:
        with suppress(OSError):  # as many as can be had
            for _ in range(min(count - 1, 2 * len(sources) // MANY)):
                own.append(_started())
                free.put(own[-1])
        yield _Looker(free) if own else here
    finally:
        for process in own:
            process.kill()
        for process in own:
            process.communicate()


class _Looker:
    """A `Look` by whichever process is free."""

    def __init__(self, free: _Free) -> None:
        self._free = free

    def __call__(
        self, sources: Sequence[Source], *, wide: bool, pixels: bool, mixing: bool = True
    ) -> list[Outcome[Known]]:
        process, how = self._free.get(), (wide, pixels, mixing)
        try:
            found = _looked(process, sources, how) if process else None
            return found or here(sources, wide=wide, pixels=pixels, mixing=mixing)
        finally:
            self._free.put(process)


def _looked(process: _Process, sources: Sequence[Source], how: _How) -> list[Outcome[Known]] | None:
    """Let a process look at files; None if it has ended."""
    carried = each(_carried)(sources)
    asked = [one.result() for one in carried if one.error is None]
    found = _told(process, asked, how)
    if found is None:
        return None
    told = iter(map(_outcome, asked, found))
    return [Outcome(error=one.error) if one.error else next(told) for one in carried]


def _carried(source: Source) -> Source:
    """Return a source as another process can read it."""
    return source._replace(spool=read(source)) if source.spool else source


def _outcome(source: Source, found: Known | str) -> Outcome[Known]:
    return (
        Outcome(error=SourceError(source.path, found)) if isinstance(found, str) else Outcome(found)
    )


def _started() -> _Process:
    return _Copy() if _is_alone() else _begun()


def _is_alone() -> bool:
    """Tell whether this process has one thread, and can be copied: others that have just ended may
    take a moment until they are gone."""
    with suppress(OSError):  # where the system does not tell
        for _ in range(_MOMENTS if hasattr(os, "fork") else 0):
            if len(os.listdir(_TASKS)) == 1:
                return True
            time.sleep(0.001)
    return False


def _begun() -> subprocess.Popen[bytes]:
    # without -P, modules would be looked for in the folder at hand first, whatever lies there
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {__name__} import begin; begin()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | _SETTINGS, start_new_session=True,
    )  # fmt: skip


def _told(process: _Process, sources: Sequence[Source], how: _How) -> list[Known | str] | None:
    """Return what a process sees in files, or why they cannot be archived; None if it has ended."""
    asked, answers = process.stdin, process.stdout
    if asked is None or answers is None:
        return None
    try:
        pickle.dump((sources, how), asked, pickle.HIGHEST_PROTOCOL)
        asked.flush()
        found: list[Known | str] = pickle.load(answers)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return found


def begin() -> None:
    """Be such a process that begins anew."""
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Look at files as long as any are asked for."""
    with suppress(EOFError, OSError):
        while True:
            sources, how = pickle.load(asked)
            found = [_seen(source, how) for source in sources]
            pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


def _seen(source: Source, how: _How) -> Known | str:
    wide, pixels, mixing = how
    try:
        return seen.look(source, wide=wide, pixels=pixels, mixing=mixing)
    except SourceError as error:
        return error.why
