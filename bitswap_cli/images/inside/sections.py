"""Sections of a file that is too large to be held with its streams inflated: it is cut where that
cuts nothing that lies in it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bitswap_cli.images.inside.scanning import Span
from bitswap_cli.images.inside.streams import in_pieces


class Section(NamedTuple):
    """Some of a file."""

    start: int
    length: int
    spans: list[Span]
    """What lies in it, by where that begins in the section."""


def sections(spans: Sequence[Span], size: int, most: int) -> Iterator[Section]:
    """Yield the sections of a file of `size` bytes, in its order.

    Each has at most `most` bytes, its streams inflated, or is nothing but something that has more.
    """
    cut = _Cut(most)
    for span in spans:
        yield from cut.through(span.start)
        yield from cut.over(span)
    yield from cut.through(size)
    yield from cut.end()


class _Cut:
    """A section that is not at its end yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._start = self._end = self._weight = 0
        self._spans = list[Span]()

    def through(self, place: int) -> Iterator[Section]:
        """Go on to a place, between which nothing lies."""
        while self._end < place:
            if self._weight >= self._most:
                yield from self.end()
            step = min(place - self._end, self._most - self._weight)
            self._end, self._weight = self._end + step, self._weight + step

    def over(self, span: Span) -> Iterator[Section]:
        """Go on behind something."""
        weight = span.stream.size if span.stream else span.length
        if span.stream and in_pieces(span.stream):  # it is no part of it then
            weight = 0
        if self._weight + weight > self._most:
            yield from self.end()
        self._spans.append(span._replace(start=span.start - self._start))
        self._end, self._weight = self._end + span.length, self._weight + weight

    def end(self) -> Iterator[Section]:
        """End the section, if there is anything in it."""
        if self._end > self._start:
            yield Section(self._start, self._end - self._start, self._spans)
        self._start, self._weight, self._spans = self._end, 0, []
