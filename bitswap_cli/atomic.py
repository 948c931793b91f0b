"""Writing a file whole or not at all: random name in the same folder, fsync, rename.

Nothing else writes archives, restored files, models or checkpoints. The temporary name is random,
and is created only where nothing is: what another process writes is never taken, nor removed. Until
a file is complete, only its owner can open it.
"""

import contextlib
import os
import re
import secrets
import stat
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, TypeVar, cast

from bitswap_cli.errors import InputError, display

T = TypeVar("T")
Path = str | bytes | os.PathLike[str]
Dress = Callable[[int], int | None]
TEMPORARY = re.compile(rb"\.bitswap-[0-9a-f]{16}\.tmp")  # a name that nothing keeps
_STATUS = "/proc/self/status"
_FEW = 8  # files that are made durable one by one


class _New:
    """What appears under its name only when it is complete; however it goes before, it is gone."""

    def __init__(self, path: Path, *, force: bool) -> None:
        self.path = os.fsencode(path)
        self._force = force
        self._check()

    def _create(self, make: Callable[[bytes], T]) -> T:
        """Make something under a random name beside the path."""
        folder = os.path.dirname(self.path)
        while True:
            name = b".bitswap-%s.tmp" % secrets.token_hex(8).encode()
            self.temporary = os.path.join(folder, name)
            # A signal may raise between any two instructions, those around `make` among them:
            # before a caller can say `with`. So the removal stands before there is anything to
            # remove, and falls when the name turns out to be another's.
            self._remove = weakref.finalize(self, _remove, self.temporary)
            try:
                return make(self.temporary)
            except FileExistsError:
                self._remove.detach()
            except OSError as error:
                self._remove.detach()
                raise cannot("write", self.path, error) from error

    def commit(self, mtime: int | None = None) -> None:
        """Let it appear, modified at `mtime` nanoseconds."""
        try:
            if mtime is not None:
                set_mtime(self.temporary, mtime)
            self._check()
            os.replace(self.temporary, self.path)
            self._remove.detach()
        except OSError as error:
            raise cannot("write", self.path, error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what was made, unless it was committed."""
        self._remove()

    def _check(self) -> None:
        if not os.path.lexists(self.path):  # as a rule
            return
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            raise InputError(f"cannot write {display(self.path)}: a folder is there")
        check_free(self.path, force=self._force)


class NewFile(_New):
    """A file that appears under its name only when it is complete.

    Parameters
    ----------
    path : path
        Where it will appear; its folder must exist.
    force : bool
        Replace what is there.
    dress : callable, optional
        Called when all is written, with the number of the open file: gives it what it is to have
        beside its bytes, and returns its permission bits. None stands for those that the umask
        leaves, and no more than what it replaces.

    Attributes
    ----------
    path, temporary : bytes
        Where it will appear, and where it is until then.
    file : binary file
        For those who write by themselves.
    device : int or None
        Number of its file system, once it is finished.

    Raises
    ------
    InputError
        If it cannot be written, or exists and `force` is not given; nothing is left behind.
    """

    def __init__(self, path: Path, *, force: bool, dress: Dress | None = None) -> None:
        super().__init__(path, force=force)
        self._dress = dress
        self.device: int | None = None
        self.file: BinaryIO = self._create(_open)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        try:
            self.file.write(data)
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error

    def truncate(self, size: int) -> None:
        """Take back all but the first `size` bytes."""
        try:
            self.file.truncate(size)
            self.file.seek(size)
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error

    def finish(self, *, sync: bool = True) -> None:
        """Make what was written durable under the temporary name: the file is complete.

        Without `sync` it is not durable yet: see `make_durable`.
        """
        try:
            self.file.flush()
            number = self.file.fileno()
            mode = self._dress(number) if self._dress else None
            # by its number: another file may have taken its name where others can write
            where = number if os.chmod in os.supports_fd else self.temporary
            with contextlib.suppress(OSError):  # a file system without modes, such as FAT
                os.chmod(where, _mode(self.path) if mode is None else mode)
            if sync:
                os.fsync(number)
            self.device = os.fstat(number).st_dev
            self.file.close()
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error

    def commit(self, mtime: int | None = None) -> None:
        """Finish the file, if that is not done, and let it appear, modified at `mtime` ns."""
        if not self.file.closed:
            self.finish()
        super().commit(mtime)

    def discard(self) -> None:
        """Remove what was written, unless it was committed."""
        with contextlib.suppress(OSError):
            self.file.close()
        super().discard()


class Scratch(_New):
    """A file in a folder for a while, which can be read as well: it never appears, and has no name
    where the system can do without; raises as `NewFile` does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(os.path.join(os.fsencode(folder), b"a temporary file"), force=True)
        self.file: BinaryIO = self._create(partial(_open, mode="w+b"))
        _remove(self.temporary)

    def close(self) -> None:
        """Let it go."""
        with contextlib.suppress(OSError):
            self.file.close()
        self.discard()

    def _check(self) -> None:
        """Whatever is there does not matter."""


class NewLink(_New):
    """A symbolic link likewise; raises as `NewFile` does."""

    def __init__(self, path: Path, target: bytes, *, force: bool) -> None:
        super().__init__(path, force=force)
        self._create(lambda name: os.symlink(target, name))


class NewHardLink(_New):
    """A hard link to a file that is there likewise; raises as `NewFile` does."""

    def __init__(self, path: Path, original: bytes, *, force: bool) -> None:
        super().__init__(path, force=force)
        self._create(lambda name: os.link(original, name))

    def commit(self, mtime: int | None = None) -> None:
        """Let it appear, modified at `mtime` nanoseconds."""
        super().commit(mtime)
        _remove(self.temporary)  # to rename one name of a file to another of its own does nothing


def make_durable(files: Sequence[NewFile]) -> None:
    """Make files durable that were finished without a sync, before they may be committed.

    Many take one sync of their file system, where there is such a thing.

    Raises
    ------
    InputError
        If one cannot be written.
    """
    devices = {file.device: file.temporary for file in files}
    if len(files) > _FEW and all(map(_sync_around, devices.values())):
        return
    for file in files:
        try:
            _sync(file.temporary)
        except OSError as error:
            raise cannot("write", file.path, error) from error


@contextlib.contextmanager
def writing(path: Path, *, force: bool = True) -> Iterator[BinaryIO]:
    """Yield a binary file that appears under a name when the block ends, unless it raises.

    Parameters
    ----------
    path, force
        See `NewFile`.

    Raises
    ------
    InputError
        If it cannot be written, or exists and `force` is not given; nothing is left behind.
    """
    new = NewFile(path, force=force)
    try:
        yield new.file
        new.commit()
    except OSError as error:
        raise cannot("write", new.path, error) from error
    finally:
        new.discard()
    sync_folder(os.path.dirname(new.path))


def write_whole(path: Path, data: bytes | memoryview, *, force: bool = True) -> None:
    """Write a file of these bytes; see `writing`."""
    with writing(path, force=force) as file:
        file.write(data)


def check_free(path: bytes, *, force: bool) -> None:
    """Raise `InputError` if something is there, with `force` only if it is something special."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
        raise special(path)
    if not force:
        raise InputError(f"{display(path)} exists already; use --force to replace it")


def special(path: Path) -> InputError:
    """Return the error to raise where a device, a pipe or a socket is."""
    return InputError(
        f"cannot write {display(path)}: it is no regular file, and never replaced; give another"
        " name"
    )


def cannot(action: str, path: bytes, error: OSError) -> InputError:
    """Return the error to raise for a failed system call."""
    return InputError(f"cannot {action} {display(path)}: {error.strerror or error}")


def set_mtime(path: bytes | int, mtime: int) -> None:
    """Set a modification time in nanoseconds; a link's own, not its target's; or that of an open
    file."""
    follow = isinstance(path, int) or os.utime not in os.supports_follow_symlinks
    # A time that the file system cannot hold is no reason to lose the file.
    with contextlib.suppress(OverflowError, ValueError):
        os.utime(path, ns=(mtime, mtime), follow_symlinks=follow)


def sync_folder(*folders: bytes) -> None:
    """Make renames in folders durable, where the system can; many are in one file system."""
    with contextlib.suppress(OSError):
        if len(folders) > _FEW and _sync_around(folders[0]):
            return
    for folder in folders:
        with contextlib.suppress(OSError):  # one may be closed to its owner
            _sync(folder or b".")


def _sync(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_around(path: bytes) -> bool:
    """Make everything in a path's file system durable; False where the system cannot."""
    import ctypes  # deferred: few commands need it

    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
        descriptor = os.open(path, os.O_RDONLY)
    except (AttributeError, OSError, TypeError):  # no Linux; or no such path
        return False
    try:
        return bool(syncfs(descriptor) == 0)
    finally:
        os.close(descriptor)


def _mode(path: bytes) -> int:
    """Return the mode of a new file: what the umask leaves, and no more than what it replaces."""
    mode = 0o666 & ~_umask()
    try:
        old = os.lstat(path).st_mode
    except OSError:
        return mode
    return mode & old if stat.S_ISREG(old) else mode


def _umask() -> int:
    # To ask the system's call for it is to change it, for all threads.
    with contextlib.suppress(OSError, StopIteration), open(_STATUS, "rb") as file:
        return next(int(line[6:], 8) for line in file if line.startswith(b"Umask:"))
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _open(path: bytes, mode: str = "wb") -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return cast(BinaryIO, os.fdopen(os.open(path, flags, 0o600), mode))


def _remove(path: bytes) -> None:
    """Remove a file, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        os.unlink(path)
