"""Facsimile, as in TIFF and PDF files <-> rows and a description of how they are told
(docs/format.md).

Encoders are of one mind about all but which kind of coding it is, and what follows the rows.
"""

from collections.abc import Sequence

import numpy as np

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.packings.fax_codes import END
from bitswap_cli.images.packings.fax_rows import Coding
from bitswap_cli.images.packings.reference import DAMAGED, Bytes

T6 = Coding(ends=False, tagged=False, aligned=False, relative=True)
BYTES_OF_LENGTHS = Coding(ends=False, tagged=False, aligned=True, relative=False)
"""Compression 2 of TIFF."""

BLANK = 1 << 12
"""Pixels of a byte where there is hardly anything to gain, and much to read: one may tell eight
rows, however wide."""

_TOLD, _LOW_FIRST = 1, 2  # flags: what follows the rows is told; low bits of bytes come first
_CODING = 4  # and the first flag of how rows are told
_REVERSED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1])


def t4(*, tagged: bool) -> Sequence[Coding]:
    """Return how rows may be told where each has an end before it."""
    plain = Coding(ends=True, tagged=tagged, aligned=False, relative=False)
    return plain, plain._replace(aligned=True)


def take(
    segment: bytes, height: int, width: int, codings: Sequence[Coding], *, low_first: bool = False
) -> tuple[Bytes, bytes] | None:
    """Take rows apart.

    Parameters
    ----------
    segment : bytes
        The whole of it; what lies behind the rows is told as well.
    height, width : int
        The former is the most rows, where their end is told (`T6`).
    codings : sequence of Coding
        How rows may be told: the first that holds is taken.
    low_first : bool
        Whether the lowest bit of a byte is the first.

    Returns
    -------
    uint8 array (H, W), bytes; or None
        1 where it is black, and the description. None if it is damaged, or told otherwise.
    """
    source = _reversed(segment) if low_first else segment
    for coding in codings:
        found = engine().fax_read(source, height, width, coding)
        if found is None or not len(found.black):
            continue
        out, bits = engine().fax_write(found.black, found.tags, coding)
        whole = bits >> 3
        rest = bytearray(source[whole:])
        if bits & 7:
            rest[0] &= 255 >> (bits & 7)
        if bits != found.bits or _with_end(out, bits, bytes(rest)) != source:
            continue
        told = bytes(rest) != _usual_end(bits, coding)
        flags = _TOLD * told | _LOW_FIRST * low_first
        flags |= sum(_CODING << k for k, flag in enumerate(coding) if flag)
        parts = [bytes([flags])]
        parts += [np.packbits(found.tags).tobytes()] if coding.tagged else []
        parts += [varint(len(rest)), bytes(rest)] if told else []
        return found.black, b"".join(parts)
    return None


def give(black: Bytes, reader: Reader) -> bytes:
    """Make a segment of rows and the description that a reader is at (inverse of `take`).

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to the rows.
    """
    (flags,) = reader.take(1)
    coding = Coding(*(bool(flags & _CODING << k) for k in range(len(Coding._fields))))
    if flags >= _CODING << len(coding):
        raise ArchiveError(DAMAGED)
    height = len(black)
    tags = np.full(height, not coding.relative, np.uint8)
    if coding.tagged:
        tags = np.unpackbits(np.frombuffer(reader.take(-(-height // 8)), np.uint8), count=height)
    out, bits = engine().fax_write(black, tags, coding)
    rest = reader.take(reader.varint()) if flags & _TOLD else _usual_end(bits, coding)
    if bits & 7 and (not rest or rest[0] >> (8 - (bits & 7))):
        raise ArchiveError(DAMAGED)
    segment = _with_end(out, bits, rest)
    return _reversed(segment) if flags & _LOW_FIRST else segment


def _with_end(out: Bytes, bits: int, rest: bytes) -> bytes:
    """Return rows of so many bits and what follows them, the byte that they end in included."""
    if not bits & 7:
        return out.tobytes() + rest
    return out[:-1].tobytes() + bytes([int(out[-1]) | rest[0]]) + rest[1:]


def _usual_end(bits: int, coding: Coding) -> bytes:
    """Return what commonly follows rows of so many bits: two ends in T.6, and zeros to the end of a
    byte."""
    told = END * 2 if coding.relative and not coding.tagged else ""
    length = (bits & 7) + len(told)
    size = -(-length // 8)
    return (int(told or "0", 2) << (8 * size - length)).to_bytes(size, "big")


def _reversed(segment: bytes) -> bytes:
    """Turn the bits of each byte around."""
    return _REVERSED[np.frombuffer(segment, np.uint8)].tobytes()
