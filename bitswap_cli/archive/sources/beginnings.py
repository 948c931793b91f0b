"""What the beginnings of files tell; each file is opened once for that."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bitswap_cli.archive.sources.seen import MAX_FILE, MAX_LARGE_FILE
from bitswap_cli.archive.sources.source import Source, beginning
from bitswap_cli.images.formats import register
from bitswap_cli.images.formats.jpeg.codec import BEGINNING
from bitswap_cli.images.strips import Strips, begin


class Beginnings(NamedTuple):
    """Of some files, by their names."""

    held: frozenset[bytes]
    """Those that may be pictures which are held as a whole."""
    jpegs: frozenset[bytes]
    """Those that begin as a JPEG."""
    strips: Mapping[bytes, Strips]
    """Those that may be pictures which are had by strips."""


def begun(sources: Iterable[Source]) -> Beginnings:
    """Look how files begin."""
    held, jpegs = set[bytes](), set[bytes]()
    strips = dict[bytes, Strips]()
    for source in sources:
        if source.kind != "file":
            continue
        head = beginning(source, register.HEAD)
        large = register.may_be_large(head, source.size)
        if by_strips := begin(head, source.size):
            strips[source.name] = by_strips
        elif source.size <= (MAX_LARGE_FILE if large else MAX_FILE):
            held.add(source.name)
        else:
            continue
        if head.startswith(BEGINNING):
            jpegs.add(source.name)
    return Beginnings(frozenset(held), frozenset(jpegs), strips)
