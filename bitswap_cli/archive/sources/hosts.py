"""Files that pictures lie in: hosts, and their pictures as sources of their own, members."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from bitswap_cli.archive.format.attributes import NONE
from bitswap_cli.archive.format.names import member_name
from bitswap_cli.archive.format.sections import MAX_BLOCK
from bitswap_cli.archive.format.values.pieces import size_of_pieces
from bitswap_cli.archive.sources import copies as equal
from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.copies import Copy
from bitswap_cli.archive.sources.source import Source, SourceError, opened, read_pieces
from bitswap_cli.images import embedded
from bitswap_cli.images.formats import register
from bitswap_cli.images.inspection import looks_like_picture
from bitswap_cli.images.strips import begin

LARGEST = 1 << 36
"""Bytes of the largest file that is looked into."""


class Hosted(NamedTuple):
    """What is to be archived, when it is known what lies in it."""

    sources: list[Source]
    """With all members, behind their hosts."""
    copies: dict[bytes, Copy]
    """Those of members among them."""
    hosts: dict[bytes, list[Source]]
    """Members by the names of their hosts, in their order."""


def look_into(sources: Sequence[Source], copies: dict[bytes, Copy], *, pixels: bool) -> Hosted:
    """Look for pictures in all files that are none themselves.

    A member may be a copy of another one, or of a file that comes back byte for byte.

    Parameters
    ----------
    sources : sequence of Source
        In the order of their names.
    copies : dict of bytes to Copy
        Which of them equal others; these are not looked into.
    pixels : bool
        Whether it is enough that pictures come back pixel for pixel; members do byte for byte.
    """
    own = [one for one in sources if one.name not in copies]
    found = {one.name: members for one in own if (members := _members(one))}
    if not found:
        return Hosted([*sources], copies, {})
    members = [member for name in found for member in found[name]]
    # The first of equal ones is the original: a file, if it is one.
    _, more = equal.find(members if pixels else [*own, *members])
    return Hosted(sorted([*sources, *members]), copies | more, found)


def _members(source: Source) -> list[Source]:
    """Return the pictures in a file that is none itself; one that cannot be read has none."""
    if source.kind != "file" or not embedded.SMALLEST < source.size <= LARGEST:
        return []
    with suppress(OSError, SourceError):
        with opened(source) as file:
            head = file.read(register.HEAD)
            if embedded.begins_as_one(head) or begin(head, source.size):
                return []
            spans = embedded.find(file, source.size)
        literal = source.size - sum(span.length for span in spans)
        fits = size_of_pieces(len(spans), literal) <= MAX_BLOCK
        if spans and fits and not (looks_like_picture(head) and _is_one(source)):
            return list(_sources(source, spans))
    return []


def _is_one(source: Source) -> bool:
    return bool(seen.look(source, wide=True, pixels=False).kinds)


def _sources(host: Source, spans: Sequence[embedded.Span]) -> Iterator[Source]:
    for number, (start, length) in enumerate(spans):
        name = member_name(host.name, number)
        member = Source(name, host.path, "file", length, host.mtime, NONE, offset=start)
        (data,) = read_pieces(member, [length])
        yield member._replace(crc=zlib.crc32(data))
