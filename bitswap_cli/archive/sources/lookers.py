"""Processes that look at files: to look at many small ones takes more of Python than an interpreter
does at a time, however many threads it has.

A looker is this program once more. It reads which file to look at and writes what it sees, until
there is nothing more to read: so it ends with whoever started it. No signal but that is for it.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Protocol

from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.seen import Known
from bitswap_cli.archive.sources.source import Source, SourceError, read

MANY = 400
"""Files that are worth a start, which takes about as long as to look at 150 of them."""
_SMALL = 1 << 16  # bytes of a file, on average
# Memory is kept for the next file: to give it back after each takes a fifth of the time (glibc).
_SETTINGS = {"OMP_NUM_THREADS": "1", "MALLOC_TOP_PAD_": str(1 << 20)}

_Process = subprocess.Popen[bytes]
_Free = SimpleQueue[_Process]


class Look(Protocol):
    """What looks at a file, such as `seen.look`."""

    def __call__(self, source: Source, *, wide: bool, pixels: bool) -> Known: ...


@contextmanager
def lookers(sources: Sequence[Source], count: int) -> Generator[Look]:
    """Let other processes look at files meanwhile, if these are many and small.

    Parameters
    ----------
    sources : sequence of Source
        Those that will be looked at.
    count : int
        Threads that look at the same time, and processes, if there are enough files for so many.
    """
    small = sum(source.size for source in sources) <= _SMALL * len(sources)
    if count < 2 or len(sources) < MANY or not small or not sys.executable:
        yield seen.look
        return
    own, free = list[_Process](), _Free()
    try:
        with suppress(OSError):  # as many as can be had
            for _ in range(min(count, 2 * len(sources) // MANY)):
                own.append(_started())
                free.put(own[-1])
        yield _Looker(free) if own else seen.look
    finally:
        for process in own:
            process.kill()
        for process in own:
            process.communicate()


class _Looker:
    """A `Look` by whichever process is free."""

    def __init__(self, free: _Free) -> None:
        self._free = free

    def __call__(self, source: Source, *, wide: bool, pixels: bool) -> Known:
        carried = source._replace(spool=read(source)) if source.spool else source
        process = self._free.get()
        try:
            found = _told(process, carried, wide, pixels)
        finally:
            self._free.put(process)
        if found is None:
            return seen.look(source, wide=wide, pixels=pixels)
        if isinstance(found, str):
            raise SourceError(source.path, found)
        return found


def _started() -> _Process:
    # without -P, modules would be looked for in the folder at hand first, whatever lies there
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | _SETTINGS, start_new_session=True,
    )  # fmt: skip


def _told(process: _Process, source: Source, wide: bool, pixels: bool) -> Known | str | None:
    """Return what a process sees in a file, or why it cannot be archived; None if it has ended."""
    asked, answers = process.stdin, process.stdout
    if asked is None or answers is None:
        return None
    try:
        pickle.dump((source, wide, pixels), asked)
        asked.flush()
        found: Known | str = pickle.load(answers)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return found


def serve() -> None:
    """Be such a process."""
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError, OSError):
        while True:
            source, wide, pixels = pickle.load(asked)
            try:
                found: Known | str = seen.look(source, wide=wide, pixels=pixels)
            except SourceError as error:
                found = error.why
            pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
