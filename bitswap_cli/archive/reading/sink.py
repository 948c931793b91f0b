"""What takes restored entries, and one that drops them all."""

import tempfile
from typing import Protocol

from bitswap_cli.archive.format.attributes import Attributes
from bitswap_cli.archive.format.names import stays_inside
from bitswap_cli.archive.reading.equal import Equal
from bitswap_cli.archive.reading.places import Places
from bitswap_cli.atomic import Scratch
from bitswap_cli.errors import InputError, display


class Output(Protocol):
    """A file that is being restored."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""

    def discard(self) -> None:
        """Give up."""


class Sink(Protocol):
    """What takes restored entries."""

    def put(
        self, name: bytes, data: bytes | memoryview, mtime: int, attributes: Attributes
    ) -> None:
        """Restore a whole file."""

    def open(self, name: bytes, attributes: Attributes) -> Output:
        """Begin a file."""
        ...

    def commit(self, output: Output, mtime: int) -> None:
        """End a file."""

    def make_folder(self, name: bytes, mtime: int, attributes: Attributes) -> None:
        """Restore a folder, empty or not."""

    def make_link(self, name: bytes, target: bytes, mtime: int, attributes: Attributes) -> None:
        """Restore a link."""

    def equal(self, one: Equal) -> None:
        """Restore a file once more that was given before."""

    def spool(self) -> Scratch | None:
        """Return a file for pictures inside of files; None if nobody will read it."""

    def finish(self) -> list[str]:
        """Wait until everything is restored; return a line for each entry that was refused."""
        ...

    def close(self) -> None:
        """Release what is held, whatever happened."""


class Nowhere:
    """A sink that drops everything, and knows what could not be restored on this system: what
    `verify` restores to.

    Parameters
    ----------
    spooling : bool
        Whether pictures inside of files are read again, as where deflate streams are made of them.
    """

    def __init__(self, *, spooling: bool = False) -> None:
        self._spooling = spooling
        self._places = Places()
        self._refused: list[str] = []

    def put(
        self, name: bytes, data: bytes | memoryview, mtime: int, attributes: Attributes
    ) -> None:
        """Take the name."""
        self._take(name)

    def open(self, name: bytes, attributes: Attributes) -> "Nowhere":
        """Begin a file."""
        self._take(name)
        return self

    def write(self, data: bytes | memoryview) -> None:
        """Drop bytes."""

    def discard(self) -> None:
        """Do nothing."""

    def commit(self, output: Output, mtime: int) -> None:
        """Do nothing."""

    def make_folder(self, name: bytes, mtime: int, attributes: Attributes) -> None:
        """Take the name."""
        self._take(name, folder=True)

    def make_link(self, name: bytes, target: bytes, mtime: int, attributes: Attributes) -> None:
        """Take the name."""
        self._take(name)
        if not stays_inside(name, target):
            self._refused.append(outside(name, target))

    def equal(self, one: Equal) -> None:
        """Take the name."""
        self._take(one.name)

    def spool(self) -> Scratch | None:
        """Return a file for pictures inside of files, if they are read again."""
        return Scratch(tempfile.gettempdir()) if self._spooling else None

    def finish(self) -> list[str]:
        """Return a line for each entry that could not be restored."""
        return self._refused

    def close(self) -> None:
        """Do nothing."""

    def _take(self, name: bytes, *, folder: bool = False) -> None:
        try:
            self._places.take(name, folder=folder)
        except InputError as error:
            self._refused.append(str(error))


def outside(name: bytes, target: bytes) -> str:
    """Return the line about a link that is not restored."""
    return f"{display(name)} (a link to {display(target)}, outside of the output folder)"
