"""Files that are restored once more: hard links and copies of one that is there already."""

import os
import stat
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.atomic import NewHardLink, cannot
from bitswap_cli.errors import InputError, display

_PART = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Told(NamedTuple):
    """What is known of a file that was restored."""

    size: int
    crc: int


class Equal(NamedTuple):
    """A file to restore once more."""

    name: bytes
    original: bytes
    """Name of the one that is there."""
    told: Told
    mtime: int
    attributes: Attributes
    link: bool
    """Whether both are one file."""


def parts_of(path: bytes, told: Told) -> Iterator[bytes]:
    """Yield the bytes of a file that was restored, in parts.

    Raises
    ------
    InputError
        If it cannot be read, or, in the end, if it is not what was restored.
    """
    size = crc = 0
    try:
        with os.fdopen(_open(path), "rb") as file:
            while size <= told.size and (part := file.read(_PART)):
                size, crc = size + len(part), zlib.crc32(part, crc)
                yield part
    except OSError as error:
        raise cannot("read", path, error) from error
    if told != (size, crc):
        raise InputError(f"{display(path)} changed since it was restored")


def link_to(original: bytes, path: bytes, *, force: bool) -> bool:
    """Make a hard link; return False where the system has none.

    Raises
    ------
    InputError
        If something is there that may not be replaced.
    """
    try:
        NewHardLink(path, original, force=force).commit()
    except InputError as error:
        if isinstance(error.__cause__, OSError):
            return False
        raise
    return True


def _open(path: bytes) -> int:
    """Open a file of ours, even if its mode forbids that."""
    try:
        return os.open(path, _FLAGS)
    except PermissionError:
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        os.chmod(path, mode | stat.S_IRUSR)
        try:
            return os.open(path, _FLAGS)
        finally:
            os.chmod(path, mode)
