"""Whole commands as a user runs them, measured from outside: seconds, peak memory.

This is the only place that knows how bitswap is called. What it takes to a function of the library
is one process less; what is measured here is what a user waits for, its start included.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

BITSWAP = ("-m", "bitswap_cli")  # behind the name of the interpreter
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Run(NamedTuple):
    """A finished command that printed one JSON value."""

    output: Any
    seconds: float  # from the start of the process to its end
    cpu_seconds: float
    memory: int  # peak of the process, or of a process it started; bytes


class CommandError(Exception):
    """A command failed; the text is the last line that it wrote to stderr."""


class Command:
    """A running command that prints one JSON value.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Its variables, if they are not those of this process.
    """

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> None:
        self.stdout = tempfile.TemporaryFile()  # noqa: SIM115, closed by `wait`
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=self.stdout,
            stderr=self.stderr,
            env=environment,
        )

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
            output = json.load(self.stdout)
        cpu = usage.ru_utime + usage.ru_stime
        return Run(output, seconds, cpu, usage.ru_maxrss * UNIT)


def with_path(folder: str | Path) -> dict[str, str]:
    """The environment of a process that looks for modules in a folder first."""
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Tree(NamedTuple):
    """A source tree of bitswap: this one, or another by the PYTHONPATH that finds it."""

    name: str
    path: str = ""

    def run(self, *arguments: str | Path) -> Run:
        """Run a verb with --json.

        Raises
        ------
        CommandError
            If it fails.
        """
        return self._start([*BITSWAP, *arguments, "--json"])

    def place(self) -> str:
        """The folder that its bitswap_cli and bitswap_models are in, to be sure.

        Raises
        ------
        CommandError
            If one of them cannot be imported, or is in another tree.
        """
        files = ", ".join(f"{name}.__file__" for name in ("bitswap_cli", "bitswap_models"))
        code = f"import bitswap_cli, bitswap_models, json; print(json.dumps([{files}]))"
        cli, models = self._start(["-c", code]).output
        root = Path(cli).resolve().parent.parent
        if not Path(models).resolve().is_relative_to(root):
            raise CommandError(f"{root} has bitswap_cli, but bitswap_models is {models}")
        return str(root)

    def _start(self, arguments: Sequence[str | Path]) -> Run:
        if not self.path:
            return Command([sys.executable, *arguments]).wait()
        # -P: else the working folder, which may be a tree, comes first
        return Command([sys.executable, "-P", *arguments], with_path(self.path)).wait()


def bitswap(*arguments: str | Path) -> Run:
    """Run a verb of this tree's command line with --json.

    Raises
    ------
    CommandError
        If it fails.
    """
    return Tree("this").run(*arguments)
