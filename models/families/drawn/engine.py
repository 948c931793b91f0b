"""Which engine codes a chunk: the compiled kernel, else the Python reference.

Both give the same. The environment variable BITSWAP_ENGINE chooses, as for `bitswap_cli.ans`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import chosen
from bitswap_cli.errors import ModelError
from bitswap_models.families.drawn import kernel, reference
from bitswap_models.families.drawn.config import Config
from bitswap_models.families.drawn.state import State


class Chunk(Protocol):
    """Pictures on their way to words, or back; `reference.Chunk` says what it does."""

    def picture(self, pixels: NDArray[np.uint8], keys: NDArray[np.uint32]) -> int: ...

    def hold(self) -> None: ...

    def undo(self) -> bool: ...

    def words(self) -> NDArray[np.uint32]: ...


@contextmanager
def opened(
    config: Config,
    state: State,
    shapes: Sequence[tuple[int, ...]],
    words: NDArray[np.uint32] | None = None,
) -> Iterator[Chunk]:
    """Open a chunk of pictures of these shapes, (H, W, C) each.

    Parameters
    ----------
    config : Config
        Of the model.
    state : State
        Where it begins; it is changed.
    shapes : list of tuples
    words : uint32 array, optional
        What to decode; None encodes.
    """
    chunk = begun(config, state, shapes, words)
    yield chunk
    if isinstance(chunk, reference.Chunk):
        chunk.teach(state)


def begun(
    config: Config,
    state: State,
    shapes: Sequence[tuple[int, ...]],
    words: NDArray[np.uint32] | None = None,
) -> Chunk:
    """Return such a chunk; the state that it leaves behind is of no interest."""
    compiled = chosen(kernel.compiled, ModelError)
    bits = config.bits(shapes)
    if compiled is None:
        return reference.Chunk(config, state, bits, words)
    return compiled.open(config, state, shapes, bits, words)
