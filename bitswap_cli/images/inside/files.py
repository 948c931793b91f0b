"""Pictures of all formats but JPEG and PNG that are whole files in a TAR file (POSIX.1-2017, pax,
"ustar Interchange Format") or stored in a ZIP file (PKWARE, APPNOTE.TXT, 4.3.7).

JPEG and PNG tell where they end, so they are found wherever they lie (pictures.py).
"""

import struct
from collections.abc import Iterator

from bitswap_cli.images.formats.arrays.npz import MAGIC as ZIPS
from bitswap_cli.images.formats.jpeg.codec import BEGINNING
from bitswap_cli.images.formats.png.chunks import SIGNATURE
from bitswap_cli.images.formats.rasters import strides
from bitswap_cli.images.formats.register import START
from bitswap_cli.images.inside.pictures import LARGEST, SMALLEST, begins_as_one
from bitswap_cli.images.inside.scanning import Sort, Span, View, places_of
from bitswap_cli.images.inspection import inspect_exact, looks_like_picture

_USTAR, _AT = b"ustar", 257  # of a header, and where that stands in it
_BLOCK = 512
_SIZE, _SUM, _TYPE = slice(124, 136), slice(148, 156), slice(156, 157)
_ZIP, _LOCAL = b"PK\3\4", struct.Struct("<4sHHH8xIIHH")
_STORED = 0
_OTHERS = (_USTAR, _ZIP, BEGINNING, SIGNATURE)  # what is looked for, rather, where no header tells
_WALK = 1 << 6  # bytes that a walk counts as, if it is in vain


def _places(data: bytes) -> Iterator[int]:
    """Yield where what comes before a file may be."""
    yield from places_of(_USTAR, b"u", data)
    yield from places_of(_ZIP, b"\3", data)


def _walk(view: View, start: int) -> Span | None:
    """Return where a file lies that is a picture, and proved to come back; None if it is none."""
    is_zip = view.at(start, len(_ZIP)) == _ZIP
    span = _stored(view.at(start, _LOCAL.size), start) if is_zip else _filed(view, start - _AT)
    if span is None or not SMALLEST <= span.length <= LARGEST:
        return None
    head = view.at(span.start, START)[:START]
    # what lies in a ZIP file, be it an .npz, is looked for in there
    if begins_as_one(head) or head.startswith(tuple(ZIPS)):
        return None
    headed = looks_like_picture(head)
    if not (headed or _may_be_unheaded(view, span)):
        return None
    data = view.at(span.start, span.length)
    view.cost += span.length
    if not headed and any(own in data for own in _OTHERS):
        return None
    return span if len(data) == span.length and any(inspect_exact(data, None)) else None


def _may_be_unheaded(view: View, span: Span) -> bool:
    """Tell whether a file may be a picture that no header tells of."""
    view.cost += min(span.length, strides.SAMPLE) // 4  # few things are asked of it
    return strides.may_lie_in(
        span.length, lambda start, length: view.at(span.start + start, length)
    )


def _stored(header: bytes, start: int) -> Span | None:
    """Return where the file of a ZIP file's local header lies, if it is stored."""
    if len(header) < _LOCAL.size:
        return None
    _, _, _, method, size, length, *lengths = _LOCAL.unpack(header)
    if method != _STORED or size != length:
        return None
    return Span(start + _LOCAL.size + sum(lengths), size)


def _filed(view: View, start: int) -> Span | None:
    """Return where the file of a TAR file's header lies."""
    header = view.at(start, _BLOCK)[:_BLOCK] if start >= 0 else b""
    size, told = _octal(header[_SIZE]), _octal(header[_SUM])
    blank = header[: _SUM.start] + b" " * 8 + header[_SUM.stop :]
    if size is None or told != sum(blank) or header[_TYPE] not in (b"0", b"\0"):
        return None
    return Span(start + _BLOCK, size)


def _octal(field: bytes) -> int | None:
    """Return a number of a header; None if it is none."""
    digits = field.strip(b"\0 ")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else None


FILES = Sort(_places, _walk, _WALK, SMALLEST)
