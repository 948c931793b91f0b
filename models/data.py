"""Training and test tiles from folders of images.

A recipe names folders and what they hold: *sheets* (mosaics of equal cells; the number of cells is
the last number of the file's name, as in ``00000-1024.png``, else every whole cell) or *photos*
(any size; tiles are cropped at random places).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import ModelError

Pixels = NDArray[np.uint8]
SUFFIXES = {".png", ".webp", ".bmp", ".ppm", ".pgm"}  # lossless kinds only


@dataclass(frozen=True)
class Source:
    """One folder of a recipe: `kind` is ``sheets`` or ``photos``, `weight` its share of a batch."""

    folder: str
    kind: str = "sheets"
    weight: float = 1.0


def images(folder: Path, channels: int) -> list[tuple[Path, Pixels]]:
    """Read every lossless image of a folder, by name. Arrays are (H, W, C) uint8."""
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise ModelError(f"no images ({', '.join(sorted(SUFFIXES))}) in {folder}")
    mode = "L" if channels == 1 else "RGB"
    loaded = []
    for path in paths:
        with Image.open(path) as image:
            array = np.asarray(image.convert(mode))
        loaded.append((path, array.reshape(array.shape[0], array.shape[1], channels)))
    return loaded


def cells(folder: Path, tile: int, channels: int) -> Pixels:
    """Cut the sheets of a folder into cells. (N, tile, tile, C)"""
    parts = []
    for path, sheet in images(folder, channels):
        rows, columns = sheet.shape[0] // tile, sheet.shape[1] // tile
        grid = sheet[: rows * tile, : columns * tile]
        grid = grid.reshape(rows, tile, columns, tile, channels).swapaxes(1, 2)
        grid = grid.reshape(rows * columns, tile, tile, channels)
        count = re.search(r"-(\d+)$", path.stem)
        parts.append(grid[: int(count.group(1)) if count else len(grid)])
    return np.concatenate(parts)


class Sampler:
    """Draws batches of tiles from weighted sources with one seeded generator."""

    def __init__(
        self,
        root: Path,
        sources: list[Source],
        tile: int,
        channels: int,
        *,
        flip: bool,
        gray: float,
        seed: int,
    ) -> None:
        self.tile, self.channels, self.flip, self.gray = tile, channels, flip, gray
        self.random = np.random.default_rng(seed)
        self.pools: list[Pixels | list[Pixels]] = []
        for source in sources:
            folder = root / source.folder
            if source.kind == "sheets":
                self.pools.append(cells(folder, tile, channels))
            elif source.kind == "photos":
                self.pools.append(
                    [a for _, a in images(folder, channels) if min(a.shape[:2]) >= tile]
                )
            else:
                raise ModelError(f"a recipe's source kind is sheets or photos, not {source.kind!r}")
        weights = np.array([source.weight for source in sources])
        self.weights = weights / weights.sum()

    def _draw(self, pool: Pixels | list[Pixels], count: int) -> Pixels:
        if isinstance(pool, np.ndarray):
            return pool[self.random.integers(len(pool), size=count)]
        area = np.array([float(a.shape[0] * a.shape[1]) for a in pool])
        tiles = []
        for index in self.random.choice(len(pool), size=count, p=area / area.sum()):
            photo = pool[index]
            y = self.random.integers(photo.shape[0] - self.tile + 1)
            x = self.random.integers(photo.shape[1] - self.tile + 1)
            tiles.append(photo[y : y + self.tile, x : x + self.tile])
        return np.stack(tiles)

    def batch(self, size: int) -> Pixels:
        """Return `size` tiles, (size, tile, tile, C) uint8."""
        counts = self.random.multinomial(size, self.weights)
        tiles = np.concatenate(
            [self._draw(pool, n) for pool, n in zip(self.pools, counts, strict=True) if n]
        )
        if self.flip:
            flipped = self.random.random(size) < 0.5
            tiles = np.where(flipped[:, None, None, None], tiles[:, :, ::-1], tiles)
        if self.gray:
            grayed = self.random.random(size) < self.gray
            luma = tiles.astype(np.uint16) @ np.array([77, 150, 29], np.uint16) >> 8
            gray = np.repeat(luma[..., None].astype(np.uint8), self.channels, -1)
            tiles = np.where(grayed[:, None, None, None], gray, tiles)
        return np.ascontiguousarray(tiles)
