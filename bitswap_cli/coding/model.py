"""What the schemes ask of a model: integer distributions, one layer of latents at a time.

``bitswap_models.markov_vae``, ``pixel_vae`` and ``resnet_vae`` implement it. Everything that goes
in or comes out is an integer array that does not depend on the machine, the number of threads or
the batch size.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans import LogisticParameters, MixtureParameters
from bitswap_cli.ans.kernel import Native

T = TypeVar("T")
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


class Coded(Protocol):
    """All pixels of a group with their distributions, in the order in which a decoder pops."""

    @property
    def symbols(self) -> Integers:
        """(n,)"""

    @property
    def parameters(self) -> MixtureParameters:
        """Arrays (n, K)."""

    @property
    def owner(self) -> Integers:
        """The tile of each symbol, (n,)."""

    @property
    def batches(self) -> Integers:
        """How many symbols are pushed or popped at a time, (m,); they come to n."""


class Pop(Protocol):
    """Pops bytes under mixtures from a message."""

    def __call__(self, parameters: MixtureParameters) -> Integers:
        """Pop symbols, (n,), under parameters (n, K)."""

    def natively(self, work: Callable[[Native], T]) -> T | None:
        """Let a compiled kernel pop by itself; None where the message's engine is not compiled."""


class TileModel(Protocol):
    """What every model says of itself."""

    schemes: Sequence[str]
    """The schemes that can code with it, the best first."""
    depth: int
    """L, the number of latent layers; 0 is a likelihood alone."""
    tile: int
    """Height and width of a tile."""
    factors: Sequence[int]
    """Tiles may be so many times as high and wide: 1, and ascending."""
    slack: float
    """How many times the area that tiles of factor 1 cover may larger ones cover."""
    growth: Fraction
    """Largest group, as a share of the tiles before it: what is below its initial bits."""
    channels: int
    """Channels of a tile."""
    stride: int
    """Pixels between neighbours of the latent grid."""
    batch: int | None
    """How many tiles a network may see at a time; it changes no result."""

    @property
    def planes(self) -> Sequence[Plane]:
        """The planes of a tile in coding order; the first one holds the top left pixel."""


class LatentModel(TileModel, Protocol):
    """A Markov chain VAE: q(z_l | z_{l-1}), p(z_l | z_{l+1}), p(z_L); z_0 = x."""

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z_layer | z_{layer-1}), arrays (B, C, H, W); layer = 1..L."""

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """p(z_layer | z_{layer+1}), arrays (B, C, H, W); layer = 1..L-1."""

    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z_L), arrays (B, C, H, W)."""


class Level(Protocol):
    """A layer of latents on a walk from z_L down to z_1."""

    @property
    def layer(self) -> int: ...
    @property
    def prior(self) -> LogisticParameters:
        """p(z_layer | z_{layer+1} .. z_L), arrays (B, C, H, W)."""


class TopDownModel(TileModel, Protocol):
    """A VAE with top-down inference: q(z_l | z_{l+1} .. z_L, x), p(z_l | z_{l+1} .. z_L)."""

    def bottom_up(self, x: Integers) -> Any:
        """What the posteriors see of x, (B, C, H, W)."""

    def descend(self, batch: int, grid: int, code: Callable[[Level], Integers]) -> Integers:
        """Walk from z_L to z_1; `code` is told each level and returns its latents, (B, C, H, W).

        Returns what the likelihood is told of all latents.
        """

    def posterior(self, level: Any, seen: Any) -> LogisticParameters:
        """q of a level of that walk, arrays (B, C, H, W); `seen` as `bottom_up` returned it."""


class PlaneModel(TileModel, Protocol):
    """A model whose likelihood goes plane by plane."""

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z_1) in coding order: `code` is told each step, returns its pixels (B, H, W).

        Top-down models see more than z_1: they are told what `descend` returned.
        """


@runtime_checkable
class PixelModel(TileModel, Protocol):
    """A model whose likelihood goes pixel by pixel, all tiles of a group in lockstep."""

    def mixtures(self, z1: Integers | None, x: Integers, sizes: Integers) -> Coded:
        """p(x | z_1) of known pixels x (B, C, H, W); `sizes` as in `group.Geometry`."""

    def walk(self, z1: Integers | None, sizes: Integers, tile: int, pop: Pop) -> Integers:
        """Ask `pop` for one batch of pixels after the other; returns them, (B, C, H, W)."""
