"""The dictionary of an image, and where its stream begins (ISO 32000-1, 7.3.8 and 8.9.5)."""

import re
from typing import NamedTuple

FAX, FLATE = b"CCITTFaxDecode", b"FlateDecode"
"""Filters."""
BEGINNING = b"<<"
"""How a dictionary begins."""
DICTIONARY = 1 << 12
"""Bytes of one, at most."""
END = b"endstream"
"""What follows a stream."""
LINES = b"\r\n", b"\n", b"\r", b""
"""Ends of lines, one of which stands before that."""

_DICTIONARY = re.compile(rb"<<[^\0-\x08\x0e-\x1f\x80-\xff]*?>>\s*stream\r?\n")
_FILTER = re.compile(rb"/Filter\s*(?:\[\s*/(\w+)\s*\]|/(\w+))")
_NUMBER = re.compile(
    rb"/(Width|Height|BitsPerComponent|Columns|Rows|Predictor|Colors)\s+(\d{1,6})\b"
)
_PREDICTED = 10  # and above: rows have filters as those of PNG
_OTHERWISE = 2  # differences as those of TIFF


class Image(NamedTuple):
    """An image that one known filter packed."""

    start: int
    """Where the stream begins."""
    filter: bytes
    numbers: dict[bytes, int]
    """What numbers the dictionary tells."""

    @property
    def width(self) -> int:
        """Pixels of a row; 0 if it is not told."""
        told = self.numbers.get(b"Width", 0)
        return self.numbers.get(b"Columns", told) if self.filter == FAX else told

    @property
    def height(self) -> int:
        """Rows; 0 if it is not told."""
        told = self.numbers.get(b"Height", 0)
        return self.numbers.get(b"Rows", told) if self.filter == FAX else told

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return self.numbers.get(b"BitsPerComponent", 8)

    @property
    def filtered(self) -> bool:
        """Whether rows have filters as those of PNG."""
        return self.numbers.get(b"Predictor", 1) >= _PREDICTED


def read_image(data: bytes) -> Image | None:
    """Read the dictionary that some bytes begin with; None if it is not that of such an image."""
    begins = _DICTIONARY.match(data[:DICTIONARY])
    found = begins and _FILTER.search(begins[0])
    name = found and (found[1] or found[2])
    if not begins or name not in (FAX, FLATE):
        return None
    numbers = {name: int(value) for name, value in _NUMBER.findall(begins[0])}
    image = Image(begins.end(), name, numbers)
    other = name == FLATE and numbers.get(b"Predictor") == _OTHERWISE
    return image if image.width and not other else None
