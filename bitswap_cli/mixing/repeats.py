"""Long repeats among bytes: what stood before, however far away, is told and not coded again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import chosen
from bitswap_cli.errors import InputError
from bitswap_cli.mixing.octets import compiled

LEAST = 1 << 8
"""Bytes of the shortest one. Mixing knows shorter ones, where they are near, for as few bits as to
tell of them takes."""
_WINDOW = 1 << 5  # of the kernel
_BITS = 12, 22  # logarithms of how many windows are remembered

Buffer = bytes | bytearray | memoryview


def find(data: Buffer, least: int = LEAST) -> NDArray[np.int64]:
    """Find long repeats, greedily, by windows that stood before: as rzip does it (A. Tridgell,
    Efficient Algorithms for Sorting and Synchronization, 1999).

    Parameters
    ----------
    data : bytes
        Below 2^32.
    least : int
        Bytes of the shortest one.

    Returns
    -------
    int64 array (N, 3)
        Of each its first byte, how many it has, and the first of those that it repeats; these all
        stand before it. They are in their order, and none begins before the one before it ends.

    Raises
    ------
    InputError
        If there is no kernel: `octets.quick` tells.
    """
    kernel = chosen(compiled, InputError)
    if kernel is None:
        raise InputError("long repeats are found by the compiled kernel, which is not there")
    own = np.frombuffer(data, np.uint8)
    bits = min(max((len(own) // _WINDOW).bit_length() + 1, _BITS[0]), _BITS[1])
    room = len(own) // max(least, _WINDOW)
    places, found = np.zeros(1 << bits, np.uint32), np.empty((room, 3), np.uint32)
    count = kernel.repeats(
        own.ctypes.data, len(own), least, places.ctypes.data, bits, found.ctypes.data, room
    )
    return found[:count].astype(np.int64)
