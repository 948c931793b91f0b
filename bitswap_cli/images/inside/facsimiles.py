"""Facsimiles in PDF files (ISO 32000-1, 7.4.6), from the name of their filter to where they end."""

from collections.abc import Iterator

from bitswap_cli.images.formats.fax import BEGINNING, DICTIONARY, END, begins_in
from bitswap_cli.images.inside.pictures import LARGEST, SMALLEST
from bitswap_cli.images.inside.scanning import BEGINNING as LONGEST
from bitswap_cli.images.inside.scanning import Sort, Span, View, places_of
from bitswap_cli.images.inspection import inspect_exact

_WALK = 1 << 10  # bytes that a walk counts as, if it is in vain
_STEP = 1 << 16  # bytes that are looked through at a time


def _places(data: bytes) -> Iterator[int]:
    """Yield where the name of the filter may be."""
    return places_of(BEGINNING[:LONGEST], b"/", data)


def _walk(view: View, start: int) -> Span | None:
    """Return where a facsimile lies that is proved to come back; None if it is none."""
    head = view.at(start, DICTIONARY)[:DICTIONARY]
    begins = begins_in(head) if head.startswith(BEGINNING) else b""
    place = start + len(begins)
    while begins and place < start + LARGEST:
        data = view.at(place, _STEP)
        found = data.find(END)
        view.cost += len(data)
        if found >= 0:
            length = place + found + len(END) - start
            data = view.at(start, length)[:length]
            view.cost += length
            return Span(start, length) if any(inspect_exact(data, None)) else None
        if len(data) < len(END):
            break
        place += len(data) - len(END) + 1
    return None


FACSIMILES = Sort(_places, _walk, _WALK, SMALLEST)
