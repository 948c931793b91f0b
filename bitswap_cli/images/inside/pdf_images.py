"""Images that lie in PDF files, from their dictionaries to where they end (ISO 32000-1, 7.3.8).

JPEG files among them are found wherever they lie (pictures.py).
"""

from collections.abc import Iterator

from bitswap_cli.images.formats.pdf.format import may_be
from bitswap_cli.images.formats.pdf.image import BEGINNING, DICTIONARY, END, read_image
from bitswap_cli.images.inside.pictures import LARGEST, SMALLEST
from bitswap_cli.images.inside.scanning import Sort, Span, View, places_of

_NAME, _OBJECT = b"/Image", b"obj"
_WALK = 1 << 10  # bytes that a walk counts as, if it is in vain
_STEP = 1 << 16  # bytes that are looked through at a time


def _places(data: bytes) -> Iterator[int]:
    """Yield where a dictionary may say that it is that of an image."""
    return places_of(_NAME, b"/", data)


def _walk(view: View, place: int) -> Span | None:
    """Return where the image lies whose dictionary says so at a place; None if it is none."""
    most = min(place, DICTIONARY)
    before = view.at(place - most, most)
    own = before[before.rfind(_OBJECT) :].partition(BEGINNING)
    if _OBJECT not in before or not own[1]:
        return None
    start = place - len(own[1] + own[2])
    head = view.at(start, DICTIONARY)[:DICTIONARY]
    image = read_image(head)
    if image is None:
        return None
    at = start + image.start
    while at < start + LARGEST:
        data = view.at(at, _STEP)[:_STEP]
        found = data.find(END)
        view.cost += len(data)
        if found >= 0:
            length = at + found + len(END) - start
            if at + found - start - image.start < SMALLEST:
                return None
            view.cost += length
            return Span(start, length) if may_be(view.at(start, length)[:length]) else None
        if len(data) < _STEP:
            break
        at += len(data) - len(END) + 1
    return None


PDF_IMAGES = Sort(_places, _walk, _WALK, SMALLEST)
