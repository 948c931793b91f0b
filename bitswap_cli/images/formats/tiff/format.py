"""TIFF as a format: its pages one below the other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat, without_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.palette import colours_of, indices_of, shown_by
from bitswap_cli.images.formats.png.turns import Turns
from bitswap_cli.images.formats.rows import misfit
from bitswap_cli.images.formats.tiff import pages as directory
from bitswap_cli.images.formats.tiff.pages import Page, read_pages
from bitswap_cli.images.formats.tiff.segments import damaged, give, take
from bitswap_cli.images.packings.fax import BLANK
from bitswap_cli.images.picture import MAX_PIXELS, MAX_RECIPE, Picture, Recipe, is_held

_LARGE = 1 << 22  # bytes of a file that may be large: its beginning does not tell, but its size

_PLAIN = Kind(
    "tiff", 21, exact=True, plain=False, common=True, feature="tiff",
    large=lambda _, size: size > _LARGE,
)  # fmt: skip
_INDICES = _PLAIN._replace(name="tiff-indices", number=22, common=False)
_COLOURS = _INDICES._replace(name="tiff-colours", number=23)
_SMALL = (_PLAIN, _INDICES, _COLOURS)
_BIG = {
    f"big{kind.name}": kind._replace(name=f"big{kind.name}", number=number, feature="bigtiff")
    for number, kind in enumerate(_SMALL, 39)
}
_FAX = _PLAIN._replace(name="tiff-fax", number=47, feature="fax")

MAGIC: Sequence[bytes] = (*directory.MAGIC, *directory.BIG_MAGIC)
KINDS: Sequence[Kind] = (_FAX, *_SMALL, *_BIG.values())

_TURNS = Turns(MAX_PIXELS)  # to describe and restore
_FREE = 1 << 22  # pixels of facsimiles that are looked at however few bytes tell them
_SPARE = 1 << 20  # bytes that segments may have more than twice the samples

Bytes = NDArray[np.uint8]


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "tiff-indices" and "tiff-colours" are palette images by the former or the
    latter; those of BigTIFF files have names that begin with "big". What is beside a page narrower
    than others is zero."""
    pages = _read(data, kind)
    holes = _holes(pages)
    if not pages or holes is None or _is_blank(pages, data):
        return None
    pixels, told, top = np.zeros((*_size(pages), pages[0].channels), np.uint8), [], 0
    for page in pages:
        with _TURNS.of(page.height * page.width):
            description = take(data, page, pixels[top : top + page.height, : page.width])
        if description is None:
            return None
        told.append(description)
        top += page.height
    flat = b""
    if pages[0].depth != 16:
        seen, flat = without_flat(pixels)
        pixels = np.ascontiguousarray(seen)
    found = _by_colours(pixels, pages) if _is(kind, _COLOURS) else pixels
    kept, at, gaps = [], 0, [varint(len(holes))]
    for start, end in holes:
        kept.append(data[at:start])
        gaps += [varint(start - at), varint(end - start)]
        at = end
    prefix = b"".join([*kept, data[at:]])
    description = b"".join([bytes([len(flat)]), flat, *gaps, *told])
    if found is None or len(prefix) > MAX_RECIPE or len(prefix) + len(description) >= len(data):
        return None
    return Picture(found, Recipe(kind, prefix, b"", description))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    flat, data, reader = _opened(recipe, samples)
    pages = _read(bytes(data), recipe.kind)
    if not pages:
        raise misfit(recipe)
    pixels = samples.view(np.uint8)
    pixels = with_flat(pixels, flat) if pages[0].depth != 16 else pixels
    channels = 3 if _is(recipe.kind, _COLOURS) else pages[0].channels
    if pixels.shape != (*_size(pages), channels):
        raise misfit(recipe)
    top = 0
    for page in pages:
        seen: Bytes | None = pixels[top : top + page.height, : page.width]
        if _is(recipe.kind, _COLOURS) and page.palette is not None:
            seen = indices_of(pixels[top : top + page.height, : page.width], page.palette)
        if seen is None:
            raise misfit(recipe)
        with _TURNS.of(page.height * page.width):
            give(data, page, seen, reader)
        top += page.height
    if reader.rest() or recipe.suffix:
        raise damaged()
    return bytes(data)


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: all pages, one below the other, each up to what it shows."""
    flat, data, _ = _opened(recipe, samples)
    pages = _read(bytes(data), recipe.kind)
    pixels = with_flat(samples.view(np.uint8), flat)
    if not pages or pixels.shape[:2] != _size(pages):
        raise misfit(recipe)
    height, width = (sum(p.shown[0] for p in pages), max(p.shown[1] for p in pages))
    by_palette = _is(recipe.kind, _INDICES)
    seen = np.zeros((height, width, 3 if by_palette else pixels.shape[2]), np.uint8)
    top = at = 0
    for page in pages:
        here = pixels[top : top + page.shown[0], : page.shown[1]]
        if by_palette and page.palette is not None:
            here = shown_by(here, page.palette)
        seen[at : at + page.shown[0], : page.shown[1]] = here
        top, at = top + page.height, at + page.shown[0]
    return whole(seen) if pages[0].depth == 16 else seen


def _read(data: bytes, kind: str) -> list[Page]:
    """Return the pages of a file; none if they are not those of a picture of this kind, or too
    large."""
    fax = kind == _FAX.name
    if not fax and data.startswith(directory.BIG_MAGIC) != (kind in _BIG):
        return []
    pages = read_pages(data, fax=fax)
    if not pages or fax != any(page.fax for page in pages):
        return []
    if (pages[0].palette is None) != (fax or _is(kind, _PLAIN)):
        return []
    height, width = _size(pages)
    channels = 3 if _is(kind, _COLOURS) else pages[0].channels
    return pages if is_held(height, width, channels, large=True) else []


def _is(kind: str, own: Kind) -> bool:
    """Tell whether a kind is one of these three, be it of BigTIFF files."""
    return kind in (own.name, f"big{own.name}")


def _size(pages: Sequence[Page]) -> tuple[int, int]:
    return sum(page.height for page in pages), max(page.width for page in pages)


def _holes(pages: Sequence[Page]) -> list[tuple[int, int]] | None:
    """Return where segments lie, those that touch as one; None if two have bytes in common, or
    they are too large for their samples."""
    spans = sorted(
        (place, place + size)
        for page in pages
        for place, size in zip(page.places, page.sizes, strict=True)
    )
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            return None
        if found and start == found[-1][1]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    samples = sum(page.height * page.width * page.channels for page in pages)
    return found if sum(end - start for start, end in found) <= 2 * samples + _SPARE else None


def _is_blank(pages: Sequence[Page], data: bytes) -> bool:
    """Tell whether facsimiles are large for their file, which is nearly blank then."""
    pixels = sum(page.height * page.width for page in pages if page.fax)
    return pixels > BLANK * len(data) + _FREE


def _opened(recipe: Recipe, samples: Samples) -> tuple[bytes, bytearray, Reader]:
    """Return the value of a channel that was left out, the file with zeros for its segments, and a
    reader of what tells how these were packed."""
    reader = Reader(recipe.description)
    flat = reader.take(reader.varint())
    parts, at, total = [], 0, 0
    for _ in range(reader.varint()):
        gap, size = reader.varint(), reader.varint()
        total += size
        if at + gap > len(recipe.prefix) or total > 2 * _most(samples) + _SPARE or not size:
            raise damaged()
        parts += [recipe.prefix[at : at + gap], bytes(size)]
        at += gap
    return flat, bytearray(b"".join([*parts, recipe.prefix[at:]])), reader


def _most(samples: Samples) -> int:
    """Return the most bytes of samples that a picture of this size has in its file."""
    height, width, channels = samples.shape
    return int(height * width * (channels + 1))


def _by_colours(indices: Bytes, pages: Sequence[Page]) -> Bytes | None:
    """Return pages of indices by their colours; None if that would lose which index they had."""
    found, top = np.zeros((*indices.shape[:2], 3), np.uint8), 0
    for page in pages:
        here = slice(top, top + page.height), slice(page.width)
        colours = None if page.palette is None else colours_of(indices[here], page.palette)
        if colours is None:
            return None
        found[here] = colours
        top += page.height
    return found
