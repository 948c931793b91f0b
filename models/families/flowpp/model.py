"""Flow++ with real or binary residual blocks, in floating point: for evaluation and samples.

    x -> x + u, u ~ q(u | x) -> logit -> stripes x 4 -> squeeze -> channels x 2 -> stripes x 3 -> z

A coupling splits its input in two, normalises and mixes the channels of both halves, and transforms
one half, element by element, by what a network tells of the other:
``logit(cdf(x)) * exp(a) + b``, with the cumulative distribution of a mixture of logistics. The
noise u that makes integers real is such a flow as well, given x, and its density counts: the bound
is E[log p(x + u) - log q(u | x)].

Ho, Chen, Srinivas, Duan and Abbeel, "Flow++: Improving Flow-Based Generative Models with
Variational Dequantization and Architecture Design", ICML 2019, without attention and dropout, as
Bird, Kingma and Barber (ICLR 2021) make its residual blocks binary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bitswap_cli.errors import ModelError
from bitswap_models.families.flowpp.couplings import Couplings, Shape
from bitswap_models.families.flowpp.weight_norm import Conv, GatedBlock, Table

EDGE = 0.05  # of the interval that pixels are mapped into, before its logit is taken
BITS = 1 / math.log(2)


@dataclass(frozen=True)
class Config:
    """Shape of a Flow++; every field is stored in the model file. The published one is
    ``Config()``."""

    tile: int = 32
    channels: int = 3
    hidden: int = 120  # channels of the networks in couplings
    blocks: int = 10  # in each of them
    components: int = 8  # of the mixtures
    stripes: int = 4  # couplings of columns, at full resolution
    channel: int = 2  # couplings of channels, at half of it
    squeezed: int = 3  # couplings of columns, at half of it
    dequantisation: int = 4  # couplings that make the noise
    dequantisation_blocks: int = 2
    context: int = 32  # channels of what they are told of the pixels
    context_blocks: int = 3
    weight_bits: int = 1  # of residual blocks: 1 or 32
    activation_bits: int = 1  # of what their convolutions see: 1 or 32

    def sound(self) -> bool:
        """Whether all fields, non-negative and at most 512, are within what a file may ask for."""
        return (
            0 < self.tile <= 64
            and self.tile % 4 == 0
            and 0 < self.channels <= 4
            and 0 < self.hidden <= 256
            and 0 < self.components <= 32
            and 0 < self.context <= 256
            and max(self.blocks, self.dequantisation_blocks, self.context_blocks) <= 32
            and max(self.stripes, self.channel, self.squeezed, self.dequantisation) <= 16
            and self.weight_bits in (1, 32)
            and self.activation_bits in (1, 32)
        )

    @property
    def stride(self) -> int:
        """Pixels between neighbours of the latent grid."""
        return 1

    @property
    def margin(self) -> int:
        """Pixels around a tile that training tells it: none."""
        return 0


def normal_bits(z: Tensor) -> Tensor:
    """Bits of a tile under the standard normal density: (B, ...) -> (B,)"""
    return (0.5 * z.square() + 0.5 * math.log(2 * math.pi)).flatten(1).sum(1) * BITS


class FlowPP(nn.Module):
    """See the module's docstring. Training and evaluation call :meth:`elbo`."""

    low, high = 0, 255  # of samples

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.tile, self.channels = config.tile, config.channels
        self.share = 1.0  # every pixel is trained on
        c, t = config.channels, config.tile
        binary, signs = config.weight_bits == 1, config.activation_bits == 1
        shape = Shape(config.hidden, config.blocks, config.components, 0, binary, signs)
        noise = shape._replace(blocks=config.dequantisation_blocks, context=config.context)
        whole, half = (c, t, t), (4 * c, t // 2, t // 2)
        # what sees pixels, and makes the context of the noise, is not binary: it is small
        self.seen = nn.Sequential(
            Conv(2 * c, config.context, 3),
            *(GatedBlock(config.context) for _ in range(config.context_blocks)),
        )
        self.noise_flow = Couplings(config.dequantisation, True, whole, noise)
        self.stripes = Couplings(config.stripes, True, whole, shape)
        self.channel = Couplings(config.channel, False, half, shape)
        self.squeezed = Couplings(config.squeezed, True, half, shape)

    def dequantisation(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """u in (0, 1) and bits of its density: (B, C, H, W) twice -> (B, C, H, W), (B,)

        `x` are integers 0..255, `noise` is standard normal.
        """
        scaled = x / 256 - 0.5
        context = self.seen(torch.cat((scaled[..., 0::2], scaled[..., 1::2]), 1))
        y, change = self.noise_flow(noise, context)
        slope = F.logsigmoid(y) + F.logsigmoid(-y)
        change = change + slope.flatten(1).sum(1)
        return torch.sigmoid(y), -normal_bits(noise) - change * BITS

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Real pixels -> z and log |det|: (B, C, H, W) -> (B, 4 C, H/2, W/2), (B,)"""
        p = EDGE + x * ((1 - 2 * EDGE) / 256)
        x = torch.log(p) - torch.log1p(-p)
        change = (math.log((1 - 2 * EDGE) / 256) - torch.log(p) - torch.log1p(-p)).flatten(1).sum(1)
        x, first = self.stripes(x)
        x, second = self.channel(F.pixel_unshuffle(x, 2))
        z, third = self.squeezed(x)
        return z, change + first + second + third

    @torch.no_grad()
    def inverse(self, z: Tensor) -> Tensor:
        """Undo `forward`: (B, 4 C, H/2, W/2) -> (B, C, H, W)"""
        x = F.pixel_shuffle(self.channel.inverse(self.squeezed.inverse(z)), 2)
        p = torch.sigmoid(self.stripes.inverse(x))
        return (p - EDGE) * (256 / (1 - 2 * EDGE))

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw tiles of integers 0..255: (count, C, H, W) uint8."""
        shape = (count, 4 * self.channels, self.tile // 2, self.tile // 2)
        z = torch.randn(shape, generator=generator, device=generator.device)
        return self.inverse(z).floor().clamp(0, 255).to(torch.uint8)

    # ---- model files ---------------------------------------------------------------------------
    def freeze(self) -> dict[str, Tensor]:
        """What a model file stores: layers' tensors, and in float32 all else, which is small."""
        stored: dict[str, Tensor] = {}
        for name, module in self.named_modules():
            if isinstance(module, (Conv, Table)):
                frozen = module.freeze()
            else:
                frozen = {k: p.detach() for k, p in module.named_parameters(recurse=False)}
            stored |= {f"{name}.{part}": t.cpu().contiguous() for part, t in frozen.items()}
        return stored

    def load(self, stored: dict[str, Tensor]) -> None:
        """Take what `freeze` gave: the weights are then those of the file.

        Raises
        ------
        ModelError
            If a tensor is missing, has the wrong shape, or is not of this model.
        """
        left = dict(stored)
        try:
            for name, module in self.named_modules():
                if isinstance(module, (Conv, Table)):
                    module.load(*(left.pop(f"{name}.{part}") for part in module.parts))
                    continue
                for part, parameter in module.named_parameters(recurse=False):
                    value = left.pop(f"{name}.{part}")
                    if value.shape != parameter.shape:
                        raise ModelError(f"{name}.{part} has the wrong shape: the file is damaged")
                    parameter.data.copy_(value)
        except KeyError as error:
            raise ModelError(f"the model file lacks the tensor {error}") from None
        if left:
            raise ModelError("the model file holds tensors that its config does not name")

    # ---- training and evaluation ---------------------------------------------------------------
    def noise(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Standard normal noise: [(B, C, H, W)]"""
        shape = (batch, self.channels, self.tile, self.tile)
        return [torch.randn(shape, generator=generator, device=generator.device)]

    def elbo(
        self, x: Tensor, noise: list[Tensor], soft: float = 0.0, bordered: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Bits of a batch of tiles, (B,) each: ``likelihood``, of x + u, and ``dequantisation``,
        which u had cost.

        x : (B, C, H, W) float tensor of integers 0..255; noise as from :meth:`noise`.
        """
        u, bits = self.dequantisation(x, noise[0])
        z, change = self(x + u)
        return {"likelihood": normal_bits(z) - change * BITS, "dequantisation": bits}
