"""The pages of a TIFF file whose samples can be had (Adobe, TIFF 6.0, and its Technical Notes), or
of a BigTIFF file (libtiff's documentation, BigTIFF design)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = (b"II*\0", b"MM\0*")
BIG_MAGIC = (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 8, 32946, 32773
"""Compressions."""
RLE, T4, T6 = FAX = 2, 3, 4
"""Those of facsimile."""

_SIZES = {1: "u1", 3: "u2", 4: "u4"}  # of values: BYTE, SHORT, LONG
_BIG_SIZES = {**_SIZES, 16: "u8"}  # and LONG8
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_FILL_ORDER, _SAMPLES, _ROWS, _PLANES, _PREDICTOR, _MAP = 266, 277, 278, 284, 317, 320
_STRIPS, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_SIZES = 273, 279, 322, 323, 324, 325
_FORMAT, _SUBSAMPLING, _T4_OPTIONS = 339, 530, 292
_GRAY, _COLOURS, _YCBCR = (0, 1), 3, 6  # photometric interpretations
_SEPARATE = 2
_PAGES, _VALUES = 1 << 12, 1 << 18  # directories of a file, and values in them, at most


class _Lies(NamedTuple):
    """How what tells of a directory lies, as structs spell it."""

    entries: str
    """How many entries there are."""
    values: str
    """How many values an entry has, and where they are."""
    first: int
    """Where the place of the first directory is."""
    types: dict[int, str]
    """Of values."""

    @property
    def entry(self) -> int:
        """Bytes of an entry."""
        return 4 + 2 * struct.calcsize(self.values)


_SMALL, _BIG = _Lies("H", "I", 4, _SIZES), _Lies("Q", "Q", 8, _BIG_SIZES)


class Page(NamedTuple):
    """A page, and how its samples lie in the file."""

    height: int
    width: int
    """Of its samples: of whole tiles if there are tiles."""
    shown: tuple[int, int]
    """Height and width of what it shows."""
    rows: int
    columns: int
    """Of a segment: a strip, whose last may be shorter, or a tile."""
    depth: int
    """Bits of a sample: 1, 2, 4, 8 or 16."""
    samples: int
    """Of a pixel, 1 to 4."""
    separate: bool
    """Whether segments hold one sample of each pixel."""
    little: bool
    """Whether the low byte of 16 bits comes first."""
    compression: int
    differences: bool
    """Whether rows hold differences of samples."""
    scale: int
    """What samples are multiples of, as pictures have them: gray of fewer than 8 bits."""
    palette: NDArray[np.uint8] | None
    """Colours (2^depth, 3) where samples are indices."""
    places: list[int]
    sizes: list[int]
    """Of segments, in the file."""
    low_first: bool
    """Whether the lowest bit of a byte is the first one."""
    tagged: bool
    """Whether a bit before a row of T.4 tells how it is told."""

    @property
    def fax(self) -> bool:
        """Whether segments are facsimiles."""
        return self.compression in FAX

    @property
    def channels(self) -> int:
        """Bytes of a pixel of a picture."""
        return self.samples * max(1, self.depth // 8)

    @property
    def together(self) -> int:
        """Samples of a pixel in a segment."""
        return 1 if self.separate else self.samples

    @property
    def row(self) -> int:
        """Bytes of a row of a segment."""
        return -(-self.columns * self.together * self.depth // 8)


def read_pages(data: bytes, *, fax: bool = False) -> list[Page]:
    """Return the pages of a file whose samples can be had, and that are like the first of them:
    palette images, or of as many channels; and facsimiles, where these are asked for."""
    found: list[Page] = []
    for tags in _directories(data):
        page = _page(tags, data[:2] == b"II")
        if page is None or (page.fax and not fax):
            continue
        alike = not found or (page.palette is None) == (found[0].palette is None)
        if alike and page.channels == (found or [page])[0].channels:
            found.append(page)
    return found


def _directories(data: bytes) -> Iterator[dict[int, list[int]]]:
    """Yield the values of the integer tags of one directory after the other."""
    big = data[:8] in BIG_MAGIC
    if not big and data[:4] not in MAGIC:
        return
    order, lies = "<" if data[:2] == b"II" else ">", _BIG if big else _SMALL
    seen: set[int] = set()
    at, left = _integer(data, order + lies.values, lies.first), _VALUES
    head = struct.calcsize(lies.entries)
    while at and at not in seen and len(seen) < _PAGES and at + head <= len(data):
        seen.add(at)
        end = at + head + lies.entry * _integer(data, order + lies.entries, at)
        if end + struct.calcsize(lies.values) > len(data):
            return
        tags: dict[int, list[int]] = {}
        for place in range(at + head, end, lies.entry):
            tag, values = _entry(data, order, place, left, lies)
            left -= len(values)
            if values:
                tags[tag] = values
        yield tags
        at = _integer(data, order + lies.values, end)


def _integer(data: bytes, kind: str, at: int) -> int:
    """Return an integer as structs spell it; 0 beyond the end of the file."""
    whole = at + struct.calcsize(kind) <= len(data)
    return int(struct.unpack_from(kind, data, at)[0]) if whole else 0


def _entry(data: bytes, order: str, at: int, most: int, lies: _Lies) -> tuple[int, list[int]]:
    """Return the tag at a place and its values; none if they are no integers that matter here, or
    more than so many."""
    tag, kind, count = struct.unpack_from(f"{order}HH{lies.values}", data, at)
    if kind not in lies.types or tag not in _TAGS or not 0 < count <= most:
        return tag, []
    dtype = np.dtype(order + lies.types[kind])
    size, room = count * dtype.itemsize, struct.calcsize(lies.values)
    own = at + 4 + room
    place = own if size <= room else _integer(data, order + lies.values, own)
    if place + size > len(data):
        return tag, []
    return tag, np.frombuffer(data, dtype, count, place).tolist()


_TAGS = {
    _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _SAMPLES, _ROWS, _PLANES,
    _PREDICTOR, _MAP, _STRIPS, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_SIZES,
    _FORMAT, _SUBSAMPLING, _T4_OPTIONS,
}  # fmt: skip


def _page(tags: dict[int, list[int]], little: bool) -> Page | None:
    """Return a page as its tags tell it; None if its samples cannot be had."""

    def one(tag: int, default: int) -> int:
        return tags.get(tag, [default])[0]

    height, width, samples = one(_HEIGHT, 0), one(_WIDTH, 0), one(_SAMPLES, 1)
    depth, photometric, predictor = one(_BITS, 1), one(_PHOTOMETRIC, 1), one(_PREDICTOR, 1)
    compression = one(_COMPRESSION, NONE)
    fax = compression in FAX and depth == samples == 1 and photometric in _GRAY
    known = (
        0 < samples <= 4
        and depth in ((1, 2, 4, 8, 16) if samples == 1 else (8, 16))
        and len(set(tags.get(_BITS, [1]))) == 1
        and set(tags.get(_FORMAT, [1])) <= {1, 2, 4}
        and (compression in (NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS) or fax)
        and predictor in ((1, 2) if depth >= 8 else (1,))
        and one(_FILL_ORDER, 1) in ((1, 2) if fax else (1,))
        and (photometric != _YCBCR or tags.get(_SUBSAMPLING) == [1, 1])
    )
    grid = _grid(tags, height, width)
    if not known or grid is None:
        return None
    rows, columns, places, sizes = grid
    palette = None
    if photometric == _COLOURS:
        colours = np.array(tags.get(_MAP, []), np.int64)
        if samples > 1 or depth > 8 or len(colours) != 3 << depth or colours.max() > 0xFFFF:
            return None
        palette = (colours >> 8).astype(np.uint8).reshape(3, -1).T
    separate = one(_PLANES, 1) == _SEPARATE and samples > 1
    across, down = -(-width // columns), -(-height // rows)
    if len(places) != across * down * (samples if separate else 1):
        return None
    tiled = _TILES in tags
    scale = 255 // ((1 << depth) - 1) if depth < 8 and photometric in _GRAY else 1
    return Page(
        down * rows if tiled else height, across * columns if tiled else width, (height, width),
        rows, columns, depth, samples, separate, little, compression, predictor == 2, scale,
        palette, places, sizes, one(_FILL_ORDER, 1) == 2, bool(one(_T4_OPTIONS, 0) & 1),
    )  # fmt: skip


def _grid(
    tags: dict[int, list[int]], height: int, width: int
) -> tuple[int, int, list[int], list[int]] | None:
    """Return rows and columns of segments, their places and sizes; None if it is not all told."""
    if _TILES in tags:
        rows, columns = tags.get(_TILE_HEIGHT, [0])[0], tags.get(_TILE_WIDTH, [0])[0]
        places, sizes = tags[_TILES], tags.get(_TILE_SIZES, [])
    else:
        rows, columns = min(tags.get(_ROWS, [height])[0], height), width
        places, sizes = tags.get(_STRIPS, []), tags.get(_STRIP_SIZES, [])
    whole = height > 0 and width > 0 and rows > 0 and columns > 0 and len(places) == len(sizes)
    return (rows, columns, places, sizes) if whole else None
