"""Which entries of an archive can be restored beside each other, here or anywhere."""

import os

from bitswap_cli.archive.format.names import above, check_name
from bitswap_cli.errors import ArchiveError, InputError, display

_MAX_PART = 255  # of a name between two '/', in what file systems count: bytes, on Windows letters
_MAX_PATH = 4095


class Places:
    """The names that are taken."""

    def __init__(self) -> None:
        self._entries: set[bytes] = set()
        self._folders: set[bytes] = set()

    def take(self, name: bytes, *, folder: bool = False) -> None:
        """Take the name of an entry.

        Raises
        ------
        ArchiveError
            If it could leave the output folder, is taken, or lies below or above what is no folder.
        InputError
            If no system like this one has files of such a name.
        """
        check_name(name)
        if name in self._entries or (name in self._folders and not folder):
            raise ArchiveError(f"the archive holds {display(name)} twice")
        folders = above(name)
        if any(path in self._entries and path not in self._folders for path in folders):
            raise ArchiveError(f"the archive holds {display(name)} below what is no folder")
        if max(map(_length, name.split(b"/"))) > _MAX_PART or len(name) > _MAX_PATH:
            raise InputError(f"{display(name)} is too long a name for this system")
        self._entries.add(name)
        self._folders.update([*folders, name] if folder else folders)


def _length(part: bytes) -> int:
    return len(os.fsdecode(part)) if os.name == "nt" else len(part)
