"""What was used last is kept, in a bounded number of bytes, and made by one thread."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.api.cache import Cache


def made(key: object, size: int) -> tuple[str, int]:
    return str(key), size


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=40), st.integers(0, 20))
def test_it_holds_no_more_than_there_is_room_for(uses: list[tuple[int, int]], room: int) -> None:
    """A key has one size; what it gives is its own value, kept or made."""
    sizes: dict[int, int] = {}
    cache = Cache[int, str](room)
    for key, size in uses:
        size = sizes.setdefault(key, size)
        assert cache.get(key, partial(made, key, size)) == str(key)
        assert sum(size for _, size in cache._kept.values()) <= room
        assert (key in cache._kept) == (size <= room)


def test_what_was_used_least_recently_goes_first() -> None:
    cache = Cache[str, str](2)
    for key in "abac":
        cache.get(key, partial(made, key, 1))
    assert list(cache._kept) == ["a", "c"]
    cache.clear()
    assert not cache._kept


def test_threads_that_want_the_same_wait_for_the_first() -> None:
    cache, together = Cache[str, int](100), Barrier(8)
    calls: list[int] = []

    def make() -> tuple[int, int]:
        calls.append(1)
        return len(calls), 1

    def use(_: int) -> int:
        together.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [1] * 8


def test_an_error_is_not_kept() -> None:
    cache = Cache[str, int](10)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: (1 // 0, 1))
    assert cache.get("a", lambda: (7, 1)) == 7
