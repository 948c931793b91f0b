"""What networks of several families are made of: residual blocks and towers of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import ACTIVATION, STREAM, Shape, activation
from bitswap_models.exact.tensors import Stored


class ResidualBlock:
    """h + conv(act(conv(act(h)))): two convolutions on a 16-bit residual stream.

    Parameters
    ----------
    stored : Stored
    width, size : int
        Channels, and size of the kernels.
    binary : bool
        Weights +-1 instead of 8 bit.
    signs : bool
        Activations +-1 instead of 8 bit.
    """

    def __init__(
        self, stored: Stored, width: int, size: int = 3, *, binary: bool = True, signs: bool = False
    ) -> None:
        shape = Shape(width, width, size, binary=binary, signs=signs)
        self.first, self.second = stored.layer("first", shape), stored.layer("second", shape)
        self.signs = signs

    def __call__(self, h: Values) -> Values:  # (B, H, W, C)
        if self.signs:
            return self.second(self.first(h, within=STREAM), add=h)
        return self.second(self.first(activation(h), within=ACTIVATION), add=h)


class ResidualBlocks:
    """Residual blocks of one shape in a row, named by their numbers."""

    def __init__(
        self,
        stored: Stored,
        count: int,
        width: int,
        size: int = 3,
        *,
        binary: bool = True,
        signs: bool = False,
    ) -> None:
        self.blocks = [
            ResidualBlock(stored.part(str(k)), width, size, binary=binary, signs=signs)
            for k in range(count)
        ]

    def __call__(self, h: Values) -> Values:  # (B, H, W, C)
        for block in self.blocks:
            h = block(h)
        return h


class Tower:
    """Stem (8 bit, 3x3) and binary residual blocks: planes or latents -> 8-bit features."""

    def __init__(
        self, stored: Stored, inputs: int, width: int, blocks: int, *, input_max: int
    ) -> None:
        self.stem = stored.layer("stem", Shape(inputs, width, 3, input_max=input_max))
        self.blocks = ResidualBlocks(stored.part("blocks"), blocks, width)

    def __call__(self, x: NDArray[np.integer]) -> Values:  # (B, H, W, I)
        return activation(self.blocks(self.stem(x)))  # (B, H, W, C)
