"""Threads that a command has beside its own; nobody waits for them when it is told to end."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import TracebackType

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
