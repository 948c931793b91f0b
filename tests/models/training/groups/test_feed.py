"""Processes draw what drawers do, each its own share of turns."""

import dataclasses
from itertools import islice
from pathlib import Path

import pytest

from bitswap_cli.errors import InputError
from bitswap_models.training.data import Source
from bitswap_models.training.groups.feed import feed
from bitswap_models.training.groups.table import LOT, Groups
from bitswap_models.training.groups.tiles import Drawer
from tests.models.training.groups.small import CELL, SIDE, equal, fill

GROUPS = Groups("sheets", 1, side=SIDE, tiles=LOT, workers=2, vary=0.5, flip=True, seed=3)


def test_a_feed_gives_what_drawers_draw_in_turn(tmp_path: Path) -> None:
    sources = [Source("sheets"), Source("photos", "photos", shrink=1.0)]
    fill(tmp_path)
    with feed(tmp_path, sources, GROUPS, CELL) as lots:
        found = list(islice(lots, 5))
    drawers = [Drawer(tmp_path, sources, GROUPS, CELL, (k, 2)) for k in range(2)]
    for turn, lot in enumerate(found):
        assert equal(lot, drawers[turn % 2].lot(LOT))


def test_what_a_process_cannot_draw_is_one_line(tmp_path: Path) -> None:
    groups = dataclasses.replace(GROUPS, workers=1)
    with (
        pytest.raises(InputError, match="no images"),
        feed(tmp_path, [Source("none")], groups, CELL) as lots,
    ):
        next(lots)
