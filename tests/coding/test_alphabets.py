"""Schemes over models whose samples are no bytes."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitswap_cli.ans import (
    LogisticMixture,
    LogisticParameters,
    MixtureParameters,
    distributions,
    kernel,
    reference,
)
from bitswap_cli.coding import group, tile_codec
from bitswap_cli.contract import Alphabet, Coded, Integers, Plane, Pop, Step

ENGINES = [engine for engine in (kernel.compiled(), reference) if engine]


class Blocks:
    """One latent for each tile; samples by planes."""

    schemes: Sequence[str] = ("bitswap", "bbans")
    depth = channels = 1
    tile = stride = 4
    factors: Sequence[int] = (1,)
    slack, growth = 1.0, Fraction(1)
    batch: int | None = None
    planes: Sequence[Plane] = (Plane(0, 0, 1),)

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def posterior(self, layer: int, below: Integers) -> LogisticParameters:
        mean = below.sum(axis=(1, 2, 3), keepdims=True) % 2000 - 1000
        return LogisticParameters(mean.astype(np.int32), np.full_like(mean, 40, np.int32))

    def top_prior(self, batch: int) -> LogisticParameters:
        return LogisticParameters(*np.full((2, batch, 1, 1, 1), 60, np.int32))

    def _parameters(self, z1: Integers, shape: tuple[int, ...]) -> MixtureParameters:
        middle = 8 * (self.low + self.high) + z1.reshape(-1, *[1] * len(shape))
        mean = middle + 37 * np.arange(np.prod(shape)).reshape(shape)
        mean = np.stack([mean, -mean], -1).astype(np.int32)
        weight = np.broadcast_to(np.array([156, 100], np.int32), mean.shape)
        return MixtureParameters(weight, mean, abs(mean) % 128)

    def likelihood(self, z1: Integers, code: Callable[[Step], Integers]) -> None:
        code(Step(self.planes[0], 0, self._parameters(z1, (4, 4))))


class Lockstep(Blocks):
    """Samples row by row of all tiles, which have to be whole; no latents."""

    schemes = ("bitswap",)
    depth = 0
    common = None

    def _of(self, count: int, row: int) -> MixtureParameters:
        terms = self._parameters(np.zeros(count, np.int32), (4,))
        return MixtureParameters(
            *((t + row if k else t).reshape(-1, 2) for k, t in enumerate(terms))
        )

    def intervals(self, z1: Integers, x: Integers, sizes: Integers, z2: None) -> Coded:
        rows = [self._of(len(x), row) for row in range(4)]
        symbols = x[:, 0].swapaxes(0, 1).reshape(-1)
        owner = np.tile(np.repeat(np.arange(len(x)), 4), 4).astype(np.int32)
        parameters = MixtureParameters(*(np.concatenate(p) for p in zip(*rows, strict=True)))
        start, freq = LogisticMixture(parameters, self.low, self.high).intervals(symbols)
        return Coded(start, freq, owner, np.full(4, 4 * len(x), np.int32))

    def walk(self, z1: Integers, sizes: Integers, tile: int, pop: Pop, z2: None) -> Integers:
        rows = [pop(self._of(len(sizes), row)).reshape(-1, 4) for row in range(4)]
        return np.stack(rows, 1)[:, None]


@pytest.mark.parametrize("model", [Blocks, Lockstep])
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    alphabet=st.sampled_from([(-2048, 2047), (0, 255), (-300, 900), (0, 1), (-7, 8)]),
    seed=st.integers(0, 99),
    count=st.integers(1, 40),
)
def test_samples_of_any_alphabet_come_back(
    model: type[Blocks], alphabet: tuple[int, int], seed: int, count: int
) -> None:
    """Equal words from both engines, and arrays of the alphabet's dtype."""
    low, high = alphabet
    rng = np.random.default_rng(seed)
    kind = Alphabet(low, high).dtype
    tiles = rng.integers(low, high + 1, (count, 4, 4, 1)).astype(kind)
    sizes = np.full((count, 3), (4, 4, 1), np.int32)
    if model is Blocks:
        sizes[:, :2] = rng.integers(1, 5, (count, 2))
    words = set()
    for engine in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(distributions, "engine", lambda chosen=engine: chosen)
            patch.setattr(group, "engine", lambda chosen=engine: chosen)
            codec = tile_codec(model(low, high))
            assert codec.alphabet == alphabet
            encoded = codec.encode(tiles, sizes, b"some payload")
            restored, payload = codec.decode(encoded.words, sizes)
        words.add(encoded.words)
        assert restored.dtype == kind
        assert payload[: encoded.payload_used] == b"some payload"[: encoded.payload_used]
        for tile, again, (h, w, _) in zip(tiles, restored, sizes, strict=True):
            assert np.array_equal(tile[:h, :w], again[:h, :w])
        assert len(encoded.bits) == count
    assert len(words) == 1


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [(0, 255, np.uint8), (0, 1, np.uint8), (0, 256, np.int16), (-1, 5, np.int16)],
)
def test_an_alphabet_says_how_arrays_hold_it(low: int, high: int, kind: type[np.integer]) -> None:
    assert Alphabet(low, high).dtype == kind
