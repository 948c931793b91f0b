"""The pictures that are to be archived, cut into tiles as they will be coded, to fit a model to."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive import sources as source_files
from bitswap_cli.archive.codec import TileCodec
from bitswap_cli.archive.pack import MAX_PICTURE, choose_tiles
from bitswap_cli.images.inspection import inspect, looks_like_picture
from bitswap_cli.images.tiles import cut

MOST = 1 << 26  # samples; of larger folders some pictures are looked at


class Tiles(NamedTuple):
    """Tiles of one size."""

    pixels: NDArray[np.uint8]  # (N, T, T, C)
    sizes: NDArray[np.int32]  # (N, 3): valid height, valid width, coded channels


class Material(NamedTuple):
    """Tiles, and how many samples all pictures have (estimated where not all are looked at)."""

    tiles: list[Tiles]
    samples: int


def material(paths: Sequence[str | os.PathLike[str]], codec: TileCodec) -> Material:
    """Read the pictures below files and folders that a codec takes, `MOST` samples of them.

    Parameters
    ----------
    paths : sequence of paths
        As `sources.collect` takes them.
    codec : TileCodec

    Raises
    ------
    InputError
        If something cannot be read.
    """
    files = [s for s in source_files.collect(paths) if s.kind == "file" and s.size <= MAX_PICTURE]
    # as good as random, and the same on every machine
    order = sorted(range(len(files)), key=lambda k: k * 2654435761 % (1 << 32))
    found: dict[int, list[Tiles]] = {}
    samples = looked = 0
    for at in order:
        source = files[at]
        looked += source.size
        if not looks_like_picture(source_files.read_start(source, 8)):
            continue
        picture = inspect(source_files.read(source))
        if picture is None or picture.pixels.shape[2] not in (1, codec.channels):
            continue
        height, width, _ = picture.pixels.shape
        edge = codec.tile_height * choose_tiles(codec, height, width)[0]
        found.setdefault(edge, []).append(Tiles(*cut(picture.pixels, edge, edge, codec.channels)))
        samples += picture.pixels.size
        if samples >= MOST:
            break
    tiles = [
        Tiles(np.concatenate([t.pixels for t in some]), np.concatenate([t.sizes for t in some]))
        for _, some in sorted(found.items())
    ]
    share = sum(s.size for s in files) / max(looked, 1)
    return Material(tiles, round(samples * share))
