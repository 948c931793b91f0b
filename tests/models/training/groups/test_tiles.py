"""Tiles are drawn as the table says, and the same ones for the same seed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_models.families.pixel_vae import common
from bitswap_models.training.data import Source
from bitswap_models.training.groups.table import LOT, Groups
from bitswap_models.training.groups.tiles import Drawer, Lot, held_out, statistics_of
from tests.models.training.groups.small import CELL, SIDE, equal, fill

SHEETS, PHOTOS = Source("sheets"), Source("photos", "photos", shrink=1.0)
GROUPS = Groups("sheets", 1, side=SIDE, tiles=LOT, workers=1, vary=0.5, flip=True, seed=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet of 64 cells, and three photographs."""
    folder = tmp_path_factory.mktemp("data")
    fill(folder)
    return folder


def drawn(data: Path, sources: list[Source], groups: Groups = GROUPS, count: int = 12) -> Lot:
    return Drawer(data, sources, groups, CELL, (0, 1)).lot(count)


def test_a_lot_is_of_all_sources(data: Path) -> None:
    lot = drawn(data, [SHEETS, PHOTOS], count=40)
    assert lot.pixels.shape == (40, SIDE**2, 3)
    assert set(lot.sides) == {CELL, SIDE} and set(lot.coded) == {3}
    large = lot.sides == SIDE
    assert set(lot.sharing[large]) == {SIDE**2}
    assert set(lot.sharing[~large]) == {SIDE**2, 4 * SIDE**2}  # of so few cells
    for pixels, side, found in zip(lot.pixels, lot.sides, lot.statistics, strict=True):
        assert found.shape == (common.STATISTICS,)
        assert np.array_equal(found, statistics_of(pixels.reshape(-1, side, side, 3), CELL))


def test_cells_of_sheets_stay_whole(data: Path) -> None:
    every = np.asarray(Image.open(data / "sheets" / "0.png"))
    cells = every.reshape(8, CELL, 8, CELL, 3).swapaxes(1, 2).reshape(-1, CELL, CELL, 3)
    known = {c.tobytes() for c in cells} | {c[:, ::-1].tobytes() for c in cells}
    lot = drawn(data, [SHEETS])
    for cell in lot.pixels.reshape(-1, CELL, CELL, 3):
        assert cell.tobytes() in known


def test_photographs_as_they_are(data: Path) -> None:
    plain = dataclasses.replace(GROUPS, vary=0.0, flip=False)
    photos = [np.asarray(Image.open(path)) for path in sorted((data / "photos").iterdir())]
    places = {
        photo[y, x : x + SIDE].tobytes(): (photo, y, x)
        for photo in photos for y in range(59) for x in range(59)
    }  # fmt: skip
    for tile in drawn(data, [PHOTOS], plain).pixels.reshape(-1, SIDE, SIDE, 3):
        photo, y, x = places[tile[0].tobytes()]
        assert np.array_equal(tile, photo[y : y + SIDE, x : x + SIDE])


def test_lots_follow_their_seed(data: Path) -> None:
    one, again = (drawn(data, [SHEETS, PHOTOS]) for _ in range(2))
    other = drawn(data, [SHEETS, PHOTOS], dataclasses.replace(GROUPS, seed=4))
    assert equal(one, again)
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("sources", [[SHEETS], [PHOTOS]])
def test_tiles_are_told_as_luma_and_chroma_or_as_planes(data: Path, sources: list[Source]) -> None:
    mixed = drawn(data, sources, dataclasses.replace(GROUPS, ycc=0.5, planes=0.5), count=40)
    assert set(mixed.coded) == {1, 3}
    gray = mixed.pixels[mixed.coded == 1]
    assert (gray == gray[..., :1]).all()
    three = mixed.pixels[mixed.coded == 3].astype(int)
    assert abs(three[..., 1:] - 140).mean() < 20  # chroma is near to what 0 is stored as


def test_test_tiles_are_always_the_same(data: Path) -> None:
    lot = held_out(data / "sheets", GROUPS, CELL)
    assert lot.pixels.shape == (4, SIDE**2, 3)
    assert len(np.unique(lot.pixels.reshape(64, -1), axis=0)) == 64
    groups = dataclasses.replace(GROUPS, planes=1.0)
    gray, again = (held_out(data / "sheets", groups, CELL) for _ in range(2))
    assert set(gray.coded) == {1} and np.array_equal(gray.pixels, again.pixels)
    wrapped = held_out(data / "sheets", dataclasses.replace(GROUPS, side=128), CELL)
    assert wrapped.pixels.shape == (1, 128**2, 3)
