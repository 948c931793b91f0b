"""One pass through a file for all that may lie inside of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

MOST = 1 << 20
"""How many things are looked for in a file, at most."""
BEGINNING = 8
"""Bytes by which it can be told that one may begin, at most."""
_WINDOW = 1 << 22  # bytes that are looked through together
_STEP = 1 << 16  # bytes that are read at a time where something is walked through
_MARKER = 1 << 6  # bytes that a step of a walk counts as, where it is in vain
_IN_VAIN = 1 << 20  # bytes that may be walked through in vain, beside as many as the file has


RAW, OWN, BASE64 = range(3)
"""How a stream lies in a file: as deflate made it (RFC 1951), as a zlib stream (RFC 1950), or as a
text in base64 (RFC 4648)."""


class Stream(NamedTuple):
    """A deflate stream, or another one that stands for more or fewer bytes."""

    size: int
    """Bytes that it inflates to."""
    head: bytes
    """The two bytes with which a zlib stream (RFC 1950) of it begins, or might begin."""
    packing: int
    """`RAW`, `OWN` or `BASE64`: whether it has them, and the checksum at its end, itself."""

    @property
    def own(self) -> bool:
        """Whether it is a zlib stream."""
        return self.packing == OWN


class Span(NamedTuple):
    """Where something lies in a file: a picture, or a deflate stream."""

    start: int
    length: int
    stream: Stream | None = None


class View:
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


class Sort(NamedTuple):
    """Something that is looked for."""

    places: Callable[[bytes], Iterable[int]]
    """Tells where it may begin, by `BEGINNING` bytes at most, in some bytes."""
    walk: Callable[[View, int], Span | None]
    """Returns where it lies that begins somewhere; None if that is none, or too large."""
    trial: int
    """Bytes that a walk counts as, if it is in vain."""
    smallest: int
    """Bytes of the smallest one that pays."""


def find(file: BinaryIO, size: int, sorts: Sequence[Sort]) -> list[Span]:
    """Find what lies in a file, in its order; what lies in something is a part of it.

    It takes time linear in the size, whatever is in the file: where more was walked through in vain
    than it has bytes, the rest is not looked at.

    Parameters
    ----------
    file : BinaryIO
        Which can be sought in.
    size : int
        Bytes of it.
    sorts : sequence of Sort
    """
    view, found = View(file), list[Span]()
    end = vain = 0
    for start, sort in _beginnings(file, sorts):
        if start < end:
            continue
        view.cost = sort.trial
        span = sort.walk(view, start)
        if span is None or span.start < end or span.start + span.length > size:
            vain += view.cost
            if vain > size + _IN_VAIN:
                break
            continue
        end = span.start + span.length
        if span.length < sort.smallest:
            continue
        found.append(span)
        if len(found) == MOST:
            break
    return found


def places_of(beginning: bytes, rare: bytes, data: bytes) -> Iterator[int]:
    """Yield where some bytes are in others; a `rare` one of them is looked for first, which is many
    times as fast where it is not there at all."""
    place = data.find(beginning) if rare in data else -1
    while place >= 0:
        yield place
        place = data.find(beginning, place + 1)


def _beginnings(file: BinaryIO, sorts: Sequence[Sort]) -> Iterator[tuple[int, Sort]]:
    """Yield where something may begin, in order; at one place, in that of the sorts."""
    overlap, base, data = BEGINNING - 1, 0, b""
    while True:
        file.seek(base + len(data))
        data += file.read(_WINDOW)
        if len(data) <= overlap:
            return
        # What begins in the overlap comes again with what follows it.
        own = len(data) - overlap
        places = {(place, k) for k, sort in enumerate(sorts) for place in sort.places(data)}
        yield from ((base + place, sorts[k]) for place, k in sorted(places) if place < own)
        base, data = base + own, data[own:]
