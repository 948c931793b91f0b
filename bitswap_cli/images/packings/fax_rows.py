"""Rows of black and white <-> codes of facsimile (ITU-T Recommendations T.4 and T.6).

A row is told by where its colour changes, from white on: by lengths of runs, or by how far each
change is from one of the row before.
"""

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.packings.fax_codes import (
    CODES,
    END,
    HORIZONTAL,
    LENGTHS,
    LONGEST,
    MODES,
    PASS,
    WIDEST,
)

Bytes = NDArray[np.uint8]

_MODES = {mode: code for code, mode in MODES.items()}


class Coding(NamedTuple):
    """How rows are told."""

    ends: bool
    """Whether each row has `END` before it (T.4)."""
    tagged: bool
    """Whether a bit behind that tells which rows are told by lengths."""
    aligned: bool
    """Whether rows begin at bytes; or what follows `END` does, if there is one."""
    relative: bool
    """Whether rows that no bit tells of are told by the row before (T.6)."""


class Facsimile(NamedTuple):
    """What codes tell."""

    black: Bytes
    """(H, W): 1 where it is black."""
    tags: Bytes
    """(H,): 1 where a row is told by lengths, 0 where by the row before."""
    bits: int
    """How many were read."""


def fax_read(source: bytes, height: int, width: int, coding: Coding) -> Facsimile | None:
    """Read rows.

    Parameters
    ----------
    source : bytes
        What follows the rows is not looked at.
    height, width : int
        The former is the most rows; those of T.6 are fewer where no mode follows.
    coding : Coding

    Returns
    -------
    Facsimile or None
        None if they are damaged.
    """
    bits = _Bits(source)
    black, tags = np.zeros((height, width), np.uint8), np.zeros(height, np.uint8)
    before, count = list[int](), height
    for y in range(height):
        if coding.relative and bits.code(MODES, going=False) is None:
            count = y
            break
        if coding.ends and not bits.through_end():
            return None
        tags[y] = bits.bit() if coding.tagged else not coding.relative
        row = _by_lengths(bits, width) if tags[y] else _by_row(bits, before, width)
        if row is None:
            return None
        for start, end in zip_longest(row[::2], row[1::2], fillvalue=width):
            black[y, start:end] = 1
        if coding.aligned and not coding.ends:
            bits.at += -bits.at % 8
        before = row
    read = bits.at <= 8 * len(source)
    return Facsimile(black[:count], tags[:count], bits.at) if read else None


def fax_write(black: Bytes, tags: Bytes, coding: Coding) -> tuple[Bytes, int]:
    """Write rows, as every encoder of these codes does (inverse of `fax_read`).

    Returns
    -------
    uint8 array, int
        Bytes, and how many of their bits are used; the others are zero.
    """
    parts: list[str] = []
    bits, before, width = 0, list[int](), black.shape[1]
    for here, tag in zip(black, tags.tolist(), strict=True):
        row = np.flatnonzero(np.diff(here, prepend=0)).tolist()
        own = ""
        if coding.ends:
            own = "0" * (-(bits + len(END)) % 8 if coding.aligned else 0) + END
        own += str(tag) if coding.tagged else ""
        own += "".join(_lengths(row, width) if tag else _relative(row, before, width))
        if coding.aligned and not coding.ends:
            own += "0" * (-(bits + len(own)) % 8)
        parts.append(own)
        bits, before = bits + len(own), row
    told = "".join(parts) + "0" * (-bits % 8)
    return np.packbits(np.frombuffer(told.encode(), np.uint8) - ord("0")), bits


class _Bits:
    """The bits of a source, from a place on."""

    def __init__(self, source: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in source)
        self.at = 0

    def bit(self) -> int:
        self.at += 1
        return int(self._bits[self.at - 1 : self.at] or "0")

    def code(self, codes: dict[str, int], *, going: bool = True) -> int | None:
        """Return what the one of some codes tells that follows, and go on; None if none does."""
        for length in range(1, 1 + WIDEST):
            code = self._bits[self.at : self.at + length]
            if code in codes:
                self.at += length if going else 0
                return codes[code]
        return None

    def through_end(self) -> bool:
        """Go through zeros and the one that ends them, if they end rows."""
        zeros = self._bits.find("1", self.at) - self.at
        self.at += zeros + 1
        return zeros >= len(END) - 1


def _by_lengths(bits: _Bits, width: int) -> list[int] | None:
    """Read where the colour of a row changes, from lengths of runs."""
    row: list[int] = []
    at = 0
    while at < width:
        length = _run(bits, len(row) & 1)
        if length is None or at + length > width or (not length and row):
            return None
        at += length
        if at < width:
            row.append(at)
    return row


def _by_row(bits: _Bits, before: Sequence[int], width: int) -> list[int] | None:
    """Read where the colour of a row changes, beside where it did in the row before."""
    row: list[int] = []
    at = -1
    while at < width:
        mode, colour = bits.code(MODES), len(row) & 1
        first, second = _beside(before, at, colour, width)
        if mode is None:
            return None
        if mode == PASS:
            changes, at = [], second
        elif mode == HORIZONTAL:
            lengths = _run(bits, colour), _run(bits, 1 - colour)
            if lengths[0] is None or lengths[1] is None:
                return None
            changes = [max(at, 0) + lengths[0], max(at, 0) + lengths[0] + lengths[1]]
        else:
            changes = [first + mode]
        for change in changes:
            if not (at < change <= width or at == change == width):
                return None
            at = change
            if at < width:
                row.append(at)
        if mode == PASS and at == width:
            return None
    return row


def _run(bits: _Bits, colour: int) -> int | None:
    """Read the length of a run."""
    length = 0
    while (part := bits.code(LENGTHS[colour])) is not None:
        length += part
        if part < 64:
            return length
    return None


def _beside(before: Sequence[int], at: int, colour: int, width: int) -> tuple[int, int]:
    """Return where, behind a place, a row changes from a colour, and back."""
    k = bisect(before, at)
    k += (k & 1) != colour
    first, second = [*before[k : k + 2], width, width][:2]
    return first, second


def _lengths(row: Sequence[int], width: int) -> list[str]:
    """Return the codes of a row by lengths of runs."""
    parts: list[str] = []
    for k, (start, end) in enumerate(pairwise([0, *row, width])):
        parts += _length(end - start, k & 1)
    return parts


def _length(run: int, colour: int) -> list[str]:
    """Return the codes of a run."""
    codes, parts = CODES[colour], list[str]()
    while run >= LONGEST + 64:
        parts.append(codes[63 + LONGEST // 64])
        run -= LONGEST
    if run >= 64:
        parts.append(codes[63 + run // 64])
    return [*parts, codes[run % 64]]


def _relative(row: Sequence[int], before: Sequence[int], width: int) -> list[str]:
    """Return the codes of a row beside the row before."""
    parts: list[str] = []
    at, k = -1, 0
    while at < width:
        first, second = _beside(before, at, k & 1, width)
        change, next_change = [*row[k : k + 2], width, width][:2]
        if second < change:
            parts.append(_MODES[PASS])
            at = second
        elif abs(change - first) <= 3:
            parts.append(_MODES[change - first])
            at, k = change, k + 1
        else:
            parts.append(_MODES[HORIZONTAL])
            parts += _length(change - max(at, 0), k & 1)
            parts += _length(next_change - change, 1 - (k & 1))
            at, k = next_change, k + 2
    return parts
