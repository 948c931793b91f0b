"""Invertible maps of pictures whose log-determinants are known: what Flow++ is made of.

Every map has ``forward(...)``, which returns the result and log |det| of its Jacobian, (B,) in
nats, and ``inverse(...)``, which returns the argument. Split halves, mixtures and affine maps are
those of Ho et al., "Flow++", ICML 2019; the norm and the mixing of channels are Kingma and
Dhariwal's, "Glow", NeurIPS 2018.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bitswap_models.training.networks.weight_norm import Conv, GatedBlock, Table

LEAST_LOG_SCALE = -7.0  # of a mixture's logistics
HALVINGS = 100  # of a bisection at most; it ends as soon as nothing changes


class Shape(NamedTuple):
    """Shape of the networks in a row of couplings."""

    hidden: int
    blocks: int
    components: int
    context: int = 0  # channels; 0 if there is none
    binary: bool = False
    signs: bool = False


class Mixture(NamedTuple):
    """Mixtures of logistics, one for each element of (B, C, H, W): (B, C, K, H, W) each."""

    logit: Tensor
    mean: Tensor
    log_scale: Tensor

    def logit_cdf(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """log(cdf / (1 - cdf)) at x and the logarithm of its derivative. (B, C, H, W) twice"""
        z = (x[:, :, None] - self.mean) * torch.exp(-self.log_scale)
        weight = torch.log_softmax(self.logit, 2)
        below = F.logsigmoid(z)
        above = below - z
        cdf = torch.logsumexp(weight + below, 2)
        rest = torch.logsumexp(weight + above, 2)
        density = torch.logsumexp(weight + below + above - self.log_scale, 2)
        return cdf - rest, density - cdf - rest

    @torch.no_grad()
    def inverse(self, y: Tensor) -> Tensor:
        """Where `logit_cdf` is y, by bisection between the components' own answers."""
        own = self.mean + y[:, :, None] * torch.exp(self.log_scale)
        low, high = own.amin(2), own.amax(2)
        x = (low + high) / 2
        for _ in range(HALVINGS):
            less = self.logit_cdf(x)[0] < y
            low, high = torch.where(less, x, low), torch.where(less, high, x)
            last, x = x, (low + high) / 2
            if torch.equal(last, x):
                break
        return x


class ChannelMap(nn.Module):
    """Scale, shift and mix channels; the start is data-dependent, and mixes nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_gain = nn.Parameter(torch.zeros(channels))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.mix = nn.Parameter(torch.eye(channels))
        self.starting = False

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.starting:
            with torch.no_grad():
                self.log_gain.copy_(-x.std((0, 2, 3)).clamp_min(1e-3).log())
                self.shift.copy_(-x.mean((0, 2, 3)) * self.log_gain.exp())
        x = x * self.log_gain.exp()[:, None, None] + self.shift[:, None, None]
        each = self.log_gain.sum() + torch.linalg.slogdet(self.mix)[1]
        with torch.autocast(x.device.type, enabled=False):
            y = torch.einsum("oc,bchw->bohw", self.mix, x)
        return y, (each * (x.shape[2] * x.shape[3])).expand(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)"""
        x = torch.einsum("oc,bchw->bohw", torch.linalg.inv(self.mix), y)
        return (x - self.shift[:, None, None]) * torch.exp(-self.log_gain)[:, None, None]


class Coupling(nn.Module):
    """Map both halves' channels, and one half's elements by what a network sees in the other.

    Parameters
    ----------
    half : (C, H, W) of one half
    shape : Shape
    """

    def __init__(self, half: tuple[int, int, int], shape: Shape) -> None:
        super().__init__()
        channels, height, width = half
        self.components = shape.components
        self.first, self.second = ChannelMap(channels), ChannelMap(channels)
        self.stem = Conv(channels, shape.hidden, 3)
        self.position = Table((shape.hidden, height, width))
        self.blocks = nn.ModuleList(
            GatedBlock(shape.hidden, shape.context, binary=shape.binary, signs=shape.signs)
            for _ in range(shape.blocks)
        )
        outputs = channels * (2 + 3 * shape.components)
        self.head = Conv(shape.hidden, outputs, 3, spread=0.1)

    def _told(self, a: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Mixture]:
        """What half a tells of the other: log-scale, shift (B, C, H, W) and mixtures."""
        h = self.stem(a) + self.position.values
        for block in self.blocks:
            h = block(h, context)
        out = self.head(h).to(a.dtype)
        out = out.view(len(a), a.shape[1], -1, *a.shape[2:])
        k = self.components
        scale, shift, logit, mean, log_scale = out.split([1, 1, k, k, k], 2)
        mixture = Mixture(logit, mean, log_scale.clamp_min(LEAST_LOG_SCALE))
        return torch.tanh(scale[:, :, 0]), shift[:, :, 0], mixture

    def forward(
        self, a: Tensor, b: Tensor, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Halves (B, C, H, W) -> halves and log |det|."""
        a, first = self.first(a)
        b, second = self.second(b)
        scale, shift, mixture = self._told(a, context)
        y, slope = mixture.logit_cdf(b)
        b = y * torch.exp(scale) + shift
        return a, b, first + second + (slope + scale).flatten(1).sum(1)

    def inverse(self, a: Tensor, b: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Undo `forward`."""
        scale, shift, mixture = self._told(a, context)
        b = mixture.inverse((b - shift) * torch.exp(-scale))
        return self.first.inverse(a), self.second.inverse(b)


class Couplings(nn.Module):
    """A row of couplings that take turns with the halves of a picture.

    Parameters
    ----------
    count : int
    stripes : bool
        Halves are the even and the odd columns; otherwise the first and the last channels.
    picture : (C, H, W)
    shape : Shape
    """

    def __init__(
        self, count: int, stripes: bool, picture: tuple[int, int, int], shape: Shape
    ) -> None:
        super().__init__()
        self.stripes = stripes
        c, h, w = picture
        half = (c, h, w // 2) if stripes else (c // 2, h, w)
        self.couplings = nn.ModuleList(Coupling(half, shape) for _ in range(count))

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = (x[..., 0::2], x[..., 1::2]) if self.stripes else x.chunk(2, 1)
        return a, b

    def _join(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.stack((a, b), -1).flatten(-2) if self.stripes else torch.cat((a, b), 1)

    def forward(self, x: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> (B, C, H, W) and log |det|."""
        a, b = self._split(x)
        total = x.new_zeros(len(x))
        for coupling in self.couplings:
            a, b, change = coupling(a, b, context)
            a, b, total = b, a, total + change
        return self._join(a, b), total

    def inverse(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Undo `forward`."""
        a, b = self._split(x)
        for coupling in reversed(self.couplings):
            a, b = cast(Coupling, coupling).inverse(b, a, context)
        return self._join(a, b)
