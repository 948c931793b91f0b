"""The local autoregressive likelihood of the pixel VAE: windows of pixels -> mixtures.

Every component's mean starts at an *anchor*, a fixed prediction such as the west neighbour, and
follows the error that the same anchor made in the earlier channels: steps of chroma that are
exactly 0 are then a narrow component around an exact mean. A linear layer and the perceptron add
to it. pixels.c computes the same.

Sources: mixtures with channels that depend on earlier ones, PixelCNN++ (Salimans et al., ICLR
2017); local autoregressive likelihoods, NeLLoC (Zhang, Zhang and McDonagh, NeurIPS 2021); scale
and shift of hidden units, FiLM (Perez et al., AAAI 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.contract import Integers
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import ACTIVATION, STREAM, UNIT, Layer, Shape, activation
from bitswap_models.exact.mixtures import GAINS, LOGITS, MEAN_LIMIT, SCALES, weights_of
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.window import taps

GAIN_BITS = 6
GAIN = 1 << GAIN_BITS  # stands for 1.0
# Means in quarters of W, N, NW, NE, one for each component in turn
ANCHORS = ((2, 2, 0, 0), (4, 0, 0, 0), (0, 4, 0, 0), (4, 4, -4, 0), (2, 2, -1, 1))
NEAR = ((0, -1), (-1, 0), (-1, -1), (-1, 1))  # rows and columns from a pixel to these four

Film = NDArray[np.int16]


class Terms(NamedTuple):
    """What the mixtures of N pixels are made of besides the outputs of the heads."""

    trunk: Values  # (N, C * split)
    skip: Integers  # (N, C, K), added to means, 1/16 symbol
    anchors: Integers  # (N, C, K), in symbols
    reference: Integers  # (N, C)


class PixelNet:
    """p(x_i | window, earlier channels, gains and shifts of z_1)."""

    def __init__(self, config: Config, stored: Stored) -> None:
        self.config = config
        c, k = config.channels, config.components
        window = taps(config.radius)
        self.near = [window.index(tap) for tap in NEAR]
        inputs = len(window) * c + 3 * config.radius
        self.skip = stored.layer("skip", Shape(inputs, c * k, input_max=255))
        widths = [inputs] + [config.width] * (config.layers - 1)
        trunk, mixes, heads = (stored.part(name) for name in ("trunk", "mixes", "heads"))
        self.trunk = [trunk.layer(str(i), Shape(w, config.width)) for i, w in enumerate(widths)]
        self.splits = stored.layer("splits", Shape(config.width, c * config.split))
        self.coded: Layer | None = None
        if c > 1:
            shape = Shape(c, c * config.split, input_max=255, causal=True)
            self.coded = stored.layer("coded", shape)
        self._coded = self.coded.parts(c) if self.coded else ()
        shape = Shape(config.split, config.split)
        self.mixes = [mixes.layer(str(i), shape) for i in range(c)]
        shape = Shape(config.split, (3 + c - 1) * k)
        self.heads = [heads.layer(str(i), shape) for i in range(c)]

    def terms(self, window: Integers, border: Integers, film: Film | None) -> Terms:
        """All that does not depend on the pixels themselves.

        Parameters
        ----------
        window : (N, taps, C), what each of N pixels sees
        border : (N, 3 radius), see `borders`
        film : (N, 2, layers, width), optional
            Gains and shifts for each pixel.
        """
        n, c, k = len(window), self.config.channels, self.config.components
        near = window[:, self.near]  # (N, 4, C)
        x, reference = self.inputs(window, border)
        parts = np.array([ANCHORS[at % len(ANCHORS)] for at in range(k)], np.int32)
        anchors = np.einsum("km,nmc->nck", parts, near) + 2 >> 2
        skip = _dense(self.skip, x).reshape(n, c, k).astype(np.int32)
        return Terms(self.splits_of(self.hidden(x, film)[-1]), skip, anchors, reference)

    def inputs(self, window: Integers, border: Integers) -> tuple[Integers, Integers]:
        """What the first layers see, (N, inputs), and what pixels are differences to, (N, C)."""
        west, north = (window[:, at] for at in self.near[:2])
        reference = west + north + 1 >> 1
        difference = window - reference[:, None]
        return np.concatenate((difference.reshape(len(window), -1), border * UNIT), 1), reference

    def hidden(self, x: Integers, film: Film | None) -> list[NDArray[np.integer]]:
        """Units of each layer of the trunk, (N, width), of what the first one sees."""
        found: list[NDArray[np.integer]] = []
        h: NDArray[np.integer] = x
        for i, layer in enumerate(self.trunk):
            h = _dense(layer, h)
            if film is not None:
                gain, shift = film[:, 0, i].astype(np.int32), film[:, 1, i]
                h = (h + (h * gain >> GAIN_BITS) + shift).clip(*STREAM)
            h = activation(h)
            found.append(h)
        return found

    def splits_of(self, hidden: NDArray[np.integer]) -> Values:
        """What the trunk says to channels, (N, C * split)."""
        return _dense(self.splits, hidden)

    def units(self, c: int, trunk: Values, residual: Integers) -> tuple[Values, Values]:
        """Units of channel c, (N, split) each: those that see its earlier channels, and those that
        the heads see. `residual` (N, C) is what all are more than their references."""
        s = self.config.split
        own = trunk[:, c * s : (c + 1) * s]
        if self._coded:
            residual = residual.copy()
            residual[:, c:] = 0
            own = _dense(self._coded[c], residual, own)
        own = activation(own)
        return own, _dense(self.mixes[c], own, within=ACTIVATION)

    def channel(self, c: int, terms: Terms, known: Integers) -> MixtureParameters:
        """Mixtures of channel c, (N, K) each.

        `known` (N, C) holds the pixels; channels from c on are not looked at.
        """
        k = self.config.components
        _, h = self.units(c, terms.trunk, known - terms.reference)
        out = _dense(self.heads[c], h).astype(np.int32)
        gain = out[:, 3 * k : (3 + c) * k].clip(*GAINS).reshape(len(out), c, k)
        share = (gain * (known[:, :c, None] - terms.anchors[:, :c])).sum(1, dtype=np.int32)
        base = 16 * terms.anchors[:, c] + terms.skip[:, c] + (share >> 2)
        mean = (out[:, k : 2 * k] + base).clip(-MEAN_LIMIT, MEAN_LIMIT)
        scale = out[:, 2 * k : 3 * k].clip(*SCALES)
        return MixtureParameters(weights_of(out[:, :k].clip(*LOGITS)), mean, scale)


def _dense(
    layer: Layer,
    x: NDArray[np.integer],
    add: NDArray[np.integer] | None = None,
    within: tuple[int, int] = STREAM,
) -> Values:
    """A layer on vectors: (N, I) -> (N, O)"""
    added = None if add is None else add[:, None, None]
    return layer(x[:, None, None], add=added, within=within)[:, 0, 0]
