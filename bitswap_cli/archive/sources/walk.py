"""Finding what is to be archived below some files and folders, and naming what is not."""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bitswap_cli.archive.format.names import above, stays_inside
from bitswap_cli.archive.format.segments import FOLDER_KINDS, PARENT
from bitswap_cli.archive.sources.source import Source, modified
from bitswap_cli.archive.system.telling import Teller
from bitswap_cli.atomic import TEMPORARY, cannot
from bitswap_cli.errors import InputError, display

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISFIFO, "it is a pipe"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "it is a device"),
)


class Found(NamedTuple):
    """What there is."""

    sources: list[Source]
    """To archive, in the order of their names, as bytes."""
    skipped: dict[bytes, str]
    """By its path: why something cannot be archived."""
    notes: list[str]
    """Lines worth showing: links that will lead nowhere, files of our own that are left out."""


class _Open(NamedTuple):
    """Something on the way, of which nothing is known but its status."""

    name: bytes
    path: bytes
    status: os.stat_result
    above: tuple[tuple[int, int], ...] = ()
    """Devices and numbers of the folders that it lies in, where links are followed."""


def collect(
    paths: Sequence[str | os.PathLike[str]],
    *,
    dereference: bool = False,
    without: Iterable[str | os.PathLike[str]] = (),
    teller: Teller | None = None,
) -> Found:
    """Find everything below some files and folders.

    Entries are named from the last part of each path on, as tar does. A path that is itself a link
    is followed; links below it are archived as links.

    Parameters
    ----------
    paths : sequence of paths
    dereference : bool
        Follow links below them, too.
    without : iterable of paths
        Left out wherever they are met: what is going to be written. Unfinished files of this
        program's are left out as well.
    teller : Teller, optional
        Tells their attributes.

    Raises
    ------
    InputError
        If one of the paths is not there or is to be left out, or two things get one name.
    """
    walk = _Walk(dereference, without, teller or Teller())
    for path in paths:
        walk.run(os.fsencode(path))
    sources = _merged(walk.sources)
    _check_names(sources)
    return Found(
        sources, walk.skipped, walk.notes + _astray(sources, walk.targets) + walk.teller.notes()
    )


class _Walk:
    """What was found so far."""

    def __init__(
        self, dereference: bool, without: Iterable[str | os.PathLike[str]], teller: Teller
    ) -> None:
        self.sources: list[Source] = []
        self.skipped: dict[bytes, str] = {}
        self.notes: list[str] = []
        self.targets: dict[bytes, bytes] = {}  # of links, by their names
        self.teller = teller
        self._dereference = dereference
        self._without = {place for path in without if (place := _place(os.fsencode(path)))}
        self._own_names = {name for *_, name in self._without}

    def run(self, path: bytes) -> None:
        """Walk through a file, or a folder and all below it; no recursion, however deep."""
        if self._left_out(path):
            raise InputError(f"{display(path)} is to be written: it cannot be archived as well")
        try:
            status = os.stat(path)
        except OSError as error:
            raise cannot("read", path, error) from error
        stack = [_Open(os.path.basename(os.path.abspath(path)), path, status)]
        while stack:
            one = stack.pop()
            if stat.S_ISDIR(one.status.st_mode):
                stack += self._folder(one)
            else:
                self._add(one)

    def _folder(self, folder: _Open) -> list[_Open]:
        """Look into a folder; it is an entry itself, of another kind if nothing of it is one."""
        try:
            with os.scandir(folder.path) as listing:
                entries = list(listing)
            own = (folder.status.st_dev, folder.status.st_ino)
            above = (*folder.above, own) if self._dereference else ()
            found = [self._look(folder.name, entry, above) for entry in entries]
        except OSError as error:
            self._skip(folder.path, error)
            return []
        inside = [one for one in found if one]
        if folder.name or not inside:
            self._keep(folder, PARENT if inside else "dir", 0)
        return inside

    def _look(
        self, folder: bytes, entry: os.DirEntry[bytes], above: tuple[tuple[int, int], ...]
    ) -> _Open | None:
        """Return what is in a folder, unless it is skipped or left out."""
        path = entry.path
        if TEMPORARY.fullmatch(entry.name):
            self.notes.append(f"{display(path)} is an unfinished file of bitswap: it is left out")
            return None
        if self._left_out(path):
            self.notes.append(f"{display(path)} is to be written: it is left out")
            return None
        try:
            status = entry.stat(follow_symlinks=self._dereference)
        except OSError as error:
            self._skip(path, error)
            return None
        mode = status.st_mode
        if (status.st_dev, status.st_ino) in above:
            self.skipped[path] = "it leads to a folder that it lies in"
            return None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
            self.skipped[path] = _kind(mode)
            return None
        name = folder + b"/" + entry.name if folder else entry.name
        return _Open(name, path, status, above)

    def _add(self, one: _Open) -> None:
        """Take what is no folder."""
        mode = one.status.st_mode
        if stat.S_ISREG(mode):
            self._keep(one, "file", one.status.st_size)
        elif stat.S_ISLNK(mode):
            try:
                target = os.readlink(one.path)
            except OSError as error:
                self._skip(one.path, error)
                return
            self.targets[one.name] = target
            self._keep(one, "link", len(target))
        else:
            self.skipped[one.path] = _kind(mode)

    def _keep(self, one: _Open, kind: str, size: int) -> None:
        status = one.status
        linked = kind == "file" and status.st_nlink > 1
        inode = (status.st_dev, status.st_ino) if linked else None
        told = modified(status), self.teller.of(one.path, status), inode
        self.sources.append(Source(one.name, one.path, kind, size, *told))

    def _skip(self, path: bytes, error: OSError) -> None:
        self.skipped[path] = error.strerror or str(error)

    def _left_out(self, path: bytes) -> bool:
        if self._dereference and os.path.islink(path):
            path = os.path.realpath(path)
        # The system is asked for the folder only where the name is the same.
        return os.path.basename(path) in self._own_names and _place(path) in self._without


def _place(path: bytes) -> tuple[int, int, bytes] | None:
    """Return the folder that a path is in, by its device and number, and the name in it; None if
    there is no such folder."""
    folder, name = os.path.split(os.path.abspath(path))
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino, name


def _kind(mode: int) -> str:
    """Tell what can be no entry."""
    kinds = [kind for test, kind in _KINDS if test(mode)]
    return kinds[0] if kinds else "it is no file, folder or link"


def _merged(found: list[Source]) -> list[Source]:
    """Sort sources; folders of one name become one, with the attributes of the first of those that
    are not empty, if there are such."""
    sources: list[Source] = []
    for source in sorted(found):
        last = sources[-1] if sources else None
        if not last or last.name != source.name or not {last.kind, source.kind} <= {*FOLDER_KINDS}:
            sources.append(source)
        elif source.kind == PARENT != last.kind:
            sources[-1] = source
    return sources


def _check_names(sources: list[Source]) -> None:
    """Raise if two sources get one name, or one the name of a folder of another."""
    named: dict[bytes, Source] = {}
    for source in sources:
        # Sorted, what lies in a folder comes after anything else of the folder's name.
        folders = [named[folder] for folder in above(source.name) if folder in named]
        others = [other for other in folders if other.kind not in FOLDER_KINDS]
        if source.name in named:
            others.append(named[source.name])
        if others:
            raise InputError(
                f"{display(source.path)} and {display(others[0].path)} cannot both be archived as "
                f"{display(source.name)}; archive a folder above both"
            )
        named[source.name] = source


def _astray(sources: list[Source], targets: dict[bytes, bytes]) -> list[str]:
    """Return a line for each link that leads out of what is archived."""
    lines = []
    inside = _with_folders(sources) if targets else set()
    for source in sources:
        if source.kind != "link":
            continue
        target = targets[source.name]
        link = f"{display(source.path)} is a link to {display(target)}"
        if not stays_inside(source.name, target):
            lines.append(
                f"{link}, outside of what is archived: decompress will refuse to restore it "
                "(--dereference archives what links point to)"
            )
            continue
        end = os.path.normpath(os.path.join(os.path.dirname(source.name), target))
        # One that leads through another link may lead anywhere; one that is broken stays so.
        through = any(folder in targets for folder in above(end))
        if end not in inside and not through and os.path.exists(source.path):
            lines.append(
                f"{link}, which is not archived (--dereference archives what links point to)"
            )
    return lines


def _with_folders(sources: list[Source]) -> set[bytes]:
    """Return the names of all entries, and of the folders that they are in."""
    names = {source.name for source in sources}
    for source in sources:
        for folder in above(source.name):
            if folder in names:
                break
            names.add(folder)
    return names
