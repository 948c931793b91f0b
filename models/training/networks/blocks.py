"""Residual blocks and towers of them in training; see bitswap_models.exact.blocks."""

from __future__ import annotations

from torch import Tensor, nn

from bitswap_models.exact.layers import UNIT
from bitswap_models.training.layers import IntegerConv, activation


class ResidualBlock(nn.Module):
    """h + conv(act(conv(act(h)))): two convolutions on a 16-bit residual stream.

    Parameters
    ----------
    width, size : int
        Channels, and size of the kernels.
    binary : bool
        Weights +-1 instead of 8 bit.
    signs : bool
        Activations +-1 instead of 8 bit.
    gain : float
        Deviation of what the block adds at the start, in units of its input's.
    """

    def __init__(
        self,
        width: int,
        size: int = 3,
        *,
        binary: bool = True,
        signs: bool = False,
        gain: float = 1 / 8,
    ) -> None:
        super().__init__()
        self.signs = signs
        self.first = IntegerConv(width, width, size, binary=binary, signs=signs)
        self.second = IntegerConv(
            width, width, size, binary=binary, signs=signs, spread=UNIT * gain
        )

    def forward(self, h: Tensor) -> Tensor:  # (B, W, H, W)
        delta: Tensor = self.first(h if self.signs else activation(h), active=not self.signs)
        out: Tensor = self.second(delta, add=h)
        return out


def residual_blocks(width: int, count: int) -> nn.Sequential:
    """Return `count` residual blocks of binary weights and 8-bit activations in a row."""
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


class Tower(nn.Module):
    """Stem (8 bit, 3x3) and binary residual blocks: planes or latents -> 8-bit features."""

    def __init__(self, inputs: int, width: int, blocks: int, *, input_max: int) -> None:
        super().__init__()
        self.stem = IntegerConv(inputs, width, 3, input_max=input_max)
        self.blocks = residual_blocks(width, blocks)

    def forward(self, x: Tensor) -> Tensor:  # (B, I, H, W) -> (B, W, H, W)
        return activation(self.blocks(self.stem(x)))
