"""As many pixels at a time as there is room for, and never more; one picture of any size."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from bitswap_cli.images.formats.png.turns import Turns


def test_no_more_than_there_is_room_for() -> None:
    turns, lock, now, seen = Turns(10), Lock(), [0, 0], []

    def work(pixels: int) -> None:
        with turns.of(pixels):
            with lock:
                now[0], now[1] = now[0] + pixels, now[1] + 1
                seen.append(tuple(now))
            time.sleep(0.002)
            with lock:
                now[0], now[1] = now[0] - pixels, now[1] - 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [3, 4, 25, 1, 10, 2, 5, 30, 3, 3, 3, 1] * 5))
    assert now == [0, 0] and len(seen) == 60
    assert all(pixels <= 10 or count == 1 for pixels, count in seen)
    assert max(count for _, count in seen) > 1


def test_room_is_given_back_when_something_is_raised() -> None:
    turns = Turns(1)
    for _ in range(3):
        try:
            with turns.of(5):
                raise ValueError
        except ValueError:
            pass
