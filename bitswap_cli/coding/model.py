"""What the schemes ask of a model: integer distributions, one layer of latents at a time.

``bitswap_models.markov_vae`` implements it. Everything that goes in or comes out is an integer
array that does not depend on the machine, the number of threads or the batch size.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import LogisticParameters, MixtureParameters

Integers = NDArray[np.int32]


class Plane(Protocol):
    """Every `stride`-th pixel both ways, from row `top` and column `left` on."""

    @property
    def top(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def stride(self) -> int: ...


class Step(Protocol):
    """One channel of one plane of a group: what the likelihood codes at once."""

    @property
    def plane(self) -> Plane: ...
    @property
    def channel(self) -> int: ...
    @property
    def parameters(self) -> MixtureParameters:
        """Arrays (B, H, W, K)."""


class LatentModel(Protocol):
    """A Markov chain VAE: q(z_l | z_{l-1}), p(z_l | z_{l+1}), p(z_L), p(x | z_1); z_0 = x."""

    depth: int
    """L, the number of latent layers."""
    tile: int
    """Height and width of a tile."""
    channels: int
    """Channels of a tile."""
    stride: int
    """Pixels between neighbours of the latent grid."""
    batch: int | None
    """How many tiles a network may see at a time; it changes no result."""

    @property
    def planes(self) -> Sequence[Plane]:
        """The planes of a tile in coding order; the first one holds the top left pixel."""

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), arrays (B, C, H, W); layer = 1..L."""

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), arrays (B, C, H, W); layer = 1..L-1."""

    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L), arrays (B, C, H, W)."""

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1) in coding order: `code` is told each step, returns its pixels (B, H, W)."""
