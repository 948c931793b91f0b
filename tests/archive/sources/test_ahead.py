"""What is found ahead is settled in order, however sources are handed over."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

import pytest

from bitswap_cli.archive.sources.ahead import Outcome, ahead, any_tells, each


class Item(NamedTuple):
    """A source."""

    number: int
    size: int = 1


def refusing_sevens(item: Item) -> int:
    """What is found of a source."""
    if item.number % 10 == 7:
        raise ValueError(item.number)
    return item.number


def settled(item: Item, found: Callable[[], int]) -> int | None:
    """What was found, or None if that failed."""
    try:
        return found()
    except ValueError as error:
        assert error.args == (item.number,)
        return None


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_all_are_settled_in_order(threads: int) -> None:
    items = [Item(number) for number in range(1000)]
    with closing(ahead(items, each(refusing_sevens), settled, threads)) as found:
        assert list(found) == [(one, None if one[0] % 10 == 7 else one[0]) for one in items]


def test_small_sources_are_found_together_but_for_the_first_ones() -> None:
    together, lock = list[list[Item]](), threading.Lock()

    def find(some: Sequence[Item]) -> list[Outcome[int]]:
        with lock:
            together.append(list(some))
        return [Outcome(one.number) for one in some]

    large = [Item(number, 1 << 20) for number in range(1000, 1003)]
    items = [Item(number) for number in range(1000)] + large
    with closing(ahead(items, find, settled, 2)) as found:
        assert [item for item, _ in found] == items
    together.sort()
    assert [one for some in together for one in some] == items
    assert {len(some) for some in together[:8]} == {1}
    assert max(map(len, together)) == 16
    assert together[-3:] == [[one] for one in large]


def test_what_was_found_is_settled_if_nobody_asks_for_more() -> None:
    done, kept, lock = set[int](), list[int](), threading.Lock()

    def find(item: Item) -> int:
        with lock:
            done.add(item.number)
        return refusing_sevens(item)

    def keep(item: Item, found: Callable[[], int]) -> None:
        if (own := settled(item, found)) is not None:
            kept.append(own)

    with closing(ahead(map(Item, range(1000)), each(find), keep, 2)) as found:
        for _ in range(600):
            next(found)
    assert sorted(kept) == kept == sorted(one for one in done if one % 10 != 7)
    assert 600 <= len(done) < 700


def test_an_error_of_settling_goes_up_and_what_else_was_found_is_settled() -> None:
    kept = list[int]()

    def keep(item: Item, found: Callable[[], int]) -> None:
        kept.append(found())

    looks = ahead(map(Item, range(100)), each(refusing_sevens), keep, 2)
    with pytest.raises(ValueError, match="7"), closing(looks):
        list(looks)
    assert kept[:7] == list(range(7)) and 7 not in kept


def test_few_behind_the_first_that_tells_are_found() -> None:
    done = list[int]()

    def find(item: Item) -> int:
        done.append(item.number)
        return item.number

    def settle(_: Item, found: Callable[[], int]) -> int:
        return found()

    items = [Item(number) for number in range(5000)]
    assert any_tells(items, each(find), lambda number: number == 700, settle, 2)
    assert 700 in done and len(done) < 800
    assert not any_tells(items, each(find), lambda number: number < 0, settle, 2)
