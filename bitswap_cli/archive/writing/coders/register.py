"""The coders, one line each, and which of them gets a file."""

from collections.abc import Callable

from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.coder import Coder, Work
from bitswap_cli.archive.writing.coders.drawn import DrawnCoder
from bitswap_cli.archive.writing.coders.jpegs import JpegCoder
from bitswap_cli.archive.writing.coders.tiles import TileCoder

_BEGIN: tuple[Callable[[Work], Coder | None], ...] = (
    TileCoder.begin,
    JpegCoder.begin,
    DrawnCoder.begin,
)


class Coders:
    """Those that there are codecs for.

    Parameters
    ----------
    work : Work
    """

    def __init__(self, work: Work) -> None:
        begun = [begin(work) for begin in _BEGIN]
        self._coders = [coder for coder in begun if coder]

    def take(self, source: Source, seen: Seen | None) -> bool:
        """Send a file on its way to the coder under which it takes the fewest bytes, the first of
        equals; return False if it is one for none of them.

        Parameters
        ----------
        source : Source
        seen : Seen or None
            What it can be seen as.
        """
        offers = [offer for coder in self._coders if (offer := coder.offer(source, seen))]
        if not offers:
            return False
        best = offers[0] if len(offers) == 1 else min(offers, key=lambda offer: offer.cost())
        best.take()
        return True

    def end(self) -> None:
        """Send what waits on its way."""
        for coder in self._coders:
            coder.end()
