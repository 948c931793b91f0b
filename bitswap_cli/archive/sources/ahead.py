"""One source after the other, while others are looked at already."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bitswap_cli.archive.sources.source import Source

_AHEAD = 1 << 24  # bytes of files that are looked at ahead of their turn, at most

Found = TypeVar("Found")
Settled = TypeVar("Settled")


def ahead(
    sources: Iterable[Source],
    find: Callable[[Source], Found],
    settle: Callable[[Source, Callable[[], Found]], Settled],
    threads: int,
) -> Generator[tuple[Source, Settled]]:
    """Find something of each source, some at the same time, and settle it in order.

    Parameters
    ----------
    sources : iterable of Source
    find : callable
        Called in other threads.
    settle : callable
        Called with a source and what returns, or raises, what `find` did. If nobody asks for more,
        what was found by then is settled all the same.
    threads : int

    Yields
    ------
    tuple
        A source, and what `settle` returned.
    """
    waiting: deque[tuple[Source, Future[Found]]] = deque()

    def first() -> tuple[Source, Settled]:
        source, found = waiting.popleft()
        return source, settle(source, found.result)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for source in sources:
                waiting.append((source, pool.submit(find, source)))
                size = sum(source.size for source, _ in waiting)
                if size > _AHEAD or len(waiting) > threads + 1:
                    yield first()
            while waiting:
                yield first()
        finally:
            for source, found in waiting:
                if not found.cancel() and found.exception() is None:
                    settle(source, found.result)
