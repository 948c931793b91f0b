"""Commands as a user runs them, measured from outside: seconds, peak memory, on which cores."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

BITSWAP = (sys.executable, "-m", "bitswap_cli")
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Run(NamedTuple):
    """A finished command that printed JSON."""

    output: dict[str, Any]
    seconds: float  # from the start of the process to its end
    cpu_seconds: float
    memory: int  # peak of the process, or of a process it started; bytes


class CommandError(Exception):
    """A command failed; the text is the last line that it wrote to stderr."""


def available_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Commands started inside stay on these cores, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Command:
    """A running command that prints one JSON object."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.stdout = tempfile.TemporaryFile()  # noqa: SIM115, closed by `wait`
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self.started = time.perf_counter()
        arguments = [str(part) for part in command]
        self.process = subprocess.Popen(arguments, stdout=self.stdout, stderr=self.stderr)

    def wait(self) -> Run:
        """Wait for its end.

        Raises
        ------
        CommandError
            If its exit code is not 0.
        """
        _, status, usage = os.wait4(self.process.pid, 0)
        seconds = time.perf_counter() - self.started
        self.process.returncode = os.waitstatus_to_exitcode(status)
        with self.stdout, self.stderr:
            self.stdout.seek(0)
            self.stderr.seek(0)
            if self.process.returncode:
                lines = self.stderr.read().decode(errors="replace").strip().splitlines()
                said = lines[-1] if lines else ""
                raise CommandError(said or f"exit code {self.process.returncode}")
            output: dict[str, Any] = json.load(self.stdout)
        cpu = usage.ru_utime + usage.ru_stime
        return Run(output, seconds, cpu, usage.ru_maxrss * UNIT)


def bitswap(*arguments: str | Path) -> Run:
    """Run a verb with --json.

    Raises
    ------
    CommandError
        If it fails.
    """
    return Command([*BITSWAP, *arguments, "--json"]).wait()
