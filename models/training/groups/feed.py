"""Processes that draw tiles while a model is trained.

Each draws lot after lot, with a generator and a share of the photographs of its own; lots are taken
from one after the other, so that what comes depends on how many there are, and not on their speed.
"""

from __future__ import annotations

import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from bitswap_cli.errors import InputError
from bitswap_models.training.data import Source
from bitswap_models.training.groups.table import LOT, Groups
from bitswap_models.training.groups.tiles import Drawer, Lot

AHEAD = 2  # lots of each process that wait

_drawers: list[Drawer] = []  # of a process: one


class Feed:
    """Lots, in a fixed order; see `Drawer`, whose errors come with the first one."""

    def __init__(self, root: Path, sources: list[Source], groups: Groups, cell: int) -> None:
        context = get_context("spawn")
        ignore = signal.SIGINT, signal.SIG_IGN  # Ctrl-C is for who asked for tiles
        self.pools = [
            ProcessPoolExecutor(1, context, signal.signal, ignore) for _ in range(groups.workers)
        ]
        parts = [(k, groups.workers) for k in range(groups.workers)]
        self.tasks = [(root, sources, groups, cell, part) for part in parts]
        self.turns = cycle(range(groups.workers))
        self.futures: deque[Future[Lot]] = deque()
        for _ in range(AHEAD * groups.workers):
            self._ask()

    def _ask(self) -> None:
        turn = next(self.turns)
        self.futures.append(self.pools[turn].submit(_lot, *self.tasks[turn]))

    def next(self) -> Lot:
        """The next lot; it may have to be waited for."""
        future = self.futures.popleft()
        try:
            self._ask()
            return future.result()
        except BrokenProcessPool:
            raise InputError(
                "a process that draws tiles has ended: [groups] may have too many workers for the"
                " memory"
            ) from None

    def close(self) -> None:
        """End the processes."""
        for pool in self.pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self.pools:
            pool.shutdown()


def _lot(
    root: Path, sources: list[Source], groups: Groups, cell: int, part: tuple[int, int]
) -> Lot:
    """The next lot of this process."""
    if not _drawers:
        _drawers.append(Drawer(root, sources, groups, cell, part))
    return _drawers[0].lot(LOT)
