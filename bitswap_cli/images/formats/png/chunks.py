"""The frame of a PNG file: its chunks, header and palette (W3C, Portable Network Graphics)."""

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.picture import MAX_LARGE, MAX_LARGE_SAMPLES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, PALETTE = 0, 3
"""Colour types that are treated apart."""

_HEAD = 33  # bytes of signature and IHDR
_SAMPLES = {GRAY: 1, 2: 3, PALETTE: 1, 4: 2, 6: 4}  # of a pixel, by colour type
_DEPTHS = {GRAY: (1, 2, 4, 8, 16), 2: (8, 16), PALETTE: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
# Chunks that change what the pixels mean, or add frames: such files are kept byte for byte. The
# first two belong to a palette image; elsewhere they would mean a hint or a transparent colour.
_COLOURS = (b"PLTE", b"tRNS")
_REFUSED = {*_COLOURS, b"acTL", b"fcTL", b"fdAT", b"CgBI"}


class Head(NamedTuple):
    """The fields of IHDR that pictures differ in."""

    height: int
    width: int
    depth: int
    """Bits of a sample: 1, 2, 4, 8 or 16."""
    colour: int
    """Colour type: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA."""
    interlaced: bool

    @property
    def bits(self) -> int:
        """Bits of a pixel."""
        return self.depth * _SAMPLES[self.colour]

    @property
    def unit(self) -> int:
        """Bytes from a pixel to the next, as filters see them."""
        return max(1, self.bits // 8)

    @property
    def is_plain(self) -> bool:
        """Whether these are the pixels of kind "png": 8-bit gray or RGB."""
        return self.depth == 8 and self.colour in (GRAY, 2)


def read_head(prefix: bytes) -> Head | None:
    """Read signature and IHDR; None if a picture cannot start so, or would be too large."""
    return _head(bytes(prefix[:_HEAD]))


@lru_cache(256)  # each file is asked for each kind, and small ones are of few sizes
def _head(prefix: bytes) -> Head | None:
    if prefix[:16] != SIGNATURE + b"\0\0\0\x0dIHDR" or len(prefix) < _HEAD:
        return None
    width, height, depth, colour, packing, filtering, interlace = struct.unpack_from(
        ">IIBBBBB", prefix, 16
    )
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or interlace > 1:
        return None
    head = Head(height, width, depth, colour, bool(interlace))
    pixels = height * width
    if not 0 < pixels <= MAX_LARGE or pixels * head.unit > MAX_LARGE_SAMPLES:
        return None
    return head


def read_palette(data: bytes) -> NDArray[np.uint8] | None:
    """Read the palette of a file, or of what stands before its pixels.

    Returns
    -------
    uint8 array (entries, 3 or 4), or None
        RGB, with alpha if there is a tRNS chunk. None if not one palette stands there, or it is
        damaged.
    """
    found: list[tuple[bytes, bytes]] = []
    for tag, start, end in each_chunk(data):
        if tag == b"IDAT":
            break
        if tag in _COLOURS:
            found.append((tag, data[start + 8 : end - 4]))
    if tuple(tag for tag, _ in found) not in (_COLOURS[:1], _COLOURS):
        return None
    colours = found[0][1]
    if len(colours) % 3 or not 0 < len(colours) <= 3 * 256:
        return None
    palette = np.frombuffer(colours, np.uint8).reshape(-1, 3)
    if len(found) == 1:
        return palette
    alpha = found[1][1]
    if not 0 < len(alpha) <= len(palette):
        return None
    opacity = np.full((len(palette), 1), 255, np.uint8)
    opacity[: len(alpha), 0] = np.frombuffer(alpha, np.uint8)
    return np.concatenate([palette, opacity], axis=1)


def find_pixels(data: bytes, *, colours: bool) -> tuple[int, int, bytes] | None:
    """Find the pixels of a PNG file.

    Parameters
    ----------
    data : bytes
        The whole file, which starts as one.
    colours : bool
        Whether PLTE and tRNS may stand before the pixels: those of a palette image, or of one that
        comes back byte for byte, whatever they mean.

    Returns
    -------
    tuple or None
        Where the run of IDAT chunks starts and ends, and its contents joined; None if the file is
        damaged, or a chunk forbids it to be a picture.
    """
    start, end = 0, 0
    bodies: list[bytes] = []
    for tag, position, after in each_chunk(data):
        if tag == b"IDAT":
            if bodies and end != position:
                return None
            start, end = (start if bodies else position), after
            bodies.append(data[position + 8 : after - 4])
        elif tag == b"IEND":
            # What follows IEND is no part of the image but part of the file: it stays.
            return (start, end, b"".join(bodies)) if bodies else None
        elif colours and not bodies and tag in _COLOURS:
            continue
        elif tag in _REFUSED or (tag[:1].isupper() and tag != b"IHDR"):
            return None
    return None


def lengths(run: bytes) -> list[int]:
    """Return the lengths of the contents of chunks that are known to be whole."""
    return [after - start - 12 for _, start, after in each_chunk(run, 0)]


def chunk(tag: bytes, body: bytes) -> bytes:
    """Return a chunk with its length and CRC."""
    crc = zlib.crc32(body, zlib.crc32(tag))
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", crc)


def each_chunk(data: bytes, position: int = len(SIGNATURE)) -> Iterator[tuple[bytes, int, int]]:
    """Yield tag, start and end of one chunk after another, as far as they are whole."""
    while position + 12 <= len(data):
        length, tag = struct.unpack_from(">I4s", data, position)
        after = position + 12 + length
        if after > len(data):
            return
        crc = zlib.crc32(memoryview(data)[position + 4 : after - 4])
        if struct.unpack_from(">I", data, after - 4)[0] != crc:
            return
        yield tag, position, after
        position = after
