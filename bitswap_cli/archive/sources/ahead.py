"""One source after the other, while others are looked at already."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Protocol, TypeVar

_AHEAD = 1 << 24  # bytes of files that are looked at ahead of their turn, at most


class Sized(Protocol):
    """Something that is looked at, such as a file."""

    @property
    def size(self) -> int:
        """Bytes of it."""


Source = TypeVar("Source", bound=Sized)
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
        Files, as a rule.
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


def any_tells(
    sources: Iterable[Source],
    find: Callable[[Source], Found],
    tells: Callable[[Found], bool],
    settle: Callable[[Source, Callable[[], Found]], Settled | None],
    threads: int,
) -> bool:
    """Whether something can be told of what is found of any source; but for a few, those behind
    that one are not looked at.

    Parameters
    ----------
    sources, find, settle, threads
        See `ahead`; nothing is told of a source for which `settle` returns None.
    tells : callable
        Called in other threads, too, as it may take as long as to find something.
    """

    def asked(source: Source) -> tuple[Found, bool]:
        found = find(source)
        return found, tells(found)

    def settled(source: Source, found: Callable[[], tuple[Found, bool]]) -> bool:
        return settle(source, lambda: found()[0]) is not None and found()[1]

    with closing(ahead(sources, asked, settled, threads)) as looks:
        return any(told for _, told in looks)
