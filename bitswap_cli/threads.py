"""Threads that a command has beside its own; nobody waits for them when it is told to end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Does what `map` does, perhaps at once and in several threads."""

ENDING = Event()
"""Set by a program that was told to end. It ends its process without its threads: what a kernel is
at may take seconds, and nothing of it is wanted any more."""


class Threads(ThreadPoolExecutor):
    """A pool of threads. What waits in it is given up at its end, and what is at work is waited
    for, unless the program was told to end."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Let no more be begun."""
        self.shutdown(wait=not ENDING.is_set(), cancel_futures=True)

    def each(self, work: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Begin work in another thread, and yield what it gives as it comes; raise what it does."""
        given = SimpleQueue[tuple[T] | None]()

        def run() -> None:
            for one in work():
                given.put((one,))

        future = self.submit(run)
        future.add_done_callback(lambda _: given.put(None))

        def taken() -> Iterator[T]:
            while (one := given.get()) is not None:
                yield one[0]
            future.result()

        return taken()
