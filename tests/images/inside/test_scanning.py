"""One pass finds all sorts of things, each where it lies, and nothing in what was found."""

import io
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.inside.scanning import BEGINNING, Sort, Span, View, find, places_of


def brackets(opening: bytes, closing: bytes) -> Sort:
    """Return what lies between two bytes, these included."""

    def walk(view: View, start: int) -> Span | None:
        length = view.at(start, 50).find(closing)
        return Span(start, length + 1) if length > 0 else None

    return Sort(lambda data: places_of(opening, opening, data), walk, 1, 3)


SORTS = (brackets(b"(", b")"), brackets(b"[", b"]"))


def expected(data: bytes) -> Iterator[Span]:
    """Yield what lies where, found byte by byte."""
    place = 0
    while place < len(data):
        closing = {40: b")", 91: b"]"}.get(data[place], b"none")
        length = data[place : place + 50].find(closing) + 1
        if length >= 3:
            yield Span(place, length)
        place += max(length, 1)


@given(st.text("([])xyz", max_size=200))
def test_what_lies_in_something_is_a_part_of_it(text: str) -> None:
    data = text.encode()
    found = find(io.BytesIO(data + bytes(BEGINNING)), len(data), SORTS)
    assert found == list(expected(data))


def test_places_are_those_of_all_beginnings() -> None:
    assert list(places_of(b"aba", b"b", b"ababa aba")) == [0, 2, 6]
    assert list(places_of(b"aba", b"b", b"aaaa")) == []
