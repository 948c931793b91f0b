"""Corrections to words and back, by the compiled kernel or by the reference: both give the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from bitswap_cli.ans import Damaged
from bitswap_cli.ans.library import Library, addresses, chosen, load
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.corrections import reference
from bitswap_cli.images.corrections.reference import Bytes, Words
from bitswap_cli.images.corrections.state import Grid, begun
from bitswap_cli.mixing.tables import tables

ABI = 1
_NO_MEMORY, _TOO_MANY = -2, -3
_ROOM = 1 << 15  # words that are tried first


class Kernel:
    """The functions of kernel.c, bound by ctypes, without the GIL; OSError if there are none."""

    def __init__(self, path: Path) -> None:
        library = Library(path, "corrections_abi", ABI)
        self.encode = library.bound("corrections_encode", "pppppppl")
        self.decode = library.bound("corrections_decode", "ppppppl")


@cache
def compiled() -> Kernel | None:
    """The kernel, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


def encode(pixels: Bytes, made: Bytes, grid: Grid) -> Words:
    """Code where pixels differ from what was made, and by what.

    Parameters
    ----------
    pixels, made : uint8 array (H, W, C)
        Of 1 or 3 channels.
    grid : Grid

    Returns
    -------
    uint32 array

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    MemoryError
    """
    kernel = chosen(compiled, InputError)
    if kernel is None:
        return reference.encode(pixels, made, grid)
    own, truth = (np.ascontiguousarray(array, np.uint8) for array in (made, pixels))
    room, found = _ROOM, _TOO_MANY
    while found == _TOO_MANY:
        work, out, told = own.copy(), np.empty(room, np.uint32), _Told(own, grid)
        where = [array.ctypes.data for array in (own, work, truth, out)]
        found = kernel.encode(*told.addresses, *where, room)
        room *= 8
    if found < 0:
        raise MemoryError
    return out[:found].copy()


def decode(words: Words, made: Bytes, grid: Grid) -> Bytes:
    """Find the pixels (H, W, C); raise `ArchiveError` if `encode` leaves no such words, else as
    that does."""
    kernel = chosen(compiled, InputError)
    if kernel is None:
        try:
            return reference.decode(words, made, grid)
        except Damaged:
            raise _damaged() from None
    own, given = np.ascontiguousarray(made, np.uint8), np.array(words, np.uint32)
    pixels, told = own.copy(), _Told(own, grid)
    found = kernel.decode(
        *told.addresses, own.ctypes.data, pixels.ctypes.data, given.ctypes.data, len(given)
    )
    if found == _NO_MEMORY:
        raise MemoryError
    if found:
        raise _damaged()
    return pixels


class _Told:
    """What the kernel is told first: tables, state and geometry, which have to stay."""

    def __init__(self, made: Bytes, grid: Grid) -> None:
        self._state = begun()
        self._geometry = np.array([*made.shape, *grid], np.int64)
        self.addresses = (
            addresses(tables()),
            addresses(self._state),
            self._geometry.ctypes.data,
        )


def _damaged() -> ArchiveError:
    return ArchiveError("the archive holds corrections of pixels that are malformed")
