"""The compiled coder of drawn pictures; `reference` is its definition. Both give the same."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import Library, address, addresses, load
from bitswap_cli.mixing.tables import tables
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.reference.faults import damaged, lacking
from bitswap_models.families.drawn.reference.memory import MOST_CHANGES
from bitswap_models.families.drawn.reference.window import MARGIN
from bitswap_models.families.drawn.state import State

ABI = 5
NO_MEMORY = -2


class Kernel:
    """The functions of kernel.c, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was built from another version of the sources.
    """

    def __init__(self, path: Path) -> None:
        library = Library(path, "drawn_abi", ABI)
        self._open = library.bound("drawn_open", "pplllllpl")
        self.close = library.bound("drawn_close", "p", void=True)
        self.picture = library.bound("drawn_picture", "pplllpl")
        self.hold = library.bound("drawn_hold", "pl")
        self.undo = library.bound("drawn_undo", "p")
        self.words = library.bound("drawn_words", "pp")

    def open(
        self,
        config: Config,
        state: State,
        shapes: Sequence[tuple[int, ...]],
        bits: int,
        words: NDArray[np.uint32] | None,
    ) -> Chunk:
        """Open a chunk: see `engine.opened`."""
        room = sum((height + 2) * (width + 2 * MARGIN) for height, width, _ in shapes)
        read_only, own = (addresses(arrays) for arrays in (tables(), state))
        told = config.ways, config.contexts, config.least
        at, size = (None, 0) if words is None else (address(words), len(words))
        chunk = self._open(read_only, own, bits, *told, room, at, size)
        return Chunk(self, chunk, state, decoding=words is not None)


class Chunk:
    """A chunk that a kernel has opened, until nobody has it: see `reference.Chunk`."""

    def __init__(self, kernel: Kernel, chunk: int, state: State, *, decoding: bool) -> None:
        if not chunk:
            raise MemoryError
        # a thread may be at it when the process ends, which frees all that it has anyway
        weakref.finalize(self, kernel.close, chunk).atexit = False
        self._kernel, self._chunk, self._decoding = kernel, chunk, decoding
        self._state = state
        self._held: State | None = None

    def hold(self) -> None:
        """See `reference.Chunk`."""
        if not self._kernel.hold(self._chunk, MOST_CHANGES):
            raise MemoryError
        if self._held:
            self._held.become(self._state)
        else:
            self._held = self._state.copy()

    def undo(self) -> bool:
        """See `reference.Chunk`."""
        known = bool(self._kernel.undo(self._chunk))
        if known and self._held:
            self._state.become(self._held)
        return known

    def picture(self, pixels: NDArray[np.uint8], keys: NDArray[np.uint32]) -> int:
        """Code a picture, or fill it."""
        told = address(pixels), *pixels.shape, address(keys), len(keys)
        bits = self._kernel.picture(self._chunk, *told)
        return self._checked(bits)

    def words(self) -> NDArray[np.uint32]:
        """See `reference.Chunk`."""
        words = np.empty(self._checked(self._kernel.words(self._chunk, None)), np.uint32)
        self._kernel.words(self._chunk, words.ctypes.data)
        return words

    def _checked(self, result: int) -> int:
        if result == NO_MEMORY:
            raise MemoryError
        if result < 0:
            raise damaged() if self._decoding else lacking()
        return result


@cache
def compiled() -> Kernel | None:
    """The kernel, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)
