"""What was inflated, and lies in no file as it is: kept while it may be read."""

import io
import tempfile
import weakref
from collections.abc import Callable
from threading import Lock
from typing import Any, BinaryIO

from bitswap_cli.atomic import Scratch, cannot

_HELD = 1 << 20  # bytes of what is opened as a file, at most


class Spool:
    """Bytes in a temporary file, which is made when there are any, and gone with this. Any thread
    may ask."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._scratch: Scratch | None = None
        self._end = 0

    def add(self, data: bytes) -> int:
        """Keep some bytes; return where they begin.

        Raises
        ------
        InputError
            If there is no room for them.
        """
        with self._lock:
            try:
                if self._scratch is None:
                    self._scratch = Scratch(tempfile.gettempdir())
                    weakref.finalize(self, self._scratch.close)
                self._scratch.file.seek(self._end)
                self._scratch.file.write(data)
            except OSError as error:
                raise cannot("write", b"a temporary file", error) from error
            self._end += len(data)
            return self._end - len(data)

    def opened(self, place: int, length: int) -> BinaryIO:
        """Return some of these bytes as a file, of which not more than a part is held at a time."""
        if length <= _HELD:
            return io.BytesIO(self.read(place, length))
        return io.BufferedReader(Slice(self.read, place, length), _HELD)

    def read(self, place: int, length: int) -> bytes:
        """Return some of these bytes; raise OSError if they cannot be read."""
        with self._lock:
            if self._scratch is None:
                return b""
            self._scratch.file.seek(place)
            return self._scratch.file.read(length)


class Slice(io.RawIOBase):
    """Some bytes of something, as a file.

    Parameters
    ----------
    read : callable
        Returns bytes of it, given where they begin, and how many they are.
    start, size : int
    end : callable, optional
        Called when the file is closed.
    """

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        start: int,
        size: int,
        end: Callable[[], None] | None = None,
    ) -> None:
        self._read, self._start, self._size, self._end = read, start, size, end
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = place + {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence, self._size)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes."""
        length = max(min(len(buffer), self._size - self._at), 0)
        data = self._read(self._start + self._at, length)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close it."""
        if self._end and not self.closed:
            self._end()
        super().close()
