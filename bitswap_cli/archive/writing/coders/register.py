"""The coders, one line each, and which of them gets a file."""

from collections.abc import Callable

from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.coder import Coder, Offer, Work
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

    def best(self, source: Source, seen: Seen | None) -> Offer | None:
        """Return the offer under which a file takes the fewest bytes, the first of equals; None if
        it is a file for none of them. Any thread may ask.

        Parameters
        ----------
        source : Source
        seen : Seen or None
            What it can be seen as.
        """
        offers = [offer for coder in self._coders if (offer := coder.offer(source, seen))]
        if len(offers) < 2:
            return offers[0] if offers else None
        return min(offers, key=lambda offer: offer.cost())

    def end(self) -> None:
        """Send what waits on its way."""
        for coder in self._coders:
            coder.end()
