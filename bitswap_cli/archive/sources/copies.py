"""Which files are equal: each is archived once."""

import contextlib
import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from bitswap_cli.archive.format.segments import COPY, HARD_LINK
from bitswap_cli.archive.sources.source import Source, SourceError, read_parts

_BEGINNING = 1 << 16  # bytes that differ already in most files of equal size
_PART = 1 << 20

T = TypeVar("T")


class Copy(NamedTuple):
    """What a file is instead of its bytes."""

    kind: str
    """`COPY` or `HARD_LINK`."""
    original: bytes
    """Name of the first file that it equals: of its content, or the same file under that name."""


def find(sources: Sequence[Source]) -> tuple[list[Source], dict[bytes, Copy]]:
    """Look for equal files, by their size, then by SHA-256.

    A file that cannot be read equals none here: whoever reads it next will tell.

    Parameters
    ----------
    sources : sequence of Source
        In the order of their names: the first of equal ones is what the others are copies of.

    Returns
    -------
    sources : list of Source
        Those that have copies know their CRC-32 now, which has to hold when they are read.
    copies : dict of bytes to Copy
        By name; what they are copies of comes before them.
    """
    copies: dict[bytes, Copy] = {}
    linked: dict[tuple[int, int], bytes] = {}
    sizes: dict[int, list[Source]] = {}
    for source in sources:
        if source.inode and linked.setdefault(source.inode, source.name) != source.name:
            copies[source.name] = Copy(HARD_LINK, linked[source.inode])
        elif source.kind == "file" and source.size:
            sizes.setdefault(source.size, []).append(source)
    crcs: dict[bytes, int] = {}
    for same_size in sizes.values():
        for alike in _groups(same_size, _beginning).values():
            for (_, crc), (original, *others) in _groups(alike, _whole).items():
                copies |= {other.name: Copy(COPY, original.name) for other in others}
                crcs[original.name] = crc
    return [s._replace(crc=crcs[s.name]) if s.name in crcs else s for s in sources], copies


def _groups(files: list[Source], key: Callable[[Source], T]) -> dict[T, list[Source]]:
    """Return the files of which some have the same key, by that."""
    found: dict[T, list[Source]] = {}
    for file in files if len(files) > 1 else ():
        with contextlib.suppress(SourceError):
            found.setdefault(key(file), []).append(file)
    return {own: alike for own, alike in found.items() if len(alike) > 1}


def _beginning(file: Source) -> bytes:
    with contextlib.closing(read_parts(file, _BEGINNING)) as parts:
        return hashlib.sha256(next(parts, b"")).digest()


def _whole(file: Source) -> tuple[bytes, int]:
    """Return SHA-256 and CRC-32 of a file."""
    digest, crc = hashlib.sha256(), 0
    for part in read_parts(file, _PART):
        digest.update(part)
        crc = zlib.crc32(part, crc)
    return digest.digest(), crc
