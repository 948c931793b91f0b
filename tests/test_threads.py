"""Threads that are waited for, and those that are not."""

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from threading import Event, Timer

import pytest

from bitswap_cli.archive.sources.ahead import ahead, each
from bitswap_cli.cli.common import Console
from bitswap_cli.threads import ENDING, Threads
from tests.archive.sources.test_ahead import Item


@pytest.fixture(autouse=True)
def _going_on() -> Iterator[None]:
    yield
    ENDING.clear()


class Work:
    """What goes on until it is let go of."""

    def __init__(self) -> None:
        self.began, self.go_on = Event(), Event()

    def __call__(self, _: object = None) -> bool:
        self.began.set()
        return self.go_on.wait()


def test_what_is_at_work_is_waited_for_and_what_waits_is_given_up() -> None:
    work = Work()
    with Threads(1) as pool:
        first, second = pool.submit(work), pool.submit(work)
        work.began.wait()
        Timer(0.1, work.go_on.set).start()
    assert first.result()
    with pytest.raises(CancelledError):
        second.result()


def test_what_comes_is_had_before_all_is_there() -> None:
    work = Work()

    def given() -> Iterator[int]:
        yield 1
        work()
        yield 2
        raise KeyError

    with Threads(1) as pool:
        found = pool.each(given)
        assert next(found) == 1
        assert not work.go_on.is_set()
        work.go_on.set()
        assert next(found) == 2
        with pytest.raises(KeyError):
            next(found)
        assert not list(pool.each(list[int]))


def test_what_was_given_up_does_not_come() -> None:
    work = Work()
    with Threads(1) as pool:
        pool.submit(work)
        found = pool.each(lambda: [1])
        work.began.wait()
        Timer(0.1, work.go_on.set).start()
    with pytest.raises(CancelledError):
        next(found)


@pytest.mark.parametrize("way", ["terminate", "interrupt"])
def test_nobody_waits_when_the_program_is_to_end(way: str) -> None:
    work = Work()
    with pytest.raises((SystemExit, KeyboardInterrupt)), Threads(1) as pool:
        first = pool.submit(work)
        work.began.wait()
        getattr(Console(), way)()
    assert not first.done()
    work.go_on.set()


def test_nobody_waits_for_what_is_looked_at_ahead() -> None:
    """Where somebody else is told to end meanwhile."""
    work, items = Work(), [Item(0), Item(1, 1 << 20)]

    def find(item: Item) -> bool:
        return item.number == 0 or work()

    looks = ahead(items, each(find), lambda item, found: found(), 2)
    with pytest.raises(KeyboardInterrupt), closing(looks):
        assert next(looks) == (items[0], True)
        work.began.wait()
        Console().interrupt()
    work.go_on.set()
