"""Files with holes, where they had some."""

import os
from collections.abc import Sequence

from bitswap_cli.atomic import Dress, NewFile, Path, cannot

_REST = 1 << 63  # bytes behind the last hole: more than there are


class SparseFile(NewFile):
    """A new file in which the places of holes are not written, as far as there are zeros.

    Parameters
    ----------
    path, force, dress
        See `NewFile`.
    holes : sequence of int
        As those of `Attributes`.
    """

    def __init__(
        self, path: Path, *, force: bool, dress: Dress | None, holes: Sequence[int]
    ) -> None:
        super().__init__(path, force=force, dress=dress)
        self._runs = iter(holes)
        self._hole = True  # whether the run that we are in is one
        self._left = 0  # bytes of it

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        rest = memoryview(data)
        while rest:
            while not self._left:
                self._hole = not self._hole
                self._left = next(self._runs, _REST)
            part, rest = rest[: self._left], rest[self._left :]
            self._left -= len(part)
            if self._hole and bytes(part) == bytes(len(part)):
                self._skip(len(part))
            else:
                super().write(part)

    def finish(self, *, sync: bool = True) -> None:
        """Make what was written durable; see `NewFile`."""
        self.truncate(self.file.tell())  # it may end with a hole
        super().finish(sync=sync)

    def _skip(self, length: int) -> None:
        try:
            self.file.seek(length, os.SEEK_CUR)
        except OSError as error:
            self.discard()
            raise cannot("write", self.path, error) from error
