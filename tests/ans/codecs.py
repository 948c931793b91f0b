"""Random codecs with random parameters, extremes included."""

from collections.abc import Callable

import numpy as np

from bitswap_cli.ans import (
    Bernoulli,
    Categorical,
    Codec,
    Logistic,
    LogisticMixture,
    LogisticParameters,
    MixtureParameters,
    Uniform,
    quantize,
)

Random = np.random.Generator


def alphabet(rng: Random) -> tuple[int, int]:
    """First and last symbol: of small alphabets and of large ones."""
    small = ((0, 255), (-512, 511), (1, 1024), (-1024, -1024), (7, 8), (-3, 97))
    large = ((-2048, 2047), (-512, 512), (-2048, -999), (0, 2047))
    low, high = (small + large)[rng.integers(len(small + large))]
    return low, high


def logistic(rng: Random, count: int) -> Codec:
    """Logistics with means within, far outside and beyond the clip."""
    spread = rng.choice([4096, 20000, 1 << 31])
    mean = rng.integers(-spread, spread, count).astype(np.int32)
    scale = rng.integers(-5, 140, count).astype(np.int32)
    return Logistic(LogisticParameters(mean, scale), *alphabet(rng))


def mixture(rng: Random, count: int) -> Codec:
    """Mixtures of 1 to 16 components, some of weight zero."""
    shape = (count, int(rng.integers(1, 17)))
    spread = rng.choice([4096, 20000, 1 << 31])
    mean = rng.integers(-spread, spread, shape).astype(np.int32)
    scale = rng.integers(-5, 140, shape).astype(np.int32)
    shares = rng.dirichlet(np.full(shape[1], rng.choice([0.1, 1, 10])))
    weight = rng.multinomial(256, shares, count).astype(np.int32)
    return LogisticMixture(MixtureParameters(weight, mean, scale), *alphabet(rng))


def uniform(rng: Random, count: int) -> Codec:
    """Uniform symbols of 0 to 20 bits."""
    return Uniform(int(rng.integers(21)), (count,))


def bernoulli(rng: Random, count: int) -> Codec:
    """Bits, some of them all but certain."""
    freqs = rng.choice([1, 2, 1 << 19, (1 << 20) - 1, int(rng.integers(1, 1 << 20))], count)
    return Bernoulli(freqs)


def categorical(rng: Random, count: int) -> Codec:
    """One table for all symbols, or one each."""
    size = int(rng.integers(1, 300))
    rows = (size,) if rng.integers(2) else (count, size)
    counts = rng.integers(0, 1000, rows)
    counts[..., 0] += 1
    return Categorical(quantize(counts), (count,))


CODECS: dict[str, Callable[[Random, int], Codec]] = {
    "logistic": logistic,
    "mixture": mixture,
    "uniform": uniform,
    "bernoulli": bernoulli,
    "categorical": categorical,
}
