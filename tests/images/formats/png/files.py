"""PNG files of every sort, made of filtered lines: whatever a filter leaves is a valid line."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bitswap_cli.images.formats.png.chunks import Head, chunk
from bitswap_cli.images.formats.png.filters import PILLOW, least, least_sums
from bitswap_cli.images.packings.filters import filtered, sums

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
FORMATS = [(depth, colour) for colour, depths in _DEPTHS.items() for depth in depths]
WRITERS = ("none", "sub", "up", "average", "paeth", "mixed", "least", "pillow", "runs")
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
PLTE = chunk(b"PLTE", np.random.default_rng(5).permutation(256 * 3).astype(np.uint8).tobytes())


def planes(head: Head) -> list[tuple[int, int]]:
    """Lines, and bytes of a line, of each pass that is not empty."""
    passes = (*_PASSES, (0, 1, 1, 2)) if head.interlaced else ((0, 0, 1, 1),)
    found = []
    for x, y, dx, dy in passes:
        width, height = -(-(head.width - x) // dx), -(-(head.height - y) // dy)
        if width > 0 and height > 0:
            found.append((height, -(-width * head.bits // 8)))
    return found


def lines(head: Head, writer: str, seed: int = 0) -> bytes:
    """Return filtered lines of a smooth picture with noise in its unused bits, too."""
    rng = np.random.default_rng(seed)
    found = b""
    for height, length in planes(head):
        steps = rng.integers(-3, 4, (height, length)).cumsum(0).cumsum(1)
        rows = (steps // 4).astype(np.uint8)
        if writer == "mixed":
            filters = rng.integers(0, 5, height).astype(np.uint8)
        elif writer == "least":
            filters = least_sums(rows, head.unit)
        elif writer == "pillow":
            filters = least(sums(rows, head.unit), PILLOW)
        elif writer == "runs":
            filters = (np.arange(height) // 5 % 5).astype(np.uint8)
        else:
            filters = np.full(height, WRITERS.index(writer), np.uint8)
        found += filtered(rows, head.unit, filters).tobytes()
    return found


def deflated(raw: bytes, level: int, **how: Any) -> bytes:
    """Return a zlib stream."""
    made = zlib.compressobj(level, **how)
    return made.compress(raw) + made.flush()


def png(head: Head, stream: bytes, cuts: Iterable[int] = (), before: bytes = b"") -> bytes:
    """Return a file whose IDAT chunks hold a stream, cut at some places."""
    fields = (head.width, head.height, head.depth, head.colour, 0, 0, head.interlaced)
    places: Sequence[int] = [0, *sorted(cuts), len(stream)]
    bodies = (stream[start:end] for start, end in zip(places, places[1:], strict=False))
    idat = b"".join(chunk(b"IDAT", body) for body in bodies)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + before
    return start + (PLTE if head.colour == 3 else b"") + idat + chunk(b"IEND", b"") + b"behind"
