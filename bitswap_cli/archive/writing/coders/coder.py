"""What coders are given and what they give: files become chunks of one tag."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from math import prod
from typing import Any, NamedTuple, Protocol

from bitswap_cli.archive.codecs import Codecs
from bitswap_cli.archive.format.header import Header
from bitswap_cli.archive.report import PackReport
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.images.formats.format import Shape
from bitswap_cli.images.formats.register import shown_shape

Submit = Callable[..., Future[Any]]
"""Lets a function be called in another thread, as `Executor.submit` does."""


class Offer(NamedTuple):
    """The word of a coder that it can code a file."""

    take: Callable[[], None]
    """Lets it do that."""
    cost: Callable[[], float]
    """Says about how many bytes the file would take; asked only if another coder offers as well,
    by the thread that offered."""
    join: Callable[[Source, Seen | None], bool] = lambda source, seen: False
    """Adds a file to what was offered, before that is taken, if it has the same pixels and can
    share them; tells whether it did."""
    dear: bool = False
    """Whether its cost takes long to find out, see coders/asking.py."""
    sure: bool = False
    """Whether no other coder needs to be asked, as each would take more bytes."""


class Kept(NamedTuple):
    """A file that is in a chunk."""

    source: Source
    kind: str
    """Of its entry."""
    samples: int = 0
    """Of a picture: how many what it shows has."""


def kept_as(source: Source, kind: str, shape: Shape) -> Kept:
    """Tell of a picture that is in a chunk, of a kind and of samples of a shape."""
    return Kept(source, kind, prod(shown_shape(kind, shape)))


class Coded(NamedTuple):
    """Files as chunks."""

    chunks: Sequence[tuple[bytes, int]]
    """Their bodies, and how many segments each has."""
    kept: Sequence[Kept]
    """What is in them."""
    lost: Sequence[Source]
    """What had better be kept byte for byte."""
    bits: float = 0.0
    """Net bits of what is in them."""


class Coder(Protocol):
    """Puts files into chunks; a register has them all (see coders/register.py).

    Which files are coded together depends on the files and their order only.
    """

    @property
    def tag(self) -> bytes:
        """Of its chunks."""

    def offer(self, source: Source, seen: Seen | None) -> Offer | None:
        """Offer to code a file, of which it is known what it can be seen as, or return None.

        Files may be offered from several threads at the same time; the offers are taken one by one.
        """

    def end(self) -> None:
        """Queue what was taken and waits for more; no file comes any more."""

    def count(self, report: PackReport, coded: Coded, size: int) -> None:
        """Tell what became of some files; their chunks take so many bytes in the archive."""


class Step(NamedTuple):
    """Files on their way into chunks, which are written when their turn comes."""

    coder: Coder
    coded: Callable[[], Coded]
    """Waits for them."""
    held: int
    """Bytes of samples in memory."""
    chunks: Callable[[], Iterable[tuple[bytes, int]]] = tuple
    """Yields chunks that come before those of `coded`, which is asked then: of a picture that is
    too large to be held. They are taken back if nothing is kept."""


class Work(NamedTuple):
    """What a coder is given."""

    header: Header
    """Of the archive: its features say what there may be."""
    catalogue: Catalogue
    codecs: Codecs
    submit: Submit
    haste: float
    """How many times fewer bytes a coder has to promise that takes much longer than another."""
    queue: Callable[[Step], None]
    """Takes steps, in the order in which they are to be written."""
