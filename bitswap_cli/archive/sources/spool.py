"""What was inflated, and lies in no file as it is: kept while it may be read."""

import tempfile
import weakref
from threading import Lock

from bitswap_cli.atomic import Scratch, cannot


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

    def read(self, place: int, length: int) -> bytes:
        """Return some of these bytes; raise OSError if they cannot be read."""
        with self._lock:
            if self._scratch is None:
                return b""
            self._scratch.file.seek(place)
            return self._scratch.file.read(length)
