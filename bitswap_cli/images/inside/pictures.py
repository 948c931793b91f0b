"""JPEG and PNG pictures that lie in a file as they are.

A JPEG is walked from marker to marker (ITU-T T.81, B.1.1.2) up to EOI, a
PNG from chunk to chunk (W3C, Portable Network Graphics) up to IEND; nothing of them is decoded.
"""

import re
from collections.abc import Iterator

from bitswap_cli.images.formats.jpeg.codec import BEGINNING
from bitswap_cli.images.formats.png.chunks import SIGNATURE
from bitswap_cli.images.inside.scanning import Sort, Span, View, places_of

SMALLEST = 1 << 7
"""Bytes of the smallest picture that is looked for: one of fewer hardly pays for its name."""
LARGEST = 1 << 26
"""Bytes of the largest one."""
_STEP = 1 << 16  # bytes of entropy-coded data that are looked through at a time
_WALK = 1 << 10  # bytes that a walk counts as, if it is in vain
_STEPS = 1 << 16  # markers or chunks of a picture, at most
# In entropy-coded data, FF is followed by 00, or is a part of a restart marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_FILL, _SOI, _EOI, _SOS = 0xFF, 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment


def begins_as_one(head: bytes) -> bool:
    """Tell from the first bytes of a file whether it is such a picture itself."""
    return head.startswith((BEGINNING, SIGNATURE))


def _places(data: bytes) -> Iterator[int]:
    """Yield where a picture may begin."""
    for beginning in (BEGINNING, SIGNATURE):
        yield from places_of(beginning, beginning[:1], data)


def _walk(view: View, start: int) -> Span | None:
    """Return where what begins like a picture lies; None if it is none, or too large."""
    is_jpeg = view.at(start, len(BEGINNING)) == BEGINNING
    end = _end_of_jpeg(view, start) if is_jpeg else _end_of_png(view, start)
    return None if end is None or end - start > LARGEST else Span(start, end - start)


def _end_of_jpeg(view: View, start: int) -> int | None:
    place, most, scans = start + 2, start + LARGEST, 0
    for _ in range(_STEPS):
        head = view.at(place, 4)
        if len(head) < 2 or head[0] != _FILL:
            return None
        marker = head[1]
        if marker == _EOI:
            return place + 2 if scans else None
        if marker == _FILL or marker in _ALONE:
            place += 1 if marker == _FILL else 2
            continue
        length = int.from_bytes(head[2:], "big")
        if marker < 0xC0 or marker == _SOI or length < 2:
            return None
        place += 2 + length
        if marker == _SOS:
            scans += 1
            after = _marker_from(view, place, most)
            if after is None:
                return None
            place = after
    return None


def _end_of_png(view: View, start: int) -> int | None:
    place = start + len(SIGNATURE)
    for step in range(_STEPS):
        head = view.at(place, 8)
        length, tag = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or not tag.isalpha() or (tag == b"IHDR") != (not step):
            return None
        place += 12 + length
        if tag == b"IEND":
            return place
    return None


def _marker_from(view: View, place: int, end: int) -> int | None:
    """Return where the next marker is in entropy-coded data; None if there is none before `end`."""
    while place < end and (data := view.at(place, _STEP)):
        found = _NEXT_MARKER.search(data)
        view.cost += found.start() if found else len(data)
        if found:
            return place + found.start()
        if len(data) < 2:
            break
        place += len(data) - 1
    return None


PICTURES = Sort(_places, _walk, _WALK, SMALLEST)
