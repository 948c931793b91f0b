"""Writing a file whole or not at all: temporary name in the same folder, fsync, rename."""

import contextlib
import itertools
import os
import weakref

from bitswap_cli.archive.format.names import display
from bitswap_cli.errors import InputError

_numbers = itertools.count()


def temporary_name(folder: bytes) -> bytes:
    """Return a name in a folder that no other writer uses."""
    return os.path.join(folder, b".bitswap-%d-%d.tmp" % (os.getpid(), next(_numbers)))


def remove(path: bytes) -> None:
    """Remove a file, if it is there and can be removed."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def cannot(action: str, path: bytes, error: OSError) -> InputError:
    """Return the error to raise for a failed system call."""
    return InputError(f"cannot {action} {display(path)}: {error.strerror or error}")


class NewFile:
    """A file that appears under its name only when it is complete.

    Parameters
    ----------
    path : bytes
        Where it will appear; its folder must exist.
    force : bool
        Replace what is there.

    Raises
    ------
    InputError
        If it cannot be written, or exists and `force` is not given; nothing is left behind.
    """

    def __init__(self, path: bytes, *, force: bool) -> None:
        self.path = path
        self._force = force
        self._temporary = temporary_name(os.path.dirname(path))
        self._check()
        # A signal may raise between any two instructions, those around `open` among them: before
        # a caller can say `with`. However this object then goes, the file goes with it.
        self._remove = weakref.finalize(self, remove, self._temporary)
        try:
            self._file = open(self._temporary, "xb")  # noqa: SIM115 (outlives this call)
        except OSError as error:
            raise cannot("write", path, error) from error

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error

    def commit(self, mtime: int | None = None) -> None:
        """Make the file durable and let it appear, modified at `mtime` nanoseconds."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if mtime is not None:
                set_mtime(self._temporary, mtime)
            self._check()
            os.replace(self._temporary, self.path)
            self._remove.detach()
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error
        except InputError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written, unless it was committed."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._remove()

    def _check(self) -> None:
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            raise InputError(f"cannot write {display(self.path)}: a folder is there")
        if not self._force and os.path.lexists(self.path):
            raise InputError(f"{display(self.path)} exists already; use --force to replace it")


def set_mtime(path: bytes, mtime: int) -> None:
    """Set a modification time in nanoseconds; a link's own, not its target's."""
    follow = os.utime not in os.supports_follow_symlinks
    # A time that the file system cannot hold is no reason to lose the file.
    with contextlib.suppress(OverflowError, ValueError):
        os.utime(path, ns=(mtime, mtime), follow_symlinks=follow)


def sync_folder(folder: bytes) -> None:
    """Make renames in a folder durable, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
