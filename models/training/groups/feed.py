"""Lots of tiles that other processes draw while a model is trained.

Each draws lot after lot, with a generator and a share of the photographs of its own; lots are taken
from one after the other, so that what comes depends on how many there are, and not on their speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from bitswap_models.training.data import Source
from bitswap_models.training.groups.table import LOT, Groups
from bitswap_models.training.groups.tiles import Drawer, Lot
from bitswap_models.training.machine.ahead import ahead

AHEAD = 2  # lots of each process that wait

_drawers: list[Drawer] = []  # of a process: one


def feed(
    root: Path, sources: list[Source], groups: Groups, cell: int
) -> AbstractContextManager[Iterator[Lot]]:
    """Lots without end while the block lasts; see `Drawer`, whose errors come with the first."""
    draw = partial(_lot, root, sources, groups, cell)
    return ahead(draw, AHEAD * groups.workers, pools=groups.workers)


def _lot(root: Path, sources: list[Source], groups: Groups, cell: int, turn: int) -> Lot:
    """The next lot of this process, which has every so-many-th turn."""
    if not _drawers:
        part = turn % groups.workers, groups.workers
        _drawers.append(Drawer(root, sources, groups, cell, part))
    return _drawers[0].lot(LOT)
