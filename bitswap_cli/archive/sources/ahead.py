"""One source after the other, while others are looked at already."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar, cast

from bitswap_cli.threads import ENDING, Threads

_AHEAD = 1 << 24  # bytes of files that are looked at ahead of their turn, at most
_TOGETHER = 16  # small files that are looked at as one, as threads take time to hand over each
_SMALL = 1 << 16  # bytes of these


class Sized(Protocol):
    """Something that is looked at, such as a file."""

    @property
    def size(self) -> int:
        """Bytes of it."""


Source = TypeVar("Source", bound=Sized)
Found = TypeVar("Found")
Settled = TypeVar("Settled")


@dataclass(frozen=True)
class Outcome(Generic[Found]):
    """What was found of a source, or what kept it from that."""

    found: Found | None = None
    error: Exception | None = None

    @classmethod
    def of(cls, find: Callable[[], Found]) -> "Outcome[Found]":
        """Call a function."""
        try:
            return cls(find())
        except Exception as error:  # noqa: BLE001 - whoever asks is told
            return cls(error=error)

    def result(self) -> Found:
        """Return what was found, or raise the error."""
        if self.error is not None:
            raise self.error
        return cast(Found, self.found)


Finder = Callable[[Sequence[Source]], Sequence[Outcome[Found]]]
"""Finds something of each source."""


def each(find: Callable[[Source], Found]) -> Finder[Source, Found]:
    """Find something of one source after the other."""
    return lambda sources: [Outcome.of(partial(find, source)) for source in sources]


def ahead(
    sources: Iterable[Source],
    find: Finder[Source, Found],
    settle: Callable[[Source, Callable[[], Found]], Settled],
    threads: int,
) -> Generator[tuple[Source, Settled]]:
    """Find something of each source, some at the same time, and settle it in order.

    Parameters
    ----------
    sources : iterable of Source
        Files, as a rule.
    find : callable
        Called in other threads, with several sources if they are small.
    settle : callable
        Called with a source and what returns, or raises, what `find` did. If nobody asks for more,
        what was found by then is settled all the same.
    threads : int

    Yields
    ------
    tuple
        A source, and what `settle` returned.
    """
    waiting: deque[tuple[list[Source], Future[Sequence[Outcome[Found]]]]] = deque()
    ready: deque[tuple[Source, Outcome[Found]]] = deque()

    def first() -> Iterator[tuple[Source, Settled]]:
        some, found = waiting.popleft()
        ready.extend(zip(some, found.result(), strict=True))
        while ready:
            source, own = ready.popleft()
            yield source, settle(source, own.result)

    with Threads(threads) as pool:
        try:
            for some in _together(sources):
                waiting.append((some, pool.submit(find, some)))
                size = sum(source.size for some, _ in waiting for source in some)
                if size > _AHEAD or len(waiting) > threads + 1:
                    yield from first()
            while waiting:
                yield from first()
        finally:
            for some, found in () if ENDING.is_set() else waiting:
                if not found.cancel() and found.exception() is None:
                    ready.extend(zip(some, found.result(), strict=True))
            for source, own in ready:
                if own.error is None:
                    settle(source, own.result)


def _together(sources: Iterable[Source]) -> Iterator[list[Source]]:
    """Yield small sources that follow each other together, others alone; and the first ones, as
    few had better be had by all threads."""
    some, size, done = list[Source](), 0, 0
    for source in sources:
        if some and (len(some) >= min(_TOGETHER, done // _TOGETHER) or size + source.size > _SMALL):
            yield some
            done += len(some)
            some, size = [], 0
        some.append(source)
        size += source.size
    if some:
        yield some


def any_tells(
    sources: Iterable[Source],
    find: Finder[Source, Found],
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

    def told(own: Outcome[Found]) -> tuple[Found, bool]:
        found = own.result()
        return found, tells(found)

    def asked(some: Sequence[Source]) -> list[Outcome[tuple[Found, bool]]]:
        return [Outcome.of(partial(told, own)) for own in find(some)]

    def settled(source: Source, found: Callable[[], tuple[Found, bool]]) -> bool:
        return settle(source, lambda: found()[0]) is not None and found()[1]

    with closing(ahead(sources, asked, settled, threads)) as looks:
        return any(told for _, told in looks)
