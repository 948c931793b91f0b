"""Streams that were described, given back without being made again.

Whoever looks at a file has it described, and then proves that it comes back from what was found.
`describe` has proved its part of that: while streams are remembered, what it was given is what
`restore` gives. Whoever reads or verifies archives remembers nothing.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Remembered(threading.local):
    streams: dict[bytes, bytes] | None = None


_HERE = _Remembered()


def _key(inflated: bytes, description: bytes) -> bytes:
    return hashlib.sha256(inflated).digest() + description


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what this thread describes within."""
    _HERE.streams = {}
    try:
        yield
    finally:
        _HERE.streams = None


def remember(inflated: bytes, description: bytes, stream: bytes) -> None:
    """Remember a stream that was proved, if any are remembered."""
    if _HERE.streams is not None:
        _HERE.streams[_key(inflated, description)] = stream


def recall(inflated: bytes, description: bytes) -> bytes | None:
    """Return a stream that is remembered, else None."""
    if not _HERE.streams:
        return None
    return _HERE.streams.get(_key(inflated, description))
