"""A JPEG file of what a picture was: one that decodes to its pixels, though not the file it was.

It is written as libjpeg writes a sequential one by default, with the Huffman tables of the standard
(ITU-T T.81, annex K), so that it may come to the same bytes.
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.jpeg import codec, recipe
from bitswap_cli.images.formats.jpeg.frame import SOI, parse
from bitswap_cli.images.history.decoder import Origin
from bitswap_cli.images.history.recipe import Told

_EOI = b"\xff\xd9"
_JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
_APP0, _DQT, _SOF0, _DHT, _SOS = 0xE0, 0xDB, 0xC0, 0xC4, 0xDA
_MOST_SIDE = 65535
# How many codes there are of 1 to 16 bits, of luma and of chroma, and their first symbols, after
# which the others ascend.
_DC = ("00010501010101010100000000000000", ""), ("00030101010101010101010000000000", "")
_AC = (
    (
        "0002010303020403050504040000017d",
        "0102030004110512213141061351610722711432"
        "8191a1082342b1c11552d1f02433627282",
    ),
    (
        "00020102040403040705040400010277",
        "0001020311040521310612415107617113223281"
        "08144291a1b1c109233352f0156272d10a162434e125f1",
    ),
)  # fmt: skip


def is_jpeg(told: Told) -> bool:
    """Tell whether a JPEG decodes to a picture, if its coefficients are those of a sequential one:
    it was not cropped, turned, painted on or given an alpha, and decoded as libjpeg-turbo does by
    default."""
    origin = told.origin
    if told.corrections or told.alpha is not None or origin.orientation or origin.decoder:
        return False
    whole = (origin.height, origin.width) == (told.height, told.width)
    fancy = origin.fancy or origin.sampling == (1, 1)
    return whole and fancy and max(told.height, told.width) <= _MOST_SIDE


def as_jpeg(told: Told, coefficients: Sequence[NDArray[np.int16]]) -> bytes | None:
    """Return the JPEG file that a picture was.

    Parameters
    ----------
    told : Told
        Of the picture.
    coefficients : sequence of int16 arrays (rows, columns, 64)
        Of each component, as `Origin.frame` has them.

    Returns
    -------
    bytes or None
        None if no JPEG decodes to the picture.
    """
    if not is_jpeg(told):
        return None
    skeleton = _skeleton(told.origin)
    parsed = parse(skeleton)
    packed = recipe.pack([recipe.Part(parsed, skeleton, [None], [])])
    try:
        return codec.join(packed, [list(coefficients)])
    except ArchiveError:
        return None


def _skeleton(origin: Origin) -> bytes:
    """Return all of the file but its entropy-coded data."""
    count = len(origin.steps)
    same = count == 3 and np.array_equal(origin.steps[1], origin.steps[2])
    tables = origin.steps[:2] if same else origin.steps
    places = [0, 1, 1] if same else list(range(count))
    factors = [(origin.sampling[1] << 4 | origin.sampling[0]) if count == 3 else 0x11, 0x11, 0x11]
    frame = struct.pack(">BHHB", 8, origin.height, origin.width, count)
    scan = bytes([count])
    for k in range(count):
        frame += bytes([k + 1, factors[k], places[k]])
        scan += bytes([k + 1, 0x11 if k else 0x00])
    huffman = [
        _segment(_DHT, bytes([kind << 4 | k]) + _codes(kind, *own))
        for k in range(min(count, 2))
        for kind, own in ((0, _DC[k]), (1, _AC[k]))
    ]
    return b"".join(
        [
            SOI,
            _segment(_APP0, _JFIF),
            *(_segment(_DQT, bytes([k]) + bytes(steps.tolist())) for k, steps in enumerate(tables)),
            _segment(_SOF0, frame),
            *huffman,
            _segment(_SOS, scan + bytes([0, 63, 0])),
            _EOI,
        ]
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def _codes(kind: int, counts: str, first: str) -> bytes:
    """Return the counts and symbols of a Huffman table, of DC (kind 0) or AC."""
    own = bytes.fromhex(first)
    pairs = [run << 4 | size for run in range(16) for size in range(1, 11)]
    symbols = sorted([0x00, 0xF0, *pairs]) if kind else range(12)
    return bytes.fromhex(counts) + own + bytes(s for s in symbols if s not in own)
