"""The codes of facsimile (ITU-T Recommendations T.4 and T.6)."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 2560
"""The longest run that one code tells; those up to 63 end a run, others are multiples of 64."""
END = "000000000001"
"""What begins rows of T.4 (EOL), and, twice, ends those of T.6."""

PASS, HORIZONTAL = 4, 5
"""Modes of rows that are told by the row before; others, -3 to 3, tell how far a change is away."""
MODES = {
    "1": 0, "011": 1, "010": -1, "000011": 2, "000010": -2, "0000011": 3, "0000010": -3,
    "0001": PASS, "001": HORIZONTAL,
}  # fmt: skip
"""Codes of modes."""

_WHITE = """
    00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100
    110101 101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011
    0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101
    00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101
    00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001
    01011010 01011011 01001010 01001011 00110010 00110011 00110100

    11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100
    011001101 011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001
    011011010 011011011 010011000 010011001 010011010 011000 010011011
"""
_BLACK = """
    0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111
    000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111
    00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101
    000001101000 000001101001 000001101010 000001101011 000011010010 000011010011 000011010100
    000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011
    000001010100 000001010101 000001010110 000001010111 000001100100 000001100101 000001010010
    000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000
    000001011001 000000101011 000000101100 000001011010 000001100110 000001100111

    0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101
    0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101
    0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 0000001110111
    0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011
    0000001100100 0000001100101
"""
_BOTH = """
    00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101
    000000010110 000000010111 000000011100 000000011101 000000011110 000000011111
"""

CODES = tuple((own + _BOTH).split() for own in (_WHITE, _BLACK))
"""Of white runs and of black ones: of 0 to 63, then of 64, 128 and so on up to `LONGEST`."""

LENGTHS = tuple(
    {code: k if k < 64 else 64 * (k - 63) for k, code in enumerate(codes)} for codes in CODES
)
"""What these codes tell."""

WIDEST = max(len(code) for code in CODES[1])
"""Bits of a code."""
WIDEST_MODE = max(map(len, MODES))
"""Bits of a code of a mode."""

Table = NDArray[np.integer[Any]]


@cache
def prefixes() -> tuple[Table, ...]:
    """Return what codes tell, by the bits that begin with them, and how wide they are.

    Returns
    -------
    int16 array, uint8 array, int16 array, uint8 array
        Of `WIDEST` bits that white runs begin with, and then of those of black ones; -1 where no
        code begins them. Then of `WIDEST_MODE` bits, `HORIZONTAL` + 1 where none does.
    """
    runs = [_prefixes(codes, WIDEST, -1) for codes in LENGTHS]
    lengths, widths = (np.concatenate(each) for each in zip(*runs, strict=True))
    return lengths, widths, *_prefixes(MODES, WIDEST_MODE, HORIZONTAL + 1)


@cache
def arrays() -> tuple[Table, ...]:
    """Return codes, and how wide they are.

    Returns
    -------
    uint16 array, uint8 array, uint16 array, uint8 array
        Those of white runs and then of black ones, as `CODES` has them; those of modes, from the
        least on.
    """
    modes = [code for _, code in sorted((mode, code) for code, mode in MODES.items())]
    every = (*CODES[0], *CODES[1]), modes
    told: list[Table] = []
    for codes in every:
        told.append(np.array([int(code, 2) for code in codes], np.uint16))
        told.append(np.array([len(code) for code in codes], np.uint8))
    return tuple(told)


def _prefixes(codes: dict[str, int], width: int, nothing: int) -> tuple[Table, Table]:
    told, widths = np.full(1 << width, nothing, np.int16), np.zeros(1 << width, np.uint8)
    for code, value in codes.items():
        rest = width - len(code)
        begun = slice(int(code, 2) << rest, (int(code, 2) + 1) << rest)
        told[begun], widths[begun] = value, len(code)
    return told, widths
