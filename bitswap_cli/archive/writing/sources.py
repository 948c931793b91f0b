"""What is to be archived: files, links and empty folders, named and in order."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bitswap_cli.atomic import cannot
from bitswap_cli.errors import InputError, display

_MAX_TIME = 1 << 62  # nanoseconds from 1970, either way: the years 1823 to 2116


class Source(NamedTuple):
    """Something to archive."""

    name: bytes
    """Of the entry: relative, '/'-separated."""
    path: bytes
    """Where it lies."""
    kind: str
    """'file', 'link' or 'dir' (an empty folder)."""
    size: int
    """Bytes of a file, or of a link's target."""
    mtime: int
    """Nanoseconds since 1970."""


def collect(paths: Sequence[str | os.PathLike[str]]) -> list[Source]:
    """Find everything below some files and folders.

    Entries are named from the last part of each path on, as tar does. A path that is itself a link
    is followed; links below it are archived as links.

    Parameters
    ----------
    paths : sequence of paths

    Returns
    -------
    list of Source
        In the order of their names, as bytes.

    Raises
    ------
    InputError
        If something cannot be read, is no file, folder or link, or two things get one name.
    """
    found = sorted(source for path in paths for source in _walk_root(os.fsencode(path)))
    named: dict[bytes, Source] = {}
    for source in found:
        # Sorted, what lies in a folder comes after anything else of the folder's name.
        ends = [end for end in range(len(source.name)) if source.name[end] == ord("/")]
        above = [named[source.name[:end]] for end in ends if source.name[:end] in named]
        others = [other for other in above if other.kind != "dir"]
        if source.name in named:
            others.append(named[source.name])
        if others:
            raise InputError(
                f"{display(source.path)} and {display(others[0].path)} cannot both be archived as "
                f"{display(source.name)}; archive a folder above both"
            )
        named[source.name] = source
    return found


def read_parts(source: Source, length: int) -> Iterator[bytes]:
    """Yield a source's bytes in parts of `length`, the last one shorter, none empty.

    Raises
    ------
    InputError
        If the source cannot be read or its size has changed.
    """
    total = 0
    try:
        if source.kind == "link":
            target = os.readlink(source.path)
            total = len(target)
            yield target
        elif source.kind == "file":
            with open(source.path, "rb") as file:
                while part := file.read(length):
                    total += len(part)
                    yield part
    except OSError as error:
        raise cannot("read", source.path, error) from error
    if total != source.size:
        raise changed(source)


def read(source: Source) -> bytes:
    """Return a source's bytes: a file's content, a link's target, or nothing."""
    return b"".join(read_parts(source, source.size + 1))


def read_if(source: Source, wanted: Callable[[bytes], bool], length: int) -> bytes | None:
    """Return a file's bytes if its first ones, `length` at most, are wanted, else None.

    Raises
    ------
    InputError
        If the file cannot be read or its size has changed.
    """
    try:
        with open(source.path, "rb") as file:
            start = file.read(length)
            if not wanted(start):
                return None
            data = start + file.read()
    except OSError as error:
        raise cannot("read", source.path, error) from error
    if len(data) != source.size:
        raise changed(source)
    return data


def changed(source: Source) -> InputError:
    """Return the error to raise for a source that is no longer what it was."""
    return InputError(f"{display(source.path)} changed while it was read; try again")


def _walk_root(path: bytes) -> Iterator[Source]:
    name = os.path.basename(os.path.abspath(path))
    try:
        status = os.stat(path)
    except OSError as error:
        raise cannot("read", path, error) from error
    yield from _walk(name, path, status)


def _walk(name: bytes, path: bytes, status: os.stat_result) -> Iterator[Source]:
    mtime = max(-_MAX_TIME, min(status.st_mtime_ns, _MAX_TIME))
    if stat.S_ISREG(status.st_mode):
        yield Source(name, path, "file", status.st_size, mtime)
    elif stat.S_ISLNK(status.st_mode):
        try:
            yield Source(name, path, "link", len(os.readlink(path)), mtime)
        except OSError as error:
            raise cannot("read", path, error) from error
    elif not stat.S_ISDIR(status.st_mode):
        raise InputError(
            f"{display(path)} is no file, folder or link (a device, pipe or socket): it cannot be "
            "archived"
        )
    else:
        try:
            with os.scandir(path) as listing:
                inside = [
                    (entry.name, entry.path, entry.stat(follow_symlinks=False)) for entry in listing
                ]
        except OSError as error:
            raise cannot("read", path, error) from error
        if not inside:
            yield Source(name, path, "dir", 0, mtime)
        for own, where, details in inside:
            yield from _walk(name + b"/" + own if name else own, where, details)
