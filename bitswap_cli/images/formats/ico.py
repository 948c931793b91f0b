"""ICO and CUR: the images that they hold, one below the other: bitmaps of 32 bits, or of fewer with
a mask, and PNG files."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.palette import colours_of, indices_of
from bitswap_cli.images.formats.png import format as png
from bitswap_cli.images.formats.rows import Layout, from_rows, misfit, samples_of, to_rows
from bitswap_cli.images.picture import MAX_PIXELS, MAX_SAMPLES, Picture, Recipe

MAGIC: Sequence[bytes] = (b"\0\0\1\0", b"\0\0\2\0")
_PLAIN = Kind("ico", 24, exact=True, plain=False, common=True, feature="ico")
_FEWER = _PLAIN._replace(name="ico-masks", number=42, feature="ico-masks")
KINDS: Sequence[Kind] = (_PLAIN, _FEWER)

_PNG = "png-samples-exact"
_VERBATIM, _BITMAP, _FILE, _MASKED = range(4)  # what becomes of an image
_LAST = {_PLAIN.name: _FILE, _FEWER.name: _MASKED}
_NO_RECIPE = Recipe("ico", b"", b"")
_HEAD, _ENTRY, _BITMAP_HEAD = 6, 16, 40
_CHANNELS = 4
_MOST = min(MAX_PIXELS, MAX_SAMPLES // _CHANNELS)

Bytes = NDArray[np.uint8]


class _Place(NamedTuple):
    """Where an image lies."""

    start: int
    size: int


class _Masked(NamedTuple):
    """A bitmap of fewer than 32 bits, and behind its rows those of its mask."""

    height: int
    width: int
    depth: int
    entries: int
    """Of its palette, if it has one."""

    @classmethod
    def of(cls, head: bytes) -> "_Masked | None":
        """Read the header of a bitmap; None if it is none of these."""
        told = _told(head)
        if told is None or told[2] not in (1, 4, 8, 24):
            return None
        height, width, depth = told
        most = 1 << depth if depth <= 8 else 0
        found = cls(height, width, depth, struct.unpack_from("<I", head, 32)[0] or most)
        return found if found.entries <= most and found.colours.fits else None

    @property
    def head(self) -> int:
        """Bytes before the rows."""
        return _BITMAP_HEAD + 4 * self.entries

    @property
    def colours(self) -> Layout:
        """How rows of colours lie."""
        stride, channels = -(-self.width * self.depth // 32) * 4, 3 if self.depth == 24 else 1
        lies = Layout(0, stride, self.height, self.width, channels, bottom_up=True)
        return lies._replace(bgr=channels == 3, depth=min(self.depth, 8))

    @property
    def mask(self) -> Layout:
        """How rows of the mask lie."""
        stride = -(-self.width // 32) * 4
        return Layout(0, stride, self.height, self.width, 1, bottom_up=True, depth=1)

    @property
    def size(self) -> int:
        """Bytes of both."""
        return (self.colours.stride + self.mask.stride) * self.height

    def pixels(self, head: bytes, rows: bytes) -> Bytes | None:
        """Return red, green, blue and alpha, 0 where the mask is set; None if the colours of a
        palette do not tell what indices there were."""
        stored, end = np.frombuffer(rows, np.uint8), self.colours.stride * self.height
        seen: Bytes | None = samples_of(stored[:end].reshape(self.height, -1), self.colours)
        mask = samples_of(stored[end:].reshape(self.height, -1), self.mask)
        if self.depth <= 8 and seen is not None:
            seen = colours_of(np.ascontiguousarray(seen), self._palette(head))
        return None if seen is None else np.concatenate([seen, 255 * (1 - mask)], axis=2)

    def rows(self, head: bytes, pixels: Bytes) -> bytes | None:
        """Invert `pixels`; None if there are other colours or alphas."""
        seen: Bytes | None = np.ascontiguousarray(pixels[..., :3])
        mask = (pixels[..., 3:] == 0).astype(np.uint8)
        if self.depth <= 8:
            whole = len(head) == self.head
            seen = indices_of(pixels[..., :3], self._palette(head)) if whole else None
        if seen is None or not np.array_equal(255 * (1 - mask), pixels[..., 3:]):
            return None
        parts = (seen, self.colours), (mask, self.mask)
        return b"".join(to_rows(_NO_RECIPE, own, layout).tobytes() for own, layout in parts)

    def _palette(self, head: bytes) -> Bytes:
        entries = np.frombuffer(head, np.uint8, 4 * self.entries, _BITMAP_HEAD)
        return entries.reshape(-1, 4)[:, 2::-1]


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "ico-masks" has bitmaps of fewer than 32 bits, too. What is beside an
    image narrower than others is zero."""
    places, fewer = _places(data), False
    skeleton, told, images, at = [], [], [], 0
    for start, size in places:
        if start < at or start + size > len(data):
            return None
        image = data[start : start + size]
        found = _bitmap(image) or _masked(image) or _file(image) or (_VERBATIM, None, b"", 0, 0)
        what, pixels, description, before, length = found
        fewer |= what == _MASKED
        told += [bytes([what]), description]
        skeleton.append(data[at : start + before])
        at = start + before + length
        if pixels is not None:
            images.append(pixels)
        if (
            sum(len(one) for one in images) * max((one.shape[1] for one in images), default=0)
            > _MOST
        ):
            return None
    if not images or fewer != (kind == _FEWER.name):
        return None
    width = max(image.shape[1] for image in images)
    beside = [np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0))) for image in images]
    prefix = b"".join([*skeleton, data[at:]])
    return Picture(np.concatenate(beside), Recipe(kind, prefix, b"", b"".join(told)))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    pixels, reader = samples.view(np.uint8), Reader(recipe.description)
    places = _places(recipe.prefix)
    if pixels.shape[2] != _CHANNELS or recipe.suffix:
        raise misfit(recipe)
    out, at, top, widest = bytearray(), 0, 0, 0
    for start, size in places:
        kept = recipe.prefix[at : at + start - len(out)]
        at, out = at + len(kept), out + kept
        (what,) = reader.take(1)
        if len(out) != start or what > _LAST[recipe.kind]:
            raise misfit(recipe)
        height = width = 0
        if what == _BITMAP:
            head = recipe.prefix[at : at + _BITMAP_HEAD]
            layout = _layout(head)
            if layout is None:
                raise misfit(recipe)
            height, width = layout.height, layout.width
            at, out = at + len(head), out + head
            seen = _part(recipe, pixels, top, height, width)
            out += to_rows(recipe._replace(description=b""), seen, layout).tobytes()
        elif what == _MASKED:
            masked = _Masked.of(recipe.prefix[at : at + _BITMAP_HEAD])
            if masked is None:
                raise misfit(recipe)
            height, width = masked.height, masked.width
            head = recipe.prefix[at : at + masked.head]
            at, rows = at + len(head), masked.rows(head, _part(recipe, pixels, top, height, width))
            if rows is None:
                raise misfit(recipe)
            out += head + rows
        elif what == _FILE:
            height, width = reader.varint(), reader.varint()
            parts = [reader.take(reader.varint()) for _ in range(3)]
            file = png.join(Recipe(_PNG, *parts), _part(recipe, pixels, top, height, width))
            if len(file) != size:
                raise _damaged()
            out += file
        top, widest = top + height, max(widest, width)
    if reader.rest() or pixels.shape[:2] != (top, widest):
        raise _damaged()
    return bytes(out + recipe.prefix[at:])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: all images that are split, one below the other."""
    return samples.view(np.uint8)


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds a damaged description of an ICO file")


def _part(recipe: Recipe, pixels: Bytes, top: int, height: int, width: int) -> Bytes:
    seen = pixels[top : top + height, :width]
    if seen.shape[:2] != (height, width) or not seen.size:
        raise misfit(recipe)
    return np.ascontiguousarray(seen)


def _places(data: bytes) -> list[_Place]:
    """Return where the images of a file lie, in the order in which they do."""
    if len(data) < _HEAD or data[:4] not in MAGIC:
        return []
    (count,) = struct.unpack_from("<H", data, 4)
    if len(data) < _HEAD + _ENTRY * count:
        return []
    entries = [struct.unpack_from("<8xII", data, _HEAD + _ENTRY * k) for k in range(count)]
    return sorted(_Place(start, size) for size, start in entries)


def _told(head: bytes) -> tuple[int, int, int] | None:
    """Return height, width and depth of a bitmap; None if it is packed, or none. In the file, its
    height counts its mask, too."""
    if len(head) < _BITMAP_HEAD:
        return None
    size, width, height, planes, depth, packing = struct.unpack_from("<IiiHHI", head)
    if size != _BITMAP_HEAD or planes != 1 or packing or height < 2 or height % 2:
        return None
    return height // 2, width, depth


def _layout(head: bytes) -> Layout | None:
    """Return how the rows of a bitmap lie; None if it has not 32 bits."""
    told = _told(head)
    if told is None or told[2] != 32:
        return None
    height, width, _ = told
    layout = Layout(0, 4 * width, height, width, _CHANNELS, bottom_up=True, bgr=True)
    return layout if layout.fits else None


def _bitmap(image: bytes) -> tuple[int, Bytes, bytes, int, int] | None:
    """Return what becomes of a bitmap, its pixels, what tells more of it, how many bytes come
    before these, and how many they are; None if it is none of 32 bits."""
    layout = _layout(image)
    if layout is None:
        return None
    length = layout.stride * layout.height
    if _BITMAP_HEAD + length > len(image):
        return None
    rows = np.frombuffer(image, np.uint8, length, _BITMAP_HEAD).reshape(layout.height, -1)
    pixels, flat = from_rows(rows, layout)
    if flat:
        every = np.full((*pixels.shape[:2], 1), flat[0], np.uint8)
        pixels = np.concatenate([pixels, every], axis=2)
    return _BITMAP, pixels, b"", _BITMAP_HEAD, length


def _masked(image: bytes) -> tuple[int, Bytes, bytes, int, int] | None:
    """Return the same of a bitmap of fewer bits; None if it does not come back."""
    masked = _Masked.of(image)
    if masked is None or masked.head + masked.size > len(image):
        return None
    head, rows = image[: masked.head], image[masked.head : masked.head + masked.size]
    pixels = masked.pixels(head, rows)
    if pixels is None or masked.rows(head, pixels) != rows:
        return None
    return _MASKED, pixels, b"", masked.head, masked.size


def _file(image: bytes) -> tuple[int, Bytes, bytes, int, int] | None:
    """Return the same of a PNG file; None if it is none of 8 bits and four channels."""
    picture = png.split(image, _PNG)
    if picture is None or picture.pixels.shape[2] != _CHANNELS:
        return None
    description = png.describe_file(image)
    if description is None:
        return None
    pixels, (_, prefix, suffix, _) = picture
    told = [varint(length) for length in pixels.shape[:2]]
    for part in (prefix, suffix, description):
        told += [varint(len(part)), part]
    return _FILE, pixels.view(np.uint8), b"".join(told), 0, len(image)
