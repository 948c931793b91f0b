"""A family of models of blocks: one layer of latents over 64 samples of -2048..2047."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bitswap_cli.ans.parameters import LogisticParameters, MixtureParameters
from bitswap_cli.contract import Integers, Plane, Step
from bitswap_models.exact.latents import MEANS, SCALES, LatentChain, channels_last, planar
from bitswap_models.exact.layers import Shape
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.family import Family
from bitswap_models.families.planes import tell_steps

SIDE = 8
COUNT = SIDE * SIDE
SHARES = np.array([160, 96], np.int32)  # of the narrow component and the wide one
WIDER = 20  # scale of the wide one, over that of the narrow one


@dataclass(frozen=True)
class Config:
    """Shape of a model."""

    tile: int = SIDE
    channels: int = 1
    latents: tuple[int, ...] = (4,)
    stride: int = SIDE
    margin: int = 0

    def sound(self) -> bool:
        """Whether there is such a model."""
        return (self.tile, self.channels, len(self.latents)) == (SIDE, 1, 1)


class BlocksVAE(LatentChain):
    """p(z) p(x | z) and q(z | x), z one vector for a block."""

    family = "blocks_vae"
    schemes: Sequence[str] = ("bitswap", "bbans")
    low, high = -2048, 2047
    factors: Sequence[int] = (1,)
    slack, growth = 1.0, Fraction(1)
    planes = (Plane(0, 0, 1),)

    def __init__(self, config: Config, stored: Stored) -> None:
        super().__init__(config.latents, stored)
        self.config = config
        self.tile, self.channels, self.stride = config.tile, config.channels, config.stride
        size = config.latents[0]
        self.encoder = stored.layer("encoder", Shape(COUNT, 2 * size, input_max=2048))
        self.decoder = stored.layer("decoder", Shape(size, 2 * COUNT, input_max=128))

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z | x)."""
        blocks = channels_last(below.reshape(len(below), COUNT, 1, 1))
        mean, scale = np.split(self.encoder(blocks), 2, -1)
        return LogisticParameters(planar(mean.clip(*MEANS)), planar(scale.clip(*SCALES)))

    def prior(self, layer: int, above: Integers) -> LogisticParameters:
        """There is one layer, and none above it."""
        raise ValueError("there is one layer")

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z), all samples of a block at once."""
        out = planar(self.decoder(channels_last(z1))).reshape(len(z1), 2, SIDE, SIDE)
        mean = np.repeat(out[:, 0, :, :, None], 2, -1)
        scale = out[:, 1, :, :, None] + np.array([0, WIDER], np.int32)
        weight = np.broadcast_to(SHARES, mean.shape)
        code(Step(self.planes[0], 0, MixtureParameters(weight, mean, scale)))

    def tell(self, x: Integers, told: Listener) -> None:
        """See `ExactModel.tell`."""
        z1 = self.tell_latents(x, told)
        assert z1 is not None
        self.likelihood(z1, tell_steps(x, told))


FAMILY = Family(name=BlocksVAE.family, config=Config, network="", model=BlocksVAE)


def made() -> BlocksVAE:
    """A model that expects about what `write_blocks` writes."""
    random = np.random.default_rng(0)
    octaves = 12 * np.log2(20 / (1 + np.add.outer(np.arange(SIDE), np.arange(SIDE)))) + 30
    octaves[0, 0] = 110
    wanted = np.concatenate((np.zeros(COUNT), octaves.ravel()))
    zeros = np.zeros(4, np.int32)
    model = FAMILY.build(
        Config(),
        {
            "top": np.stack((zeros, zeros + 76)),
            "encoder.weight": random.integers(-1, 2, (8, COUNT, 1, 1)).astype(np.int8),
            "encoder.scale": np.full(8, 80, np.int32),
            "encoder.bias": np.repeat(np.array([0, 40 << 16], np.int32), 4),
            "decoder.weight": random.integers(-1, 2, (2 * COUNT, 4, 1, 1)).astype(np.int8),
            "decoder.scale": np.full(2 * COUNT, 200, np.int32),
            "decoder.bias": (wanted * (1 << 16)).astype(np.int32),
        },
    )
    assert isinstance(model, BlocksVAE)
    return model
