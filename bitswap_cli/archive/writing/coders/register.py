"""The coders, one line each, and which of them gets a file."""

from collections.abc import Callable, Sequence

from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.asking import ALL, Best, Limits, Look, best
from bitswap_cli.archive.writing.coders.choice import Cost, weigh
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

    def best(self, looks: Sequence[Look], limits: Limits = ALL) -> list[Best]:
        """Return for each file the offer under which it takes the fewest bytes, the first of
        equals; none if it is a file for no coder. Any thread may ask.

        Parameters
        ----------
        looks : sequence of tuples
            Files, and what they can be seen as, if that is known.
        limits : Limits, optional
            See `asking.best`; there are none for the first of these files.
        """
        offers = [self._offers(*look) for look in looks]
        costs = [offer.cost for some in offers if len(some) > 1 for offer in some]
        weigh(cost for cost in costs if isinstance(cost, Cost))
        return [
            best(seen, some, limits if number else ALL)
            for number, ((_, seen), some) in enumerate(zip(looks, offers, strict=True))
        ]

    def _offers(self, source: Source, seen: Seen | None) -> list[Offer]:
        """Return what coders offer, or what one offers that is sure: others may take long to say
        what they do."""
        found = list[Offer]()
        for coder in reversed(self._coders):  # the one that may be sure is the last
            if offer := coder.offer(source, seen):
                found.append(offer)
                if offer.sure:
                    return [offer]
        return found[::-1]

    def end(self) -> None:
        """Send what waits on its way."""
        for coder in self._coders:
            coder.end()
