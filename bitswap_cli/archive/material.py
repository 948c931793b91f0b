"""The pictures that are to be archived, cut into tiles as they will be coded, to fit models to."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.choice import candidates, choose_picture, choose_tiles, read_picture
from bitswap_cli.archive.codec import TileCodec
from bitswap_cli.images.picture import PLAIN
from bitswap_cli.images.tiles import cut

MOST = 1 << 26  # samples; of larger folders some pictures are looked at


class Tiles(NamedTuple):
    """Tiles of one size."""

    pixels: NDArray[np.uint8]  # (N, T, T, C)
    sizes: NDArray[np.int32]  # (N, 3): valid height, valid width, coded channels


class Group(NamedTuple):
    """What one model is fitted to: the tiles that its codec takes, and how many samples all
    pictures for it have (estimated where not all are looked at)."""

    tiles: list[Tiles]
    samples: int


class Material(NamedTuple):
    """The pictures by channels: those of the codec, and of others where there are any for them."""

    groups: dict[int, Group]
    wide: bool
    """Whether some of them are wide pictures."""

    @property
    def samples(self) -> int:
        """Of all pictures."""
        return sum(group.samples for group in self.groups.values())


def material(paths: Sequence[str | os.PathLike[str]], codec: TileCodec) -> Material:
    """Read the pictures below files and folders that a codec takes, `MOST` samples of them.

    Parameters
    ----------
    paths : sequence of paths
        As `sources.collect` takes them.
    codec : TileCodec
        Knows those of wide pictures.

    Raises
    ------
    InputError
        If something cannot be read.
    """
    files = candidates(paths)
    found: dict[int, dict[int, list[Tiles]]] = {}
    samples: Counter[int] = Counter()
    looked, wide = 0, False
    for source in files:
        looked += source.size
        data = read_picture(source)
        chosen = data and choose_picture(codec, data, wide=True)
        if not chosen:
            continue
        picture, own = chosen
        height, width, channels = picture.pixels.shape
        group = codec.channels if own is codec else channels
        edge = own.tile_height * choose_tiles(own, height, width)[0]
        tiles = Tiles(*cut(picture.pixels, edge, edge, own.channels))
        found.setdefault(group, {}).setdefault(edge, []).append(tiles)
        samples[group] += picture.pixels.size
        wide = wide or picture.recipe.kind not in PLAIN
        if samples.total() >= MOST:
            break
    share = sum(s.size for s in files) / max(looked, 1)
    groups = {
        group: Group(
            [
                Tiles(*(np.concatenate(part) for part in zip(*some, strict=True)))
                for _, some in sorted(edges.items())
            ],
            round(samples[group] * share),
        )
        for group, edges in sorted(found.items())
    }
    return Material(groups, wide)
