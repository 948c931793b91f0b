"""Where what lies in which file: in one of any size, in sections if that is large."""

import zlib
from collections.abc import Sequence
from contextlib import suppress

from bitswap_cli.archive.format.names import depth_of, member_name
from bitswap_cli.archive.format.sections import MAX_BLOCK
from bitswap_cli.archive.format.values.pieces import size_of_pieces
from bitswap_cli.archive.sources import seen
from bitswap_cli.archive.sources.inside.parts import Member, Part
from bitswap_cli.archive.sources.source import Source, SourceError, read_parts, read_pieces, sought
from bitswap_cli.images.formats import register
from bitswap_cli.images.inside.files import FILES
from bitswap_cli.images.inside.pdf_images import PDF_IMAGES
from bitswap_cli.images.inside.pictures import PICTURES, SMALLEST, begins_as_one
from bitswap_cli.images.inside.scanning import Sort, Span, find
from bitswap_cli.images.inside.sections import sections
from bitswap_cli.images.inside.streams import STREAMS, in_pieces
from bitswap_cli.images.inside.texts import TEXTS
from bitswap_cli.images.inspection import looks_like_picture
from bitswap_cli.images.strips import begin

LARGEST = 1 << 36
"""Bytes of the largest file that is looked into."""
ONES = FILES, PICTURES, PDF_IMAGES
"""What pictures are looked for by."""
ALL = *ONES, STREAMS, TEXTS
"""What everything is looked for by."""
_SECTION = 1 << 26  # bytes of a section, its streams inflated, at most
_SHARE = 1 << 6  # part of a file that has to be what lies in it, for it to come in sections
_PART = 1 << 20  # bytes that are read at a time


def hosts_in(source: Source) -> tuple[list[Part], list[tuple[Source, list[Span]]]]:
    """Return the sections of a file, if it comes in such; and where what lies in which file."""
    inside = spans_in(source, ALL)
    if _fits(source.size, inside):
        return [], [(source, inside)] if inside else []
    if sum(span.length for span in inside) * _SHARE < source.size:
        pictures = spans_in(source, ONES)
        return [], [(source, pictures)] if pictures and _fits(source.size, pictures) else []
    parts, own = list[Part](), list[tuple[Source, list[Span]]]()
    with suppress(SourceError):
        for number, (start, length, spans) in enumerate(sections(inside, source.size, _SECTION)):
            one = source.within(start, length, member_name(source.name, number))
            crc = 0
            for data in read_parts(one, _PART):
                crc = zlib.crc32(data, crc)
            one = one._replace(crc=crc)
            parts.append(Part(start, length, crc, (Member(0, one, kept=True),)))
            own += [(one, spans)] if spans else []
        return parts, own
    return [], []


def _fits(size: int, inside: Sequence[Span]) -> bool:
    """Tell whether there is room in a chunk for a file, but for the pictures in it."""
    literal = size - sum(span.length for span in inside if not span.stream)
    sizes = ((own, span.length) for span in inside if (own := span.stream))
    literal += sum((0 if in_pieces(own) else own.size) - length for own, length in sizes)
    return size_of_pieces(len(inside), literal) <= MAX_BLOCK


def spans_in(source: Source, sorts: Sequence[Sort]) -> list[Span]:
    """Return what lies in a file that is no picture itself; in one that cannot be read is
    nothing."""
    if source.kind != "file" or not SMALLEST < source.size <= LARGEST:
        return []
    with suppress(OSError, SourceError):
        with sought(source) as file:
            head = file.read(register.HEAD)
            whole = depth_of(source.name) and not source.spool  # a section is no picture itself
            if not whole and (begins_as_one(head) or begin(head, source.size)):
                return []
            found = find(file, source.size, sorts)
        if found and (whole or not (looks_like_picture(head) and _is_one(source))):
            return found
    return []


def _is_one(source: Source) -> bool:
    return bool(seen.look(source, wide=True, pixels=False).kinds)


def within(host: Source, span: Span) -> tuple[Source, bytes]:
    """Return what lies in a file as a source, without a name of its own, and its bytes."""
    own = host.within(span.start, span.length, host.name)
    (data,) = read_pieces(own, [span.length])
    return own._replace(crc=zlib.crc32(data)), data
