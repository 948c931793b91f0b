"""Animated PNG as a format: its frames, one below the other (W3C, Portable Network Graphics, 11.3.2
and 11.3.3).

What is left of a file without its IDAT and fdAT chunks is the prefix. The frames are where IDAT
chunks were, which the description tells, and right behind each fcTL that these do not follow.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.palette import colours_of, indices_of, shown_by
from bitswap_cli.images.formats.png.chunks import (
    PALETTE,
    SIGNATURE,
    Head,
    chunk,
    each_chunk,
    read_head,
    read_palette,
)
from bitswap_cli.images.formats.png.rows import read_rows
from bitswap_cli.images.formats.png.stream import describe, restore
from bitswap_cli.images.formats.png.turns import Turns
from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe, is_held

_IMAGE, _CONTROL, _DATA = b"IDAT", b"fcTL", b"fdAT"
_HEAD = 1 << 12  # bytes at the beginning in which acTL has to stand
_CONTROL_SIZE = 26  # bytes of the body of fcTL
_NUMBER = struct.Struct(">I")  # before the data in fdAT
_TURNS = Turns(MAX_PIXELS)  # to describe and restore

Bytes = NDArray[np.uint8]

_PLAIN = Kind("apng", 25, exact=True, plain=False, common=True, feature="apng")
_INDICES = _PLAIN._replace(name="apng-indices", number=26, common=False)
_COLOURS = _INDICES._replace(
    name="apng-colours", number=27, palette=lambda recipe: read_palette(recipe.prefix)
)

MAGIC: Sequence[bytes] = (SIGNATURE,)
KINDS: Sequence[Kind] = (_PLAIN, _INDICES, _COLOURS)


class _Frame(NamedTuple):
    """Where a frame's pixels belong in a prefix, and what is known of them there."""

    place: int
    tag: bytes
    """Of its chunks."""
    head: Head
    number: int
    """Of the first of its fdAT chunks."""


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: "apng" has 8 bits a sample, "apng-indices" and "apng-colours" are palette
    images by the former or the latter. What is beside a narrower frame is zero."""
    if not _begins(data[:_HEAD]):
        return None
    runs = _Runs(data)
    frames = _frames(runs.prefix, runs.before)
    if not frames or len(frames) != len(runs.bodies) or not _fits(kind, frames):
        return None
    height, width = _size(frames)
    pixels = np.zeros((height, width, frames[0].head.unit), np.uint8)
    told, top = [varint(runs.before)], 0
    for frame, bodies in zip(frames, runs.bodies, strict=True):
        stream, head = b"".join(bodies), frame.head
        stored = read_rows(stream, head)
        if stored is None:
            return None
        with _TURNS.of(head.height * head.width):
            own = describe(stream, [len(body) for body in bodies], stored, head)
        if own is None:
            return None
        told += [varint(len(own)), own]
        pixels[top : top + head.height, : head.width] = stored
        top += head.height
    description = b"".join(told)
    if len(description) >= sum(len(body) for bodies in runs.bodies for body in bodies):
        return None
    if kind == _COLOURS.name:
        palette = read_palette(runs.prefix)
        found = None if palette is None else colours_of(pixels, palette)
        if found is None:
            return None
        pixels = found
    return Picture(pixels, Recipe(kind, runs.prefix, b"", description))


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    reader = Reader(recipe.description)
    frames = _frames(recipe.prefix, reader.varint())
    pixels = _stored(recipe, samples)
    if not frames or not _fits(recipe.kind, frames):
        raise _misfit()
    if pixels is None or pixels.shape != (*_size(frames), frames[0].head.unit):
        raise _misfit()
    out, at, top = [], 0, 0
    for place, tag, head, number in frames:
        stored = np.ascontiguousarray(pixels[top : top + head.height, : head.width])
        if int(stored.max()) >> head.depth:
            raise _misfit()
        with _TURNS.of(head.height * head.width):
            bodies = restore(reader.take(reader.varint()), stored, head)
        if tag == _DATA:
            bodies = [_NUMBER.pack(number + k) + body for k, body in enumerate(bodies)]
        out += [recipe.prefix[at:place], *(chunk(tag, body) for body in bodies)]
        at, top = place, top + head.height
    if reader.rest() or recipe.suffix:
        raise _misfit()
    return b"".join([*out, recipe.prefix[at:]])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: all frames, as they are stored."""
    pixels = samples.view(np.uint8)
    palette = read_palette(recipe.prefix) if recipe.kind == _INDICES.name else None
    return pixels if palette is None else shown_by(pixels, palette)


def _begins(head: bytes) -> bool:
    """Tell whether a file that begins so may be animated."""
    return head.startswith(SIGNATURE) and b"acTL" in head


class _Runs:
    """A file without the pixels of its frames, and these.

    Attributes
    ----------
    prefix : bytes
        The file without them.
    before : int
        How many of its chunks come before the IDAT chunks.
    bodies : list of list of bytes
        Of each frame, what its chunks hold.
    """

    def __init__(self, data: bytes) -> None:
        kept, at, count, last = list[bytes](), 0, 0, b""
        self.before, self.bodies = 0, list[list[bytes]]()
        for tag, start, end in each_chunk(data):
            if tag not in (_IMAGE, _DATA):
                count += 1
            else:
                kept.append(data[at:start])
                at = end
                if tag != last:
                    self.bodies.append([])
                    self.before = count if tag == _IMAGE else self.before
                skipped = _NUMBER.size if tag == _DATA else 0
                self.bodies[-1].append(data[start + 8 + skipped : end - 4])
            last = tag
        self.prefix = b"".join([*kept, data[at:]])


def _frames(prefix: bytes, before: int) -> list[_Frame]:
    """Return the frames of a prefix, in which so many chunks come before IDAT; none if it is that
    of another file."""
    whole = read_head(prefix)
    if whole is None or whole.depth > 8 or (whole.colour != PALETTE and whole.depth < 8):
        return []
    found, animated = list[_Frame](), False
    pending: tuple[int, Head, int] | None = None  # a frame that an fcTL has told of
    for count, (tag, start, end) in enumerate(each_chunk(prefix)):
        if count == before:
            found.append(_Frame(start, _IMAGE, whole, 0))
            pending = None
        if pending:
            found.append(_Frame(pending[0], _DATA, *pending[1:]))
            pending = None
        if tag == _CONTROL and end - start == 12 + _CONTROL_SIZE:
            number, width, height = struct.unpack_from(">III", prefix, start + 8)
            animated = True
            pending = end, whole._replace(height=height, width=width), number + 1
    return found if animated and any(frame.tag == _IMAGE for frame in found) else []


def _fits(kind: str, frames: Sequence[_Frame]) -> bool:
    """Tell whether frames are of a kind, and few enough pixels."""
    head = frames[0].head
    channels = 4 if kind == _COLOURS.name else head.unit
    sizes = [size for frame in frames for size in (frame.head.height, frame.head.width)]
    right = (head.colour == PALETTE) == (kind != _PLAIN.name)
    return right and min(sizes) > 0 and is_held(*_size(frames), channels, large=False)


def _size(frames: Sequence[_Frame]) -> tuple[int, int]:
    return sum(frame.head.height for frame in frames), max(frame.head.width for frame in frames)


def _stored(recipe: Recipe, samples: Samples) -> Bytes | None:
    """Return frames as files store them."""
    if recipe.kind != _COLOURS.name:
        return samples.view(np.uint8)
    palette = read_palette(recipe.prefix)
    return None if palette is None else indices_of(samples.view(np.uint8), palette)


def _misfit() -> ArchiveError:
    return ArchiveError("the archive holds an APNG header that does not fit its pixels")
