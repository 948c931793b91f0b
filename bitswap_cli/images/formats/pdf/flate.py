"""Rows of samples in a zlib stream, with the filters of PNG or without <-> samples and a
description."""

import zlib

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import deflate
from bitswap_cli.images.formats.bits import packed, unpacked
from bitswap_cli.images.formats.deep import big_endian, high_first
from bitswap_cli.images.formats.pdf.image import Image
from bitswap_cli.images.formats.png import stream as png
from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.rows import read_rows
from bitswap_cli.images.formats.png.turns import Turns
from bitswap_cli.images.picture import MAX_PIXELS, is_held

Bytes = NDArray[np.uint8]

_DEPTHS = 1, 2, 4, 8, 16
_FILTERED = 8  # flag of a description's first byte, beside the place of the depth
_COLOURS = {1: 0, 3: 2, 4: 6}  # of PNG, by samples of a pixel; the last four may be any
_TURNS = Turns(MAX_PIXELS)  # to describe and restore


def head_of(stream: bytes, image: Image) -> Head | None:
    """Return what rows a stream inflates to, as the head of a PNG tells it; None if that is not
    what the dictionary tells."""
    heads = [
        Head(image.height, image.width, image.depth, colour, interlaced=False)
        for samples, colour in _COLOURS.items()
        if image.depth in _DEPTHS[3:] or (image.depth in _DEPTHS and samples == 1)
    ]
    heads = [h for h in heads if is_held(h.height, h.width, h.unit, large=False)]
    if not heads:
        return None
    sizes = [head.height * (image.filtered + _row(head)) for head in heads]
    inflater = zlib.decompressobj()
    try:
        size = len(inflater.decompress(stream, max(sizes) + 1))
    except zlib.error:
        return None
    return heads[sizes.index(size)] if inflater.eof and size in sizes else None


def take(stream: bytes, image: Image) -> tuple[Bytes, bytes] | None:
    """Take a stream apart.

    Returns
    -------
    uint8 array (H, W, C), bytes; or None
        Samples as they are stored, those of 16 bits with all their high bytes first, and a
        description. None if it is no such stream.
    """
    head = head_of(stream, image)
    if head is None:
        return None
    with _TURNS.of(head.height * head.width):
        found = _filtered(stream, head) if image.filtered else _plain(stream, head)
    if found is None:
        return None
    stored, told = found
    flags = _DEPTHS.index(head.depth) | _FILTERED * image.filtered
    return high_first(stored) if head.depth == 16 else stored, bytes([flags]) + told


def give(samples: Bytes, description: bytes) -> bytes:
    """Make a stream of samples and a description (inverse of `take`).

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to the samples.
    """
    depth, filtered = how(description)
    height, width, channels = samples.shape
    colour = _COLOURS.get(channels // max(1, depth // 8))
    if colour is None or (depth < 8 and (colour or int(samples.max()) >> depth)):
        raise _damaged()
    head = Head(height, width, depth, colour, interlaced=False)
    stored = big_endian(samples) if depth == 16 else samples
    with _TURNS.of(height * width):
        if filtered:
            return b"".join(png.restore(description[1:], stored, head))
        rows = packed(stored[..., 0], depth) if depth < 8 else stored
        return deflate.restore(rows.tobytes(), description[1:])


def how(description: bytes) -> tuple[int, bool]:
    """Return how many bits a sample has, and whether rows are filtered."""
    flags = description[0] if description else _FILTERED * 2
    if flags & ~_FILTERED >= len(_DEPTHS):
        raise _damaged()
    return _DEPTHS[flags & ~_FILTERED], bool(flags & _FILTERED)


def _filtered(stream: bytes, head: Head) -> tuple[Bytes, bytes] | None:
    """Return stored samples and a description of rows with filters."""
    stored = read_rows(stream, head)
    told = None if stored is None else png.describe(stream, [len(stream)], stored, head)
    return None if stored is None or told is None else (stored, told)


def _plain(stream: bytes, head: Head) -> tuple[Bytes, bytes] | None:
    """Return stored samples and a description of rows without filters."""
    row = _row(head)
    found = deflate.describe(stream, head.height * row, [row])
    if found is None:
        return None
    rows = np.frombuffer(found.inflated, np.uint8).reshape(head.height, row)
    if head.depth < 8:
        return unpacked(rows, head.depth)[:, : head.width, None], found.description
    return rows.reshape(head.height, head.width, -1), found.description


def _row(head: Head) -> int:
    """Bytes of a row."""
    return -(-head.width * head.bits // 8)


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds a damaged description of an image of a PDF file")
