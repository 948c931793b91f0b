"""Pictures that no model codes, as BYTE chunks hold them: a recipe and samples, for zstd."""

import struct
import zlib
from math import prod
from typing import NamedTuple

import numpy as np

from bitswap_cli.archive.format.segments import ByteSegment
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.contract import BYTES
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.images.formats import register
from bitswap_cli.images.inspection import Sooner, never, rebuild
from bitswap_cli.images.picture import CHANNELS, MAX_PIXELS, MAX_RECIPE, Picture, Recipe

_LENGTH = struct.Struct("<I")


class Stored(NamedTuple):
    """A file as its picture."""

    data: bytes
    """Recipe and samples."""
    crc: int
    """CRC-32 of the file."""


def pack_picture(picture: Picture) -> bytes:
    """Serialise a picture of bytes."""
    pixels, recipe = picture
    number = register.kind_of(recipe.kind).number
    head = pack_object([number, *pixels.shape, *recipe[1:]])
    return b"".join([_LENGTH.pack(len(head)), head, pixels.tobytes()])


def unpack_picture(data: bytes | memoryview) -> Picture:
    """Invert `pack_picture`; raise `ArchiveError` if malformed."""
    end = _LENGTH.size + int.from_bytes(data[: _LENGTH.size], "little")
    head = unpack_object(bytes(data[_LENGTH.size : end]), "picture")
    samples = np.frombuffer(data, np.uint8)[end:]
    match head:
        case [
            int(number), int(height), int(width), int(channels),
            bytes(prefix), bytes(suffix), bytes(description),
        ] if channels in CHANNELS:  # fmt: skip
            shape = height, width, channels
            kinds = [kind for kind in register.kinds() if kind.number == number and kind.exact]
            fits = height > 0 < width <= MAX_PIXELS // height and prod(shape) == len(samples)
            few = len(prefix) + len(suffix) + len(description) <= MAX_RECIPE
            if kinds and kinds[0].alphabet == BYTES and fits and few:
                recipe = Recipe(kinds[0].name, prefix, suffix, description)
                return Picture(samples.reshape(shape), recipe)
    raise ArchiveError("the archive holds a picture that is malformed")


def picture_file(segment: ByteSegment, data: bytes | memoryview, sooner: Sooner = never) -> bytes:
    """Return the file of a picture, or one as good in pixels that is made sooner where that is
    enough.

    Raises
    ------
    ArchiveError
        If it is malformed, or not what the table tells of it.
    """
    pixels, recipe = unpack_picture(data)
    quick = sooner(recipe.kind)
    file = rebuild(recipe, pixels, quick=quick)
    told = quick or (len(file), zlib.crc32(file)) == (segment.size, segment.crc)
    if not told:
        raise ArchiveError(f"{display(segment.name)} does not come back as it was")
    return file
