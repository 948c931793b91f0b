"""Finding whole sections in a damaged archive."""

import mmap
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from bitswap_cli.archive.format.sections import (
    BYTE,
    CRC,
    HEAD,
    INDX,
    MAX_BODY,
    MODL,
    SECTION,
    SECTION_EXTRA,
    TILE,
)

_TAG = re.compile(b"|".join((HEAD, MODL, TILE, BYTE, INDX)))


def sections(file: BinaryIO, size: int, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the sections whose CRC-32 is right.

    Parameters
    ----------
    file : binary file
        The archive; must have a file descriptor.
    size : int
        Its bytes.
    start : int
        Where to begin.

    Yields
    ------
    tag : bytes
    offset : int
        Of the section.
    length : int
        Of its body.
    """
    # False tags cost the checksum of what they claim: without a budget, a file full of them would
    # take time that grows with the square of its size.
    budget = 4 * size + (1 << 26)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
        while budget > 0 and (match := _TAG.search(view, start)):
            offset = match.start()
            # The match would keep the map open.
            del match
            start = offset + 1
            if offset + SECTION.size > size:
                break
            tag, length = SECTION.unpack_from(view, offset)
            end = offset + SECTION.size + length
            if length > MAX_BODY or end + CRC.size > size:
                continue
            budget -= length
            with view[offset:end] as framed:
                crc = zlib.crc32(framed)
            if CRC.unpack_from(view, end)[0] == crc:
                yield tag, offset, length
                start = offset + length + SECTION_EXTRA
