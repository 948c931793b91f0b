"""Scans <-> coefficients in Python: the definition of scan.c, and what runs where that is not built.

Names, order and limits are those of scan.c; ITU-T T.81, annexes F (sequential) and G (progressive).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg.frame import Frame, Scan

Coefficients = list[NDArray[np.int16]]
"""Of each component, (rows, columns, 64), in zigzag order."""

MOST_RUN = 0x7FFF  # blocks of one end-of-block run
MOST_BITS = 937  # buffered corrections after which libjpeg ends a run


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
    padding: list[int] | None = field(default_factory=list)
    """Bits before each restart marker; None: all ones."""
    runs: list[int] | None = field(default_factory=list)
    """Length of each end-of-block run; None: as long as can be."""


class _End(Exception):
    """The data ends, or is none of this scan."""


def unit_count(frame: Frame, scan: Scan) -> int:
    """MCUs of a whole scan."""
    if len(scan.components) == 1:
        component = frame.components[scan.components[0][0]]
        return component.real_rows * component.real_columns
    rows, columns = frame.mcus
    return rows * columns


def _blocks(
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


def _codes(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the length, code and symbol of each code of a table."""
    code = place = 0
    for length in range(1, 17):
        for _ in range(table[length - 1]):
            if place < 256:
                yield length, code, table[16 + place]
            code, place = code + 1, place + 1
        code <<= 1


def _tables(scan: Scan) -> list[bytes]:
    return [scan.tables[272 * k : 272 * (k + 1)] for k in range(8)]


# ---- reading -------------------------------------------------------------------------------------
class _Bits:
    """The bits of an interval between restart markers, without the zeros behind 0xff."""

    def __init__(self, data: bytes) -> None:
        self.value, self.limit, self.at = int.from_bytes(data, "big"), 8 * len(data), 0

    def take(self, count: int) -> int:
        if self.at + count > self.limit:
            raise _End
        self.at += count
        return self.value >> (self.limit - self.at) & ((1 << count) - 1)

    def symbol(self, codes: dict[tuple[int, int], int]) -> int:
        code = 0
        for length in range(1, 17):
            code = code << 1 | self.take(1)
            if (length, code) in codes:
                return codes[length, code]
        raise _End

    def number(self, size: int) -> int:
        """A number of `size` bits, the highest of which tells its sign."""
        found = self.take(size)
        return found - (1 << size) + 1 if size and found < 1 << (size - 1) else found


class _Reader:
    def __init__(self, frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> None:
        self.frame, self.scan, self.coefficients, self.notes = frame, scan, coefficients, notes
        codes = [{(n, code): s for n, code, s in _codes(table)} for table in _tables(scan)]
        self.dc, self.ac = codes[:4], codes[4:]
        self.last = [0] * 4
        self.run = 0
        self.runs: list[int] = []

    def unit(self, bits: _Bits) -> None:
        """Read an MCU, or leave its blocks as they were and raise `_End`."""
        blocks = list(_blocks(self.frame, self.scan, self.coefficients, self.notes.units))
        before = [block.copy() for _, block in blocks]
        run, runs, at = self.run, len(self.runs), bits.at
        try:
            for owner, block in blocks:
                self.block(bits, owner, block)
        except _End:
            for (_, block), old in zip(blocks, before, strict=True):
                block[:] = old
            self.run, bits.at = run, at
            del self.runs[runs:]
            raise

    def block(self, bits: _Bits, owner: int, block: NDArray[np.int16]) -> None:
        scan = self.scan
        _, dc, ac = scan.components[owner]
        if not self.frame.progressive:
            self.read_dc(bits, owner, self.dc[dc], block)
            self.read_ac(bits, self.ac[ac], block)
        elif not scan.first:
            self.read_dc(bits, owner, self.dc[dc], block)
        elif scan.high:
            self.read_refined(bits, self.ac[ac], block)
        else:
            self.read_first(bits, self.ac[ac], block)

    def read_dc(
        self, bits: _Bits, owner: int, codes: dict[tuple[int, int], int], block: NDArray[np.int16]
    ) -> None:
        low = self.scan.low
        if self.scan.high:
            block[0] |= bits.take(1) << low
            return
        size = bits.symbol(codes)
        if size > 15:
            raise _End
        value = self.last[owner] + bits.number(size)
        if not -32768 >> low <= value <= 32767 >> low:
            raise _End
        self.last[owner] = value
        block[0] = value << low

    def read_ac(
        self, bits: _Bits, codes: dict[tuple[int, int], int], block: NDArray[np.int16]
    ) -> None:
        k = 1
        while k < 64:
            zeros, size = divmod(bits.symbol(codes), 16)
            if not zeros and not size:
                return
            k += zeros
            if k > 63 or (not size and zeros != 15):
                raise _End
            if size:
                block[k] = bits.number(size)
            k += 1

    def begin_run(self, bits: _Bits, size: int) -> int:
        self.runs.append((1 << size) + bits.take(size))
        return self.runs[-1]

    def read_first(
        self, bits: _Bits, codes: dict[tuple[int, int], int], block: NDArray[np.int16]
    ) -> None:
        if self.run:
            self.run -= 1
            return
        k = self.scan.first
        while k <= self.scan.last:
            zeros, size = divmod(bits.symbol(codes), 16)
            if not size and zeros != 15:
                self.run = self.begin_run(bits, zeros) - 1
                return
            k += zeros
            if k > self.scan.last:
                raise _End
            if size:
                value = bits.number(size) << self.scan.low
                if not -32768 <= value <= 32767:
                    raise _End
                block[k] = value
            k += 1

    def correct(self, bits: _Bits, block: NDArray[np.int16], at: int) -> None:
        """One more bit of a coefficient that is not 0."""
        step = bits.take(1) << self.scan.low
        value = int(block[at]) + (-step if block[at] < 0 else step)
        if not -32768 <= value <= 32767:
            raise _End
        block[at] = value

    def read_refined(
        self, bits: _Bits, codes: dict[tuple[int, int], int], block: NDArray[np.int16]
    ) -> None:
        scan, k = self.scan, self.scan.first
        while not self.run and k <= scan.last:
            zeros, size = divmod(bits.symbol(codes), 16)
            value = 0
            if size > 1:
                raise _End
            if size:
                value = (1 if bits.take(1) else -1) << scan.low
            elif zeros != 15:
                self.run = self.begin_run(bits, zeros)
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
            if k > scan.last:
                raise _End
            k += 1
        if self.run:
            for at in range(k, scan.last + 1):
                if block[at]:
                    self.correct(bits, block, at)
            self.run -= 1


def _unstuff(data: bytes, at: int) -> tuple[bytes, int]:
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
    """Read a scan into coefficients, which hold what the scans before it gave; see scan.py."""
    notes = Notes()
    reader = _Reader(frame, scan, coefficients, notes)
    total, at, until = unit_count(frame, scan), 0, 0
    padding: list[int] = []
    while until < total:
        interval, marker = _unstuff(data, at)
        bits = _Bits(interval)
        until = total
        if scan.restart and scan.restart < total - notes.units:
            until = notes.units + scan.restart
        while True:
            try:
                while notes.units < until:
                    reader.unit(bits)
                    notes.units += 1
            except _End:
                pass
            if notes.units < until or until == total or bits.limit - bits.at < 8:
                break
            until = total  # some writers announce restart markers and write none
        read_bytes = interval[: bits.at >> 3]
        notes.end = at + len(read_bytes) + read_bytes.count(0xFF)
        notes.partial = bits.at & 7
        left = -bits.at & 7
        expected = bytes((0xFF, 0xD0 + notes.restarts % 8))
        if notes.units < until or until == total or bits.limit - bits.at != left or reader.run:
            break
        if data[marker : marker + 2] != expected:
            break
        padding.append(interval[-1] & ((1 << left) - 1) if left else 0)
        notes.restarts += 1
        reader.last = [0] * 4
        notes.end = at = marker + 2
        notes.partial = 0
    notes.padding, notes.runs = padding, reader.runs
    return notes


# ---- writing -------------------------------------------------------------------------------------
class Unwritable(Exception):
    """The coefficients are none of the scan: it has no code for them."""


class _Sink:
    def __init__(self) -> None:
        self.out = bytearray()
        self.bits, self.held = 0, 0

    def put(self, value: int, count: int) -> None:
        self.bits, self.held = self.bits << count | value, self.held + count
        while self.held >= 8:
            self.held -= 8
            byte = self.bits >> self.held & 255
            self.bits &= (1 << self.held) - 1
            self.out += b"\xff\x00" if byte == 0xFF else bytes((byte,))

    def number(self, value: int, size: int) -> None:
        low = (1 << size) - 1
        self.put((value + low if value < 0 else value) & low, size)

    def symbol(self, codes: dict[int, tuple[int, int]], found: int) -> None:
        if found not in codes:
            raise Unwritable
        self.put(*codes[found])

    def fill(self, padding: int) -> None:
        left = -self.held & 7
        self.put(padding & ((1 << left) - 1), left)


class _Writer:
    def __init__(self, frame: Frame, scan: Scan, notes: Notes) -> None:
        self.frame, self.scan, self.notes, self.sink = frame, scan, notes, _Sink()
        codes: list[dict[int, tuple[int, int]]] = []
        for table in _tables(scan):
            codes.append({})
            for length, code, symbol in _codes(table):
                codes[-1].setdefault(symbol, (code, length))
        self.dc, self.ac = codes[:4], codes[4:]
        self.last = [0] * 4
        self.run = self.planned = self.begun = self.restarts = 0
        self.waiting: list[int] = []

    def block(self, owner: int, block: list[int]) -> None:
        scan = self.scan
        _, dc, ac = scan.components[owner]
        if not self.frame.progressive:
            self.write_dc(owner, self.dc[dc], block)
            self.write_ac(self.ac[ac], block, 1, 63, 0)
        elif not scan.first:
            self.write_dc(owner, self.dc[dc], block)
        elif scan.high:
            self.write_refined(self.ac[ac], block)
        else:
            self.write_ac(self.ac[ac], block, scan.first, scan.last, scan.low)

    def write_dc(self, owner: int, codes: dict[int, tuple[int, int]], block: list[int]) -> None:
        value = block[0] >> self.scan.low
        if self.scan.high:
            self.sink.put(value & 1, 1)
            return
        difference, self.last[owner] = value - self.last[owner], value
        size = abs(difference).bit_length()
        self.sink.symbol(codes, size)
        self.sink.number(difference, size)

    def write_ac(
        self, codes: dict[int, tuple[int, int]], block: list[int], first: int, last: int, low: int
    ) -> None:
        """Coefficients of a sequential scan, or of a first progressive one."""
        zeros = 0
        for at in range(first, last + 1):
            value = -(-block[at] >> low) if block[at] < 0 else block[at] >> low
            if not value:
                zeros += 1
                continue
            self.end_run(codes)
            for _ in range(zeros // 16):
                self.sink.symbol(codes, 0xF0)
            size = abs(value).bit_length()
            self.sink.symbol(codes, (zeros % 16) << 4 | size & 15)
            self.sink.number(value, size)
            zeros = 0
        if zeros and self.frame.progressive:
            self.add_to_run(codes, [])
        elif zeros:
            self.sink.symbol(codes, 0)

    def put_run(self, codes: dict[int, tuple[int, int]], run: int) -> None:
        size = run.bit_length() - 1
        self.sink.symbol(codes, size << 4)
        self.sink.put(run & ((1 << size) - 1), size)

    def end_run(self, codes: dict[int, tuple[int, int]]) -> None:
        if self.run and self.notes.runs is None:
            self.put_run(codes, self.run)
            for bit in self.waiting:
                self.sink.put(bit, 1)
        self.run = self.planned = 0
        self.waiting = []

    def add_to_run(self, codes: dict[int, tuple[int, int]], more: list[int]) -> None:
        """A block ends with zeros and corrections."""
        if self.notes.runs is not None:
            if self.run == self.planned:
                if self.begun >= len(self.notes.runs):
                    raise Unwritable
                self.run, self.planned = 0, self.notes.runs[self.begun]
                self.begun += 1
                self.put_run(codes, self.planned)
            self.run += 1
            for bit in more:
                self.sink.put(bit, 1)
            return
        self.run += 1
        self.waiting += more
        if self.run == MOST_RUN or len(self.waiting) > MOST_BITS:
            self.end_run(codes)

    def write_refined(self, codes: dict[int, tuple[int, int]], block: list[int]) -> None:
        scan, zeros = self.scan, 0
        more: list[int] = []
        places = range(scan.first, scan.last + 1)
        values = [abs(block[at]) >> scan.low for at in places]
        final = max((k for k, value in enumerate(values) if value == 1), default=-1)
        for k, (at, value) in enumerate(zip(places, values, strict=True)):
            if not value:
                zeros += 1
                continue
            while zeros > 15 and k <= final:
                self.end_run(codes)
                self.sink.symbol(codes, 0xF0)
                zeros -= 16
                for bit in more:
                    self.sink.put(bit, 1)
                more = []
            if value > 1:
                more.append(value & 1)
                continue
            self.end_run(codes)
            self.sink.symbol(codes, zeros << 4 | 1)
            for bit in (int(block[at] > 0), *more):
                self.sink.put(bit, 1)
            zeros, more = 0, []
        if zeros or more:
            self.add_to_run(codes, more)

    def restart(self) -> None:
        self.end_run(self.ac[self.scan.components[0][2]])
        padding = self.notes.padding
        self.sink.fill(255 if padding is None else padding[self.restarts])
        self.sink.out += bytes((0xFF, 0xD0 + self.restarts % 8))
        self.restarts += 1
        self.last = [0] * 4


def write(frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> bytes:
    """Write the MCUs of a scan that the notes name; see scan.py."""
    writer = _Writer(frame, scan, notes)
    following = scan.restart
    for unit in range(notes.units):
        if unit == following and writer.restarts < notes.restarts:
            writer.restart()
            following += scan.restart
        for owner, block in _blocks(frame, scan, coefficients, unit):
            writer.block(owner, [int(value) for value in block])
    writer.end_run(writer.ac[scan.components[0][2]])
    if writer.restarts < notes.restarts:
        writer.restart()  # one behind the last unit that could be read
    writer.sink.fill(255)
    return bytes(writer.sink.out)
