"""Dear offers are asked about some of the pictures that are alike, whatever asks and when."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

import numpy as np
import pytest

from bitswap_cli.archive.sources.seen import History, Seen
from bitswap_cli.archive.sources.source import Source
from bitswap_cli.archive.writing.coders.asking import ALL, Asking, Best, Limits, Look, best, lots
from bitswap_cli.archive.writing.coders.coder import Offer
from bitswap_cli.images.picture import Picture, Recipe

LIMIT = 100  # bytes of each file without a model


def look(name: bytes, edge: int = 28) -> Look:
    picture = Picture(np.zeros((edge, edge, 1), np.uint8), Recipe("png", b"", b"", b""))
    return Source(name, name, "file", LIMIT, 0), Seen([picture], LIMIT, 0, History())


class Pair:
    """A coder that is asked about every picture, and a dear one; each has a price for each file."""

    def __init__(self, prices: Callable[[int], tuple[float, float]]) -> None:
        self.prices, self.asked = prices, list[int]()

    def find(self, looks: Sequence[Look], limits: Limits) -> list[Best]:
        offers = [self.offers(int(source.name)) for source, _ in looks]
        some = zip(looks, offers, strict=True)
        return [
            best(seen, own, ALL if k == 0 else limits) for k, ((_, seen), own) in enumerate(some)
        ]

    def offers(self, number: int) -> list[Offer]:
        cheap, dear = self.prices(number)

        def ask() -> float:
            self.asked.append(number)
            return dear

        return [Offer(lambda: None, lambda: cheap), Offer(lambda: None, ask, dear=True)]


def later(find: Callable[..., list[Best]], *told: object) -> Future[list[Best]]:
    """Submit to a thread that is slow: it finds out when it is asked."""

    class Late(Future[list[Best]]):
        def result(self, timeout: float | None = None) -> list[Best]:
            if not self.done():
                self.set_result(find(*told))
            return super().result(timeout)

    return Late()


def at_once(find: Callable[..., list[Best]], *told: object) -> Future[list[Best]]:
    found = Future[list[Best]]()
    found.set_result(find(*told))
    return found


def taken(
    pair: Pair, count: int, submit: Callable[..., Future[list[Best]]] = at_once
) -> list[bool]:
    """Whether the dear offer was taken for each of some pictures."""
    asking, looks = Asking(), (look(b"%d" % number) for number in range(count))
    found = [asking.ask(submit, pair.find, lot) for lot in lots(looks)]
    return [one.offer is not None and one.offer.dear for lot in found for one in lot.result()]


def spread(number: int) -> float:
    """Prices from 40 to 59, in no order."""
    return 40 + number * 7 % 20


def test_dear_offers_that_never_pay_are_asked_about_few() -> None:
    pair = Pair(lambda number: (spread(number), 90))
    assert not any(taken(pair, 2000))
    assert 500 < len(pair.asked) < 750  # the first 160, some of each lot


def test_one_that_is_worse_than_most_is_asked_about() -> None:
    odd = {777, 1234, 1999}
    pair = Pair(lambda number: (80, 70) if number in odd else (spread(number), 90))
    assert {number for number, dear in enumerate(taken(pair, 2000)) if dear} == odd


def test_where_dear_offers_pay_all_are_asked() -> None:
    pair = Pair(lambda number: (50, 49 if number % 5 == 0 else 60))
    assert [number for number, dear in enumerate(taken(pair, 600)) if dear] == [*range(0, 600, 5)]
    assert len(pair.asked) == 600


def test_pictures_that_change_are_asked_about_again() -> None:
    pair = Pair(lambda number: (50, 90) if number < 800 else (50, 30))
    found = taken(pair, 1600)
    assert not any(found[:800]) and all(found[1000:]) and found[800:1000].count(True) >= 200 // 8


@pytest.mark.parametrize("submit", [later, at_once])
def test_what_is_found_does_not_depend_on_when(submit: Callable[..., Future[list[Best]]]) -> None:
    rng = np.random.default_rng(3)
    prices = rng.integers(20, 100, (1000, 2)).astype(float)
    prices[:, 1] += 40 * (rng.random(1000) < 0.97)
    pair, other = (Pair(lambda number: tuple(prices[number])) for _ in range(2))
    assert taken(pair, 1000, submit) == taken(other, 1000)
    assert sorted(pair.asked) == sorted(other.asked)


def test_large_pictures_and_others_are_asked_about() -> None:
    def prices(number: int) -> tuple[float, float]:
        return 10, 90

    pair, (_, seen) = Pair(prices), look(b"0")
    limits: Limits = {(("png", (28, 28, 1)),): 0.5}
    assert best(seen, pair.offers(0), limits).told is None and not pair.asked
    for edge in (27, 200):
        best(look(b"0", edge)[1], pair.offers(edge), limits)
    best(None, pair.offers(1), limits)
    assert pair.asked == [27, 200, 1]
    assert best(seen, pair.offers(0)[:1], limits).offer is not None
    assert best(seen, [], limits).offer is None


def test_a_lot_ends_with_what_is_large_or_no_picture() -> None:
    def looks() -> Iterator[Look]:
        yield from (look(b"%d" % number) for number in range(20))
        yield look(b"20", 200)
        yield (look(b"21")[0], None)
        yield look(b"22")

    assert [len(lot) for lot in lots(looks())] == [16, 5, 1, 1]
