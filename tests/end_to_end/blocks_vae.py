"""A family of models of blocks: one layer of latents over 64 samples of -2048..2047."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

from bitswap_cli.ans.parameters import SCALE_LEVELS, LogisticParameters, MixtureParameters
from bitswap_cli.contract import Plane, Step
from bitswap_models.exact.chain import LATENT_MEAN_LIMIT, Integers, LatentChain, integers, tensor
from bitswap_models.exact.layers import IntegerConv

SIDE = 8
SHARES = np.array([160, 96], np.int32)  # of the narrow component and the wide one
WIDER = 20  # scale of the wide one, over that of the narrow one


@dataclass(frozen=True)
class Config:
    """Shape of a model."""

    tile: int = SIDE
    channels: int = 1
    latents: tuple[int, ...] = (4,)

    def sound(self) -> bool:
        """Whether there is such a model."""
        return (self.tile, self.channels, len(self.latents)) == (SIDE, 1, 1)


class BlocksVAE(LatentChain):
    """p(z) p(x | z) and q(z | x), z one vector for a block."""

    schemes: Sequence[str] = ("bitswap", "bbans")
    low, high = -2048, 2047

    def __init__(self, config: Config) -> None:
        super().__init__(config.latents)
        self.config = config
        self.factors: Sequence[int] = (1,)
        self.slack, self.growth, self.batch = 1.0, Fraction(1), None
        self.tile, self.channels, self.stride = config.tile, config.channels, config.tile
        self.planes = (Plane(0, 0, 1),)
        count = SIDE * SIDE
        self.encoder = IntegerConv(count, 2 * config.latents[0], input_max=2048)
        self.decoder = IntegerConv(config.latents[0], 2 * count, input_max=128)

    def _posterior(self, layer: int, below: Tensor) -> tuple[Tensor, Tensor]:
        mean, scale = self.encoder(nn.functional.pixel_unshuffle(below, SIDE)).chunk(2, 1)
        limit = LATENT_MEAN_LIMIT
        return mean.clamp(-limit, limit), scale.clamp(0, SCALE_LEVELS - 1)

    def _prior(self, layer: int, above: Tensor) -> tuple[Tensor, Tensor]:
        raise ValueError("there is one layer")

    @torch.inference_mode()
    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        """q(z | x)."""
        return LogisticParameters(*map(integers, self._posterior(layer, tensor(below))))

    @torch.inference_mode()
    def top_prior(self, batch: int) -> LogisticParameters:
        """p(z)."""
        terms = (t[None, :, None, None].expand(batch, -1, 1, 1) for t in self.top_integers())
        return LogisticParameters(*map(integers, terms))

    @torch.inference_mode()
    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        """p(x | z), all samples of a block at once."""
        out = integers(nn.functional.pixel_shuffle(self.decoder(tensor(z1)), SIDE))
        mean = np.repeat(out[:, 0, :, :, None], 2, -1)
        scale = out[:, 1, :, :, None] + np.array([0, WIDER], np.int32)
        weight = np.broadcast_to(SHARES, mean.shape)
        code(Step(self.planes[0], 0, MixtureParameters(weight, mean, scale)))


def start(model: BlocksVAE) -> None:
    """Let an untrained model expect about what `write_blocks` writes."""
    torch.manual_seed(0)
    octaves = 12 * np.log2(20 / (1 + np.add.outer(np.arange(8), np.arange(8)))) + 30
    octaves[0, 0] = 110
    wanted = np.stack([np.zeros((8, 8)), octaves]).reshape(-1)
    with torch.no_grad():
        model.decoder.b.copy_(torch.tensor(wanted))
        model.decoder.g.fill_(0.02)
        model.encoder.g.fill_(0.02)
        model.encoder.b[4:] = 40.0
