"""Facsimile as PDF files have it (ISO 32000-1, 7.4.6): from the name of its filter to its end.

How wide it is, and how its rows are told, is told by the description, so that archives need not
know what a dictionary means.
"""

import re
from collections.abc import Sequence

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.packings import fax
from bitswap_cli.images.picture import MAX_LARGE, Picture, Recipe, is_held

BEGINNING = b"/CCITTFaxDecode"
MAGIC: Sequence[bytes] = (BEGINNING,)
KINDS: Sequence[Kind] = (
    Kind(
        "fax", 48, exact=True, plain=False, common=True, feature="fax",
        large=lambda _, size: size > _LARGE,
    ),
)  # fmt: skip
DICTIONARY = 1 << 10
"""Bytes from the name on in which the stream begins."""
END = b"endstream"
"""What follows a stream."""

_LARGE = 1 << 20  # bytes of a file that may be large
_BEGINS = re.compile(rb"[^\0-\x08\x0e-\x1f\x80-\xff]*?>>\s*stream\r?\n")
_NUMBERS = {
    name: re.compile(rb"/" + name + rb"\s+(\d{1,6})\b")
    for name in (b"Columns", b"Width", b"Rows", b"Height")
}
_CODINGS = (
    fax.T6,
    fax.T6._replace(aligned=True),
    *fax.t4(tagged=False),
    *fax.t4(tagged=True),
    fax.BYTES_OF_LENGTHS,
    fax.BYTES_OF_LENGTHS._replace(aligned=False),
)


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`. White is 255."""
    begins = begins_in(data[:DICTIONARY])
    width = begins and _number(begins, b"Columns", b"Width")
    if not begins or not width:
        return None
    most = _number(begins, b"Rows", b"Height") or MAX_LARGE // width
    if not is_held(most, width, 1, large=True):
        return None
    at, end = len(begins), data.rfind(END) if data.endswith(END) else len(data)
    for line in (b"\r\n", b"\n", b"\r", b""):
        stop = end - len(line)
        if stop > at and data[stop:end] == line:
            found = fax.take(data[at:stop], most, width, _CODINGS)
            if found is not None:
                pixels = (1 - found[0][..., None]) * np.uint8(255)
                return Picture(pixels, Recipe(kind, data[:at], data[stop:], found[1]))
    return None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    reader = Reader(recipe.description)
    if samples.shape[2] != 1 or np.any((samples != 0) & (samples != 255)):
        raise misfit(recipe)
    segment = fax.give((samples[..., 0] == 0).view(np.uint8), reader)
    if reader.rest():
        raise misfit(recipe)
    return b"".join([recipe.prefix, segment, recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`."""
    return samples.view(np.uint8)


def begins_in(head: bytes) -> bytes:
    """Return what is before the bytes of a stream; nothing if none begins."""
    found = _BEGINS.match(head)
    return found[0] if found else b""


def _number(head: bytes, *names: bytes) -> int:
    """Return the number of the first of some names that is there; 0 if none is."""
    found = (_NUMBERS[name].search(head) for name in names)
    return next((int(one[1]) for one in found if one), 0)
