"""PNG: pixels taken from IDAT, every other chunk verbatim."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.picture import Picture, Recipe, big_endian, high_first
from bitswap_cli.images.png_chunks import (
    GRAY,
    PALETTE,
    Head,
    chunk,
    find_pixels,
    read_head,
    read_palette,
)
from bitswap_cli.images.png_rows import read_rows, write_rows


class _Start(NamedTuple):
    """What stands before the pixels and decides what they are."""

    head: Head
    palette: NDArray[np.uint8] | None
    """Of a palette image, else None."""


def split(data: bytes, kind: str) -> Picture | None:
    """Split a file into pixels and recipe; None if it is no picture of this kind.

    Parameters
    ----------
    data : bytes
        The whole file.
    kind : str
        "png" is 8-bit gray or RGB, "png-samples" any other image as it is stored, "png-colours"
        a palette image by its colours.

    Returns
    -------
    Picture or None
        Its pixels are a uint8 array (H, W, C) as `inspect` and `inspect_wide` tell.
    """
    before = _read_start(data, kind)
    if before is None:
        return None
    head, palette = before
    found = find_pixels(data, palette=palette is not None)
    stored = None if found is None else read_rows(found[2], head)
    if found is None or stored is None:
        return None
    if kind == "png-colours" and palette is not None:
        pixels = _colours(stored, palette)
    else:
        pixels = _samples(stored, head)
    start, end, _ = found
    return None if pixels is None else Picture(pixels, Recipe(kind, data[:start], data[end:]))


def join(recipe: Recipe, pixels: NDArray[np.uint8], level: int = 6) -> bytes:
    """Encode pixels as the IDAT chunk between a recipe's prefix and suffix.

    `level` is zlib's; 1 is several times faster.

    Raises
    ------
    ArchiveError
        If the prefix is none of the recipe's kind, or not that of these pixels.
    """
    before = _read_start(recipe.prefix, recipe.kind)
    stored = None if before is None else _stored(recipe.kind, before, pixels)
    if before is None or stored is None:
        raise ArchiveError("the archive holds a PNG header that does not fit its pixels")
    idat = write_rows(stored, before.head, level)
    return b"".join([recipe.prefix, chunk(b"IDAT", idat), recipe.suffix])


def _read_start(data: bytes, kind: str) -> _Start | None:
    """Read header and palette; None if they are not those of a picture of this kind."""
    head = read_head(data)
    if head is None or head.is_plain != (kind == "png"):
        return None
    if head.colour == PALETTE:
        palette = read_palette(data)
        return None if palette is None else _Start(head, palette)
    return None if kind == "png-colours" else _Start(head, None)


def _stored(kind: str, before: _Start, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return pixels as the file stores them; None if they do not fit there."""
    head, palette = before
    colours = palette if kind == "png-colours" else None
    channels = max(1, head.bits // 8) if colours is None else colours.shape[1]
    if pixels.shape != (head.height, head.width, channels):
        return None
    if colours is not None:
        return _indices(pixels, colours[: 1 << head.depth])
    if head.depth == 16:
        return big_endian(pixels)
    if head.depth == 8:
        return pixels
    values, rest = np.divmod(pixels, _scale(head))
    return None if rest.any() or int(values.max()) >> head.depth else values


def _samples(stored: NDArray[np.uint8], head: Head) -> NDArray[np.uint8]:
    """Return pixels by their samples."""
    return high_first(stored) if head.depth == 16 else stored * _scale(head)


def _scale(head: Head) -> np.uint8:
    """Return what 8-bit values are multiples of: gray of fewer bits spans the whole range."""
    return np.uint8(255 // ((1 << head.depth) - 1) if head.colour == GRAY else 1)


def _colours(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return pixels by their colours; None if that would lose which index they had."""
    if indices.max() >= len(palette):
        return None
    keys = _keys(palette)
    _, first, same = np.unique(keys, return_index=True, return_inverse=True)
    used = np.zeros(len(keys), bool)
    used[indices] = True
    if np.any(used & (first[same] != np.arange(len(keys)))):
        return None
    return palette[indices[:, :, 0]]


def _indices(pixels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the first index of each pixel's colour; None if it is not in the palette."""
    keys, first = np.unique(_keys(palette), return_index=True)
    wanted = _keys(pixels.reshape(-1, pixels.shape[2]))
    # What is above every key would get a place beyond them, if the last one took part.
    place = np.searchsorted(keys[:-1], wanted)
    if np.any(keys[place] != wanted):
        return None
    return first.astype(np.uint8)[place].reshape(*pixels.shape[:2], 1)


def _keys(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return one number for each colour of an array (N, 3 or 4)."""
    padded = np.zeros((len(colours), 4), np.uint8)
    padded[:, : colours.shape[1]] = colours
    return padded.view(np.uint32)[:, 0]
