"""Training and test tiles from folders of images.

A recipe names folders, which are searched to the bottom, and what they hold: *sheets* (mosaics of
equal cells; the number of cells is the last number of the file's name, as in ``00000-1024.png``,
else every whole cell) or *photos* (any size; tiles are cropped at random places).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import InputError, ModelError
from bitswap_models.training.augment import luma, world
from bitswap_models.training.machine.ahead import ahead
from bitswap_models.training.pictures import pixels_of, size_of
from bitswap_models.training.tables import fill

Pixels = NDArray[np.uint8]
BORDERED = 0.25  # share of tiles of photographs that do not see their margin
PARTS = 16  # of tiles that are drawn at once, each by a process
DRAWN = 64  # tiles in a batch of them
RENEWAL = 4  # batches from one renewed photograph to the next
SUFFIXES = {".png", ".webp", ".bmp", ".ppm", ".pgm"}  # lossless kinds only
_MODES = {1: "L", 3: "RGB"}  # by channels


@dataclass(frozen=True)
class Source:
    """One folder of a recipe: `kind` is ``sheets`` or ``photos``, `weight` its share of a batch.

    `cell` is the size of a sheet's cells, if not a tile's: tiles are then cut from them at random.
    `without` names photographs, by their files' stems, that are kept out of training (by how these
    begin in recipes of JPEG coefficients, of which `kind` may be ``jpeg``, and of drawn pictures).
    With `shrink`, those that are in another world come as thumbnails: reduced by 2^0.5 to 2^shrink.
    """

    folder: str
    kind: str = "sheets"
    weight: float = 1.0
    cell: int = 0
    without: tuple[str, ...] = ()
    shrink: float = 0.0


def sources_of(tables: Sequence[dict[str, Any]]) -> list[Source]:
    """Make sources of a recipe's tables; ModelError if there is none of any weight, or as `fill`
    raises it."""
    sources = [fill(Source, "source", table) for table in tables]
    if not sum(source.weight for source in sources):
        raise ModelError("a recipe needs a [[source]], and not all may have a weight of 0")
    return sources


def _paths(folder: Path) -> list[Path]:
    """Lossless images in a folder and all below, by name; raise InputError if there is none."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise InputError(f"no images ({', '.join(sorted(SUFFIXES))}) in {folder}")
    return paths


def stored(folder: Path) -> Iterator[tuple[Path, Pixels | None]]:
    """Yield every lossless image below a folder, by name, as it is stored.

    Arrays are (H, W, 1 or 3) uint8; None is what is no 8-bit gray or RGB picture.
    """
    for path in _paths(folder):
        yield path, pixels_of(path, None)


def sheet_cells(path: Path) -> int | None:
    """The number of cells of a sheet, the last of its name; None if the name tells none."""
    count = re.search(r"-(\d+)$", path.stem)
    return int(count.group(1)) if count else None


def images(folder: Path, channels: int) -> list[tuple[Path, Pixels]]:
    """Read every lossless image below a folder, by name. Arrays are (H, W, C) uint8."""
    paths = _paths(folder)
    return list(zip(paths, _read(paths, channels), strict=True))


def _read(paths: list[Path], channels: int) -> list[Pixels]:
    """Read images as gray or RGB. Arrays are (H, W, C) uint8.

    Raises
    ------
    InputError
        If they have other channels, or one cannot be read.
    """
    if channels not in _MODES:
        raise InputError(f"models are trained on pictures of 1 or 3 channels, not {channels}")
    read = (pixels_of(path, _MODES[channels]) for path in paths)
    return [array for array in read if array is not None]


def cells(folder: Path, tile: int, channels: int) -> Pixels:
    """Cut the sheets below a folder into cells. (N, tile, tile, C)

    Raises
    ------
    InputError
        If there is no image, one cannot be read, or none has a whole cell.
    """
    parts = []
    for path, sheet in images(folder, channels):
        rows, columns = sheet.shape[0] // tile, sheet.shape[1] // tile
        grid = sheet[: rows * tile, : columns * tile]
        grid = grid.reshape(rows, tile, columns, tile, channels).swapaxes(1, 2)
        grid = grid.reshape(rows * columns, tile, tile, channels)
        parts.append(grid[: sheet_cells(path)])
    found = np.concatenate(parts)
    if not len(found):
        raise InputError(f"no image in {folder} has a cell of {tile}x{tile}")
    return found


def photographs(
    folder: Path, without: tuple[str, ...], least: int, channels: int, part: tuple[int, int]
) -> list[Pixels]:
    """Read a share of the photographs below a folder. Arrays are (H, W, C) uint8.

    Parameters
    ----------
    folder : Path
    without : tuple of str
        Stems of those that are kept out.
    least : int
        Pixels that no side is below.
    channels : int
    part : (int, int)
        ``k, n`` for the k-th of n shares; none is empty.

    Raises
    ------
    InputError
        If there is none, or one cannot be read.
    """
    found = [p for p in _paths(folder) if p.stem not in without and min(size_of(p)) >= least]
    if not found:
        raise InputError(
            f"no photograph in {folder} is of {least}x{least} or more, a tile with its margin:"
            ' smaller ones are of kind = "sheets"'
        )
    return _read(found[part[0] % len(found) :: part[1]], channels)


class Batch(NamedTuple):
    """Tiles, (B, T + margin, T + 2 margin, C) uint8: the margin is above, left and right."""

    tiles: Pixels
    bordered: NDArray[np.bool_]  # (B,), tiles that must not see their margin


class Sampler:
    """Draws batches of tiles from weighted sources with one seeded generator.

    Parameters
    ----------
    root : Path
        Folder that holds the folders of `sources`.
    sources : list of Source
    tile, channels, margin : int
        See `Batch`.
    flip : bool
        Mirror half of the tiles left to right.
    gray : float
        Share of tiles turned gray.
    vary : float
        Share of photographs that are in another world (see `augment.variant`); the pool of them is
        renewed, one photograph every `RENEWAL` batches.
    seed : int
    part : (int, int)
        ``k, n`` for the k-th of n shares of the photographs.
    """

    def __init__(
        self,
        root: Path,
        sources: list[Source],
        tile: int,
        channels: int,
        *,
        margin: int = 0,
        flip: bool,
        gray: float,
        vary: float = 0.0,
        seed: int,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self.tile, self.channels, self.flip, self.gray = tile, channels, flip, gray
        self.margin, self.vary, self.seed = margin, vary, seed
        self.random = np.random.default_rng(seed)
        self.photos: list[Pixels] = []  # as found; every source of photographs has a slice
        self.shrink: list[float] = []  # of each
        self.pools: list[Pixels | slice] = []
        for source in sources:
            folder = root / source.folder
            if source.kind == "sheets":
                self.pools.append(cells(folder, source.cell or tile, channels))
            elif source.kind == "photos":
                first = len(self.photos)
                self.photos += photographs(
                    folder, source.without, tile + 2 * margin, 3 if vary else channels, part
                )
                self.pools.append(slice(first, len(self.photos)))
                self.shrink += [source.shrink] * (len(self.photos) - first)
            else:
                raise ModelError(f"a recipe's source kind is sheets or photos, not {source.kind!r}")
        weights = np.array([source.weight for source in sources])
        self.weights = weights / weights.sum()
        self.renewals = 0
        self.varied = list(self.photos)
        self.renew(len(self.photos))

    def renew(self, renewals: int) -> None:
        """Bring the varied photographs to where they are after so many renewals in all."""
        count = len(self.photos)
        if self.vary:
            for turn in range(max(self.renewals, renewals - count), renewals):
                self.varied[turn % count] = self._world(turn)
        self.renewals = renewals

    def _world(self, turn: int) -> Pixels:
        """The photograph that is renewed in this turn, by a generator of its own."""
        random = np.random.default_rng((self.seed, turn))
        photo = self.photos[turn % len(self.photos)]
        shrink = self.shrink[turn % len(self.photos)]
        photo = world(photo, random, self.vary, shrink, self.tile + 2 * self.margin)
        return photo if photo.shape[-1] == self.channels else luma(photo)

    def _crops(self, pool: list[Pixels], count: int) -> Pixels:
        """Crop tiles with their margins. A photograph of four times the area, whose places are more
        alike, is drawn twice as often."""
        height, width = self.tile + self.margin, self.tile + 2 * self.margin
        share = np.array([a.shape[0] * a.shape[1] for a in pool]) ** 0.5
        tiles = []
        for index in self.random.choice(len(pool), size=count, p=share / share.sum()):
            photo = pool[index]
            y = self.random.integers(photo.shape[0] - height + 1)
            x = self.random.integers(photo.shape[1] - width + 1)
            tiles.append(photo[y : y + height, x : x + width])
        return np.stack(tiles)

    def _cut(self, pool: Pixels, count: int) -> Pixels:
        """Draw cells of sheets, and a tile of each."""
        drawn = pool[self.random.integers(len(pool), size=count)]
        room = drawn.shape[1] - self.tile
        if not room:
            return drawn
        y, x = self.random.integers(room + 1, size=(2, count, 1))
        at = np.arange(self.tile)
        cut: Pixels = drawn[
            np.arange(count)[:, None, None], (y + at)[:, :, None], (x + at)[:, None]
        ]
        return cut

    def batch(self, size: int) -> Batch:
        """Return a batch of `size` tiles."""
        counts = self.random.multinomial(size, self.weights)
        around = ((0, 0), (self.margin, 0), (self.margin, self.margin), (0, 0))
        tiles: list[Pixels] = []
        bordered = np.ones(size, np.bool_)
        done = 0
        for pool, count in zip(self.pools, counts, strict=True):
            if not count:
                continue
            if isinstance(pool, np.ndarray):
                tiles.append(np.pad(self._cut(pool, count), around))
            else:
                tiles.append(self._crops(self.varied[pool], count))
                if self.margin:
                    bordered[done : done + count] = self.random.random(count) < BORDERED
            done += count
        drawn = np.concatenate(tiles)
        if self.flip:
            flipped = self.random.random(size) < 0.5
            drawn = np.where(flipped[:, None, None, None], drawn[:, :, ::-1], drawn)
        if self.gray:
            grayed = self.random.random(size) < self.gray
            gray = np.repeat(luma(drawn), self.channels, -1)
            drawn = np.where(grayed[:, None, None, None], gray, drawn)
        return Batch(np.ascontiguousarray(drawn), bordered)


def draw_once(
    root: Path,
    sources: list[Source],
    count: int,
    *,
    seed: int,
    batch: int = DRAWN,
    **options: Any,
) -> Batch:
    """Draw tiles once, on all cores: the same ones on any number of them.

    Parameters
    ----------
    root, sources
        See `Sampler`.
    count : int
        At least so many.
    seed : int
    batch : int
        Tiles that are drawn at a time: photographs change every `RENEWAL` times.
    options
        Further ones of `Sampler`.
    """
    task = partial(_part, root, sources, -(-count // (PARTS * batch)), batch, seed, options)
    workers = min(PARTS, os.cpu_count() or 1)
    with ahead(task, PARTS, workers=workers, turns=range(PARTS)) as parts:
        return Batch(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _part(
    root: Path,
    sources: list[Source],
    batches: int,
    size: int,
    seed: int,
    options: dict[str, Any],
    part: int,
) -> Batch:
    """One part of what `draw_once` draws."""
    sampler = Sampler(root, sources, seed=PARTS * seed + part, part=(part, PARTS), **options)
    drawn = []
    for batch in range(batches):
        if batch % RENEWAL == 0:
            sampler.renew(len(sampler.photos) + batch // RENEWAL)
        drawn.append(sampler.batch(size))
    return Batch(*(np.concatenate(arrays) for arrays in zip(*drawn, strict=True)))
