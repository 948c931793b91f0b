"""A sample of the pictures that are to be archived, to choose a codec by."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive import sources as source_files
from bitswap_cli.archive.codec import TileCodec
from bitswap_cli.archive.pack import MAX_PICTURE, choose_tiles
from bitswap_cli.images.inspection import inspect, looks_like_picture
from bitswap_cli.images.tiles import cut

PICTURES = 24  # looked at, of all that there are
_TRIED = 10 * PICTURES  # files that may turn out to be no pictures
_READ = 1 << 23  # samples: large pictures take time to read, and fewer of them tell as much
_EDGE = 64  # pixels of the part of a picture that is coded


@dataclass(frozen=True)
class Sample:
    """A picture: the middle of it, (H, W, C) uint8; its samples in all; bytes of its file."""

    pixels: NDArray[np.uint8]
    samples: int
    size: int

    def cost(self, codec: TileCodec) -> float:
        """Bytes that the picture would take in an archive, net."""
        height, width, channels = self.pixels.shape
        if channels not in (1, codec.channels):
            return float(self.size)
        factor, _ = choose_tiles(codec, height, width)
        edges = codec.tile_height * factor, codec.tile_width * factor
        tiles, sizes = cut(self.pixels, *edges, codec.channels)
        bits = float(codec.encode(tiles, sizes, b"").bits.sum())
        return min(bits / 8 * self.samples / self.pixels.size, float(self.size))


def sample(paths: Sequence[str | os.PathLike[str]]) -> list[Sample]:
    """Look at some of the pictures below files and folders.

    Parameters
    ----------
    paths : sequence of paths
        As `sources.collect` takes them.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    files = [s for s in source_files.collect(paths) if s.kind == "file" and s.size <= MAX_PICTURE]
    # as good as random, and the same on every machine
    order = sorted(range(len(files)), key=lambda k: k * 2654435761 % (1 << 32))
    found: list[Sample] = []
    for at in order[:_TRIED]:
        source = files[at]
        if not looks_like_picture(source_files.read_start(source, 8)):
            continue
        picture = inspect(source_files.read(source))
        if picture is None:
            continue
        pixels = picture.pixels
        top, left = (max(0, (n - _EDGE) // 2) for n in pixels.shape[:2])
        middle = np.ascontiguousarray(pixels[top : top + _EDGE, left : left + _EDGE])
        found.append(Sample(middle, pixels.size, source.size))
        if len(found) == PICTURES or sum(s.samples for s in found) >= _READ:
            break
    return found
