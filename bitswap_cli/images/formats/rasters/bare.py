"""Rows behind a header, plain: what the header says of them is told by the description, so that
archives need not know what it means. Headers of SGI, Sun, DDS, farbfeld and FITS are read, and
those of volumes.py.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from bitswap_cli.contract import Samples
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rasters import volumes
from bitswap_cli.images.formats.rows import Layout, misfit, split_rows, to_rows
from bitswap_cli.images.picture import MAX_LARGE_SAMPLES, MAX_PIXELS, Picture, Recipe, is_held

_ROWS = "rows"
_FLAGS = ("bottom_up", "bgr", "deep", "little", "signed")  # of a layout, from the lowest bit on
_BESIDE = 1 << 8  # bytes between rows, fewer than that
_BGR, _RGB = (0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000)  # masks of red, green and blue


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`."""
    layout = _layout(data)
    return None if layout is None else laid(data, layout)


def laid(data: bytes, layout: Layout) -> Picture | None:
    """Split a file into rows that lie so, and a recipe; None if they do not."""
    picture = split_rows(data, _ROWS, layout)
    if picture is None or not _is_close(layout):
        return None
    flags = sum(getattr(layout, flag) << bit for bit, flag in enumerate(_FLAGS))
    numbers = layout.height, layout.width, layout.channels, layout.stride
    told = b"".join([bytes([flags]), *map(varint, numbers), picture.recipe.description])
    return picture._replace(recipe=picture.recipe._replace(description=told))


def is_headed(data: bytes) -> bool:
    """Tell whether a header tells how rows lie in a file."""
    return _layout(data) is not None


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    layout, flat = _told(recipe)
    rows = to_rows(recipe._replace(description=flat), samples, layout)
    return b"".join([recipe.prefix, rows.tobytes(), recipe.suffix])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: signed samples as how many they are more than the least."""
    layout, flat = _told(recipe)
    pixels = samples.view(np.uint8)
    return whole(pixels) if layout.deep else with_flat(pixels, flat)


def _told(recipe: Recipe) -> tuple[Layout, bytes]:
    """Return how rows lie, and the flat channel, as a description tells."""
    reader = Reader(recipe.description)
    (flags,) = reader.take(1)
    height, width, channels, stride = (reader.varint() for _ in range(4))
    how: dict[str, Any] = {flag: bool(flags >> bit & 1) for bit, flag in enumerate(_FLAGS)}
    layout = Layout(len(recipe.prefix), stride, height, width, channels, **how)
    odd = layout.deep and channels % 2
    if flags >> len(_FLAGS) or odd or not (layout.fits and _is_close(layout)):
        raise misfit(recipe)
    return layout, reader.rest()


def _is_close(layout: Layout) -> bool:
    """Tell whether rows lie near each other, so that a file is not many times its samples."""
    beside = layout.stride - layout.width * layout.channels
    return beside < _BESIDE and layout.stride * layout.height <= MAX_LARGE_SAMPLES


def _layout(data: bytes) -> Layout | None:
    readers = [read for magic, read in _HEADERS.items() if data.startswith(magic)]
    for read in [volumes.read_dicom] if volumes.is_dicom(data) else readers:
        with suppress(struct.error, ValueError, KeyError):
            if (found := read(data)) is not None:
                return found
    return None


def _may_be_large(head: bytes, size: int) -> bool:
    if volumes.is_dicom(head):  # whose pixels begin anywhere
        return size > MAX_PIXELS
    layout = _layout(head)
    return layout is not None and not is_held(
        layout.height, layout.width, layout.channels, large=False
    )


def _sgi(data: bytes) -> Layout | None:
    """SGI (Paul Haeberli, The SGI Image File Format): gray, not packed; see also arrays/planar.py
    for colours."""
    _, packed, each, axes, width, height, channels = struct.unpack_from(">HBBHHHH", data)
    if packed or each not in (1, 2) or axes not in (2, 3) or (axes == 3 and channels != 1):
        return None
    return Layout(512, each * width, height, width, each, bottom_up=True, deep=each == 2)


def _sun(data: bytes) -> Layout | None:
    """Sun raster (rasterfile(5)): gray or colours, not packed, without a map."""
    _, width, height, depth, _, kind, _, more = struct.unpack_from(">8I", data)
    if kind not in (0, 1, 3) or depth not in (8, 24) or more:
        return None
    channels = depth // 8
    stride = -(-width * channels // 2) * 2
    return Layout(32, stride, height, width, channels, bgr=kind != 3 and depth == 24)


def _dds(data: bytes) -> Layout | None:
    """DirectDraw surface (Microsoft, Programming guide for DDS): RGB or RGBA, not packed."""
    height, width = struct.unpack_from("<II", data, 12)
    flags, _, depth, *masks = struct.unpack_from("<IIIIII", data, 80)
    if flags & 4 or depth not in (24, 32) or tuple(masks) not in (_BGR, _RGB):
        return None
    channels = depth // 8
    return Layout(128, width * channels, height, width, channels, bgr=tuple(masks) == _BGR)


def _farbfeld(data: bytes) -> Layout | None:
    """Farbfeld (suckless.org): RGBA of 16 bits."""
    width, height = struct.unpack_from(">II", data, 8)
    return Layout(16, 8 * width, height, width, 8, deep=True)


def _fits(data: bytes) -> Layout | None:
    """FITS (the standard, version 4.0): bytes, or signed numbers of 16 bits, of 2 or 3 axes."""
    told = {}
    for start in range(0, min(len(data), 1 << 18), 80):
        card = data[start : start + 80]
        if card[:8] == b"END     ":
            break
        told[card[:8].strip()] = card[10:].partition(b"/")[0].strip()
    else:
        return None
    names = (b"BITPIX", b"NAXIS", b"NAXIS1", b"NAXIS2", b"NAXIS3")
    bits, axes, width, height, slices = (int(told.get(name, b"0")) for name in names)
    if bits not in (8, 16) or axes not in (2, 3):
        return None
    height *= slices if axes == 3 else 1
    start, each = -(-(start + 80) // 2880) * 2880, bits // 8
    deep = bits == 16
    return Layout(start, each * width, height, width, each, True, deep=deep, signed=deep)


_HEADERS: Mapping[bytes, Callable[[bytes], Layout | None]] = {
    **volumes.HEADERS,
    b"\x01\xda\0": _sgi,
    b"\x59\xa6\x6a\x95": _sun,
    b"DDS \x7c\0\0\0": _dds,
    b"farbfeld": _farbfeld,
    b"SIMPLE  =": _fits,
}
"""By how files begin."""

MAGIC: Sequence[bytes] = tuple(_HEADERS)
KINDS: Sequence[Kind] = (
    Kind(_ROWS, 46, exact=True, plain=False, common=True, feature="rows", large=_may_be_large),
)
