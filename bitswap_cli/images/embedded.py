"""Pictures inside of other files: where JPEG and PNG pictures begin and end, whatever holds them.

No container is parsed. A JPEG is walked from marker to marker (ITU-T T.81, B.1.1.2) up to EOI, a
PNG from chunk to chunk (W3C, Portable Network Graphics) up to IEND; nothing of them is decoded.
"""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from bitswap_cli.images.formats.jpeg.codec import BEGINNING
from bitswap_cli.images.formats.png.chunks import SIGNATURE

SMALLEST = 1 << 7
"""Bytes of the smallest picture that is looked for: one of fewer hardly pays for its name."""
LARGEST = 1 << 26
"""Bytes of the largest one."""
MOST = 1 << 20
"""How many are looked for in a file, at most."""
_WINDOW = 1 << 22  # bytes that are looked through together
_STEP = 1 << 16  # bytes that are read at a time where a picture is walked through
_WALK, _MARKER = 1 << 10, 1 << 6  # bytes that a walk and a step of it count as, where it is in vain
_STEPS = 1 << 16  # markers or chunks of a picture, at most
_IN_VAIN = 1 << 20  # bytes that may be walked through in vain, beside as many as the file has
# In entropy-coded data, FF is followed by 00, or is a part of a restart marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_FILL, _SOI, _EOI, _SOS = 0xFF, 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment


class Span(NamedTuple):
    """Where a picture lies in a file."""

    start: int
    length: int


class _View:
    """Some of a file at a time.

    Parameters
    ----------
    file : BinaryIO
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = 0
        self._data = b""
        self.cost = 0
        """About how many bytes were walked through."""

    def at(self, place: int, length: int) -> bytes:
        """Return bytes from a place on, fewer only at the end of the file."""
        begin = place - self._start
        if begin < 0 or begin + length > len(self._data):
            self._file.seek(place)
            self._start, self._data = place, self._file.read(max(length, _STEP))
            begin = 0
        self.cost += _MARKER
        return self._data[begin : begin + length]

    def marker_from(self, place: int, end: int) -> int | None:
        """Return where the next marker is in entropy-coded data; None if there is none before
        `end`."""
        while place < end and (data := self.at(place, _STEP)):
            found = _NEXT_MARKER.search(data)
            self.cost += found.start() if found else len(data)
            if found:
                return place + found.start()
            if len(data) < 2:
                break
            place += len(data) - 1
        return None


def find(file: BinaryIO, size: int) -> list[Span]:
    """Find the pictures in a file, in their order; what lies in one of them is a part of it.

    It takes time linear in the size, whatever is in the file: where more was walked through in vain
    than it has bytes, the rest is not looked at.

    Parameters
    ----------
    file : BinaryIO
        Which can be sought in.
    size : int
        Bytes of it.
    """
    view, found = _View(file), list[Span]()
    end = vain = 0
    for start in _beginnings(file):
        if start < end:
            continue
        view.cost = _WALK
        after = _end(view, start)
        if after is None or after > size:
            vain += view.cost
            if vain > size + _IN_VAIN:
                break
            continue
        end = after
        if end - start >= SMALLEST:
            found.append(Span(start, end - start))
            if len(found) == MOST:
                break
    return found


def begins_as_one(head: bytes) -> bool:
    """Tell from the first bytes of a file whether it is such a picture itself."""
    return head.startswith((BEGINNING, SIGNATURE))


def _beginnings(file: BinaryIO) -> Iterator[int]:
    """Yield where a picture may begin, in order."""
    overlap, base, data = len(SIGNATURE) - 1, 0, b""
    while True:
        file.seek(base + len(data))
        data += file.read(_WINDOW)
        if len(data) <= overlap:
            return
        # What begins in the overlap comes again with what follows it.
        own = len(data) - overlap
        places = {*_places(data, BEGINNING), *_places(data, SIGNATURE)}
        yield from (base + place for place in sorted(places) if place < own)
        base, data = base + own, data[own:]


def _places(data: bytes, beginning: bytes) -> Iterator[int]:
    # texts have no such bytes, and one byte is looked for many times as fast as several are
    place = data.find(beginning) if beginning[:1] in data else -1
    while place >= 0:
        yield place
        place = data.find(beginning, place + 1)


def _end(view: _View, start: int) -> int | None:
    """Return where what begins like a picture ends; None if it is none, or too large."""
    walk: Callable[[_View, int], int | None]
    walk = _end_of_jpeg if view.at(start, len(BEGINNING)) == BEGINNING else _end_of_png
    end = walk(view, start)
    return None if end is None or end - start > LARGEST else end


def _end_of_jpeg(view: _View, start: int) -> int | None:
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
            after = view.marker_from(place, most)
            if after is None:
                return None
            place = after
    return None


def _end_of_png(view: _View, start: int) -> int | None:
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
