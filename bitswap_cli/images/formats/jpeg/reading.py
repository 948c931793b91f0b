"""Scans into coefficients, in Python: the definition of read.c, and what runs where there is none.

Names, order and limits are those of read.c; ITU-T T.81, annexes F (sequential) and G (progressive).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg.frame import Frame, Scan
from bitswap_cli.images.formats.jpeg.notes import Coefficients, Notes, blocks, codes, tables

Codes = dict[tuple[int, int], int]
Block = NDArray[np.int16]


class _End(Exception):
    """The data ends, or is none of this scan."""


class _Bits:
    """The bits of an interval between restart markers, without the zeros behind 0xff."""

    def __init__(self, data: bytes) -> None:
        self.value, self.limit, self.at = int.from_bytes(data, "big"), 8 * len(data), 0

    @property
    def left(self) -> int:
        return self.limit - self.at

    def take(self, count: int) -> int:
        if self.at + count > self.limit:
            raise _End
        self.at += count
        return self.value >> self.left & ((1 << count) - 1)

    def symbol(self, known: Codes) -> int:
        code = 0
        for length in range(1, 17):
            code = code << 1 | self.take(1)
            if (length, code) in known:
                return known[length, code]
        raise _End

    def number(self, size: int) -> int:
        """A number of `size` bits, the highest of which tells its sign."""
        found = self.take(size)
        return found - (1 << size) + 1 if size and found < 1 << (size - 1) else found


def _small(value: int) -> int:
    """A coefficient, if it is one."""
    if not -32768 <= value <= 32767:
        raise _End
    return value


class _Reader:
    def __init__(self, frame: Frame, scan: Scan, coefficients: Coefficients) -> None:
        self.frame, self.scan, self.coefficients = frame, scan, coefficients
        known = [{(n, code): s for n, code, s in codes(table)} for table in tables(scan)]
        self.dc, self.ac = known[:4], known[4:]
        self.last = [0] * 4
        self.units = 0
        self.number = 0  # of the block at hand
        self.run = 0  # blocks of the end-of-block run that are to come
        self.runs: list[int] = []
        self.odd: list[int] = []

    def read_units(self, bits: _Bits, until: int) -> None:
        """Read MCUs up to `until` or to the first one that is none."""
        while self.units < until:
            try:
                self.unit(bits)
            except _End:
                return
            self.units += 1

    def unit(self, bits: _Bits) -> None:
        """Read an MCU, or leave everything as it was and raise `_End`."""
        found = list(blocks(self.frame, self.scan, self.coefficients, self.units))
        before = [block.copy() for _, block in found]
        now = list(self.last), self.number, self.run, bits.at
        runs, odd = len(self.runs), len(self.odd)
        try:
            for owner, block in found:
                self.block(bits, owner, block)
                self.number += 1
        except _End:
            for (_, block), old in zip(found, before, strict=True):
                block[:] = old
            self.last, self.number, self.run, bits.at = now
            del self.runs[runs:], self.odd[odd:]
            raise

    def block(self, bits: _Bits, owner: int, block: Block) -> None:
        scan = self.scan
        _, dc, ac = scan.components[owner]
        if not self.frame.progressive:
            self.read_dc(bits, owner, self.dc[dc], block)
            self.read_ac(bits, self.ac[ac], block, 1)
        elif not scan.first:
            self.read_dc(bits, owner, self.dc[dc], block)
        elif scan.high:
            self.read_refined(bits, self.ac[ac], block)
        elif self.run:
            self.run -= 1
        else:
            self.read_ac(bits, self.ac[ac], block, scan.first)

    def read_dc(self, bits: _Bits, owner: int, known: Codes, block: Block) -> None:
        low = self.scan.low
        if self.scan.high:
            block[0] |= bits.take(1) << low
            return
        size = bits.symbol(known)
        if size > 15:
            raise _End
        value = self.last[owner] + bits.number(size)
        block[0] = _small(value << low)
        self.last[owner] = value

    def note_odd(self, count: int) -> None:
        """Note that a block ends with so many codes for 16 zeros."""
        if count:
            self.odd.append(8 * self.number + count)

    def read_run(self, bits: _Bits, size: int) -> None:
        self.run = (1 << size) + bits.take(size)
        self.runs.append(self.run)

    def read_ac(self, bits: _Bits, known: Codes, block: Block, k: int) -> None:
        """Coefficients of a sequential scan, or of a first progressive one."""
        odd = 0
        while k <= self.scan.last:
            zeros, size = divmod(bits.symbol(known), 16)
            k += zeros
            if size:
                value = bits.number(size) << self.scan.low
                if k > self.scan.last:
                    raise _End
                block[k] = _small(value)
                odd = 0
            elif zeros == 15:
                odd += 1
            elif self.frame.progressive:
                self.read_run(bits, zeros)
                self.run -= 1
                break
            elif zeros:
                raise _End
            else:
                break
            k += 1
        self.note_odd(odd)

    def correct(self, bits: _Bits, block: Block, at: int) -> None:
        """One more bit of a coefficient that is not 0."""
        step = bits.take(1) << self.scan.low
        block[at] = _small(int(block[at]) + (-step if block[at] < 0 else step))

    def read_refined(self, bits: _Bits, known: Codes, block: Block) -> None:
        scan, k, odd = self.scan, self.scan.first, 0
        while not self.run and k <= scan.last:
            zeros, size = divmod(bits.symbol(known), 16)
            value = 0
            if size > 1:
                raise _End
            if size:
                value = (1 if bits.take(1) else -1) << scan.low
                odd = 0
            elif zeros == 15:
                odd += 1
            else:
                self.read_run(bits, zeros)
                break
            while k <= scan.last:
                if block[k]:
                    self.correct(bits, block, k)
                elif zeros:
                    zeros -= 1
                else:
                    block[k] = value
                    break
                k += 1
            if k > scan.last and value:
                raise _End
            k += 1
        self.note_odd(odd)
        if self.run:
            for at in range(k, scan.last + 1):
                if block[at]:
                    self.correct(bits, block, at)
            self.run -= 1


def _interval(data: bytes, at: int) -> tuple[bytes, int]:
    """Data up to the next marker without the zeros behind 0xff, and where the marker is."""
    interval = bytearray()
    while at < len(data):
        following = data.find(b"\xff", at)
        following = len(data) if following < 0 else following
        interval += data[at:following]
        at = following
        if at + 1 >= len(data) or data[at + 1]:
            break
        interval.append(0xFF)
        at += 2
    return bytes(interval), at


def read(frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients) -> Notes:
    """Read a scan into coefficients; see scan.py."""
    data = data[scan.start : scan.end]
    reader = _Reader(frame, scan, coefficients)
    total, start, padding = scan.units(frame), 0, bytearray()
    while True:
        interval, marker = _interval(data, start)
        bits = _Bits(interval)
        until = total
        if scan.restart and scan.restart < total - reader.units:
            until = reader.units + scan.restart
        reader.read_units(bits, until)
        if reader.units < total and reader.units == until and bits.left > 7:
            until = total  # restart markers that are announced and missing
            reader.read_units(bits, until)
        left = bits.left
        expected = bytes((0xFF, 0xD0 + len(padding) % 8))
        if reader.units < until or until == total or left > 7 or reader.run:
            break
        if data[marker : marker + 2] != expected:
            break
        padding.append(interval[-1] | 255 << left & 255 if left else 255)
        reader.last = [0] * 4
        start = marker + 2
    done = interval[: bits.at >> 3]
    return Notes(
        reader.units, len(padding), start + len(done) + done.count(0xFF), bits.at & 7,
        bytes(padding), np.array(reader.runs, np.uint16), np.array(reader.odd, np.uint32),
    )  # fmt: skip
