"""Giving restored entries what the archive tells of them beside their bytes."""

import contextlib
import errno
import os
from collections.abc import Iterator, Set

from bitswap_cli.archive.format.attributes import (
    ACCESS,
    INHERITED,
    MOST_MODE,
    Attributes,
    without_access,
)
from bitswap_cli.archive.format.header import OWNERS
from bitswap_cli.errors import InputError, display

# To run as another user is nothing that a file should get with the wrong owner, or because an
# archive says so.
_RIGHTS = 0o777
_STICKY = 0o1000  # nobody may rename and remove what others own
_FOR_ALL = (b"user.", ACCESS, INHERITED)


class Giver:
    """Gives entries their attributes, and notes what it could not give.

    Parameters
    ----------
    xattrs : bool
        Extended attributes and lists of access (ACLs), too.
    owners : bool
        Owner and group, too; set-user-id and set-group-id bits, and sticky ones of files; and those
        extended attributes that only root can set.

    Raises
    ------
    InputError
        If `owners` is asked for by somebody else than root.
    """

    def __init__(self, *, xattrs: bool = True, owners: bool = False) -> None:
        if owners and (not hasattr(os, "geteuid") or os.geteuid()):
            raise InputError("only root can restore owners: leave out --owners")
        self._xattrs = xattrs
        self._owners = owners
        self._failed: list[tuple[str, str, bytes]] = []  # appended to by several threads

    def give(
        self, path: bytes | int, attributes: Attributes, name: bytes, *, folder: bool = False
    ) -> int | None:
        """Give something all but its mode, which has to come last; return that.

        Parameters
        ----------
        path : bytes or int
            Where it is, a link not being followed; or the number of an open file.
        attributes : Attributes
        name : bytes
            Of the entry, for notes.
        folder : bool
            Whether it is one: without its sticky bit it would be open to more than it was.

        Returns
        -------
        int or None
            None where the mode is the system's to say.
        """
        if os.name == "nt":
            return None
        away = self._owners and self._give_away(path, attributes, name)
        given = self._set(path, attributes, name)
        mode = attributes.mode
        if mode is None:
            return None
        mode &= MOST_MODE if away else _RIGHTS | _STICKY * folder
        if attributes.access is not None and ACCESS not in given:
            mode = without_access(mode, attributes.access)
        # A folder may leave lists of access to what is made in it.
        for inherited in {ACCESS, INHERITED} - given if hasattr(os, "removexattr") else ():
            with contextlib.suppress(OSError):
                os.removexattr(path, inherited, follow_symlinks=isinstance(path, int))
        return mode

    def notes(self, features: Set[str]) -> list[str]:
        """Return a line about each kind of attributes that could not be given, and why not.

        `features` are those of the archive.
        """
        lines = []
        if self._owners and OWNERS not in features:
            lines.append("the archive tells no owners: it was made without --owners")
        names: dict[tuple[str, str], list[bytes]] = {}
        for what, why, name in sorted(self._failed):
            names.setdefault((what, why), []).append(name)
        return lines + [
            f"{what} of {display(first)}{f' and {len(others)} more' if others else ''} could not be"
            f" restored: {why}"
            for (what, why), (first, *others) in names.items()
        ]

    def _give_away(self, path: bytes | int, attributes: Attributes, name: bytes) -> bool:
        """Give something to its owner and group; tell whether it is theirs."""
        if attributes.owner is None or attributes.group is None:
            return False
        try:
            ids = attributes.owner, attributes.group
            os.chown(path, *ids, follow_symlinks=isinstance(path, int))
        except (OSError, OverflowError) as error:
            self._fail("the owner", error, name)
            return False
        return True

    def _set(self, path: bytes | int, attributes: Attributes, name: bytes) -> set[bytes]:
        """Set extended attributes; return the names of those that are set."""
        given: set[bytes] = set()
        if not self._xattrs:
            return given
        failed: OSError | None = None
        for own, value in attributes.xattrs:
            if not (self._owners or own.startswith(_FOR_ALL)):
                continue
            try:
                _set(path, own, value)
                given.add(own)
            except OSError as error:
                failed = error
        if failed:
            self._fail("extended attributes", failed, name)
        return given

    def _fail(self, what: str, error: Exception, name: bytes) -> None:
        why = error.strerror if isinstance(error, OSError) else None
        self._failed.append((what, why or str(error), name))


@contextlib.contextmanager
def opened_folder(path: bytes) -> Iterator[bytes | int]:
    """Yield the number of an open folder: whoever may write above it can give its name to a link.

    Windows opens no folders; there it is the path. Raises OSError if it is no folder.
    """
    if os.name == "nt":
        yield path
        return
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield folder
    finally:
        os.close(folder)


def _set(path: bytes | int, name: bytes, value: bytes) -> None:
    if not hasattr(os, "setxattr"):
        raise OSError(errno.ENOTSUP, "this system has none")
    os.setxattr(path, name, value, follow_symlinks=isinstance(path, int))
