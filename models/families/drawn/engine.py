"""Which engine codes a chunk: the compiled kernel, else the Python reference.

Both give the same. The environment variable BITSWAP_ENGINE chooses, as for `bitswap_cli.ans`.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    def words(self) -> NDArray[np.uint32]: ...


@contextmanager
def opened(
    state: State, shapes: list[tuple[int, ...]], words: NDArray[np.uint32] | None = None
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
    pixels = sum(height * width for height, width, _ in shapes)
    bits = min(max((pixels - 1).bit_length(), LEAST_BITS), MOST_BITS)
    compiled = chosen(kernel.compiled, ModelError)
    if compiled is None:
        defined = reference.Chunk(state, bits, words)
        yield defined
        defined.teach(state)
        return
    with compiled.opened(state, shapes, bits, words) as chunk:
        yield chunk
