"""The local autoregressive likelihood of the JPEG VAE: surroundings -> mixtures of coefficients.

Of a block the index of its last coefficient other than 0 is known first, then come coefficients 1
up to that one, then DC. Each has a small perceptron of its own, which sees

* the *context*: what the network makes of the block's surroundings, the same for all coefficients;
* the *earlier* coefficients of the block, their logarithms with and without signs;
* *local* inputs: the same coefficient of the neighbours, two predictions of it, how far the last
  one is.

Means of the three components are relative to two linear predictions, of pixels around the block and
earlier coefficients, and to 0; scales to the mean magnitude of the coefficient in the picture.

Sources: mixtures of discretized logistics, PixelCNN++ (Salimans et al., ICLR 2017); predictions of
coefficients by what is around a block, lepton (Horn et al., NSDI 2017).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import MEAN_LIMIT, SCALE_OF_ONE, MixtureParameters
from bitswap_cli.contract import Alphabet
from bitswap_cli.errors import ModelError
from bitswap_models.exact.kernel import Values
from bitswap_models.exact.layers import ACTIVATION, EXACT_INT32, STREAM, Layer, Shape
from bitswap_models.exact.mixtures import LOGITS, SCALES, weights_of
from bitswap_models.exact.products import product
from bitswap_models.exact.tensors import Stored
from bitswap_models.families.jpeg_vae.config import Config
from bitswap_models.families.jpeg_vae.features import (
    BORDER,
    COEFFICIENT_MAX,
    LEFT,
    PIXEL_MAX,
    SHOWN,
    SIGNED,
    TOP,
    TOP_LEFT,
    TOP_RIGHT,
    Blocks,
    Bytes,
    Integers,
    in_steps,
)
from bitswap_models.families.jpeg_vae.tables import signed, tables

COMPONENTS = 3
OUTPUTS = 3 * COMPONENTS
LAST_UNITS = 32  # hidden units of the index of the last coefficient
FILM_BITS = 6
LASTS = Alphabet(0, 63)  # of indices of last coefficients
VALUES = Alphabet(-1024, 1023)  # of coefficients
SYMBOLS = Alphabet(-2048, 2047)  # of what they are coded as: DC counts from its prediction
PREDICTOR_BITS = 10  # fraction bits of the weights of predictors
_TO_STEPS = PREDICTOR_BITS - 1  # from 1/8 gray to 1/16

_AROUND = SHOWN + 3 * 63 + 2 * SIGNED + 8
_CHROMA = 2 * (63 + SIGNED) + 1
_PICTURE = 2 * 64
LOCALS = (16, 20)  # local inputs of a coefficient of luma, of chroma


class Surroundings(NamedTuple):
    """N blocks of a component, and what is known before them."""

    blocks: Blocks
    statistics: Bytes
    """(N, 64), see `statistics_of`."""
    steps: Bytes
    """(N, 64), logarithms of the quantization steps."""
    reciprocal: NDArray[np.int64]
    """(N, 64) of the quantization steps."""
    luma: Bytes
    """(N, 64), logarithms of luma's coefficients at the same place; 0 for luma itself."""
    other: Bytes
    """(N, 64), those of Cb, if this is Cr; 0 where there are none."""
    second: NDArray[np.bool_]
    """(N,), whether this is Cr."""


def inputs_count(*, chroma: bool) -> int:
    """How many inputs the first layer has."""
    return _AROUND + (_CHROMA if chroma else 0) + _PICTURE


def earlier(k: int) -> int:
    """How many coefficients but DC are known before coefficient k."""
    return 63 if k == 0 else k - 1


def _magnitude(logs: Bytes) -> NDArray[np.int16]:
    return np.abs(logs.astype(np.int16))


def inputs_of(seen: Surroundings, *, chroma: bool) -> Values:
    """All that the first layer sees: (N, I)."""
    around = seen.blocks.around
    magnitude = _magnitude(around)
    parts: list[NDArray[np.integer]] = [
        seen.blocks.pixels,
        magnitude[:, LEFT, 1:],
        magnitude[:, TOP, 1:],
        (magnitude[:, TOP_LEFT, 1:] + magnitude[:, TOP_RIGHT, 1:] + 1) >> 1,
        around[:, LEFT, 1 : SIGNED + 1],
        around[:, TOP, 1 : SIGNED + 1],
        seen.blocks.flags,
    ]
    if chroma:
        for logs in (seen.luma, seen.other):
            parts += [_magnitude(logs)[:, 1:], logs[:, 1 : SIGNED + 1]]
        parts.append(64 * seen.second[:, None].astype(np.int16))
    parts += [4 * seen.statistics.astype(np.int16), seen.steps]
    return np.concatenate(parts, 1, dtype=np.int16)


def local_inputs(
    k: int, seen: Surroundings, last: Integers, predicted: Integers, *, chroma: bool
) -> NDArray[np.int16]:
    """What is seen of coefficient k alone: (N, F)."""
    around = seen.blocks.around[:, :, k]
    guesses = signed(tables().fine, predicted)
    rest = tables().rest[np.maximum(last - k, 0)]
    columns: list[NDArray[np.integer]] = [
        around[:, LEFT], _magnitude(around[:, LEFT]),
        around[:, TOP], _magnitude(around[:, TOP]),
        _magnitude(around[:, TOP_LEFT]), _magnitude(around[:, TOP_RIGHT]),
        seen.blocks.near[:, k],
        guesses[:, 0], _magnitude(guesses[:, 0]), guesses[:, 1], _magnitude(guesses[:, 1]),
        rest, 2 * last, np.where((last == k) & (k > 0), 64, 0),
        4 * seen.statistics[:, k].astype(np.int16), seen.steps[:, k],
    ]  # fmt: skip
    if chroma:
        for logs in (seen.luma, seen.other):
            columns += [logs[:, k], _magnitude(logs[:, k])]
    return np.stack(columns, 1).astype(np.int16)


class BlockNet:
    """p(last), p(x_k | last, x_<k) of blocks of one kind of component.

    Parameters
    ----------
    config : Config
    stored : Stored
    chroma : bool

    Raises
    ------
    ModelError
        If a tensor has the wrong shape, or a sum could leave the exact range.
    """

    def __init__(self, config: Config, stored: Stored, *, chroma: bool) -> None:
        hidden, context, width = (
            sizes[chroma] for sizes in (config.hidden, config.context, config.width)
        )
        self.chroma, self.units = chroma, context
        self.first = stored.layer("first", Shape(inputs_count(chroma=chroma), hidden))
        self.second = stored.layer("second", Shape(hidden, context))
        self.last = (
            stored.layer("last.0", Shape(context, LAST_UNITS)),
            stored.layer("last.1", Shape(LAST_UNITS, OUTPUTS)),
        )
        self.locals = LOCALS[chroma]
        each = [context + 2 * earlier(k) + self.locals for k in range(64)]
        self.mixes = _bank(stored.part("mixes"), each, width)
        self.deep = _bank(stored.part("deep"), [width] * 64, width)
        self.heads = _bank(stored.part("heads"), [width] * 64, OUTPUTS)
        self.predictors = _predictors(stored)

    def context(self, seen: Surroundings, film: Values | None) -> Values:
        """(N, C); `film` (N, 2, C) are gains and shifts of its units."""
        h = _dense(self.first, inputs_of(seen, chroma=self.chroma), ACTIVATION)
        if film is None:
            return _dense(self.second, h, ACTIVATION)
        y = _dense(self.second, h).astype(np.int32)
        modulated = y + ((y * film[:, 0]) >> FILM_BITS) + film[:, 1]
        return modulated.clip(*ACTIVATION).astype(np.int16)

    def last_index(self, context: Values) -> MixtureParameters:
        """p(last), (N, K)."""
        out = _dense(self.last[1], _dense(self.last[0], context, ACTIVATION))
        return _mixture(out, np.zeros((len(out), 1), np.int32), 0)

    def predictions(self, k: int, seen: Surroundings, grays: Integers) -> Integers:
        """Two predictions of coefficient k in 1/16 of a step, (N, 2).

        `grays` (N, 64) are the dequantized coefficients; only earlier ones are looked at.
        """
        count = earlier(k)
        x = (seen.blocks.border, 8 * grays[:, 1 : count + 1])
        sums = product(np.concatenate(x, 1, dtype=np.int32), self.predictors[k].T)
        if k == 0:
            sums += seen.blocks.mean[:, None].astype(np.int64) << PREDICTOR_BITS
        return in_steps(sums >> _TO_STEPS, seen.reciprocal[:, k, None])

    def coefficient(
        self,
        k: int,
        seen: Surroundings,
        context: Values,
        known: tuple[Integers, Integers],
        predicted: Integers,
    ) -> MixtureParameters:
        """Mixtures of coefficient k, (N, K); of the last one, see `symbols_of`.

        Parameters
        ----------
        k : int
        seen : Surroundings
        context : (N, C)
        known : (N,) and (N, 64)
            Index of the last coefficient, and the coefficients; only earlier ones are looked at.
        predicted : (N, 2)
        """
        last, x = known
        logs = signed(tables().log, x[:, 1 : earlier(k) + 1])
        rows = (
            context,
            logs,
            _magnitude(logs),
            local_inputs(k, seen, last, predicted, chroma=self.chroma),
        )
        h = _dense(self.mixes[k], np.concatenate(rows, 1, dtype=np.int16), ACTIVATION)
        out = _dense(self.heads[k], _dense(self.deep[k], h, ACTIVATION))
        anchor = np.zeros((len(x), COMPONENTS), np.int32)
        anchor[:, :2] = predicted
        if k:
            anchor -= 8 * (last == k)[:, None]
        else:
            anchor[:, 2] = predicted[:, 0]
            anchor -= 16 * centre(predicted)[:, None]
        base = 4 * seen.statistics[:, k].astype(np.int32) + SCALE_OF_ONE
        return _mixture(out, anchor, base[:, None])


def centre(predicted: Integers) -> Integers:
    """What DC counts from: (N, 2) -> (N,)"""
    return ((predicted[:, 0] + 8) >> 4).clip(*VALUES)


def symbols_of(k: int, x: Integers, last: Integers, predicted: Integers) -> Integers:
    """Values of coefficient k -> the symbols that are coded, (N,): the last one cannot be 0."""
    return x - ((x > 0) & (last == k)) if k else x - centre(predicted)


def values_of(k: int, symbols: Integers, last: Integers, predicted: Integers) -> Integers:
    """The inverse of `symbols_of`."""
    return symbols + ((symbols >= 0) & (last == k)) if k else symbols + centre(predicted)


def _mixture(out: Values, anchor: Integers, base: Integers | int) -> MixtureParameters:
    logit, mean, scale = np.split(out.astype(np.int32), 3, 1)
    return MixtureParameters(
        weights_of(logit.clip(*LOGITS)),
        (mean + anchor).clip(-MEAN_LIMIT, MEAN_LIMIT),
        (scale + base).clip(*SCALES),
    )


def _dense(layer: Layer, x: NDArray[np.integer], within: tuple[int, int] = STREAM) -> Values:
    """A layer on vectors: (N, I) -> (N, O)"""
    return layer(x[:, None, None], within=within)[:, 0, 0]


def _bank(stored: Stored, inputs: list[int], outputs: int) -> list[Layer]:
    """A layer for each coefficient; their weights are stored one after the other."""
    ends = np.cumsum([outputs * n for n in inputs])
    weights = stored.integers("weights", (int(ends[-1]),), np.int8)
    scale, bias = (stored.integers(name, (64, outputs)) for name in ("scale", "bias"))
    return [
        Layer(Shape(n, outputs), part.reshape(outputs, n, 1, 1), scale[k], bias[k])
        for k, (n, part) in enumerate(zip(inputs, np.split(weights, ends[:-1]), strict=True))
    ]


def _predictors(stored: Stored) -> list[NDArray[np.int16]]:
    """Weights of the two predictors of each coefficient, int16 (2, 32 + earlier)."""
    ends = np.cumsum([2 * (BORDER + earlier(k)) for k in range(64)])
    weights = stored.integers("predictors", (int(ends[-1]),), np.int16)
    parts = [part.reshape(2, -1) for part in np.split(weights, ends[:-1])]
    for part in parts:
        size = np.abs(part.astype(np.int64))
        reach = size[:, :BORDER].sum(1) * PIXEL_MAX + size[:, BORDER:].sum(1) * 8 * COEFFICIENT_MAX
        if reach.max() + (PIXEL_MAX << PREDICTOR_BITS) >= EXACT_INT32:
            raise ModelError("a predictor could leave the exact integer range: refused")
    return parts
