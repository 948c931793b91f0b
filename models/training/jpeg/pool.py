"""The pool of JPEG files that a model is trained on.

Files as they are stay in it; of the drawn ones some make way for new ones with every step. Other
processes draw them, in an order that does not depend on how many there are.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bitswap_cli.errors import InputError, ModelError
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.training.data import Source
from bitswap_models.training.jpeg.files import Drawer
from bitswap_models.training.jpeg.planes import File, Split, drawn, read
from bitswap_models.training.jpeg.quantization import tables_of
from bitswap_models.training.jpeg.store import SIDE, Store
from bitswap_models.training.machine.ahead import ahead
from bitswap_models.training.pictures import UNREADABLE
from bitswap_models.training.recipe import Recipe

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
TILES = 24  # of a file as it is, at most
AHEAD = 4  # turns that are drawn ahead by each process
POOL = 400  # drawn files at a time, unless a recipe says how many
MOST = 12  # processes
LARGE = 600  # rows and columns of a JPEG file that is a photograph as well, once it is reduced


class Pool:
    """Files on a device, luma and chroma.

    Parameters
    ----------
    found : sequence of files
        As they are.
    drawn : iterator of files
        Endless.
    count : int
        Drawn files at a time.
    seed : int
    device : torch.device
    """

    def __init__(
        self,
        found: Sequence[File],
        drawn: Iterator[File],
        count: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self._drawn, self.count = drawn, count
        self.stores, self._turns = [], [0, 0]
        random = np.random.default_rng(seed)
        for chroma in (False, True):
            some = [_tiles(file, chroma, random) for file in found]
            places = (1 + chroma) * count
            store = Store(sum(map(len, some)), places, chroma=chroma, device=device)
            slots = itertools.count()
            for tiles in some:  # of a large file more than of a small one, but not by its area
                for plane, corner in tiles:
                    store.put(next(slots), plane, corner, len(tiles) ** -0.5)
            self.stores.append(store)
        self.renew(count)
        if not all(float(store.weight.sum()) for store in self.stores):
            raise ModelError("no file of the pool has colours: let it be larger")

    def renew(self, count: int) -> None:
        """Draw some files anew: the oldest make way."""
        for file in itertools.islice(self._drawn, count):
            for plane in file:
                store, turn = self.stores[plane.chroma], self._turns[plane.chroma]
                store.put(store.found + turn % store.drawn, plane)
                self._turns[plane.chroma] += 1


def _tiles(
    file: File, chroma: bool, random: np.random.Generator
) -> list[tuple[Plane, tuple[int, int]]]:
    """Parts of a file's planes of a kind that a store can hold, by their first rows and columns."""
    some = [
        (plane, (row, column))
        for plane in file
        if plane.chroma == chroma
        for row in range(0, plane.x.shape[0], SIDE)
        for column in range(0, plane.x.shape[1], SIDE)
    ]
    return [some[index] for index in random.permutation(len(some))[:TILES]]


@contextmanager
def pool_of(
    recipe: Recipe, data: Path, split: Split, device: torch.device
) -> Generator[Pool, None, None]:
    """Read and draw the files of a recipe; the processes that draw end with the block.

    Raises
    ------
    ModelError
        If it names no photographs or another kind of sources, or no drawn file has colours.
    InputError
        If a folder or a file cannot be read, or a process that draws ends.
    """
    photographs: list[Path] = []
    paths: list[Path] = []
    for source in recipe.sources:
        if source.kind not in ("photos", "jpeg"):
            raise ModelError(f"{recipe.path} has a source of kind {source.kind}: photos or jpeg")
        some = _paths(data / source.folder, source)
        (paths if source.kind == "jpeg" else photographs).extend(some)
    if not photographs:
        raise ModelError(f"{recipe.path} names no source of photographs in {data}")
    contents = _contents(paths)
    large = [path for path, content in zip(paths, contents, strict=True) if _is_large(content)]
    drawer = Drawer([*photographs, *large], tables_of(contents), recipe.seed)
    found = [file for content in contents if (file := read(split, content)) is not None]
    workers = max(1, min(MOST, (os.cpu_count() or 1) - 1))
    with ahead(partial(drawn, drawer, split), AHEAD * workers, workers=workers) as turns:
        files = itertools.chain.from_iterable(turns)
        yield Pool(found, files, recipe.pool or POOL, recipe.seed, device)


def _paths(folder: Path, source: Source) -> list[Path]:
    """Pictures in a folder; raise InputError if there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.stem.startswith(source.without)
    )


def _contents(paths: Sequence[Path]) -> list[bytes]:
    """Files as they are; raise InputError if one cannot be read."""
    try:
        return [path.read_bytes() for path in paths]
    except OSError as error:
        raise InputError(f"cannot read a JPEG file: {error}") from None


def _is_large(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return min(image.size) >= LARGE
    except UNREADABLE:
        return False
