"""Scans from coefficients, in Python: the definition of write.c, and what runs where there is none.

Names, order and limits are those of write.c; ITU-T T.81, annexes F (sequential), G (progressive).
"""

from __future__ import annotations

from bitswap_cli.images.formats.jpeg.frame import Frame, Scan
from bitswap_cli.images.formats.jpeg.notes import (
    MOST_BITS,
    MOST_RUN,
    Coefficients,
    Notes,
    Unwritable,
    blocks,
    codes,
    tables,
)

Codes = dict[int, tuple[int, int]]


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

    def put_all(self, bits: list[int]) -> None:
        for bit in bits:
            self.put(bit, 1)

    def symbol(self, known: Codes, found: int) -> None:
        if found not in known:
            raise Unwritable
        self.put(*known[found])

    def pair(self, known: Codes, zeros: int, value: int) -> None:
        """Zeros and a number behind them; its highest bit tells the sign."""
        size = abs(value).bit_length()
        if size > 15:
            raise Unwritable
        self.symbol(known, zeros << 4 | size)
        mask = (1 << size) - 1
        self.put((value + mask if value < 0 else value) & mask, size)

    def fill(self, padding: int) -> None:
        left = -self.held & 7
        self.put(padding & ((1 << left) - 1), left)


class _Writer:
    def __init__(self, frame: Frame, scan: Scan, notes: Notes) -> None:
        self.frame, self.scan, self.notes, self.sink = frame, scan, notes, _Sink()
        known: list[Codes] = []
        for table in tables(scan):
            known.append({})
            for length, code, symbol in codes(table):
                known[-1].setdefault(symbol, (code, length))
        self.dc, self.ac = known[:4], known[4:]
        self.runs = None if notes.runs is None else iter(notes.runs.tolist())
        self.odd = iter(notes.odd.tolist())
        self.odd_next: int | None = next(self.odd, None)
        self.last = [0] * 4
        self.number = 0  # of the block at hand
        self.run = self.planned = self.restarts = 0
        self.waiting: list[int] = []

    def block(self, owner: int, block: list[int]) -> None:
        scan = self.scan
        _, dc, ac = scan.components[owner]
        if not self.frame.progressive:
            self.write_dc(owner, self.dc[dc], block)
            self.write_ac(self.ac[ac], block, 1)
        elif not scan.first:
            self.write_dc(owner, self.dc[dc], block)
        elif scan.high:
            self.write_refined(self.ac[ac], block)
        else:
            self.write_ac(self.ac[ac], block, scan.first)
        self.number += 1

    def write_dc(self, owner: int, known: Codes, block: list[int]) -> None:
        value = block[0] >> self.scan.low
        if self.scan.high:
            self.sink.put(value & 1, 1)
            return
        difference, self.last[owner] = value - self.last[owner], value
        self.sink.pair(known, 0, difference)

    def odd_here(self) -> int:
        """How many codes for 16 zeros end the block at hand."""
        if self.odd_next is None or self.odd_next >> 3 != self.number:
            return 0
        count: int = self.odd_next & 7
        self.odd_next = next(self.odd, None)
        return count

    def write_ac(self, known: Codes, block: list[int], first: int) -> None:
        """Coefficients of a sequential scan, or of a first progressive one."""
        low, last, before = self.scan.low, self.scan.last, first - 1
        for at in range(first, last + 1):
            value = -(-block[at] >> low) if block[at] < 0 else block[at] >> low
            if not value:
                continue
            zeros = at - before - 1
            self.end_run(known)
            for _ in range(zeros // 16):
                self.sink.symbol(known, 0xF0)
            self.sink.pair(known, zeros % 16, value)
            before = at
        for _ in range(self.odd_here()):
            self.end_run(known)
            self.sink.symbol(known, 0xF0)
            before += 16
        if before >= last:
            return
        if self.frame.progressive:
            self.add_to_run(known, [])
        else:
            self.sink.symbol(known, 0)

    def put_run(self, known: Codes, run: int) -> None:
        if not 1 <= run <= MOST_RUN:
            raise Unwritable
        size = run.bit_length() - 1
        self.sink.symbol(known, size << 4)
        self.sink.put(run & ((1 << size) - 1), size)

    def end_run(self, known: Codes) -> None:
        if self.run and self.runs is None:
            self.put_run(known, self.run)
            self.sink.put_all(self.waiting)
        self.run = self.planned = 0
        self.waiting = []

    def add_to_run(self, known: Codes, more: list[int]) -> None:
        """A block ends with zeros, and corrections between these."""
        if self.runs is not None:
            if self.run == self.planned:
                self.run, self.planned = 0, next(self.runs, 0)
                self.put_run(known, self.planned)
            self.run += 1
            self.sink.put_all(more)
            return
        self.run += 1
        self.waiting += more
        if self.run == MOST_RUN or len(self.waiting) > MOST_BITS:
            self.end_run(known)

    def put_refined(self, known: Codes, found: int, more: list[int]) -> None:
        self.end_run(known)
        self.sink.symbol(known, found)
        self.sink.put_all(more)

    def write_refined(self, known: Codes, block: list[int]) -> None:
        scan, zeros, odd = self.scan, 0, self.odd_here()
        more: list[int] = []
        values = [abs(value) >> scan.low for value in block]
        fresh = [at for at in range(scan.first, scan.last + 1) if values[at] == 1]
        final = fresh[-1] if fresh else -1
        for at in range(scan.first, scan.last + 1):
            if not values[at]:
                zeros += 1
                continue
            while zeros > 15 and (at <= final or odd):
                odd -= at > final  # zeros at the end of the block have no code, but in odd ones
                self.put_refined(known, 0xF0, more)
                more, zeros = [], zeros - 16
            if values[at] == 1:
                self.put_refined(known, zeros << 4 | 1, [int(block[at] > 0), *more])
                more, zeros = [], 0
            else:
                more.append(values[at] & 1)
        for _ in range(odd):
            self.put_refined(known, 0xF0, more)
            more, zeros = [], zeros - 16
        if zeros > 0 or more:
            self.add_to_run(known, more)

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
        for owner, block in blocks(frame, scan, coefficients, unit):
            writer.block(owner, block.tolist())
    writer.end_run(writer.ac[scan.components[0][2]])
    if writer.restarts < notes.restarts:
        writer.restart()  # one behind the last MCU that could be read
    writer.sink.fill(255)
    return bytes(writer.sink.out)


def compare(
    frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients, notes: Notes
) -> int | None:
    """Tell whether a scan would be written as it is; see scan.py."""
    try:
        body = write(frame, scan, coefficients, notes)
    except Unwritable:
        return None
    size = scan.end - scan.start
    if body[:size] != data[scan.start : scan.end] or len(body) > size + 2:
        return None
    return len(body)
