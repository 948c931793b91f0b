"""How the memory of a command is had from the system."""

import sys

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
_ARENAS = 2


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
