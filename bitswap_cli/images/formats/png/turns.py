"""Large pictures wait for each other: to describe or restore one takes several times its bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """Room for so many pixels at a time, or for one picture of any size.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._changed = Condition()

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait for room, and take it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + pixels <= self._most)
            self._taken += pixels
        try:
            yield
        finally:
            with self._changed:
                self._taken -= pixels
                self._changed.notify_all()
