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
_WINDOW = 1 << 5  # bytes that are looked up, those before at places divisible by it
# The hash of a window is a polynomial of its bytes.
_BASE, _SPREAD, _ALL = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, (1 << 64) - 1
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
        If BITSWAP_ENGINE asks for an engine that is not there.
    """
    kernel = chosen(compiled, InputError)
    own = np.frombuffer(data, np.uint8)
    bits = min(max((len(own) // _WINDOW).bit_length() + 1, _BITS[0]), _BITS[1])
    if kernel is None:
        return np.array(_reference(own.tobytes(), least, bits), np.int64).reshape(-1, 3)
    room = len(own) // max(least, _WINDOW)
    places, found = np.zeros(1 << bits, np.uint32), np.empty((room, 3), np.uint32)
    count = kernel.repeats(
        own.ctypes.data, len(own), least, places.ctypes.data, bits, found.ctypes.data, room
    )
    return found[:count].astype(np.int64)


def _reference(data: bytes, least: int, bits: int) -> list[tuple[int, int, int]]:
    """Do what the kernel does, microseconds a byte."""
    found, places = list[tuple[int, int, int]](), dict[int, int]()
    end = at = 0
    while at + _WINDOW <= len(data):
        window = data[at : at + _WINDOW]
        place = (_hash_of(window) * _SPREAD & _ALL) >> 64 - bits
        source = places.get(place, len(data))
        runs = False  # as of zeros: the first window of a run stays, as repeats may not overlap
        if data[source : source + _WINDOW] == window:
            before, length, most = 0, _WINDOW, at - source
            while (
                at - before > end and source > before and before + length < most
                and data[at - before - 1] == data[source - before - 1]
            ):  # fmt: skip
                before += 1
            while (
                at + length < len(data) and before + length < most
                and data[at + length] == data[source + length]
            ):  # fmt: skip
                length += 1
            if before + length >= least:
                found.append((at - before, before + length, source - before))
                end = at = at + length
                continue
            runs = most < least
        if at % _WINDOW == 0 and not runs:
            places[place] = at
        at += 1
    return found


def _hash_of(window: bytes) -> int:
    value = 0
    for byte in window:
        value = value * _BASE + byte + 1 & _ALL
    return value
