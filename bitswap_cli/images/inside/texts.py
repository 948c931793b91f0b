"""What lies in a text as base64 (RFC 4648, 4), such as pictures in notebooks, mail, HTML and SVG.

It is found by how files of kinds that pictures lie in begin, and its lines are of one length, the
last one shorter, or there is but one.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.inside.scanning import BASE64, Sort, Span, Stream, View, places_of

SMALLEST = 1 << 7
"""Characters of the shortest text that is looked for."""
LARGEST = 1 << 24
"""Characters of the longest one."""
_SHORTEST, _LONGEST_BREAK = 1 << 4, 1 << 6  # characters of a line, and of what parts lines
_WALK = 1 << 8  # bytes that a walk counts as, if it is in vain
_STEP = 1 << 16  # characters that are read at first
# Files of PNG, JPEG, GIF (two), TIFF (two), PDF, ZIP and gzip.
_BEGINNINGS = (
    b"iVBORw0K", b"/9j/", b"R0lGODlh", b"R0lGODdh", b"SUkqA", b"TU0AK", b"JVBERi0", b"UEsDB",
    b"H4sIA",
)  # fmt: skip
_ALPHABET = rb"[A-Za-z0-9+/]"
_LINE = re.compile(_ALPHABET + b"+")
_BREAK = re.compile(rb"\r?\n[ \t]{0,60}|(?:\\r)?\\n|%0A|&#(?:10|xA);")


def decode(text: bytes) -> tuple[bytes, bytes] | None:
    """Take a text apart.

    Returns
    -------
    bytes, bytes; or None
        What it stands for, and a description of its lines. None if it is no base64, or not as
        `encode` makes it.
    """
    line, parted = _lines(text)
    try:
        decoded = b64decode(text.replace(parted, b"") if line else text, validate=True)
    except (binascii.Error, ValueError):
        return None
    description = b"".join([varint(line), varint(len(parted)), parted])
    return (decoded, description) if encode(decoded, description) == text else None


def encode(decoded: bytes, description: bytes) -> bytes:
    """Make a text of what it stands for (inverse of `decode`).

    Raises
    ------
    ArchiveError
        If the description is damaged.
    """
    reader = Reader(description)
    line, parted = reader.varint(), reader.take(reader.varint())
    short = line < _SHORTEST and (line or parted)
    if reader.rest() or short or len(parted) > _LONGEST_BREAK:
        raise ArchiveError("the archive holds a damaged description of a text in base64")
    text = b64encode(decoded)
    if not line:
        return text
    return parted.join(text[at : at + line] for at in range(0, len(text), line))


def _lines(text: bytes) -> tuple[int, bytes]:
    """Return how long the lines of a text are, and what parts them; 0 and nothing if there is but
    one."""
    first = _LINE.match(text)
    parted = first and _BREAK.match(text, first.end())
    if not first or not parted or first.end() < _SHORTEST:
        return 0, b""
    return first.end(), parted[0]


def _places(data: bytes) -> Iterator[int]:
    """Yield where a text may begin."""
    for beginning in _BEGINNINGS:
        yield from places_of(beginning, beginning[:5], data)


def _walk(view: View, start: int) -> Span | None:
    """Return where a text lies; None if it is none, or too long."""
    size, found, whole = _STEP, b"", False
    while not whole and size <= 4 * LARGEST:
        text = view.at(start, size)[:size]
        view.cost += len(text)
        found, whole = _text(text), len(text) < size
        whole |= len(found) < len(text) - _LONGEST_BREAK  # unless what parts lines was cut
        size *= 4
    told = decode(found) if whole and SMALLEST <= len(found) <= LARGEST else None
    return told and Span(start, len(found), Stream(len(told[0]), b"", BASE64))


def _text(data: bytes) -> bytes:
    """Return what of some bytes is a text in base64, from their beginning on."""
    line, parted = _lines(data)
    shape = b"%b*={0,2}" % _ALPHABET
    if line:
        whole = b"%b{%d}%b" % (_ALPHABET, line, re.escape(parted))
        # Nothing is tried in another way, so nothing has to be kept for that.
        shape = b"(?:%b)*+%b{0,%d}={0,2}" % (whole, _ALPHABET, line)
    found = re.match(shape, data)
    text = found[0] if found else b""
    return text.removesuffix(parted) if line else text


TEXTS = Sort(_places, _walk, _WALK, SMALLEST)
