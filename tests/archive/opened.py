"""Which files a test opens; Python's audit hooks stay for good, so there is one."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_listening: list[Counter[str]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _listening and isinstance(arguments[0], str | bytes):
        _listening[-1][os.path.basename(os.fsdecode(arguments[0]))] += 1


sys.addaudithook(_hear)


@contextmanager
def opened() -> Iterator[Counter[str]]:
    """Yield how often files are opened from now on, by the last part of their paths."""
    counter: Counter[str] = Counter()
    _listening.append(counter)
    try:
        yield counter
    finally:
        _listening.remove(counter)
