"""Where restored entries go: a folder that nothing is written outside of, or nowhere."""

import contextlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Protocol

from bitswap_cli.archive.format.names import check_name, stays_inside
from bitswap_cli.atomic import (
    NewFile,
    NewLink,
    cannot,
    check_free,
    commit_all,
    set_mtime,
    sync_folder,
)
from bitswap_cli.errors import InputError, display

_WRITERS = 2
_PENDING = 64
_LARGE = 1 << 20  # bytes of a file that others wait for, to bound the memory
# Making files durable one after another would take longer than decoding small pictures.
_TOGETHER = 1000


P = ParamSpec("P")


class Output(Protocol):
    """A file that is being restored."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""

    def discard(self) -> None:
        """Give up."""


class Sink(Protocol):
    """What takes restored entries."""

    def put(self, name: bytes, data: bytes | memoryview, mtime: int) -> None:
        """Restore a whole file."""

    def open(self, name: bytes) -> Output:
        """Begin a file."""
        ...

    def commit(self, output: Output, mtime: int) -> None:
        """End a file."""

    def make_folder(self, name: bytes, mtime: int) -> None:
        """Restore an empty folder."""

    def make_link(self, name: bytes, target: bytes, mtime: int) -> None:
        """Restore a link."""

    def finish(self) -> list[str]:
        """Wait until everything is restored; return a line for each entry that was refused."""
        ...

    def close(self) -> None:
        """Release what is held, whatever happened."""


class Folder:
    """A sink below one folder.

    Parameters
    ----------
    directory : path
        Created if missing.
    force : bool
        Replace existing files and links.

    Raises
    ------
    InputError
        If something cannot be written or exists already.
    ArchiveError
        If a name would leave the folder.
    """

    def __init__(self, directory: str | os.PathLike[str], *, force: bool) -> None:
        self._root = os.path.abspath(os.fsencode(directory))
        self._force = force
        self._real: set[bytes] = set()
        self._links: list[tuple[bytes, bytes, int]] = []
        self._times: list[tuple[bytes, int]] = []  # of folders
        self._commits: deque[Future[None]] = deque()
        self._written: list[tuple[NewFile, int]] = []  # and not durable yet
        self._pool = ThreadPoolExecutor(_WRITERS)

    def check(self, name: bytes) -> None:
        """Raise for an entry that could not be restored; write nothing."""
        check_name(name)
        path = os.path.join(self._root, name)
        if not os.path.isdir(path):
            check_free(path, force=self._force)

    def put(self, name: bytes, data: bytes | memoryview, mtime: int) -> None:
        """Restore a whole file; it appears some time later, by `finish` at the latest."""
        output = NewFile(self._place(name), force=self._force)
        if len(data) > _LARGE:
            self._later(self._write, output, data, mtime)
            self._wait(0)
            return
        self._later(self._write_small, output, data)
        self._written.append((output, mtime))
        if len(self._written) >= _TOGETHER:
            self._appear()

    def open(self, name: bytes) -> NewFile:
        """Begin a file."""
        return NewFile(self._place(name), force=self._force)

    def commit(self, output: Output, mtime: int) -> None:
        """End a file; it appears some time later, by `finish` at the latest."""
        if not isinstance(output, NewFile):
            raise TypeError("commit takes what open returned")
        self._later(output.commit, mtime)

    def make_folder(self, name: bytes, mtime: int) -> None:
        """Restore an empty folder; it gets its time at the end, when nothing is put into it."""
        check_name(name)
        self._enter(name.split(b"/"))
        self._times.append((os.path.join(self._root, name), mtime))

    def make_link(self, name: bytes, target: bytes, mtime: int) -> None:
        """Restore a link, after everything else so that nothing is written through it."""
        check_name(name)
        self._links.append((name, target, mtime))

    def finish(self) -> list[str]:
        """Wait until everything is restored; return a line for each link that was refused."""
        self._appear()
        refused = []
        for name, target, mtime in self._links:
            if stays_inside(name, target):
                self._link(name, target, mtime)
            else:
                refused.append(
                    f"{display(name)} (a link to {display(target)}, outside of the output folder)"
                )
        for path, mtime in self._times:
            with contextlib.suppress(OSError):  # one that was there may be somebody else's
                set_mtime(path, mtime)
        sync_folder(self._root, *sorted(self._real - {self._root}))
        return refused

    def close(self) -> None:
        """Wait for files that are on their way; those that are whole appear."""
        self._pool.shutdown()
        try:
            with contextlib.suppress(InputError):
                commit_all([one for one in self._written if one[0].device is not None])
        finally:
            for output, _ in self._written:
                output.discard()

    def _later(self, step: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
        self._commits.append(self._pool.submit(step, *arguments, **named))
        self._wait(_PENDING)

    def _wait(self, most: int) -> None:
        """Wait until at most so many files are on their way."""
        while len(self._commits) > most:
            self._commits.popleft().result()

    def _appear(self) -> None:
        """Let all files appear that are on their way."""
        self._wait(0)
        written, self._written = self._written, []
        commit_all(written)

    def _write(self, output: NewFile, data: bytes | memoryview, mtime: int) -> None:
        output.write(data)
        output.commit(mtime)

    def _write_small(self, output: NewFile, data: bytes | memoryview) -> None:
        output.write(data)
        output.finish(sync=False)

    def _link(self, name: bytes, target: bytes, mtime: int) -> None:
        NewLink(self._place(name), target, force=self._force).commit(mtime)

    def _place(self, name: bytes) -> bytes:
        """Return the path of an entry, its folder made."""
        check_name(name)
        *parents, _ = name.split(b"/")
        self._enter(parents)
        return os.path.join(self._root, name)

    def _enter(self, parts: list[bytes]) -> None:
        """Make a folder below the root; refuse links on the way, which could lead elsewhere."""
        path = self._root
        try:
            if path not in self._real:
                os.makedirs(path, exist_ok=True)
                self._real.add(path)
            for part in parts:
                path = os.path.join(path, part)
                if path in self._real:
                    continue
                if os.path.islink(path):
                    raise InputError(f"refusing to write through the link {display(path)}")
                if not os.path.isdir(path):
                    os.mkdir(path)
                self._real.add(path)
        except OSError as error:
            raise cannot("write", path, error) from error


class Nowhere:
    """A sink that checks names and drops everything: what `verify` restores to."""

    def put(self, name: bytes, data: bytes | memoryview, mtime: int) -> None:
        """Check the name."""
        check_name(name)

    def open(self, name: bytes) -> "Nowhere":
        """Begin a file."""
        check_name(name)
        return self

    def write(self, data: bytes | memoryview) -> None:
        """Drop bytes."""

    def discard(self) -> None:
        """Do nothing."""

    def commit(self, output: Output, mtime: int) -> None:
        """Do nothing."""

    def make_folder(self, name: bytes, mtime: int) -> None:
        """Check the name."""
        check_name(name)

    def make_link(self, name: bytes, target: bytes, mtime: int) -> None:
        """Check the name."""
        check_name(name)

    def finish(self) -> list[str]:
        """Do nothing."""
        return []

    def close(self) -> None:
        """Do nothing."""
