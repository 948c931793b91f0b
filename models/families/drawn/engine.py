"""Which engine codes a chunk: the compiled kernel, else the Python reference.

Both give the same. The environment variable BITSWAP_ENGINE chooses, as for `bitswap_cli.ans`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import chosen
from bitswap_cli.errors import ModelError
from bitswap_models.families.drawn import kernel, reference
from bitswap_models.families.drawn.state import State

LEAST_BITS, MOST_BITS = 12, 19  # of the number of a memory's entries


class Chunk(Protocol):
    """Pictures on their way to words, or back; `reference.Chunk` says what it does."""

    def picture(self, pixels: NDArray[np.uint8], keys: NDArray[np.uint32]) -> int: ...

    def hold(self) -> None: ...

    def undo(self) -> bool: ...

    def words(self) -> NDArray[np.uint32]: ...


@contextmanager
def opened(
    state: State, shapes: Sequence[tuple[int, ...]], words: NDArray[np.uint32] | None = None
) -> Iterator[Chunk]:
    """Open a chunk of pictures of these shapes, (H, W, C) each.

    Parameters
    ----------
    state : State
        Where it begins; it is changed.
    shapes : list of tuples
    words : uint32 array, optional
        What to decode; None encodes.
    """
    chunk = begun(state, shapes, words)
    yield chunk
    if isinstance(chunk, reference.Chunk):
        chunk.teach(state)


def begun(
    state: State, shapes: Sequence[tuple[int, ...]], words: NDArray[np.uint32] | None = None
) -> Chunk:
    """Return such a chunk; the state that it leaves behind is of no interest."""
    compiled = chosen(kernel.compiled, ModelError)
    if compiled is None:
        return reference.Chunk(state, memory_bits(shapes), words)
    return compiled.open(state, shapes, memory_bits(shapes), words)


def memory_bits(shapes: Iterable[tuple[int, ...]]) -> int:
    """Bits of the number of a memory's entries, for pictures of these shapes."""
    pixels = sum(height * width for height, width, *_ in shapes)
    return min(max((pixels - 1).bit_length(), LEAST_BITS), MOST_BITS)
