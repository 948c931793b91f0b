"""Processes that draw pictures while a model learns from those before.

A signal may raise an exception anywhere in the thread that takes what they draw: so that thread
holds no lock which another waits for, and processes are killed, not asked to end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from bitswap_cli.errors import InputError

T = TypeVar("T")
Drawn = tuple[Any, Exception | None]
"""What was drawn in a turn, or why it could not be."""
Asked = SimpleQueue[tuple[int, SimpleQueue[Drawn]] | None]
"""Turns, and where what is drawn goes; None is the last one."""

_SIGNALS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def ahead(
    draw: Callable[[int], T],
    waiting: int,
    *,
    pools: int = 1,
    workers: int = 1,
    turns: range = range(sys.maxsize),
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
    turns : range
        All that there are.

    Yields
    ------
    iterator
        What is drawn, in the order of turns. It raises InputError if a process ends.
    """
    context = get_context("spawn")
    queues: list[Asked] = [SimpleQueue() for _ in range(pools)]
    own = []
    try:
        with _one_thread(), _deaf():
            for queue in queues * workers:
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,), daemon=True)
                process.start()
                own.append(process)
                theirs.close()
                Thread(target=_drive, args=(draw, ours, queue), daemon=True).start()
        yield _taken(queues, waiting, iter(turns))
    finally:
        for process in own:
            process.kill()
        for queue in queues * workers:
            queue.put(None)
        for process in own:
            process.join()


def _taken(queues: list[Asked], waiting: int, turns: Iterator[int]) -> Iterator[Any]:
    def ask(turn: int) -> SimpleQueue[Drawn]:
        answer: SimpleQueue[Drawn] = SimpleQueue()
        queues[turn % len(queues)].put((turn, answer))
        return answer

    answers = deque(map(ask, islice(turns, waiting)))
    while answers:
        oldest = answers.popleft()
        answers.extend(map(ask, islice(turns, 1)))
        drawn, error = oldest.get()
        if error is not None:
            raise error
        yield drawn


def _drive(draw: Callable[[int], Any], connection: Connection, asked: Asked) -> None:
    """Have a process draw one turn after the other."""
    with suppress(OSError):
        connection.send(draw)
    while (turn := asked.get()) is not None:
        number, answer = turn
        try:
            connection.send(number)
            answer.put(connection.recv())
        except (EOFError, OSError):
            lost = InputError(
                "a process that draws pictures has ended: there may be too little memory for so"
                " many of them"
            )
            answer.put((None, lost))
    connection.close()


def _serve(connection: Connection) -> None:
    """Be the process: draw what is asked for, as long as there is who asks."""
    with suppress(EOFError, ConnectionError):
        draw = connection.recv()
        while True:
            turn = connection.recv()
            try:
                drawn: Drawn = draw(turn), None
            except Exception as error:
                drawn = None, error
            connection.send(drawn)


@contextmanager
def _deaf() -> Generator[None, None, None]:
    """Let processes that start meanwhile never hear a signal: it is for who asked for pictures."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which starts with the first process, and hears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
