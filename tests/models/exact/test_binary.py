"""Layers of signs: XOR and popcount give the sums of +-1 that the definition says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_models.exact import kernel, layers
from bitswap_models.exact.layers import ACTIVATION, SATURATION, STREAM, Layer, Shape
from tests.native.compiler import needs_compiler, portable

COMPILED = kernel.compiled()
VARIANTS = COMPILED.binary_variants if COMPILED else []
needs_kernel = pytest.mark.skipif(not VARIANTS, reason="no compiled kernel")

CHANNELS = st.one_of(st.integers(1, 300), st.sampled_from([8, 16, 31, 32, 63, 64, 65, 128, 512]))


def random_layer(
    rng: np.random.Generator, inputs: int, outputs: int, size: int, largest: int
) -> Layer:
    """A layer of signs, weights odd and at most `largest`; sums may reach every bound."""
    shape = Shape(inputs, outputs, size, binary=largest == 1, signs=True)
    weight = rng.integers(-largest, largest + 1, shape.weights) | 1
    weight[rng.random(outputs) < 0.2] = rng.choice([-largest, largest])
    reach = np.abs(weight).sum((1, 2, 3))
    scale = rng.integers(-(2**29) // reach, 2**29 // reach + 1)
    scale[rng.random(outputs) < 0.5] //= 2**12
    bias = rng.integers(-(2**29), 2**29, outputs)
    return Layer(shape, weight.astype(np.int8), scale.astype(np.int32), bias.astype(np.int32))


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Values of every sign, with many zeros and extremes."""
    x = rng.integers(-SATURATION - 1, SATURATION + 1, shape)
    return np.where(rng.random(shape) < 0.4, rng.choice([-SATURATION - 1, -1, 0, 1], shape), x)


def definition(layer: Layer, x: np.ndarray, add: np.ndarray | None, active: bool) -> np.ndarray:
    """The layer in int64, tap by tap; what is outside of the image counts 0."""
    w, m, b = (a.astype(np.int64) for a in (layer.weight, layer.scale, layer.bias))
    size, (height, width) = layer.shape.size, x.shape[1:3]
    around = ((0, 0), (size // 2,) * 2, (size // 2,) * 2, (0, 0))
    padded = np.pad(np.where(x < 0, -1, 1), around)
    acc: np.ndarray = sum(
        np.einsum("oc,bhwc->bhwo", w[:, :, i, j], padded[:, i : i + height, j : j + width])
        for i in range(size)
        for j in range(size)
    )
    y = (acc * m + b) >> layer.shape.shift
    y = y.clip(-SATURATION, SATURATION) + (0 if add is None else add)
    return y.clip(0, 255) if active else y.clip(-SATURATION, SATURATION)


def with_engine(
    chosen: kernel.Kernel | None,
    layer: Layer,
    x: np.ndarray,
    *,
    add: np.ndarray | None = None,
    within: tuple[int, int] = STREAM,
) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "engine", lambda: chosen)
        return layer(x, add=add, within=within)


def engines() -> list[kernel.Kernel | None]:
    """The reference, and the kernel with every variant."""
    assert COMPILED
    return [None, *(kernel.Kernel(COMPILED.path, binary_variant=name) for name in VARIANTS)]


@needs_kernel
@settings(max_examples=60, deadline=None)
@given(
    inputs=CHANNELS,
    outputs=CHANNELS,
    size=st.sampled_from([1, 3, 5]),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    adds=st.booleans(),
    active=st.booleans(),
    largest=st.sampled_from([1, 1, 127]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_variant_is_the_definition(
    inputs: int,
    outputs: int,
    size: int,
    shape: tuple[int, int, int],
    adds: bool,
    active: bool,
    largest: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, inputs, outputs, size, largest)
    batch, *grid = shape
    x = numbers(rng, batch, *grid, inputs)
    add = rng.integers(-SATURATION, SATURATION + 1, (batch, *grid, outputs)) if adds else None
    expected = definition(layer, x, add, active)
    for engine in engines():
        y = with_engine(engine, layer, x, add=add, within=ACTIVATION if active else STREAM)
        assert y.dtype == np.int16
        assert np.array_equal(y, expected)


@needs_kernel
@pytest.mark.parametrize("sign", [-1, 1])
def test_counts_never_overflow(sign: int) -> None:
    """Every bit differs, or none: counts of whole patches go through bytes in parts."""
    shape = Shape(512, 16, 5, binary=True, signs=True)
    ones = np.ones(16, np.int32)
    layer = Layer(shape, np.ones(shape.weights, np.int8), ones * 2**12, ones * 0)
    x = np.full((1, 5, 5, 512), sign, np.int16)
    for engine in engines():
        assert (with_engine(engine, layer, x)[0, 2, 2] == sign * 512 * 25).all()


@needs_kernel
def test_parts_batches_and_memory_change_nothing() -> None:
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 40, 70, 3, 1)
    x = numbers(rng, 7, 6, 3, 40)
    whole = with_engine(None, layer, x)
    for engine in engines():
        parts = [with_engine(engine, part, x) for part in layer.parts(5)]
        assert np.array_equal(np.concatenate(parts, -1), whole)
        one_by_one = [with_engine(engine, layer, x[i : i + 1]) for i in range(len(x))]
        assert np.array_equal(np.concatenate(one_by_one), whole)
        for other in (x.astype(np.int16), np.asfortranarray(x)):
            assert np.array_equal(with_engine(engine, layer, other), whole)


@needs_kernel
def test_unknown_variants_are_refused() -> None:
    assert COMPILED
    with pytest.raises(OSError, match="no mmx"):
        kernel.Kernel(COMPILED.path, binary_variant="mmx")


@needs_compiler
def test_c_without_any_machine_s_instructions_is_the_definition(tmp_path: Path) -> None:
    """What processors compile whose instructions we do not know."""
    plain = kernel.Kernel(portable(tmp_path))
    assert plain.binary_variants == ["plain"]
    rng = np.random.default_rng(5)
    for inputs, outputs, size in ((3, 5, 3), (65, 33, 5), (128, 64, 1)):
        layer = random_layer(rng, inputs, outputs, size, 1)
        x = numbers(rng, 2, 4, 3, inputs)
        y = with_engine(plain, layer, x)
        assert np.array_equal(y, definition(layer, x, None, False))
