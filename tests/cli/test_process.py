"""Threads of a command share what memory is free, and are no more than it has need of."""

import gc
import os
import platform
import subprocess
import sys

import pytest

from bitswap_cli.cli.process import collect_seldom, spare_threads

# Threads one after the other, all alive to the end, each of which frees what it had.
HELD = """
import sys, threading
if sys.argv[1] == "shared":
    from bitswap_cli.cli.process import share_arenas
    assert share_arenas()
end, done = threading.Event(), threading.Semaphore(0)
def work():
    for _ in range(2):
        parts = [bytearray(100_000) for _ in range(300)]
        del parts
    done.release()
    end.wait()
for _ in range(8):
    threading.Thread(target=work).start()
    done.acquire()
held = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
end.set()
print(held)
"""


def held(how: str) -> int:
    """Return the most kB that a process has had."""
    told = subprocess.run([sys.executable, "-c", HELD, how], check=True, capture_output=True)
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_less_is_held() -> None:
    assert held("shared") < held("alone")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compress", "in", "-o", "a"], "1"),
        (["compress", "in", "-o", "a", "--fit=10s"], None),
        (["train", "recipe.toml", "data"], None),
    ],
)
def test_threads_of_linear_algebra(
    monkeypatch: pytest.MonkeyPatch, words: list[str], told: str | None
) -> None:
    """They are for training; and what the user says holds."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    spare_threads(words)
    assert os.environ.get("OPENBLAS_NUM_THREADS") == told
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    spare_threads(words)
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


def test_garbage_is_looked_for_seldom() -> None:
    before = gc.get_threshold()
    try:
        collect_seldom()
        new, *older = gc.get_threshold()
        assert before[0] < new and (*older,) == before[1:]
    finally:
        gc.set_threshold(*before)
