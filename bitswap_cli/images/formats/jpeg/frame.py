"""What a JPEG file says of its components and scans (ITU-T T.81, annex B).

A file is its *skeleton*, all bytes outside of entropy-coded data, and that data, one piece a scan.
The skeleton alone is parsed by the same code: its pieces are empty.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

SOI = b"\xff\xd8"
MOST_BLOCKS = 10  # of an MCU
MOST_SAMPLES = 1 << 28  # coefficients of a file
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), (0xC2,)
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_DHT, _DQT, _DNL, _DRI, _SOS, _EOI = 0xC4, 0xDB, 0xDC, 0xDD, 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
_MARKER = re.compile(rb"\xff(?![\x00\xd0-\xd7])", re.DOTALL)  # that ends entropy-coded data


class NotJpeg(Exception):
    """The file is no JPEG, or none of a kind that is known here."""


class Component(NamedTuple):
    """One component of a frame; blocks are of 8x8 samples."""

    identifier: int
    horizontal: int
    """Blocks of an interleaved MCU in a row."""
    vertical: int
    """And in a column."""
    quantization: int
    """Number of its quantization table."""
    rows: int
    """Blocks in a column, those of whole MCUs."""
    columns: int
    """And in a row."""
    real_rows: int
    """Blocks in a column that hold samples of the picture."""
    real_columns: int
    """And in a row."""


class Frame(NamedTuple):
    """The one frame of a file."""

    progressive: bool
    precision: int
    """Bits of a sample: 8 or 12."""
    height: int
    """In pixels."""
    width: int
    """In pixels."""
    components: tuple[Component, ...]

    @property
    def mcus(self) -> tuple[int, int]:
        """MCUs of an interleaved scan: in a column, and in a row."""
        first = self.components[0]
        return first.rows // first.vertical, first.columns // first.horizontal


class Scan(NamedTuple):
    """One scan, and the tables in force."""

    components: tuple[tuple[int, int, int], ...]
    """Place in the frame, and numbers of its DC and AC table, of each component."""
    first: int
    """First coefficient, in zigzag order."""
    last: int
    high: int
    """Successive approximation: the bit position before, 0 in a first scan."""
    low: int
    """And that of this scan."""
    restart: int
    """MCUs between restart markers, 0: none."""
    tables: bytes
    """Four tables for DC, four for AC coefficients: 16 counts and 256 symbols each."""
    start: int
    """Where its entropy-coded data begins."""
    end: int
    """And where that ends."""


class Parsed(NamedTuple):
    """A file as far as it can be understood."""

    frame: Frame
    scans: list[Scan]
    quantization: dict[int, tuple[int, ...]]
    """Tables by their numbers, 64 steps each in zigzag order; as they are at the end."""
    end: int
    """Where the end-of-image marker ends, or the file."""


class _Parser:
    """Reads markers one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.frame: Frame | None = None
        self.scans: list[Scan] = []
        self.tables = [bytes(272)] * 8
        self.quantization: dict[int, tuple[int, ...]] = {}
        self.restart = 0

    def parse(self) -> Parsed:
        data, at = self.data, len(SOI)
        if data[:2] != SOI:
            raise NotJpeg("no start of image")
        while at + 2 <= len(data):
            if data[at] != 0xFF:
                raise NotJpeg("no marker where one is due")
            marker = data[at + 1]
            if marker == 0xFF:  # a fill byte
                at += 1
                continue
            at += 2
            if marker == _EOI:
                break
            if marker in _ALONE:
                continue
            if at + 2 > len(data):
                raise NotJpeg("a segment is cut short")
            length = int.from_bytes(data[at : at + 2], "big")
            segment = data[at + 2 : at + length]
            if length < 2 or len(segment) != length - 2:
                raise NotJpeg("a segment is cut short")
            at = self._take(marker, segment, at + length)
        if self.frame is None or not self.scans:
            raise NotJpeg("no scan")
        return Parsed(self.frame, self.scans, self.quantization, min(at, len(data)))

    def _take(self, marker: int, segment: bytes, at: int) -> int:
        """Read a segment; return where the next marker is due."""
        if marker in _FRAMES:
            if self.frame is not None or marker not in (*_SEQUENTIAL, *_PROGRESSIVE):
                raise NotJpeg("lossless, arithmetic or hierarchical coding, or two frames")
            self.frame = _frame(segment, marker in _PROGRESSIVE)
        elif marker == _DHT:
            for number, table in _huffman(segment):
                self.tables[number] = table
        elif marker == _DQT:
            self.quantization |= dict(_quantization(segment))
        elif marker == _DNL:
            raise NotJpeg("the height is told behind the scan")
        elif marker == _DRI:
            if len(segment) != 2:
                raise NotJpeg("a restart interval is malformed")
            self.restart = int.from_bytes(segment, "big")
        elif marker == _SOS:
            found = _MARKER.search(self.data, at)
            end = found.start() if found else len(self.data)
            self.scans.append(self._scan(segment, at, end))
            return end
        return at

    def _scan(self, segment: bytes, start: int, end: int) -> Scan:
        frame = self.frame
        if frame is None or not segment or len(segment) != 4 + 2 * segment[0]:
            raise NotJpeg("a scan is malformed")
        chosen = []
        places = {c.identifier: place for place, c in enumerate(frame.components)}
        for k in range(segment[0]):
            identifier, tables = segment[1 + 2 * k : 3 + 2 * k]
            if identifier not in places or tables >> 4 > 3 or tables & 15 > 3:
                raise NotJpeg("a scan names what the frame has not")
            chosen.append((places[identifier], tables >> 4, tables & 15))
        first, last, approximation = segment[-3:]
        scan = Scan(
            tuple(chosen), first, last, approximation >> 4, approximation & 15,
            self.restart, b"".join(self.tables), start, end,
        )  # fmt: skip
        if not _sound(frame, scan):
            raise NotJpeg("a scan is none of its frame")
        return scan


def _sound(frame: Frame, scan: Scan) -> bool:
    """Whether a scan keeps what the standard demands of it."""
    places = [place for place, _, _ in scan.components]
    blocks = sum(frame.components[p].horizontal * frame.components[p].vertical for p in places)
    if not 1 <= len(places) <= 4 or sorted(set(places)) != places:
        return False
    if len(places) > 1 and blocks > MOST_BLOCKS:
        return False
    if not frame.progressive:
        return (scan.first, scan.last, scan.high, scan.low) == (0, 63, 0, 0)
    steps = scan.low <= 13 and scan.high in (0, scan.low + 1)
    if scan.first == 0:
        return steps and scan.last == 0
    return steps and len(places) == 1 and scan.first <= scan.last <= 63


def _frame(segment: bytes, progressive: bool) -> Frame:
    if len(segment) < 6 or len(segment) != 6 + 3 * segment[5]:
        raise NotJpeg("the frame is malformed")
    precision, height, width, count = struct.unpack_from(">BHHB", segment)
    rows = [segment[6 + 3 * k : 9 + 3 * k] for k in range(count)]
    factors = [(row[1] >> 4, row[1] & 15) for row in rows]
    if precision not in (8, 12) or not height or not width or not 1 <= count <= 4:
        raise NotJpeg("the frame is of a kind that is not known")
    if any(not 1 <= f <= 4 for pair in factors for f in pair) or len({r[0] for r in rows}) < count:
        raise NotJpeg("the frame's components are malformed")
    across, down = (max(pair[k] for pair in factors) for k in (0, 1))
    high, wide = -(-height // (8 * down)), -(-width // (8 * across))
    components = []
    for row, (h, v) in zip(rows, factors, strict=True):
        real_rows, real_columns = -(-height * v // (8 * down)), -(-width * h // (8 * across))
        components.append(
            Component(row[0], h, v, row[2], high * v, wide * h, real_rows, real_columns)
        )
    if sum(64 * c.rows * c.columns for c in components) > MOST_SAMPLES:
        raise NotJpeg("the picture is too large")
    return Frame(progressive, precision, height, width, tuple(components))


def _huffman(segment: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(segment):
        kind, counts = segment[at], segment[at + 1 : at + 17]
        symbols = segment[at + 17 : at + 17 + sum(counts)]
        if kind >> 4 > 1 or kind & 15 > 3 or len(counts) < 16 or len(symbols) < sum(counts):
            raise NotJpeg("a Huffman table is malformed")
        if len(symbols) > 256 or sum(n << (15 - k) for k, n in enumerate(counts)) > 1 << 16:
            raise NotJpeg("a Huffman table has too many codes")
        yield 4 * (kind >> 4) + (kind & 15), counts + symbols.ljust(256, b"\0")
        at += 17 + len(symbols)


def _quantization(segment: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    at = 0
    while at < len(segment):
        wide, number = segment[at] >> 4, segment[at] & 15
        size = 64 * (1 + wide)
        steps = segment[at + 1 : at + 1 + size]
        if wide > 1 or number > 3 or len(steps) < size:
            raise NotJpeg("a quantization table is malformed")
        yield number, struct.unpack(f">64{'H' if wide else 'B'}", steps)
        at += 1 + size


def parse(data: bytes) -> Parsed:
    """Read the markers of a file, or of a skeleton.

    Raises
    ------
    NotJpeg
        If it is no JPEG with Huffman codes, or malformed outside of entropy-coded data.
    """
    return _Parser(data).parse()
