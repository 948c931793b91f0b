"""Speed of the coder on one core: python benchmarks/ans.py

Symbols are drawn from the very distributions that code them: 256 pixel values, or as many as are
told, means anywhere, scales of about 0.7 to 8 symbols (4 bits a symbol). Each figure is the best of
several passes, in the thread's processor time.
"""

import argparse
import time
from collections.abc import Callable
from unittest import mock

import numpy as np

from bitswap_cli.ans import (
    Bernoulli,
    Categorical,
    Codec,
    Logistic,
    LogisticMixture,
    LogisticParameters,
    Message,
    MixtureParameters,
    Uniform,
    distributions,
    kernel,
    quantize,
    reference,
)
from bitswap_cli.ans.parameters import SMALL_ALPHABET


def logistic(rng: np.random.Generator, count: int, size: int) -> Codec:
    """Logistics over `size` symbols."""
    mean = rng.integers(0, 16 * size, count, dtype=np.int32)
    scale = np.clip(rng.normal(55, 12, count), 0, 127).astype(np.int32)
    low = -size // 2 if size > SMALL_ALPHABET else 0
    return Logistic(LogisticParameters(mean + 16 * low, scale), low, low + size - 1)


def mixture(rng: np.random.Generator, count: int, components: int, size: int = 256) -> Codec:
    """Mixtures over `size` symbols, the components' means some scales apart."""
    low = -size // 2 if size > SMALL_ALPHABET else 0
    centre = rng.integers(16 * low, 16 * (low + size), (count, 1))
    mean = (centre + rng.normal(0, 160, (count, components))).astype(np.int32)
    scale = np.clip(rng.normal(55, 12, (count, components)), 0, 127).astype(np.int32)
    weight = rng.multinomial(256, [1 / components] * components, count).astype(np.int32)
    return LogisticMixture(MixtureParameters(weight, mean, scale), low, low + size - 1)


def codecs(count: int) -> dict[str, Codec]:
    """The codecs measured, of `count` symbols each."""
    rng = np.random.default_rng(0)
    return {
        "logistic, 256 symbols": logistic(rng, count, 256),
        "logistic, 1024 symbols": logistic(rng, count, 1024),
        "logistic, 4096 symbols": logistic(rng, count, 4096),
        "mixture of 3": mixture(rng, count, 3),
        "mixture of 5": mixture(rng, count, 5),
        "mixture of 3, 4096 symbols": mixture(rng, count, 3, 4096),
        "uniform, 8 bits": Uniform(8, (count,)),
        "bernoulli": Bernoulli(rng.integers(1, 1 << 20, count)),
        "categorical, 256 shared": Categorical(quantize(rng.integers(1, 999, 256)), (count,)),
    }


def rates(
    name: str, count: int, engine: kernel.Engine | None, options: argparse.Namespace
) -> tuple[float, float]:
    """Push and pop with an engine in M symbols/s; not-a-number where there is no such engine."""
    if engine is None:
        return float("nan"), float("nan")
    with mock.patch.object(distributions, "engine", lambda: engine):
        codec = codecs(count)[name]
        rng = np.random.default_rng(1)
        start = Message.with_bottom(rng.bytes(4 * count), options.lanes)
        symbols = codec.pop(start)
        full = start.copy()
        codec.push(full, symbols)

        def best(operation: Callable[[Message], object], message: Message) -> float:
            times = []
            for _ in range(options.passes):
                trial = message.copy()
                began = time.thread_time()
                operation(trial)
                times.append(time.thread_time() - began)
            return count / min(times) / 1e6

        return best(lambda message: codec.push(message, symbols), start), best(codec.pop, full)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1 << 20, help="symbols for the C kernel")
    parser.add_argument("--passes", type=int, default=7)
    parser.add_argument("--lanes", type=int, default=32)
    options = parser.parse_args()
    few = max(options.count >> 6, 1)
    print(
        f"M symbols/s on {options.lanes} lanes        C push  C pop | numpy push  pop | C / numpy"
    )
    for name in codecs(1):
        slow = rates(name, few, reference, options)
        fast = rates(name, options.count, kernel.compiled(), options)
        print(
            f"{name:26} {fast[0]:13.1f} {fast[1]:6.1f} | {slow[0]:11.2f} {slow[1]:4.2f} "
            f"| {fast[0] / slow[0]:.0f}, {fast[1] / slow[1]:.0f}"
        )


if __name__ == "__main__":
    main()
