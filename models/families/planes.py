"""Multi-scale likelihood: a tile's pixels in planes, each predicted from the planes before it.

    levels = 2: every 4th pixel both ways is the *base* plane, coded from latents alone;
    then the other three phases of the grid of every 2nd pixel, then of every pixel.

    base . . .     B . b .     phases of one level, in this order:   00 known
    .    . . .     . . . .                                           11 between four 00
    .    . . .     b . b .                                           01 between 00 and 11
    .    . . .     . . . .                                           10 between 00 and 11

A plane's pixels are predicted around a *reference*, the mean of their four known neighbours, so one
network call codes a whole plane: 1 + 3 * levels calls a tile, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitswap_cli.contract import Integers, Plane, Step
from bitswap_models.exact import mixtures
from bitswap_models.exact.blocks import ResidualBlocks
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import ACTIVATION, Shape, activation
from bitswap_models.exact.model import Listener
from bitswap_models.exact.tensors import Stored

Phase = tuple[int, int]
PHASES: tuple[Phase, ...] = ((1, 1), (0, 1), (1, 0))
SPLIT = 32  # hidden units of each channel
# runs a network on arrays, some tiles at a time
Call = Callable[..., Any]


def coding_order(levels: int) -> tuple[Plane, ...]:
    """Planes of a tile, the base plane first."""
    planes = [Plane(0, 0, 2**levels)]
    for level in range(levels):
        half = 2**levels >> (level + 1)
        planes += [Plane(y * half, x * half, 2 * half) for y, x in PHASES]
    return tuple(planes)


def cells_as_channels(x: Values, side: int) -> Values:
    """Pixels of squares as channels: (B, H, W, C) -> (B, H/side, W/side, C * side^2)"""
    b, height, width, c = x.shape
    split = x.reshape(b, height // side, side, width // side, side, c)
    return split.transpose(0, 1, 3, 5, 2, 4).reshape(b, height // side, width // side, -1)


def channels_as_cells(x: Values, side: int) -> Values:
    """Undo `cells_as_channels`: (B, H, W, C * side^2) -> (B, H * side, W * side, C)"""
    b, height, width, _ = x.shape
    split = x.reshape(b, height, width, -1, side, side).transpose(0, 1, 4, 2, 5, 3)
    return split.reshape(b, height * side, width * side, -1)


def reference(phase: Phase, known: dict[Phase, Values]) -> Values:
    """Mean of the four known neighbours of every pixel of a phase, rounded. (B, H, W, C)"""

    def next_to(p: Values, down: int, right: int) -> Values:
        """Neighbours of pixels; at the border, the pixels themselves."""
        rows, columns = np.arange(p.shape[1]) + down, np.arange(p.shape[2]) + right
        return p.take(rows, 1, mode="clip").take(columns, 2, mode="clip")

    p = known[0, 0]
    if phase == (1, 1):
        right = next_to(p, 0, 1)
        total = p + right + next_to(p, 1, 0) + next_to(right, 1, 0)
    elif phase == (0, 1):
        total = p + next_to(p, 0, 1) + known[1, 1] + next_to(known[1, 1], -1, 0)
    else:
        total = p + next_to(p, 1, 0) + known[1, 1] + next_to(known[1, 1], 0, -1)
    return total + np.int16(2) >> 2


def interleaved(known: dict[Phase, Values]) -> Values:
    """The image of all four phases: (B, H, W, C) each -> (B, 2 H, 2 W, C)"""
    b, height, width, c = known[0, 0].shape
    image = np.empty((b, 2 * height, 2 * width, c), np.int16)
    for (y, x), plane in known.items():
        image[:, y::2, x::2] = plane
    return image


class PlaneHead:
    """Features and known planes -> mixture parameters of the next plane, every channel."""

    def __init__(
        self, stored: Stored, features: int, known: int, channels: int, hidden: int, components: int
    ) -> None:
        c = channels
        self.channels, self.components = c, components
        self.from_features = stored.layer("from_features", Shape(features, hidden))
        self.from_planes = None
        if known:
            shape = Shape(known * c, hidden, 3, relative=c, input_max=255)
            self.from_planes = stored.layer("from_planes", shape)
        self.mix = stored.layer("mix", Shape(hidden, hidden))
        self.split = stored.layer("split", Shape(hidden, c * SPLIT))
        self.coded = None
        if c > 1:  # channel j sees the residuals of the channels before it
            shape = Shape(c, c * SPLIT, input_max=255, causal=True)
            self.coded = stored.layer("coded", shape).parts(c)
        outputs = 3 * components + c - 1  # logits, means, scales, shares of earlier channels
        heads = stored.part("heads")
        self.heads = [heads.layer(str(k), Shape(SPLIT, outputs)) for k in range(c)]

    def trunk(
        self, features: Values, ref: Values | None = None, planes: Values | None = None
    ) -> Values:
        """Shared part: (B, H, W, F), (B, H, W, C), (B, H, W, P*C) -> (B, H, W, C*SPLIT)"""
        if self.from_planes is None or planes is None:
            h = self.from_features(features, within=ACTIVATION)
        else:
            h = self.from_features(features)
            h = self.from_planes(planes, ref, add=h, within=ACTIVATION)
        return self.split(self.mix(h, within=ACTIVATION))

    def channel(self, trunk: Values, residual: Values, channel: int) -> Values:
        """Integers of one channel, (B, H, W, outputs); residuals of those before it count."""
        h = trunk[..., channel * SPLIT : (channel + 1) * SPLIT]
        if self.coded is None:
            h = activation(h)
        else:
            h = self.coded[channel](residual, add=h, within=ACTIVATION)
        return self.heads[channel](h)


def code_channels(
    head: PlaneHead,
    trunk: Values,
    ref: Values,
    plane: Plane,
    code: Callable[[Step], Integers],
    call: Call = lambda network, *inputs: network(*inputs),
) -> Values:
    """Code a plane, one channel after the other; returns its pixels, (B, H, W, C).

    Parameters
    ----------
    head : PlaneHead
    trunk : (B, H, W, C * SPLIT), of `PlaneHead.trunk`
    ref : (B, H, W, C)
    plane : Plane
    code : callable
        Told each step, returns its pixels, (B, H, W).
    call : callable
        Runs a network.
    """
    residual = np.zeros_like(ref)
    for c in range(head.channels):
        out = call(lambda t, r: head.channel(t, r, c), trunk, residual)  # noqa: B023
        step = Step(plane, c, mixtures.of_channel(out, ref, residual, head.components, c))
        residual[..., c] = code(step) - ref[..., c]
    return ref + residual


def tell_steps(x: Integers, told: Listener) -> Callable[[Step], Integers]:
    """Return what tells the mixtures of each step of a likelihood, and gives it its pixels."""

    def code(step: Step) -> Integers:
        told.tiles(*step.parameters)
        top, left, stride = step.plane
        return x[:, step.channel, top::stride, left::stride]

    return code


class FinerLevel:
    """Features of the next finer level: its known image, relative to each pixel, and the coarser
    level's features, lifted to twice the grid."""

    def __init__(
        self, stored: Stored, features: int, channels: int, width: int, blocks: int
    ) -> None:
        self.lift = stored.layer("lift", Shape(features, 4 * width))
        shape = Shape(channels, width, 5, relative=channels, input_max=255)
        self.stem = stored.layer("stem", shape)
        self.blocks = ResidualBlocks(stored.part("blocks"), blocks, width)

    def __call__(self, image: Values, features: Values) -> Values:
        """(B, 2H, 2W, C), (B, H, W, F) -> (B, 2H, 2W, width)"""
        lifted = channels_as_cells(self.lift(features), 2)
        return activation(self.blocks(self.stem(image, image, add=lifted)))
