"""Tiles as groups know them, drawn without end.

A *tile* here is as many pixels as a group of small pictures has: a square of a photograph, or cells
of a sheet that may have a z_2 in common. It has three channels, whatever the model's: a gray one
has the same in all, and one of them is coded.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_models.families.pixel_vae import common
from bitswap_models.training import data
from bitswap_models.training.augment import Pixels, world
from bitswap_models.training.data import Source
from bitswap_models.training.groups import colours
from bitswap_models.training.groups.table import Groups

SPANS, SHARES = (1, 4, 16), (0.6, 0.2, 0.2)  # tiles that cells of sheets are spread over
MOST = 6  # tiles of one world
LARGER = 0.6  # share of tiles of Y, Cb and Cr that are reduced
CHANNELS = 3
TESTED = 16  # tiles
RGB, YCC, PLANES = range(3)


class Lot(NamedTuple):
    """Some tiles; those of sheets are cells, one after the other."""

    pixels: Pixels  # (n, side * side, 3)
    statistics: NDArray[np.int32]  # (n, STATISTICS), of what has a z_2 in common
    sides: NDArray[np.int64]  # (n,), of the picture that a pixel is of
    sharing: NDArray[np.float32]  # (n,), pixels that have the z_2 in common
    coded: NDArray[np.int64]  # (n,), channels that are coded


class Tile(NamedTuple):
    """One of them."""

    pixels: Pixels  # (pictures, side, side, 3)
    sharing: int
    coded: int


def lot_of(tiles: list[Tile], cell: int) -> Lot:
    """Put tiles together, with the statistics of cells of this size."""
    return Lot(
        np.stack([t.pixels.reshape(-1, CHANNELS) for t in tiles]),
        np.stack([statistics_of(t.pixels, cell) for t in tiles]),
        np.array([t.pixels.shape[1] for t in tiles], np.int64),
        np.array([t.sharing for t in tiles], np.float32),
        np.array([t.coded for t in tiles], np.int64),
    )


def statistics_of(x: Pixels, cell: int) -> NDArray[np.int32]:
    """Statistics of pictures (n, side, side, 3): (STATISTICS,)"""
    sizes = np.tile(np.array(x.shape[1:], np.int32), (len(x), 1))
    return common.statistics(common.cells(x.transpose(0, 3, 1, 2), sizes, cell))


class Drawer:
    """Draws tiles from weighted sources with a generator of its own.

    Parameters
    ----------
    root : Path
        Folder that holds the folders of `sources`.
    sources : list of Source
    groups : Groups
    cell : int
        Side of a model's cells.
    part : (int, int)
        ``k, n`` for the k-th of n drawers; each has its share of the photographs.

    Raises
    ------
    InputError
        If a folder has no pictures, or one cannot be read.
    """

    def __init__(
        self, root: Path, sources: list[Source], groups: Groups, cell: int, part: tuple[int, int]
    ) -> None:
        self.groups, self.cell, self.sources = groups, cell, sources
        self.random = np.random.default_rng((groups.seed, part[0]))
        weights = np.array([source.weight for source in sources])
        self.weights = weights / weights.sum()
        self.found: list[Pixels | list[Pixels]] = []  # cells of sheets, or photographs
        read: dict[tuple[str, tuple[str, ...]], list[Pixels]] = {}  # photographs, once
        for source in sources:
            if source.kind == "sheets":
                self.found.append(data.cells(root / source.folder, cell, CHANNELS))
                continue
            key = (source.folder, source.without)
            if key not in read:
                read[key] = data.photographs(root / key[0], key[1], groups.side, CHANNELS, part)
            self.found.append(read[key])
        self.waiting: list[list[Tile]] = [[] for _ in sources]

    def lot(self, count: int) -> Lot:
        """Draw so many tiles."""
        return lot_of([self._tile() for _ in range(count)], self.cell)

    def _tile(self) -> Tile:
        at = int(self.random.choice(len(self.sources), p=self.weights))
        found = self.found[at]
        if isinstance(found, np.ndarray):
            return self._of_sheets(found)
        if not self.waiting[at]:
            self.waiting[at] = self._of_photographs(found, self.sources[at].shrink)
        return self.waiting[at].pop()

    def _of_sheets(self, cells: Pixels) -> Tile:
        """Cells that are near to one another."""
        random = self.random
        count = (self.groups.side // self.cell) ** 2
        span = min(count * int(random.choice(SPANS, p=SHARES)), len(cells))
        first = random.integers(len(cells) - span + 1)
        some = cells[first + random.choice(span, count, replace=span < count)]
        if self.groups.flip and random.random() < 0.5:
            some = some[:, :, ::-1]
        return told(some, kind_of(self.groups, random), max(span, count) * self.cell**2, random)

    def _of_photographs(self, photos: list[Pixels], shrink: float) -> list[Tile]:
        """Some tiles of one photograph in one world."""
        random, side = self.random, self.groups.side
        share = np.array([p.shape[0] * p.shape[1] for p in photos]) ** 0.5
        photo = photos[random.choice(len(photos), p=share / share.sum())]
        photo = world(photo, random, self.groups.vary, shrink, side)
        if self.groups.flip:
            photo = _turned(photo, random)
        count = min(MOST, max(1, round(photo.shape[0] * photo.shape[1] / side**2)))
        kind = kind_of(self.groups, random)
        space = colours.any_of(colours.OF_PLANES if kind == PLANES else colours.OF_THREE, random)
        return [self._of_photograph(photo, kind, space) for _ in range(count)]

    def _of_photograph(self, photo: Pixels, kind: int, space: colours.Space) -> Tile:
        random, side = self.random, self.groups.side
        most = min(photo.shape[:2]) // 2 * 2
        if kind == RGB:
            return Tile(self._crop(photo, side, 1)[None], side**2, CHANNELS)
        if kind == PLANES:
            square = self._crop(photo, 2 * side if most >= 2 * side else side, 2)
            return gray(colours.plane_of(square, side, space, random)[None], side**2)
        of = side
        if random.random() < LARGER:
            of = int(random.integers(side, min(most, 2 * side) + 1)) // 2 * 2
        square = self._crop(photo, of, 2)
        return Tile(colours.told(square, side, space, random)[None], side**2, CHANNELS)

    def _crop(self, photo: Pixels, side: int, step: int) -> Pixels:
        """A square of a photograph, at a place that is a multiple of `step`."""
        y, x = (int(self.random.integers(n - side + 1)) // step * step for n in photo.shape[:2])
        return photo[y : y + side, x : x + side]


def held_out(folder: Path, groups: Groups, cell: int) -> Lot:
    """Tiles of cells of a folder, at most `TESTED` that lie far apart, told as those of training
    are: always the same.

    Raises
    ------
    InputError
        As `data.cells`.
    """
    cells, random = data.cells(folder, cell, CHANNELS), np.random.default_rng(0)
    each = (groups.side // cell) ** 2
    tiles = []
    for first in np.linspace(0, max(0, len(cells) - each), min(TESTED, -(-len(cells) // each))):
        some = cells[(int(first) + np.arange(each)) % len(cells)]
        tiles.append(told(some, kind_of(groups, random), groups.side**2, random))
    return lot_of(tiles, cell)


def kind_of(groups: Groups, random: np.random.Generator) -> int:
    """Draw how a tile is told."""
    drawn = random.random()
    if drawn < groups.planes:
        return PLANES
    return YCC if drawn < groups.planes + groups.ycc else RGB


def told(cells: Pixels, kind: int, sharing: int, random: np.random.Generator) -> Tile:
    """A tile of cells (n, side, side, 3), told as a kind says."""
    if kind == RGB:
        return Tile(cells, sharing, CHANNELS)
    side = cells.shape[1]
    space = colours.any_of(colours.OF_PLANES if kind == PLANES else colours.OF_THREE, random)
    if kind == PLANES:
        return gray(
            np.stack([colours.plane_of(cell, side, space, random) for cell in cells]), sharing
        )
    every = [colours.told(cell, side, space, random) for cell in cells]
    return Tile(np.stack(every), sharing, CHANNELS)


def gray(planes: Pixels, sharing: int) -> Tile:
    """A tile of gray pictures (n, side, side)."""
    return Tile(np.repeat(planes[..., None], CHANNELS, -1), sharing, 1)


def _turned(photo: Pixels, random: np.random.Generator) -> Pixels:
    """Mirrored, and now and then upside down or on its side."""
    if random.random() < 0.5:
        photo = photo[:, ::-1]
    if random.random() < 0.25:
        photo = photo[::-1]
    return photo.transpose(1, 0, 2) if random.random() < 0.25 else photo
