"""Processes that draw pictures while a model learns from those before."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from itertools import count
from multiprocessing import get_context
from typing import TypeVar

from bitswap_cli.errors import InputError

T = TypeVar("T")


@contextmanager
def ahead(
    draw: Callable[[int], T], waiting: int, *, pools: int = 1, workers: int = 1
) -> Generator[Iterator[T], None, None]:
    """Let other processes draw turns 0, 1, .., so many of them ahead; they end with the block.

    Parameters
    ----------
    draw : callable
        What a turn is; its errors come with that turn.
    waiting : int
        Turns that are drawn or wait.
    pools, workers : int
        Turns go to one pool after the other; each has so many processes.

    Yields
    ------
    iterator
        What is drawn, in the order of turns. It raises InputError if a process ends.
    """
    context = get_context("spawn")
    ignore = signal.SIGINT, signal.SIG_IGN  # Ctrl-C is for who asked for pictures
    with ExitStack() as stack:
        own = [
            stack.enter_context(ProcessPoolExecutor(workers, context, signal.signal, ignore))
            for _ in range(pools)
        ]
        try:
            with _one_thread():
                first = [own[turn % pools].submit(draw, turn) for turn in range(waiting)]
            yield _taken(draw, own, deque(first))
        finally:
            for pool in own:
                pool.shutdown(wait=False, cancel_futures=True)


def _taken(
    draw: Callable[[int], T], pools: Sequence[ProcessPoolExecutor], asked: deque[Future[T]]
) -> Iterator[T]:
    for turn in count(len(asked)):
        oldest = asked.popleft()
        try:
            asked.append(pools[turn % len(pools)].submit(draw, turn))
            found = oldest.result()
        except BrokenProcessPool:
            raise InputError(
                "a process that draws pictures has ended: there may be too little memory for so"
                " many of them"
            ) from None
        yield found


@contextmanager
def _one_thread() -> Generator[None, None, None]:
    """Let processes that start meanwhile have one thread each for products of matrices."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["OMP_NUM_THREADS"]
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before
