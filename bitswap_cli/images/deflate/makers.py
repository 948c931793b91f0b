"""Which makers descriptions name, beyond those that every reader of descriptions knows.

Whoever has a file described may ask which: they are noted as descriptions are made, however deep
in a file.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LIBDEFLATE = "libdeflate"
"""Of deflate streams."""
COSTS = "costs"
"""Likewise whoever looked for the cheapest tokens, by whatever search."""
PILLOW = "pillow"
"""Of PNG files: it chooses filters in a way of its own."""
MAKERS = {LIBDEFLATE, COSTS, PILLOW}
"""The features of archives that can hold descriptions which name these makers."""


class _Noted(threading.local):
    names: set[str] | None = None


_HERE = _Noted()


@contextmanager
def noting() -> Iterator[set[str]]:
    """Yield the makers that descriptions name which this thread makes within."""
    names = _HERE.names = set[str]()
    try:
        yield names
    finally:
        _HERE.names = None


def note(name: str) -> None:
    """Note a maker that a description names, if anybody asks."""
    if _HERE.names is not None:
        _HERE.names.add(name)
