"""JPEG files that have the coefficients of others, before any is coded."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from bitswap_cli.archive.sources import twins
from bitswap_cli.archive.sources.seen import look_for_jpeg
from bitswap_cli.archive.sources.source import Source, SourceError, opened
from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_cli.images.formats.jpeg.head import Head, head
from bitswap_cli.images.formats.jpeg.outline import outline

_PART = 1 << 20
T = TypeVar("T", bound=Hashable)


class _File(NamedTuple):
    source: Source
    head: Head

    @property
    def rest(self) -> int:
        """Bytes from the first scan on."""
        return self.source.size - self.head.scan

    @property
    def stem(self) -> bytes:
        """Its name without folders and ending."""
        return os.path.splitext(os.path.basename(self.source.name))[0]


def find(sources: Iterable[Source]) -> dict[bytes, bytes]:
    """Return which JPEG files have the coefficients of others, by their names, and one of these:
    that with most before its first scan, as a thumbnail may be there, which only it can tell.

    Of two such files either the scans are equal, byte for byte, and only what is told of the
    picture differs; or scans were written anew, for which only files of one size in pixels are
    read that have one name, in other folders or with other endings. A file that is the one of a
    second and the other of a third joins these.

    Parameters
    ----------
    sources : iterable of Source
        In the order of their names.
    """
    files = [_File(source, told) for source in sources if (told := _head(source))]
    scans = dict[bytes, bytes]()
    for alike in _groups(files, lambda one: (one.head.tables, one.rest)):
        scans |= {one.source.name: _scans(one) for one in alike}
    read = dict[bytes, bytes | None]()  # what coefficients are, by the scans, or the file's name
    for alike in _groups(files, lambda one: (one.stem, one.head.size)):
        # of files with the same scans, one is enough
        firsts = {scans.get(one.source.name, one.source.name): one for one in alike}
        for own in firsts.keys() - read.keys() if len(firsts) > 1 else ():
            read[own] = _coefficients(firsts[own].source)
    found = dict[bytes, list[bytes]]()
    for file in sorted(files, key=lambda one: (-one.head.scan, one.source.name)):
        name = file.source.name
        known = read.get(scans.get(name, name)) or scans.get(name)
        found[name] = [known] if known else []
    return twins.find(found.items())


def digests(frames: Sequence[Frame], pictures: Sequence[Coefficients]) -> tuple[bytes, ...]:
    """Return what pictures have in common only if their frames and coefficients are equal."""
    found = list[bytes]()
    for frame, picture in zip(frames, pictures, strict=True):
        own = hashlib.sha256(repr([one[:3] for one in frame]).encode())
        for component, coefficients in zip(frame, picture, strict=True):
            own.update(np.ascontiguousarray(component.steps, np.int32).data)
            own.update(np.ascontiguousarray(coefficients, np.int16).data)
        found.append(own.digest())
    return tuple(found)


def _groups(files: Sequence[_File], key: Callable[[_File], T]) -> list[list[_File]]:
    """Return those of which some have the same key."""
    found = dict[T, list[_File]]()
    for file in files:
        found.setdefault(key(file), []).append(file)
    return [alike for alike in found.values() if len(alike) > 1]


def _head(source: Source) -> Head | None:
    # whoever reads the file as a whole will tell why it cannot be read
    with contextlib.suppress(OSError), opened(source) as file:
        return head(file)
    return None


def _scans(file: _File) -> bytes:
    """Return a digest of what decides a file's coefficients."""
    digest = hashlib.sha256(file.head.tables)
    with contextlib.suppress(OSError), opened(file.source) as data:
        data.seek(file.head.scan, os.SEEK_CUR)
        left = file.rest
        while left > 0 and (part := data.read(min(left, _PART))):
            digest.update(part)
            left -= len(part)
    return digest.digest()


def _coefficients(source: Source) -> bytes | None:
    """Return a digest of the coefficients of the picture that a file shows, if it is a JPEG."""
    with contextlib.suppress(SourceError):
        seen = look_for_jpeg(source)
        shown = seen.jpeg.pictures[0] if seen else None
        if shown:
            frame = outline(shown.frame, shown.quantization)
            return digests([frame], [shown.coefficients])[0]
    return None
