"""Which offers for small pictures are asked what they cost, and so which one is the best.

To ask the coder of drawn pictures takes as long as to code one. Where it was asked about many that
are alike, such as digits of one size, and had nothing better to offer, it is asked about a few from
then on: the first one of each lot, and those at which the other coders are worse than at most.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from bitswap_cli.archive.sources.seen import Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.coder import Offer

Look = tuple[Source, Seen | None]
"""A file, and what it can be seen as."""
Genre = tuple[object, ...]
"""What small pictures have in common that are alike: their kinds, and their shape."""
Limits = Mapping[Genre, float]
"""Up to which share of the bytes without a model another coder is not asked about a picture."""

ALL: Limits = {}
"""Where every offer is asked."""
_LOT, _SMALL = 16, 1 << 14  # pictures that are compared together, and the most samples of each
_LAG = 8  # lots: what is found of one is known to the one that comes so many later
_SOME = 32  # pictures of a genre that tell of the others
_MOST = 28  # of these: those at which the first coder is best


class Told(NamedTuple):
    """What was found of a small picture by asking."""

    genre: Genre
    share: float
    """Of the bytes without a model, those of the best offer that is not dear."""
    dear: bool
    """Whether a dear offer is better."""


class Best(NamedTuple):
    """The best offer for a file."""

    offer: Offer | None
    told: Told | None = None
    """If a dear one was asked, whatever the others cost."""


def lots(looks: Iterable[Look]) -> Iterator[list[Look]]:
    """Yield small pictures together, as threads take time to hand over each, and models to begin;
    what is none, or larger, ends a lot."""
    lot = list[Look]()
    for look in looks:
        lot.append(look)
        if len(lot) == _LOT or not _is_small(look[1]):
            yield lot
            lot = []
    if lot:
        yield lot


def _is_small(seen: Seen | None) -> bool:
    return seen is not None and seen.pictures[0].pixels.size <= _SMALL


def best(seen: Seen | None, offers: Sequence[Offer], limits: Limits) -> Best:
    """Return which of some offers for a file is the best, the first of equals; dear ones for a
    small picture are not asked if another one costs no more than the limit of such pictures."""
    if len(offers) < 2:
        return Best(offers[0] if offers else None)
    cheap = [offer for offer in offers if not offer.dear]
    if seen is None or not _is_small(seen) or not 0 < len(cheap) < len(offers):
        return Best(_least(offers)[1])
    genre = tuple((picture.recipe.kind, picture.pixels.shape) for picture in seen.pictures)
    cost, first = _least(cheap)
    share = cost / max(seen.limit, 1)
    if share <= limits.get(genre, -1.0):
        return Best(first)
    other, dear = _least([offer for offer in offers if offer.dear])
    found = dear if other < cost else first
    return Best(found, None if genre in limits else Told(genre, share, found.dear))


def _least(offers: Sequence[Offer]) -> tuple[float, Offer]:
    return min(((offer.cost(), offer) for offer in offers), key=lambda pair: pair[0])


class Asking:
    """Has offers for small pictures asked by what was found of those before.

    What is found depends on the files and their order only, however many threads there are.
    """

    def __init__(self) -> None:
        self._found = deque[Future[list[Best]]]()
        self._told: dict[Genre, deque[Told]] = {}
        self._limits: dict[Genre, float] = {}

    def ask(
        self,
        submit: Callable[..., Future[list[Best]]],
        find: Callable[[Sequence[Look], Limits], list[Best]],
        looks: Sequence[Look],
    ) -> Future[list[Best]]:
        """Have the best offers for a lot found, in another thread.

        Parameters
        ----------
        submit : callable
            As `Executor.submit`.
        find : callable
            Finds them under limits.
        looks : sequence of tuples
            The lot.
        """
        if len(self._found) == _LAG:
            for one in self._found.popleft().result():
                self._learn(one.told)
        found = submit(find, looks, dict(self._limits))
        if all(_is_small(seen) for _, seen in looks):  # others would be held for too long
            self._found.append(found)
        return found

    def _learn(self, told: Told | None) -> None:
        if told is None:
            return
        some = self._told.setdefault(told.genre, deque(maxlen=_SOME))
        some.append(told)
        order = sorted(one.share for one in some)
        limit = order[min(_MOST, len(some)) - 1]
        if len(some) < _SOME or any(one.dear and one.share <= limit for one in some):
            self._limits.pop(told.genre, None)
        else:
            self._limits[told.genre] = limit
