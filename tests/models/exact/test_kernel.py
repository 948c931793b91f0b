"""The compiled layers compute what numpy does, and both what the definition says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ModelError
from bitswap_models.exact import kernel, layers, mixtures
from bitswap_models.exact.layers import ACTIVATION, SATURATION, STREAM, Layer, Shape

COMPILED = kernel.compiled()
VARIANTS = COMPILED.variants if COMPILED else []
needs_kernel = pytest.mark.skipif(not VARIANTS, reason="no compiled kernel")


def random_layer(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    size: int,
    relative: int,
    extreme: bool,
    largest: int = 127,
) -> Layer:
    """A layer whose sums come as near to its proof's bounds as they may, if `extreme`."""
    shape = Shape(inputs, outputs, size, relative=relative)
    weight = rng.integers(-largest, largest + 1, shape.weights)
    if extreme:
        sign = rng.choice([-1, 1], (outputs, 1, 1, 1))
        weight = largest * sign * np.ones(shape.weights, np.int64)
    reach = np.abs(weight).sum((1, 2, 3)) * shape.reach
    weight[reach >= 2**24] //= 16
    reach = np.maximum(np.abs(weight).sum((1, 2, 3)) * shape.reach, 1)
    scale = 2**29 // reach if extreme else rng.integers(-(2**29) // reach, 2**29 // reach + 1)
    bias = rng.integers(-(2**29), 2**29, outputs)
    return Layer(shape, weight.astype(np.int8), scale.astype(np.int32), bias.astype(np.int32))


def definition(
    layer: Layer,
    x: np.ndarray,
    reference: np.ndarray | None,
    add: np.ndarray | None,
    active: bool,
) -> np.ndarray:
    """The layer in int64, tap by tap: zeros outside, or differences to the reference."""
    w, m, b = (a.astype(np.int64) for a in (layer.weight, layer.scale, layer.bias))
    outputs, inputs, size, _ = layer.shape.weights
    edge, (height, width) = size // 2, x.shape[1:3]
    around = ((0, 0), (edge, edge), (edge, edge), (0, 0))
    padded = np.pad(x, around, mode="constant" if reference is None else "edge")
    acc = np.zeros((len(x), height, width, outputs), np.int64)
    for i in range(size):
        for j in range(size):
            tap = padded[:, i : i + height, j : j + width]
            if reference is not None:
                tap = tap - np.tile(reference, inputs // reference.shape[-1])
            acc += np.einsum("oc,bhwc->bhwo", w[:, :, i, j], tap)
    y = (acc * m + b) >> layer.shape.shift
    y = y.clip(-SATURATION, SATURATION)
    if add is not None:
        y = (y + add).clip(-SATURATION, SATURATION)
    return y.clip(0, 255) if active else y


def with_engine(
    chosen: kernel.Kernel | None,
    layer: Layer,
    x: np.ndarray,
    reference: np.ndarray | None = None,
    *,
    add: np.ndarray | None = None,
    within: tuple[int, int] = STREAM,
    pool: tuple[int, int] | None = None,
) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "engine", lambda: chosen)
        return layer(x, reference, add=add, within=within, pool=pool)


@needs_kernel
@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=24, deadline=None)
@given(
    inputs=st.integers(1, 20),
    outputs=st.one_of(st.integers(1, 20), st.sampled_from([48, 65, 96])),
    size=st.sampled_from([1, 3, 5]),
    relative=st.integers(0, 3),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    adds=st.booleans(),
    active=st.booleans(),
    extreme=st.booleans(),
    largest=st.sampled_from([1, 127]),
    lowest=st.sampled_from([0, -255]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_variant_is_the_definition(
    variant: str,
    inputs: int,
    outputs: int,
    size: int,
    relative: int,
    shape: tuple[int, int, int],
    adds: bool,
    active: bool,
    extreme: bool,
    largest: int,
    lowest: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    inputs = relative * min(inputs, 4) if relative else inputs
    layer = random_layer(rng, inputs, outputs, size, relative, extreme, largest)
    batch, height, width = shape

    def numbers(channels: int, low: int, high: int) -> np.ndarray:
        where = (batch, height, width, channels)
        return rng.choice([low, high], where) if extreme else rng.integers(low, high + 1, where)

    x = numbers(inputs, 0 if relative else lowest, 255)
    reference = numbers(relative, 0, 255) if relative else None
    add = numbers(outputs, -SATURATION, SATURATION) if adds else None
    assert COMPILED
    engines = [kernel.Kernel(COMPILED.path, variant), None]
    expected = definition(layer, x, reference, add, active)
    for engine in engines:
        within = ACTIVATION if active else STREAM
        y = with_engine(engine, layer, x, reference, add=add, within=within)
        assert y.dtype == np.int16
        assert np.array_equal(y, expected)


@needs_kernel
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("inputs", "relative"), [(1, 1), (3, 3), (6, 2), (3, 0), (40, 2)])
@pytest.mark.parametrize("bits", [0, 1, 2])
def test_outputs_are_pooled_and_one_channel_stands_for_all(
    variant: str, inputs: int, relative: int, bits: int
) -> None:
    rng = np.random.default_rng(inputs + bits)
    layer = random_layer(rng, inputs, 21, 3, relative, False)
    x = rng.integers(0, 256, (3, 8, 12, 1))
    expected = definition(
        layer, x.repeat(inputs, 3), x.repeat(relative, 3) if relative else None, None, True
    )
    squares = expected.reshape(3, 8 >> bits, 1 << bits, 12 >> bits, 1 << bits, 21).sum((2, 4)) >> 3
    assert COMPILED
    for engine in (kernel.Kernel(COMPILED.path, variant), None):
        for seen in (x, x.repeat(inputs, 3)):
            other = seen[..., : max(1, min(relative, seen.shape[3]))] if relative else None
            pooled = with_engine(engine, layer, seen, other, within=ACTIVATION, pool=(bits, 3))
            assert np.array_equal(pooled, squares)
            plain = with_engine(engine, layer, seen, other, within=ACTIVATION)
            assert np.array_equal(plain, expected)


@needs_kernel
def test_what_cannot_be_pooled_never_reaches_the_kernel() -> None:
    rng = np.random.default_rng(6)
    layer = random_layer(rng, 3, 4, 3, 0, False)
    x = np.zeros((2, 4, 6, 3), np.int16)
    for bits, add in ((2, None), (1, np.zeros((2, 4, 6, 4), np.int16))):
        with pytest.raises(ValueError, match="pooled|shape"):
            with_engine(COMPILED, layer, x, add=add, pool=(bits, 0))


@needs_kernel
def test_parts_and_batches_change_nothing() -> None:
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 5, 40, 3, 0, False)
    x = rng.integers(0, 256, (7, 6, 3, 5), dtype=np.int16)
    whole = with_engine(COMPILED, layer, x)
    for count in (1, 5, 40):
        for engine in (COMPILED, None):
            parts = [with_engine(engine, part, x) for part in layer.parts(count)]
            assert np.array_equal(np.concatenate(parts, -1), whole)
    one_by_one = [with_engine(COMPILED, layer, x[i : i + 1]) for i in range(len(x))]
    assert np.array_equal(np.concatenate(one_by_one), whole)


@needs_kernel
def test_memory_layouts_change_nothing() -> None:
    rng = np.random.default_rng(4)
    layer = random_layer(rng, 6, 9, 1, 0, False)
    x = rng.integers(0, 256, (2, 5, 5, 8), dtype=np.int16)[..., 1:7]
    expected = with_engine(COMPILED, layer, x.copy())
    for other in (x, x.astype(np.int64), np.asfortranarray(x)):
        for engine in (COMPILED, None):
            assert np.array_equal(with_engine(engine, layer, other), expected)


@needs_kernel
def test_wrong_shapes_never_reach_the_kernel() -> None:
    rng = np.random.default_rng(5)
    layer = random_layer(rng, 3, 4, 3, 3, False)
    x = np.zeros((2, 4, 4, 3), np.int16)
    for wrong in ((x[..., :2], x), (x, None), (x, x[:1]), (x, x[:, :3])):
        with pytest.raises(ValueError, match="layer"):
            with_engine(COMPILED, layer, *wrong)
    with pytest.raises(ValueError, match="shape"):
        with_engine(COMPILED, layer, x, x, add=x)


def test_the_environment_chooses_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = kernel.engine.__wrapped__
    monkeypatch.setenv("BITSWAP_ENGINE", "reference")
    assert choose() is None
    monkeypatch.setenv("BITSWAP_ENGINE", "")
    assert choose() is COMPILED
    monkeypatch.setattr(kernel, "compiled", lambda: None)
    assert choose() is None
    for wanted, message in (("c", "not compiled"), ("fast", "choose c or reference")):
        monkeypatch.setenv("BITSWAP_ENGINE", wanted)
        with pytest.raises(ModelError, match=message):
            choose()


@needs_kernel
def test_unknown_variants_are_refused() -> None:
    assert COMPILED
    with pytest.raises(OSError, match="no mmx"):
        kernel.Kernel(COMPILED.path, "mmx")


@needs_kernel
@settings(max_examples=40, deadline=None)
@given(
    channels=st.integers(1, 4),
    components=st.integers(1, 16),
    span=st.sampled_from([2, 300, SATURATION]),
    seed=st.integers(0, 2**32 - 1),
)
def test_mixtures_are_those_of_numpy(channels: int, components: int, span: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    channel = int(rng.integers(channels))

    def numbers(count: int, low: int, high: int) -> np.ndarray:
        return rng.integers(low, high + 1, (2, 3, 4, count), dtype=np.int16)

    out = numbers(3 * components + channels - 1, -span, span)
    ref, residual = numbers(channels, 0, 255), numbers(channels, -255, 255)
    results = []
    for engine in (COMPILED, None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mixtures, "engine", lambda chosen=engine: chosen)
            results.append(mixtures.of_channel(out, ref, residual, components, channel))
    for c, numpy_ in zip(*results, strict=True):
        assert c.shape == (2, 3, 4, components)
        assert c.dtype == numpy_.dtype == np.int32
        assert np.array_equal(c, numpy_)
    assert (results[0].weight.sum(-1) == 256).all()


@needs_kernel
@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_of_weights_of_one_bit_never_overflow(sign: int) -> None:
    """Products as large as they can be go through 16 bits in parts."""
    shape = Shape(512, 16, 5, binary=True)
    ones = np.ones(16, np.int32)
    layer = Layer(shape, np.full(shape.weights, sign, np.int8), ones * 2**4, ones * 0)
    x = np.full((1, 5, 5, 512), 255, np.int16)
    assert COMPILED
    for engine in (None, *(kernel.Kernel(COMPILED.path, name) for name in VARIANTS)):
        y = with_engine(engine, layer, x)
        assert (y[0, 2, 2] == (sign * 512 * 25 * 255 >> 8)).all()
