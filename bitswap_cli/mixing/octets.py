"""Bytes to words and back, by the compiled kernel or by the reference: both give the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import Damaged
from bitswap_cli.ans.library import Library, addresses, chosen, load
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.mixing import reference
from bitswap_cli.mixing.state import NEWEST, VERSIONS, begun
from bitswap_cli.mixing.tables import tables

ABI = 4
MOST = 1 << 23  # bytes that are coded together, at most: ten seconds of a reader
_NO_MEMORY, _TOO_MANY = -2, -3


class Kernel:
    """The functions of kernel.c, bound by ctypes, without the GIL; OSError if there are none."""

    def __init__(self, path: Path) -> None:
        library = Library(path, "mixing_abi", ABI)
        self.encode = library.bound("mixing_encode", "pppplpl")
        self.decode = library.bound("mixing_decode", "pppplpl")
        self.repeats = library.bound("mixing_repeats", "pllplpl")


@cache
def compiled() -> Kernel | None:
    """The kernel, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


def quick() -> bool:
    """Whether there is a kernel: the reference takes a millisecond a byte."""
    return chosen(compiled, InputError) is not None


def encode(
    data: bytes | bytearray | memoryview, room: int, version: int = NEWEST
) -> NDArray[np.uint32] | None:
    """Code bytes.

    Parameters
    ----------
    data : bytes
        At most `MOST`.
    room : int
        Words that it may take.
    version : int
        One of `VERSIONS`.

    Returns
    -------
    uint32 array, or None
        If it takes more.

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    MemoryError
    """
    kernel, shape = chosen(compiled, InputError), VERSIONS[version].of(len(data))
    if kernel is None:
        words = reference.encode(shape, bytes(data))
        return words if len(words) <= room else None
    own, out = np.frombuffer(data, np.uint8).copy(), np.empty(room, np.uint32)
    state, numbers = begun(shape), np.array(shape, np.int32)
    told = addresses(tables()), addresses(state), numbers.ctypes.data
    found = kernel.encode(*told, own.ctypes.data, len(own), out.ctypes.data, room)
    if found == _NO_MEMORY:
        raise MemoryError
    return None if found == _TOO_MANY else out[:found]


def decode(words: NDArray[np.uint32], size: int, version: int = NEWEST) -> bytes:
    """Find so many bytes, at most `MOST`; raise `ArchiveError` if `encode` leaves no such words,
    else as that does."""
    kernel, shape = chosen(compiled, InputError), VERSIONS[version].of(size)
    if kernel is None:
        try:
            return reference.decode(shape, words, size)
        except Damaged:
            raise _damaged() from None
    own, out = np.array(words, np.uint32), np.zeros(size, np.uint8)  # those of a file lie anywhere
    state, numbers = begun(shape), np.array(shape, np.int32)
    told = addresses(tables()), addresses(state), numbers.ctypes.data
    found = kernel.decode(*told, out.ctypes.data, size, own.ctypes.data, len(own))
    if found == _NO_MEMORY:
        raise MemoryError
    if found:
        raise _damaged()
    return out.tobytes()


def _damaged() -> ArchiveError:
    return ArchiveError("the compressed data is damaged: it is none of these bytes")
