"""Asking the system what an archive tells of entries beside their bytes (Linux tells the most)."""

import os
import stat
from errno import ENODATA, ENOTSUP, ENXIO

from bitswap_cli.archive.format.attributes import (
    ACCESS,
    INHERITED,
    MOST_BYTES,
    MOST_NAME,
    MOST_RUNS,
    MOST_XATTRS,
    NONE,
    Attributes,
    Xattrs,
    without_access,
)
from bitswap_cli.errors import display

_OF_USERS = b"user."
_OF_THE_SYSTEM = (b"security.", b"trusted.")
_SEEKS_HOLES = hasattr(os, "SEEK_HOLE")
_NONE_THERE = {ENODATA, ENOTSUP}


class Teller:
    """Tells attributes of what is to be archived.

    Parameters
    ----------
    xattrs : bool
        Extended attributes and lists of access (ACLs), too.
    owners : bool
        Owner and group, too, and those extended attributes that only root can set.
    """

    def __init__(self, *, xattrs: bool = True, owners: bool = False) -> None:
        self._xattrs = xattrs and hasattr(os, "listxattr")
        self._owners = owners
        self._known: dict[Xattrs, Xattrs] = {}
        self._failed: list[tuple[bytes, str]] = []

    def of(self, path: bytes, status: os.stat_result) -> Attributes:
        """Return the attributes of a path, whose status is known; a link's are its own."""
        if os.name == "nt":
            return NONE
        link = stat.S_ISLNK(status.st_mode)
        mode = None if link else stat.S_IMODE(status.st_mode)
        xattrs = self._read(path, follow=not link) if self._xattrs else ()
        mode = self._mode(path, mode, xattrs)
        told = Attributes(mode, xattrs=xattrs, holes=_holes(path, status))
        if self._owners:
            told = told._replace(owner=status.st_uid, group=status.st_gid)
        return told

    def notes(self) -> list[str]:
        """Return a line about what could not be told, if there was such a thing."""
        if not self._failed:
            return []
        path, why = min(self._failed)
        count = len(self._failed)
        more = f" and {count - 1} more" if count > 1 else ""
        return [f"extended attributes of {display(path)}{more} are not in the archive: {why}"]

    def _read(self, path: bytes, *, follow: bool) -> Xattrs:
        """Return extended attributes, all of them or none."""
        try:
            names = sorted(map(os.fsencode, os.listxattr(path, follow_symlinks=follow)))
            found = tuple(
                (name, os.getxattr(path, name, follow_symlinks=follow))
                for name in names
                if self._kept(name)
            )
        except OSError as error:
            if error.errno not in _NONE_THERE:
                self._failed.append((path, error.strerror or str(error)))
            return ()
        size = sum(len(name) + len(value) for name, value in found)
        longest = max((len(name) for name, _ in found), default=0)
        if len(found) > MOST_XATTRS or size > MOST_BYTES or longest > MOST_NAME:
            self._failed.append((path, "they are too many"))
            return ()
        return self._known.setdefault(found, found)  # equal ones take memory once

    def _kept(self, name: bytes) -> bool:
        if name.startswith(_OF_USERS) or name in (ACCESS, INHERITED):
            return True
        return self._owners and name.startswith(_OF_THE_SYSTEM)

    def _mode(self, path: bytes, mode: int | None, xattrs: Xattrs) -> int | None:
        """Return a mode as it is if the list of access goes with it, else without that."""
        if mode is None or not mode & 0o070 or not hasattr(os, "getxattr"):
            return mode
        if ACCESS in dict(xattrs):
            return mode
        try:
            return without_access(mode, os.getxattr(path, ACCESS))
        except OSError:
            return mode


def _holes(path: bytes, status: os.stat_result) -> tuple[int, ...]:
    """Return the holes of a file that takes less room than it has bytes; the first, if there are
    very many."""
    size = status.st_size
    if not stat.S_ISREG(status.st_mode) or 512 * status.st_blocks >= size or not _SEEKS_HOLES:
        return ()
    runs: list[int] = []
    place = 0
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # whoever reads it next will tell
        return ()
    try:
        while place < size and len(runs) < MOST_RUNS:
            start = os.lseek(file, place, os.SEEK_HOLE)
            if start >= size:
                break
            end = _data_from(file, start, size)
            runs += [start - place, end - start]
            place = end
    except OSError:
        return ()
    finally:
        os.close(file)
    return tuple(runs)


def _data_from(file: int, start: int, size: int) -> int:
    """Return where a hole ends."""
    try:
        return min(os.lseek(file, start, os.SEEK_DATA), size)
    except OSError as error:
        if error.errno != ENXIO:  # nothing but a hole up to the end
            raise
        return size
