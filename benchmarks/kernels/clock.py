"""Processor time of the fastest pass."""

import time
from collections.abc import Callable, Sequence

Work = Callable[[], object]


def best(works: Sequence[Work], passes: int) -> list[float]:
    """Seconds of the fastest pass of each, all in turn, after a first one that does not count."""
    for work in works:
        work()
    times = [float("inf")] * len(works)
    for _ in range(passes):
        for at, work in enumerate(works):
            before = time.thread_time()
            work()
            times[at] = min(times[at], time.thread_time() - before)
    return times
