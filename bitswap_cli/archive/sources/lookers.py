"""Processes that look at files, beside this one: to look at many small ones takes more of Python
than an interpreter does at a time, however many threads it has.

A looker is this program once more. It reads which file to look at and writes what it sees, until
there is nothing more to read: so it ends with whoever started it. No signal but that is for it.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import SimpleQueue
from typing import Protocol

from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.ahead import Outcome, each
from bitswap_cli.archive.sources.seen import Known
from bitswap_cli.archive.sources.source import Source, SourceError, read

MANY = 400
"""Files that are worth a start, which takes about as long as to look at 150 of them."""
_SMALL = 1 << 16  # bytes of a file, on average
# Memory is kept for the next file: to give it back after each takes a fifth of the time (glibc).
_SETTINGS = {"OMP_NUM_THREADS": "1", "MALLOC_TOP_PAD_": str(1 << 20)}

_Process = subprocess.Popen[bytes]
_Free = SimpleQueue[_Process | None]
"""Processes that look at nothing now; None is this one."""


class Look(Protocol):
    """What looks at files, such as `here`."""

    def __call__(
        self, sources: Sequence[Source], *, wide: bool, pixels: bool
    ) -> list[Outcome[Known]]: ...


def here(sources: Sequence[Source], *, wide: bool, pixels: bool) -> list[Outcome[Known]]:
    """Look at files in this process, see `seen.look`."""
    return [*each(partial(seen.look, wide=wide, pixels=pixels))(sources)]


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
        self, sources: Sequence[Source], *, wide: bool, pixels: bool
    ) -> list[Outcome[Known]]:
        process = self._free.get()
        try:
            found = _looked(process, sources, wide, pixels) if process else None
            return found or here(sources, wide=wide, pixels=pixels)
        finally:
            self._free.put(process)


def _looked(
    process: _Process, sources: Sequence[Source], wide: bool, pixels: bool
) -> list[Outcome[Known]] | None:
    """Let a process look at files; None if it has ended."""
    carried = each(_carried)(sources)
    asked = [one.result() for one in carried if one.error is None]
    found = _told(process, asked, wide, pixels)
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
    # without -P, modules would be looked for in the folder at hand first, whatever lies there
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | _SETTINGS, start_new_session=True,
    )  # fmt: skip


def _told(
    process: _Process, sources: Sequence[Source], wide: bool, pixels: bool
) -> list[Known | str] | None:
    """Return what a process sees in files, or why they cannot be archived; None if it has ended."""
    asked, answers = process.stdin, process.stdout
    if asked is None or answers is None:
        return None
    try:
        pickle.dump((sources, wide, pixels), asked, pickle.HIGHEST_PROTOCOL)
        asked.flush()
        found: list[Known | str] = pickle.load(answers)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return found


def serve() -> None:
    """Be such a process."""
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError, OSError):
        while True:
            sources, wide, pixels = pickle.load(asked)
            found = [_seen(source, wide, pixels) for source in sources]
            pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()


def _seen(source: Source, wide: bool, pixels: bool) -> Known | str:
    try:
        return seen.look(source, wide=wide, pixels=pixels)
    except SourceError as error:
        return error.why
