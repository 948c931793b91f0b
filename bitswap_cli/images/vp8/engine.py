"""Frames to words and back, by the compiled kernel or by the reference: both give the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.ans.library import Library, addresses, chosen, load
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.vp8 import reference
from bitswap_cli.images.vp8.decisions import MOST, TooMany
from bitswap_cli.images.vp8.numbers import numbers
from bitswap_cli.images.vp8.state import begun
from bitswap_cli.mixing.tables import tables

ABI = 2
_NO_MEMORY = -2

Words = NDArray[np.uint32]


class Kernel:
    """The functions of kernel.c, bound by ctypes, without the GIL; OSError if there are none."""

    def __init__(self, path: Path) -> None:
        library = Library(path, "vp8_abi", ABI)
        self.check = library.bound("vp8_check", "ppl")
        self.encode = library.bound("vp8_encode", "ppppplpll")
        self.decode = library.bound("vp8_decode", "pppplplplpll")


@cache
def compiled() -> Kernel | None:
    """The kernel, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


def carried(frame: bytes) -> int:
    """Return how many bytes of a key frame no decisions tell: the first ones, and the sizes of its
    partitions; 0 if it does not come back from decisions, or is none.

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    MemoryError
    """
    kernel = chosen(compiled, InputError)
    if kernel is None:
        return reference.carried(frame)
    own = np.frombuffer(frame, np.uint8)
    found = kernel.check(addresses(numbers()), own.ctypes.data, len(own))
    if found < 0:
        raise MemoryError
    return int(found)


def encode(frames: Sequence[bytes], most: int = MOST) -> Words:
    """Code frames that come back, one after the other; raise as `carried` does, and `TooMany` if
    these take more decisions than `most`."""
    kernel = chosen(compiled, InputError)
    if kernel is None:
        return reference.encode(frames, most)
    data = np.frombuffer(b"".join(frames), np.uint8)
    sizes = np.array([len(frame) for frame in frames], np.int64)
    room = len(data) // 2 + 64  # words, for all that a frame can take
    told, out = _Told(), np.empty(room, np.uint32)
    where = [*told.addresses, data.ctypes.data, sizes.ctypes.data]
    found = kernel.encode(*where, len(sizes), out.ctypes.data, room, most)
    if found == _NO_MEMORY:
        raise MemoryError
    if found < 0:
        raise TooMany
    return out[:found].copy()


def decode(words: Words, rest: bytes, gaps: Sequence[int], size: int, most: int = MOST) -> bytes:
    """Find bytes, and the frames in them.

    Parameters
    ----------
    words : uint32 array
        Those of `encode`.
    rest : bytes
        What no decisions tell, in order: what lies around frames, and of each its first bytes and
        the sizes of its partitions.
    gaps : sequence of int
        How many bytes lie before each frame, behind the one before.
    size : int
        Of all.
    most : int
        Decisions that they may take.

    Returns
    -------
    bytes

    Raises
    ------
    ArchiveError
        If no encoder leaves these.
    InputError, MemoryError
        As `carried` does.
    """
    kernel = chosen(compiled, InputError)
    if kernel is None:
        try:
            return reference.decode(words, rest, gaps, size, most)
        except Damaged:
            raise _damaged() from None
    out, own = np.zeros(size, np.uint8), np.frombuffer(rest, np.uint8)
    told, places = _Told(), np.array(gaps, np.int64)
    given = np.array(words, np.uint32)  # those of a file lie anywhere
    where = [*told.addresses, out.ctypes.data, size, own.ctypes.data, len(own)]
    counted = places.ctypes.data, len(places), given.ctypes.data, len(given), most
    found = kernel.decode(*where, *counted)
    if found == _NO_MEMORY:
        raise MemoryError
    if found:
        raise _damaged()
    return out.tobytes()


class _Told:
    """What the kernel is told first: tables, state and numbers, which have to stay."""

    def __init__(self) -> None:
        self._state = begun()
        self.addresses = (
            addresses(tables()),
            addresses(self._state),
            addresses(numbers()),
        )


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds frames that are malformed")
