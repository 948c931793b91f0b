"""What the process of a command asks the system for: memory, and threads that do not wait."""

import gc
import os
import sys
from collections.abc import Sequence

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
_ARENAS = 2
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_NEW = 5000  # objects, after which Python looks for garbage in cycles: 700 by default


def spare_threads(words: Sequence[str]) -> None:
    """Let no threads of linear algebra begin when numpy is imported, but for words of a command
    that trains: nothing else has need of them, and they wait in a loop, which is a third of what a
    command with one small picture takes of a processor.
    """
    if not any(word == "train" or word.startswith("--fit") for word in words):
        os.environ.setdefault(_BLAS_THREADS, "1")


def share_arenas() -> bool:
    """Let all threads of the process take memory from two arenas; tell whether that was possible.

    By default glibc has eight for each core, and what is free in one serves no other: threads that
    code chunks in turn hold a third to a half more than they need.
    """
    if sys.platform != "linux":
        return False
    from ctypes import CDLL

    mallopt = getattr(CDLL(None), "mallopt", None)  # musl has none
    return mallopt is not None and bool(mallopt(_ARENA_MAX, _ARENAS))


def collect_seldom() -> None:
    """Let Python look seldom for garbage in cycles, of which a command leaves next to none: it is
    a twentieth of what one with a small picture takes of a processor."""
    gc.set_threshold(_NEW, *gc.get_threshold()[1:])
