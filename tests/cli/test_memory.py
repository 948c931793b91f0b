"""Threads of a command share what memory is free."""

import platform
import subprocess
import sys

import pytest

# Threads one after the other, all alive to the end, each of which frees what it had.
HELD = """
import sys, threading
if sys.argv[1] == "shared":
    from bitswap_cli.cli.memory import share_arenas
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
