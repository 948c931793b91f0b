"""What a JPEG says of its components and scans (ITU-T T.81, annex B).

A JPEG is its *skeleton*, all bytes outside of entropy-coded data, and that data, one piece a scan.
The skeleton alone is parsed by the same code: its pieces are empty.
"""

import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

SOI = b"\xff\xd8"
MOST_BLOCKS = 10  # of an MCU
MOST_SAMPLES = 160_000_000  # coefficients of a picture, of two bytes each: 50 megapixels in 4:4:4
MOST_SCANS = 1024
MOST_VISITS = 1 << 25  # blocks that all scans of a file together pass by
_KNOWN = 64  # segments with tables whose reading is kept: many files have the same
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), (0xC2,)
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_DHT, _DQT, _DNL, _DRI, _SOS, _EOI = 0xC4, 0xDB, 0xDC, 0xDD, 0xDA, 0xD9
_APPLICATIONS = range(0xE0, 0xF0)
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_MARKER = re.compile(rb"\xff(?![\x00\xd0-\xd7])")  # that ends entropy-coded data


class NotJpeg(Exception):
    """These bytes are no JPEG, or none of a kind that is known here."""


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
    """The one frame of a JPEG."""

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
    fresh: bool
    """Whether no scan before it is of any of its components: what they hold are zeros."""
    tables: bytes
    """Four tables for DC, four for AC coefficients: 16 counts and 256 symbols each."""
    start: int
    """Where its entropy-coded data begins."""
    end: int
    """And where that ends."""

    def units(self, frame: Frame) -> int:
        """MCUs of the whole scan: blocks that hold samples, if it is of one component."""
        if len(self.components) == 1:
            component = frame.components[self.components[0][0]]
            return component.real_rows * component.real_columns
        rows, columns = frame.mcus
        return rows * columns

    def blocks(self, frame: Frame) -> int:
        """Blocks of the whole scan."""
        if len(self.components) == 1:
            return self.units(frame)
        chosen = [frame.components[place] for place, _, _ in self.components]
        return self.units(frame) * sum(c.horizontal * c.vertical for c in chosen)


class Parsed(NamedTuple):
    """A JPEG as far as it can be understood."""

    frame: Frame
    scans: list[Scan]
    quantization: dict[int, tuple[int, ...]]
    """Tables by their numbers, 64 steps each in zigzag order, as they are at the end; there is one
    for every component, and no step is 0."""
    applications: list[tuple[int, int]]
    """Where the segments of applications lie, markers included."""
    end: int
    """Where the JPEG ends: behind its end-of-image marker, or where it is none any more."""

    @property
    def samples(self) -> int:
        """Coefficients of all components."""
        return sum(64 * c.rows * c.columns for c in self.frame.components)

    @property
    def visits(self) -> int:
        """Blocks that all scans together pass by."""
        return sum(scan.blocks(self.frame) for scan in self.scans)


class _Parser:
    """Reads markers one after the other."""

    def __init__(self, data: bytes, start: int, stop: int) -> None:
        self.data, self.at, self.stop = data, start, stop
        self.frame: Frame | None = None
        self.scans: list[Scan] = []
        self.huffman = dict.fromkeys(range(8), bytes(272))
        self.quantization: dict[int, tuple[int, ...]] = {}
        self.applications: list[tuple[int, int]] = []
        self.told = set[int]()  # places of components that scans are of
        self.restart = self.visits = 0

    def parse(self) -> Parsed:
        if self.data[self.at : min(self.at + 2, self.stop)] != SOI:
            raise NotJpeg("no start of image")
        self.at += len(SOI)
        try:
            while self.at + 2 <= self.stop and self.marker() != _EOI:
                pass
        except NotJpeg:
            if not self.scans:
                raise  # else what follows the last scan is none of the JPEG
        if self.frame is None or not self.scans:
            raise NotJpeg("no scan")
        steps = {
            c.quantization: _positive(self.quantization.get(c.quantization, (1,) * 64))
            for c in self.frame.components
        }
        return Parsed(self.frame, self.scans, steps, self.applications, self.at)

    def marker(self) -> int:
        """Read a marker with its segment, go behind it, and return the marker."""
        data, at = self.data, self.at
        while at + 1 < self.stop and data[at] == data[at + 1] == 0xFF:
            at += 1  # a fill byte
        if at + 1 >= self.stop or data[at] != 0xFF:
            raise NotJpeg("no marker where one is due")
        marker = data[at + 1]
        if marker == _EOI or marker in _ALONE:
            self.at = at + 2
            return marker
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if marker < 0xC0 or marker == SOI[1] or length < 2 or end > self.stop:
            raise NotJpeg("a segment is cut short, or has no known marker")
        self.at = self.segment(marker, data[at + 4 : end], end)
        if marker in _APPLICATIONS:
            self.applications.append((at, end))
        return marker

    def segment(self, marker: int, segment: bytes, end: int) -> int:
        """Read a segment; return where the next marker is due."""
        if marker in _FRAMES:
            if self.frame is not None or marker not in (*_SEQUENTIAL, *_PROGRESSIVE):
                raise NotJpeg("lossless, arithmetic or hierarchical coding, or two frames")
            self.frame = _frame(segment, marker in _PROGRESSIVE)
        elif marker == _DHT:
            self.huffman |= _huffman(segment)
        elif marker == _DQT:
            self.quantization |= _quantization(segment)
        elif marker == _DRI:
            if len(segment) != 2:
                raise NotJpeg("a restart interval is malformed")
            self.restart = int.from_bytes(segment, "big")
        elif marker == _SOS:
            found = _MARKER.search(self.data, end, self.stop)
            behind = found.start() if found else self.stop
            self.scans.append(self.scan(segment, end, behind))
            return behind
        return end

    def scan(self, segment: bytes, start: int, end: int) -> Scan:
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
        first, last, approximation = segment[-3:] if frame.progressive else (0, 63, 0)
        own = {place for place, _, _ in chosen}
        scan = Scan(
            tuple(chosen), first, last, approximation >> 4, approximation & 15,
            self.restart, own.isdisjoint(self.told), b"".join(self.huffman.values()), start, end,
        )  # fmt: skip
        if not _sound(frame, scan):
            raise NotJpeg("a scan is none of its frame")
        self.told |= own
        self.visits += scan.blocks(frame)
        if len(self.scans) == MOST_SCANS or self.visits > MOST_VISITS:
            raise NotJpeg("there are too many scans")
        return scan


def _sound(frame: Frame, scan: Scan) -> bool:
    """Whether a scan keeps what the standard demands of it."""
    places = [place for place, _, _ in scan.components]
    blocks = sum(frame.components[p].horizontal * frame.components[p].vertical for p in places)
    if not 1 <= len(places) <= 4 or len(set(places)) < len(places):
        return False
    if len(places) > 1 and blocks > MOST_BLOCKS:
        return False
    if not frame.progressive:
        return True
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


@lru_cache(_KNOWN)
def _huffman(segment: bytes) -> Mapping[int, bytes]:
    """Return tables by their numbers, those for AC coefficients from 4 on."""
    found, at = dict[int, bytes](), 0
    while at < len(segment):
        kind, counts = segment[at], segment[at + 1 : at + 17]
        symbols = segment[at + 17 : at + 17 + sum(counts)]
        if kind >> 4 > 1 or kind & 15 > 3 or len(counts) < 16 or len(symbols) < sum(counts):
            raise NotJpeg("a Huffman table is malformed")
        if len(symbols) > 256 or sum(n << (15 - k) for k, n in enumerate(counts)) > 1 << 16:
            raise NotJpeg("a Huffman table has too many codes")
        found[4 * (kind >> 4) + (kind & 15)] = counts + symbols.ljust(256, b"\0")
        at += 17 + len(symbols)
    return MappingProxyType(found)


@lru_cache(_KNOWN)
def _quantization(segment: bytes) -> Mapping[int, tuple[int, ...]]:
    """Return tables by their numbers."""
    found, at = dict[int, tuple[int, ...]](), 0
    while at < len(segment):
        wide, number = segment[at] >> 4, segment[at] & 15
        size = 64 * (1 + wide)
        steps = segment[at + 1 : at + 1 + size]
        if wide > 1 or number > 3 or len(steps) < size:
            raise NotJpeg("a quantization table is malformed")
        found[number] = struct.unpack(f">64{'H' if wide else 'B'}", steps)
        at += 1 + size
    return MappingProxyType(found)


def _positive(steps: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(1, step) for step in steps) if 0 in steps else steps


def parse(data: bytes, start: int = 0, stop: int | None = None) -> Parsed:
    """Read the markers of a JPEG, or of a skeleton.

    What is malformed or unknown ends it, if a scan comes before; some writers leave that behind.

    Parameters
    ----------
    data : bytes
    start, stop : int
        Where it begins, and where it ends at the latest.

    Raises
    ------
    NotJpeg
        If there is no scan with Huffman codes, or something malformed before it.
    """
    return _Parser(data, start, len(data) if stop is None else stop).parse()
