"""The folder that entries are restored to: nothing is written outside of it."""

import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from bitswap_cli.archive.format.attributes import NONE, Attributes
from bitswap_cli.archive.format.names import stays_inside
from bitswap_cli.archive.reading.equal import Equal, link_to, parts_of
from bitswap_cli.archive.reading.places import Places
from bitswap_cli.archive.reading.sink import Output, outside
from bitswap_cli.archive.system.giving import Giver, opened_folder
from bitswap_cli.archive.system.sparse import SparseFile
from bitswap_cli.atomic import (
    NewFile,
    NewLink,
    Scratch,
    cannot,
    check_free,
    make_durable,
    set_mtime,
    sync_folder,
)
from bitswap_cli.errors import InputError, display

_WRITERS = 2
_LOT = 8  # small files that are written together, as threads take time to hand over each
_PENDING = 8  # lots, of open files
_LARGE = 1 << 20  # bytes of a file that others wait for, to bound the memory
# Making files durable one after another would take longer than decoding small pictures.
_TOGETHER = 1000

# Errors that every further entry would meet as well.
_OF_ALL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}

Step = Callable[[], None]
_Refusal = tuple[bytes, InputError]
"""An entry that could not be written, and why."""


def _refusals(steps: Iterable[tuple[bytes, Step]]) -> list[_Refusal]:
    """Take steps, each for an entry; return which of them were refused."""
    refused = []
    for name, step in steps:
        try:
            step()
        except InputError as error:
            refused.append((name, error))
    return refused


def _refuse(error: InputError) -> None:
    raise error


def of_one_entry(error: InputError) -> bool:
    """Tell whether an error that arose while an entry was restored is that entry's own."""
    cause = error.__cause__
    return not (isinstance(cause, OSError) and cause.errno in _OF_ALL)


def reason(error: Exception) -> str:
    """Return why an entry cannot be restored, for a line that names the entry."""
    cause = error.__cause__
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)


class Folder:
    """A sink below one folder.

    Parameters
    ----------
    directory : path
        Created if missing.
    giver : Giver, optional
        Gives entries their attributes.
    force : bool
        Replace existing files and links.
    keep_going : bool
        Tell in the end which entries could not be written instead of raising, unless nothing can be
        written any more.
    private : bool
        Only the owner can enter the folders that are made, until the archive has told their modes.

    Raises
    ------
    InputError
        If something cannot be written or exists already.
    ArchiveError
        If a name would leave the folder, or cannot be had beside those before it.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        giver: Giver | None = None,
        *,
        force: bool,
        keep_going: bool = False,
        private: bool = False,
    ) -> None:
        self._root = os.path.abspath(os.fsencode(directory))
        self._force = force
        self._keep_going = keep_going
        self._giver = giver or Giver()
        self._new_folder = 0o700 if private and os.name != "nt" else 0o777
        self._places = Places()
        self._refused: list[str] = []
        self._real: set[bytes] = set()
        self._made: set[bytes] = set()
        self._links: list[tuple[bytes, bytes, int, Attributes]] = []
        self._folders: list[tuple[bytes, bytes, int, Attributes]] = []  # paths and names
        self._equal: list[Equal] = []
        self._failed: set[bytes] = set()
        self._commits: deque[Future[list[_Refusal]]] = deque()
        self._lot: list[tuple[bytes, Step]] = []  # that wait to be written together
        self._written: list[tuple[bytes, NewFile, int]] = []  # and not durable yet
        self._pool = ThreadPoolExecutor(_WRITERS)

    def check(self, name: bytes) -> None:
        """Raise for an entry that is there already, unless it may be replaced."""
        path = os.path.join(self._root, name)
        if os.path.lexists(path) and not os.path.isdir(path):
            check_free(path, force=self._force)

    def put(
        self,
        name: bytes,
        data: bytes | memoryview,
        mtime: int,
        attributes: Attributes = NONE,
    ) -> None:
        """Restore a whole file; it appears some time later, by `finish` at the latest."""
        self._fill(name, self.open(name, attributes), data, mtime)

    def open(self, name: bytes, attributes: Attributes = NONE) -> NewFile:
        """Begin a file."""
        return self._new(self._place(name), name, attributes)

    def commit(self, output: Output, mtime: int) -> None:
        """End a file; it appears some time later, by `finish` at the latest."""
        if not isinstance(output, NewFile):
            raise TypeError("commit takes what open returned")
        name = os.path.relpath(output.path, self._root)
        self._later([(name, partial(output.commit, mtime))])

    def make_folder(self, name: bytes, mtime: int, attributes: Attributes = NONE) -> None:
        """Restore a folder; it gets its time and attributes at the end, when nothing more is put
        into it."""
        self._places.take(name, folder=True)
        self._enter(name.split(b"/"))
        self._folders.append((os.path.join(self._root, name), name, mtime, attributes))

    def make_link(
        self, name: bytes, target: bytes, mtime: int, attributes: Attributes = NONE
    ) -> None:
        """Restore a link, after everything else so that nothing is written through it."""
        self._places.take(name)
        self._links.append((name, target, mtime, attributes))

    def equal(self, one: Equal) -> None:
        """Restore a file once more, when the first one is there."""
        self._place(one.name)
        self._equal.append(one)

    def spool(self) -> Scratch:
        """Return a file for a while, beside those that are restored."""
        self._enter([])
        return Scratch(self._root)

    def finish(self) -> list[str]:
        """Wait until everything is restored; return a line for each entry that was refused."""
        self._appear()
        for link in (False, True):  # hard links may be to copies
            for one in self._equal:
                if one.link == link:
                    self._attempt(one.name, partial(self._again, one))
            self._appear()
        for name, target, mtime, attributes in self._links:
            if stays_inside(name, target):
                self._attempt(name, partial(self._link, name, target, mtime, attributes))
            else:
                self._refused.append(outside(name, target))
        self._settle()
        sync_folder(self._root, *sorted(self._real - {self._root}))
        return self._refused

    def close(self) -> None:
        """Wait for files that are on their way; those that are whole appear."""
        if self._lot:
            self._pool.submit(_refusals, self._lot)
        self._pool.shutdown()
        try:
            with contextlib.suppress(InputError):
                whole = [one for one in self._written if one[1].device is not None]
                make_durable([output for _, output, _ in whole])
                for _, output, mtime in whole:
                    output.commit(mtime)
        finally:
            for _, output, _ in self._written:
                output.discard()
            self._settle()

    def _new(self, path: bytes, name: bytes, attributes: Attributes) -> NewFile:
        """Begin a file that will have these attributes."""
        dress = partial(self._giver.give, attributes=attributes, name=name)
        if attributes.holes:
            return SparseFile(path, force=self._force, dress=dress, holes=attributes.holes)
        return NewFile(path, force=self._force, dress=dress)

    def _fill(self, name: bytes, output: NewFile, data: bytes | memoryview, mtime: int) -> None:
        """Write a whole file; it appears some time later."""
        if len(data) > _LARGE:
            self._later([(name, partial(self._write, output, data, mtime))])
            self._wait(0)
            return
        self._lot.append((name, partial(self._write_small, output, data)))
        self._written.append((name, output, mtime))
        if len(self._lot) >= _LOT or len(data) > _LARGE // _LOT:
            self._send()
        if len(self._written) >= _TOGETHER:
            self._appear()

    def _again(self, one: Equal) -> None:
        """Restore a file once more."""
        if one.original in self._failed:
            raise InputError(f"{display(one.original)}, which it equals, was not restored")
        original, path = (os.path.join(self._root, own) for own in (one.original, one.name))
        if one.link and link_to(original, path, force=self._force):
            return
        output = self._new(path, one.name, one.attributes)
        try:
            if one.told.size > _LARGE:
                for part in parts_of(original, one.told):
                    output.write(part)
                output.commit(one.mtime)
            else:
                data = b"".join(parts_of(original, one.told))
                self._fill(one.name, output, data, one.mtime)
        except InputError:
            output.discard()
            raise

    def _send(self) -> None:
        """Let the files be written that wait for that."""
        lot, self._lot = self._lot, []
        if lot:
            self._later(lot)

    def _later(self, steps: list[tuple[bytes, Step]]) -> None:
        """Do something for entries in another thread."""
        self._commits.append(self._pool.submit(_refusals, steps))
        self._wait(_PENDING)

    def _attempt(self, name: bytes, step: Callable[[], None]) -> None:
        try:
            step()
        except InputError as error:
            if not (self._keep_going and of_one_entry(error)):
                raise
            self._failed.add(name)
            self._refused.append(f"{display(name)} ({reason(error)})")

    def _wait(self, most: int) -> None:
        """Wait until at most so many lots of files are on their way."""
        while len(self._commits) > most:
            for name, error in self._commits.popleft().result():
                self._attempt(name, partial(_refuse, error))

    def _appear(self) -> None:
        """Let all files appear that are on their way."""
        self._send()
        self._wait(0)
        written, self._written = self._written, []
        whole = [one for one in written if one[1].device is not None]  # others were refused
        make_durable([output for _, output, _ in whole])
        for name, output, mtime in whole:
            self._attempt(name, partial(output.commit, mtime))

    def _settle(self) -> None:
        """Give folders their times and attributes, the deepest first: one may close another.

        One that was there before is left as it was, unless it may be replaced.
        """
        folders, self._folders = self._folders, []
        for path, name, mtime, attributes in sorted(folders, key=lambda one: one[0], reverse=True):
            if path in self._made or self._force:
                with contextlib.suppress(OSError), opened_folder(path) as folder:  # if it is ours
                    set_mtime(folder, mtime)
                    mode = self._giver.give(folder, attributes, name, folder=True)
                    if mode is not None:
                        os.chmod(folder, mode)

    def _write(self, output: NewFile, data: bytes | memoryview, mtime: int) -> None:
        output.write(data)
        output.commit(mtime)

    def _write_small(self, output: NewFile, data: bytes | memoryview) -> None:
        output.write(data)
        output.finish(sync=False)

    def _link(self, name: bytes, target: bytes, mtime: int, attributes: Attributes) -> None:
        *parents, _ = name.split(b"/")
        self._enter(parents)
        path = os.path.join(self._root, name)
        link = NewLink(path, target, force=self._force)
        self._giver.give(link.temporary, attributes, name)
        link.commit(mtime)

    def _place(self, name: bytes) -> bytes:
        """Return the path of an entry, its folder made."""
        self._places.take(name)
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
                    os.mkdir(path, self._new_folder)
                    self._made.add(path)
                self._real.add(path)
        except OSError as error:
            raise cannot("write", path, error) from error
