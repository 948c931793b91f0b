"""The contents of IDAT <-> the bytes of pixels: filters, interlacing and deflate."""

import io
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images import deflate
from bitswap_cli.images.formats.bits import packed, unpacked
from bitswap_cli.images.formats.png.chunks import PALETTE, Head, find_pixels
from bitswap_cli.images.formats.png.filters import least_sums
from bitswap_cli.images.packings.engine import engine

# What Pillow should take the pixels for, by their bits: something it decodes as it is. It has
# nothing of two bytes a sample in colour, but keeps either the high bytes or the low ones.
_DECODERS = {
    1: (("P", "P;1"),),
    2: (("P", "P;2"),),
    4: (("P", "P;4"),),
    8: (("L", "L"),),
    16: (("LA", "LA"),),
    24: (("RGB", "RGB"),),
    32: (("RGBA", "RGBA"),),
    48: (("RGB", "RGB;16B"), ("RGB", "RGB;16L")),
    64: (("RGBA", "RGBA;16B"), ("RGBA", "RGBA;16L")),
}
_AT_ONCE = 1 << 24  # bytes of lines that are inflated by our engine, which is asked again soon
_OTHER = 3  # level of zlib that is enough for what is not drawn
_LARGE, _SHARE = 1 << 16, 8  # bytes of pictures that are looked at, and which part of their rows
_NOISE = 1.15  # times that runs alone may take more than matches where there is noise
_DRAWN = 6  # of drawings, PNG files take less than this part of the pixels
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def read_rows(idat: bytes, head: Head) -> NDArray[np.uint8] | None:
    """Decode pixels as they are stored.

    Parameters
    ----------
    idat : bytes
        Contents of all IDAT chunks.
    head : Head

    Returns
    -------
    uint8 array (H, W, bytes of a pixel), or None
        Pixels of fewer than 8 bits have one byte with their value. None if the contents are
        damaged, or not of exactly this size.
    """
    passes = _shapes(head)
    expected = sum(height * (1 + length) for height, length in passes)
    inflated = deflate.inflate(idat, expected) if expected <= _AT_ONCE else None
    if inflated is not None:
        return _unfiltered(inflated, passes, head)
    if not _is_whole(idat, expected):
        return None
    from PIL import Image  # deferred: it takes time, and few commands have need of it

    size = (head.width, head.height)
    try:
        images = [
            np.asarray(Image.frombytes(mode, size, idat, "zip", raw, int(head.interlaced)))
            for mode, raw in _DECODERS[head.bits]
        ]
    except (OSError, ValueError):
        return None
    return np.stack(images, axis=-1).reshape(head.height, head.width, -1)


def write_rows(stored: NDArray[np.uint8], head: Head, level: int) -> bytes:
    """Encode pixels (inverse of `read_rows`).

    Parameters
    ----------
    stored : uint8 array (H, W, bytes of a pixel)
    head : Head
    level : int
        Of zlib; 1 is several times faster than 6, and 0 stores the pixels as they are.

    Returns
    -------
    bytes
        The contents of IDAT.
    """
    # No filter helps where neighbouring values say nothing of each other.
    packed = head.depth < 8 or head.colour == PALETTE
    plain = packed or not level
    if not plain and not head.interlaced and head.bits <= 32:
        return _by_pillow(stored, level)
    strategy = zlib.Z_DEFAULT_STRATEGY if plain else zlib.Z_FILTERED
    writer = zlib.compressobj(level, strategy=strategy)
    squeezed = []
    for rows in scanlines(stored, head):
        filters = np.zeros(len(rows), np.uint8) if plain else least_sums(rows, head.unit)
        lines = engine().filtered(rows, head.unit, filters)
        squeezed.append(writer.compress(lines.tobytes()))
    return b"".join([*squeezed, writer.flush()])


def scanlines(stored: NDArray[np.uint8], head: Head) -> list[NDArray[np.uint8]]:
    """Return the bytes of the image's lines, without filters, unused bits being zero.

    Parameters
    ----------
    stored : uint8 array (H, W, bytes of a pixel)
        As `read_rows` returns it.
    head : Head

    Returns
    -------
    list of uint8 arrays (lines, bytes of a line)
        Of the image, or of each pass of Adam7 that is not empty.
    """
    planes = _passes(stored) if head.interlaced else iter([stored])
    if head.depth < 8:
        return [packed(plane[:, :, 0], head.depth) for plane in planes]
    return [plane.reshape(len(plane), -1) for plane in planes]


def _by_pillow(stored: NDArray[np.uint8], level: int) -> bytes:
    """Return the contents of IDAT as Pillow writes them, which is fast.

    Photographs gain nothing by matches but runs: with them level 3 takes 1.6 times the time, and
    level 6 four times, for files that are 3 % smaller (Kodak) to 11 % larger. Others are written at
    `_OTHER` at most, unless they are drawings, which gain up to a third, and are quick.
    """
    if level > _OTHER and _has_noise(stored):
        return _saved(stored, 1, zlib.Z_RLE)
    found = _saved(stored, min(level, _OTHER))
    drawn = len(found) * _DRAWN < stored.nbytes
    return _saved(stored, level) if drawn and level > _OTHER else found


def _has_noise(stored: NDArray[np.uint8]) -> bool:
    """Whether a picture repeats nothing, as photographs do not: by some rows in its middle."""
    rows = stored.shape[0] // _SHARE
    if stored.nbytes < _LARGE or not rows:
        return False
    band = stored[stored.shape[0] // 2 :][:rows]
    by_runs, by_matches = _saved(band, 1, zlib.Z_RLE), _saved(band, _OTHER)
    return len(by_runs) <= _NOISE * len(by_matches)


def _saved(stored: NDArray[np.uint8], level: int, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    from PIL import Image  # deferred, as above

    file = io.BytesIO()
    image = Image.fromarray(stored if stored.shape[2] > 1 else stored[:, :, 0])
    image.save(file, "PNG", compress_level=level, compress_type=strategy)
    found = find_pixels(file.getvalue(), colours=False)
    if found is None:
        raise RuntimeError("Pillow wrote a PNG without pixels")
    return found[2]


def _shapes(head: Head) -> list[tuple[int, int]]:
    """Return lines and bytes of a line of the image, or of each pass that is not empty."""
    found = []
    for x, y, dx, dy in _ADAM7 if head.interlaced else ((0, 0, 1, 1),):
        columns = -(-(head.width - x) // dx)
        rows = -(-(head.height - y) // dy)
        if columns > 0 and rows > 0:
            found.append((rows, -(-columns * head.bits // 8)))
    return found


def _unfiltered(
    inflated: NDArray[np.uint8], passes: list[tuple[int, int]], head: Head
) -> NDArray[np.uint8] | None:
    """Return pixels of filtered lines; None if there is no such filter."""
    planes, at = [], 0
    for height, length in passes:
        size = height * (1 + length)
        lines = inflated[at : at + size].reshape(height, 1 + length)
        rows = engine().unfiltered(lines, head.unit)
        if rows is None:
            return None
        planes.append(unpacked(rows, head.depth) if head.depth < 8 else rows)
        at += size
    stored = np.empty((head.height, head.width, head.unit), np.uint8)
    if not head.interlaced:
        return np.ascontiguousarray(planes[0][:, : head.width * head.unit]).reshape(stored.shape)
    for plane, target in zip(planes, _passes(stored), strict=True):
        width = target.shape[1] * head.unit
        target[...] = plane[:, :width].reshape(target.shape)
    return stored


def _is_whole(idat: bytes, expected: int) -> bool:
    """Tell whether the pixel data inflate without error to exactly the size of the image."""
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
