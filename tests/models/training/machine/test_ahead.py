"""What other processes draw comes in the order of turns, and their end is one line."""

import multiprocessing
import os
import signal
import time
from itertools import islice

import pytest

from bitswap_cli.errors import InputError
from bitswap_models.training.machine.ahead import ahead


def drawn(turn: int) -> tuple[int, int, str | None]:
    return turn, os.getpid(), os.environ.get("OMP_NUM_THREADS")


def endless(turn: int) -> None:
    time.sleep(1000)


def blocked(turn: int) -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def lost(turn: int) -> int:
    if turn == 2:
        os._exit(1)
    return turn


def refused(turn: int) -> int:
    raise InputError(f"no picture for turn {turn}")


def test_turns_come_in_order_each_pool_having_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with ahead(drawn, 3, pools=2) as turns:
        found = list(islice(turns, 8))
    assert [turn for turn, *_ in found] == list(range(8))
    even, odd = ({pid for turn, pid, _ in found if turn % 2 == part} for part in range(2))
    assert len(even) == len(odd) == 1 and even != odd and os.getpid() not in even | odd
    assert {threads for *_, threads in found} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_turns_may_end() -> None:
    with ahead(drawn, 3, workers=2, turns=range(5)) as turns:
        assert [turn for turn, *_ in turns] == list(range(5))


def test_processes_end_with_the_block() -> None:
    with ahead(endless, 2, pools=2) as turns:
        own = multiprocessing.active_children()
        assert len(own) == 2
        del turns
    assert not any(process.is_alive() for process in own)


def test_processes_hear_no_signal() -> None:
    with ahead(blocked, 1) as turns:
        assert next(turns) >= {signal.SIGINT, signal.SIGTERM}
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_ends_is_one_line() -> None:
    with pytest.raises(InputError, match="has ended"), ahead(lost, 1) as turns:
        assert list(islice(turns, 9)) == []


def test_errors_come_with_their_turn() -> None:
    with pytest.raises(InputError, match="no picture for turn 0"), ahead(refused, 2) as turns:
        next(turns)
