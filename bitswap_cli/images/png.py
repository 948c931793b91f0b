"""PNG: pixels taken from IDAT, every other chunk verbatim (W3C, Portable Network Graphics)."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3}  # by colour type: gray, RGB

# Chunks that change what the pixels mean, or add frames: such files are kept byte for byte.
_REFUSED = {b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"CgBI"}
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_BLOCK = 1 << 17  # bytes filtered at a time


class _Head(NamedTuple):
    """The fields of IHDR that pictures differ in."""

    height: int
    width: int
    channels: int
    interlaced: bool


def split(data: bytes) -> Picture | None:
    """Split an 8-bit gray or RGB PNG into pixels and recipe; None if it is anything else."""
    found = _find_pixels(data)
    if found is None:
        return None
    start, end, idat = found
    head = _read_head(data[:start])
    if head is None or not _is_whole(idat, head):
        return None
    # Only what concerns the pixels is decoded, so no metadata can trouble the decoder.
    plain = data[: len(SIGNATURE) + 25] + _chunk(b"IDAT", idat) + _chunk(b"IEND", b"")
    try:
        with Image.open(io.BytesIO(plain), formats=["PNG"]) as image:
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError):
        return None
    pixels = pixels.reshape(head.height, head.width, -1)
    if pixels.dtype != np.uint8 or pixels.shape[2] != head.channels:
        return None
    return Picture(pixels, Recipe("png", data[:start], data[end:]))


def join(recipe: Recipe, pixels: NDArray[np.uint8], level: int = 6) -> bytes:
    """Encode pixels as the IDAT chunk between a recipe's prefix and suffix.

    `level` is zlib's; 1 is several times faster.
    """
    head = _read_head(recipe.prefix)
    if head is None or pixels.shape != head[:3]:
        raise ArchiveError("the archive holds a PNG header that does not fit its pixels")
    idat = _interlaced(pixels, level) if head.interlaced else _plain(pixels, level)
    return b"".join([recipe.prefix, _chunk(b"IDAT", idat), recipe.suffix])


def _plain(pixels: NDArray[np.uint8], level: int) -> bytes:
    """Return the contents of IDAT for an image that is not interlaced."""
    file = io.BytesIO()
    image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    image.save(file, "PNG", compress_level=level)
    found = _find_pixels(file.getvalue())
    if found is None:
        raise RuntimeError("Pillow wrote a PNG without pixels")
    return found[2]


def _interlaced(pixels: NDArray[np.uint8], level: int) -> bytes:
    """Return the contents of IDAT for an image in Adam7 order, which Pillow does not write."""
    deflate = zlib.compressobj(level, strategy=zlib.Z_FILTERED)
    squeezed = [deflate.compress(block) for plane in _passes(pixels) for block in _filtered(plane)]
    return b"".join([*squeezed, deflate.flush()])


def _chunk(tag: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(body, zlib.crc32(tag))
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", crc)


def _find_pixels(data: bytes) -> tuple[int, int, bytes] | None:
    """Return where the run of IDAT chunks starts and ends, and its contents joined."""
    position, start, end = len(SIGNATURE), 0, 0
    bodies: list[bytes] = []
    while True:
        if position + 12 > len(data):
            return None
        length, tag = struct.unpack_from(">I4s", data, position)
        after = position + 12 + length
        if after > len(data):
            return None
        body = data[position + 8 : after - 4]
        if struct.unpack_from(">I", data, after - 4)[0] != zlib.crc32(body, zlib.crc32(tag)):
            return None
        if tag == b"IDAT":
            if bodies and end != position:
                return None
            start, end = (start if bodies else position), after
            bodies.append(body)
        elif tag == b"IEND":
            # What follows IEND is no part of the image but part of the file: it stays.
            return (start, end, b"".join(bodies)) if bodies else None
        elif tag in _REFUSED or (tag[:1].isupper() and tag != b"IHDR"):
            return None
        position = after


def _read_head(prefix: bytes) -> _Head | None:
    """Read signature and IHDR; None if they are not those of an 8-bit gray or RGB image."""
    if prefix[:16] != SIGNATURE + b"\0\0\0\x0dIHDR" or len(prefix) < 33:
        return None
    width, height, depth, colour, packing, filtering, interlace = struct.unpack_from(
        ">IIBBBBB", prefix, 16
    )
    if depth != 8 or colour not in CHANNELS or packing or filtering or interlace > 1:
        return None
    if not 0 < width * height <= MAX_PIXELS:
        return None
    return _Head(height, width, CHANNELS[colour], bool(interlace))


def _is_whole(idat: bytes, head: _Head) -> bool:
    """Tell whether the pixel data inflate without error to exactly the size of the image."""
    expected = 0
    for x, y, dx, dy in _ADAM7 if head.interlaced else ((0, 0, 1, 1),):
        columns = -(-(head.width - x) // dx)
        rows = -(-(head.height - y) // dy)
        if columns > 0 and rows > 0:
            expected += rows * (1 + columns * head.channels)
    inflate, count, rest = zlib.decompressobj(), 0, idat
    try:
        while not inflate.eof and count <= expected:
            piece = inflate.decompress(rest, 1 << 20)
            if not piece and not inflate.unconsumed_tail:
                break
            count, rest = count + len(piece), inflate.unconsumed_tail
    except zlib.error:
        return False
    return inflate.eof and count == expected


def _passes(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the reduced images of Adam7 that are not empty."""
    for x, y, dx, dy in _ADAM7:
        plane = pixels[y::dy, x::dx]
        if plane.size:
            yield plane


def _filtered(plane: NDArray[np.uint8]) -> Iterator[bytes]:
    """Yield filtered scanlines, each with the filter of the least sum of absolute differences."""
    height, width, channels = plane.shape
    rows = plane.reshape(height, width * channels)
    step = max(1, _BLOCK // rows.shape[1])
    for top in range(0, height, step):
        here = rows[top : top + step]
        up = np.zeros_like(here)
        up[1:] = here[:-1]
        if top:
            up[0] = rows[top - 1]
        left, corner = np.zeros_like(here), np.zeros_like(here)
        left[:, channels:] = here[:, :-channels]
        corner[:, channels:] = up[:, :-channels]
        mean = ((left.astype(np.uint16) + up) >> 1).astype(np.uint8)
        candidates = np.stack(
            [here, here - left, here - up, here - mean, here - _paeth(left, up, corner)]
        )
        cost = np.abs(candidates.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
        best = cost.argmin(axis=0)
        lines = np.empty((len(here), rows.shape[1] + 1), np.uint8)
        lines[:, 0] = best
        lines[:, 1:] = candidates[best, np.arange(len(here))]
        yield lines.tobytes()


def _paeth(
    left: NDArray[np.uint8], up: NDArray[np.uint8], corner: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return whichever neighbour is nearest to left + up - corner; ties in this order."""
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
