"""Strips and tiles <-> samples and a description of how they were packed."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import deflate
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.bits import packed, unpacked
from bitswap_cli.images.formats.deep import big_endian, high_first
from bitswap_cli.images.formats.tiff.pages import (
    DEFLATE,
    LZW,
    NONE,
    OLD_DEFLATE,
    PACKBITS,
    RLE,
    T4,
    T6,
    Page,
)
from bitswap_cli.images.packings import fax, lzw, runs

Bytes = NDArray[np.uint8]


def take(data: bytes, page: Page, pixels: Bytes) -> bytes | None:
    """Write the samples of a page into a picture, and say how its segments were packed.

    Parameters
    ----------
    data : bytes
        The file.
    page : Page
    pixels : uint8 array (height, width, channels) of the page
        Written to.

    Returns
    -------
    bytes or None
        None if a segment is damaged, or its packer has too many whims.
    """
    told = []
    stored = np.zeros((page.height, page.width, page.channels), np.uint8)
    for part, place, size in zip(_parts(page, stored), page.places, page.sizes, strict=True):
        found = _unpacked(data[place : place + size], page, len(part) * page.row)
        if found is None or place + size > len(data):
            return None
        plain, description = found
        part[:] = _samples(plain.reshape(len(part), page.row), page)
        told.append(description)
    if page.depth == 16:
        stored = high_first(_swapped(stored) if page.little else stored)
    pixels[:] = stored * np.uint8(page.scale) if page.scale > 1 else stored
    return b"".join(told)


def give(data: bytearray, page: Page, pixels: Bytes, reader: Reader) -> None:
    """Write the segments of a page into a file (inverse of `take`).

    Raises
    ------
    ArchiveError
        If the description that the reader is at is damaged, or does not belong to the samples.
    """
    stored = pixels
    if page.scale > 1:
        stored, rest = np.divmod(pixels, np.uint8(page.scale))
        if rest.any():
            raise damaged()
    if page.depth == 16:
        stored = big_endian(pixels)
        stored = _swapped(stored) if page.little else stored
    if page.depth < 8 and int(stored.max()) >> page.depth:
        raise damaged()
    for part, place, size in zip(_parts(page, stored), page.places, page.sizes, strict=True):
        segment = _packed(np.ascontiguousarray(_rows(part, page)), page, reader)
        if len(segment) != size or place + size > len(data):
            raise damaged()
        data[place : place + size] = segment


def damaged() -> ArchiveError:
    """Return the error to raise for a description that does not hold."""
    return ArchiveError("the archive holds a damaged description of a TIFF file")


def _parts(page: Page, stored: Bytes) -> Iterator[Bytes]:
    """Yield views of what the segments of a page hold, in their order."""
    unit = max(1, page.depth // 8)
    for plane in range(page.samples if page.separate else 1):
        own = stored[..., plane * unit : (plane + 1) * unit] if page.separate else stored
        for top in range(0, page.height, page.rows):
            for left in range(0, page.width, page.columns):
                yield own[top : top + page.rows, left : left + page.columns]


def _samples(rows: Bytes, page: Page) -> Bytes:
    """Return the bytes of rows (H, bytes of a row) as samples (H, W, bytes of a pixel)."""
    if page.depth < 8:
        return unpacked(rows, page.depth)[:, : page.columns, None]
    if page.differences:
        order = "<" if page.little else ">"
        values = rows.view(np.dtype(f"{order}u{page.depth // 8}"))
        values = values.reshape(len(rows), page.columns, page.together)
        summed = np.cumsum(values, axis=1, dtype=values.dtype.newbyteorder("="))
        rows = summed.astype(values.dtype).view(np.uint8)
    return rows.reshape(len(rows), page.columns, -1)


def _rows(part: Bytes, page: Page) -> Bytes:
    """Invert `_samples`."""
    if page.depth < 8:
        return packed(part[..., 0], page.depth)
    rows = np.ascontiguousarray(part)
    if page.differences:
        order = "<" if page.little else ">"
        values = rows.view(np.dtype(f"{order}u{page.depth // 8}"))
        values = np.diff(values, axis=1, prepend=values.dtype.type(0)).astype(values.dtype)
        rows = np.ascontiguousarray(values).view(np.uint8)
    return rows.reshape(len(rows), -1)


def _unpacked(segment: bytes, page: Page, size: int) -> tuple[Bytes, bytes] | None:
    """Return the bytes of a segment, and how it was packed."""
    if page.compression == NONE:
        return (np.frombuffer(segment, np.uint8), b"") if len(segment) == size else None
    if page.compression == LZW:
        return lzw.take(segment, size, 8, tiff=True)
    if page.compression == PACKBITS:
        found = runs.read(segment, 0, size, 1, tiff=True)
        told = found and runs.describe(found.units, found.packets, page.row)
        if found is None or told is None:
            return None
        rest = segment[found.end :]
        return found.units[:, 0], b"".join([told, varint(len(rest)), rest])
    if page.fax:
        codings = {RLE: [fax.BYTES_OF_LENGTHS], T4: fax.t4(tagged=page.tagged), T6: [fax.T6]}
        height = size // page.row
        seen = fax.take(
            segment, height, page.columns, codings[page.compression], low_first=page.low_first
        )
        if seen is None or len(seen[0]) != height:
            return None
        return packed(seen[0], 1).reshape(-1), seen[1]
    described = deflate.describe(segment, size, [page.row])
    if described is None or len(described.inflated) != size:
        return None
    told = described.description
    return np.frombuffer(described.inflated, np.uint8), varint(len(told)) + told


def _packed(rows: Bytes, page: Page, reader: Reader) -> bytes:
    """Invert `_unpacked`, of rows (H, bytes of a row)."""
    plain = rows.reshape(-1)
    if page.compression == LZW:
        return lzw.give(plain, reader, 8, tiff=True)
    if page.compression == PACKBITS:
        segment = runs.write(plain[:, None], reader, page.row, tiff=True)
        return segment + reader.take(reader.varint())
    if page.fax:
        return fax.give(unpacked(rows, 1)[:, : page.columns], reader)
    if page.compression in (DEFLATE, OLD_DEFLATE):
        return deflate.restore(plain.tobytes(), reader.take(reader.varint()))
    return plain.tobytes()


def _swapped(pixels: Bytes) -> Bytes:
    """Swap the two bytes of each sample."""
    return pixels.reshape(*pixels.shape[:2], -1, 2)[..., ::-1].reshape(pixels.shape)
