"""What the reader and the writer of scans share: notes, and the order of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg.frame import Frame, Scan

Coefficients = list[NDArray[np.int16]]
"""Of each component of a frame, (rows, columns, 64), in zigzag order."""

MOST_RUN = 0x7FFF  # blocks of one end-of-block run
MOST_BITS = 937  # corrections that wait, after which libjpeg ends a run


@dataclass
class Notes:
    """What a scan holds besides coefficients."""

    units: int = 0
    """MCUs that were read, or are to be written."""
    restarts: int = 0
    """Restart markers among them."""
    end: int = 0
    """Byte of the scan's data that holds the first bit not read."""
    partial: int = 0
    """Bits of that byte that were read."""
    padding: bytes | None = None
    """The byte before each restart marker, all bits set but those of the padding; None: all 255."""
    runs: NDArray[np.uint16] | None = None
    """Length of each end-of-block run; None: as long as can be."""
    odd: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    """Blocks that end with codes for 16 zeros: 8 * number of the block in the scan + such codes."""


class Unwritable(Exception):
    """The coefficients are none of the scan: it has no code for them."""


def blocks(
    frame: Frame, scan: Scan, coefficients: Coefficients, unit: int
) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Yield the blocks of an MCU, and the place of each one's component in the scan."""
    if len(scan.components) == 1:
        place = scan.components[0][0]
        row, column = divmod(unit, frame.components[place].real_columns)
        yield 0, coefficients[place][row, column]
        return
    top, left = divmod(unit, frame.mcus[1])
    for k, (place, _, _) in enumerate(scan.components):
        c = frame.components[place]
        for y in range(c.vertical):
            for x in range(c.horizontal):
                yield k, coefficients[place][top * c.vertical + y, left * c.horizontal + x]


def codes(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the length, code and symbol of each code of a Huffman table."""
    code = place = 0
    for length in range(1, 17):
        for _ in range(table[length - 1]):
            if place < 256:
                yield length, code, table[16 + place]
            code, place = code + 1, place + 1
        code <<= 1


def tables(scan: Scan) -> list[bytes]:
    """Return the four tables for DC and the four for AC coefficients."""
    return [scan.tables[272 * k : 272 * (k + 1)] for k in range(8)]
