"""The values that were used last, in a bounded number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps values that take time to make; for several threads at once.

    Parameters
    ----------
    room : int
        Bytes of all values that are kept; a larger one is made, and not kept.

    Examples
    --------
    >>> cache = Cache[str, str](room=10)
    >>> cache.get("a", lambda: ("made", 6))
    'made'
    >>> cache.get("a", lambda: ("made again", 6))
    'made'
    >>> cache.get("b", lambda: ("other", 6)), cache.get("a", lambda: ("made again", 6))
    ('other', 'made again')
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._making: dict[K, Lock] = {}

    def get(self, key: K, make: Callable[[], tuple[V, int]]) -> V:
        """Return the value of a key: as it was kept, or else as `make` returns it with its bytes.

        Threads that ask for one key wait for the first of them; for others, for nobody.
        """
        with self._lock:
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key][0]
            value, size = make()
            if size <= self._room:
                with self._lock:
                    self._kept[key] = value, size
                    while sum(size for _, size in self._kept.values()) > self._room:
                        self._kept.popitem(last=False)
        return value

    def clear(self) -> None:
        """Let go of all values."""
        with self._lock:
            self._kept.clear()
