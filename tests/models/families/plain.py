"""A family of the tests, in one file: pixels apart from each other, under one mixture a channel.

It has one latent layer of one channel, which nothing but its own prior knows of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from bitswap_cli.ans.parameters import LogisticParameters, MixtureParameters
from bitswap_cli.contract import Integers, Plane, Step
from bitswap_models.exact.latents import LatentChain
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.family import Family
from bitswap_models.families.planes import tell_steps


@dataclass(frozen=True)
class Config:
    """Its shape."""

    tile: int = 8
    channels: int = 3
    stride: int = 8
    margin: int = 0

    def sound(self) -> bool:
        """Whether all fields are within what a file may ask for."""
        return 0 < self.tile <= 64 and self.stride == self.tile and 0 < self.channels <= 4


class Plain(LatentChain):
    """See the module's docstring."""

    family = "plain"
    schemes = ("bitswap",)
    factors = (1,)
    slack, growth = 1.0, Fraction(1)
    planes = (Plane(0, 0, 1),)

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__((1,), stored)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, config.stride
        self.pixels = stored.integers("pixels", (2, config.channels))

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """The same whatever is below."""
        return self.top_prior(len(below))

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """There is one layer, so that nobody asks."""
        raise IndexError(layer)

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """One step for each channel."""
        for channel, (mean, scale) in enumerate(self.pixels.T):
            shape = (len(z1), self.tile, self.tile, 1)
            terms = (np.full(shape, term, np.int32) for term in (256, mean, scale))
            code(Step(self.planes[0], channel, MixtureParameters(*terms)))

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`."""
        z1: Any = self.tell_latents(x, told)
        self.likelihood(z1, tell_steps(x, told))


FAMILY = Family(name="plain", config=Config, network="nowhere:Nothing", model=Plain)
