"""Streams that were described, given back without being made again.

Whoever looks at a file has it described, and then proves that it comes back from what was found.
`describe` has proved its part of that: while streams are remembered, what it was given is what
`restore` gives. Whoever reads or verifies archives remembers nothing.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_MOST = 1 << 24  # bytes of a file of which it is remembered what was read

T = TypeVar("T")


class _Remembered(threading.local):
    streams: dict[bytes, bytes] | None = None
    read: (
        dict[Callable[..., Any], tuple[bytes | NDArray[np.uint8], tuple[int, ...], Any]] | None
    ) = None


_HERE = _Remembered()


def _key(inflated: bytes, description: bytes) -> bytes:
    return hashlib.sha256(inflated).digest() + description


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what this thread describes within."""
    _HERE.streams, _HERE.read = {}, {}
    try:
        yield
    finally:
        _HERE.streams = _HERE.read = None


def remember(inflated: bytes, description: bytes, stream: bytes) -> None:
    """Remember a stream that was proved, if any are remembered."""
    if _HERE.streams is not None:
        _HERE.streams[_key(inflated, description)] = stream


def recall(inflated: bytes, description: bytes) -> bytes | None:
    """Return a stream that is remembered, else None."""
    if not _HERE.streams:
        return None
    return _HERE.streams.get(_key(inflated, description))


def once(read: Callable[..., T], data: bytes | NDArray[np.uint8], *how: int) -> T:
    """Return what is read of a file; not again if it was the last one that was read so, and is
    remembered."""
    if _HERE.read is None or len(data) > _MOST:
        return read(data, *how)
    known = _HERE.read.get(read)
    if known is None or known[0] is not data or known[1] != how:
        known = _HERE.read[read] = data, how, read(data, *how)
    found: T = known[2]
    return found
