"""The colours that a picture may have, where its file tells them, as keys: channels in the order in
which they are coded, the first one highest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitswap_models.families.drawn.reference.window import channel

# Alpha comes first: what colour there is under it follows from it.
ORDER = ((0,), (1, 0), (0, 1, 2), (3, 0, 1, 2))


def key_of(colour: int, channels: int) -> int:
    """The key of a colour."""
    key = 0
    for k in ORDER[channels - 1]:
        key = key << 8 | channel(colour, k)
    return key


@dataclass(frozen=True)
class Kind:
    """What is known of a picture before its pixels."""

    channels: int
    number: int
    """Of the picture in its chunk."""
    keys: list[int]
    """Of the colours that it may have, ascending; none: all."""

    def may_have(self, colour: int) -> bool:
        """Whether it may have a colour: a chunk's pictures may have other channels."""
        fits = colour < 1 << (8 * self.channels)
        return fits and (not self.keys or key_of(colour, self.channels) in self.keys)

    def all_but(self, colours: Collection[int]) -> list[int]:
        """Keys of the colours that are left."""
        without = {key_of(colour, self.channels) for colour in colours}
        return [key for key in self.keys if key not in without]


def keys_of(palette: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The keys of a palette (N, C), ascending, each once."""
    keys = np.zeros(len(palette), np.uint32)
    for k in ORDER[palette.shape[1] - 1]:
        keys = keys << np.uint32(8) | palette[:, k]
    return np.unique(keys)
