"""Layers and tensors: what cannot be exact, or is not what a file should hold, is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.errors import ModelError
from bitswap_models.exact.layers import EXACT_SUM, Layer, Shape
from bitswap_models.exact.tensors import Blank, Stored, built, packed, unpacked


def parts(shape: Shape, weight: int = 0, scale: int = 1) -> list[np.ndarray]:
    """Tensors of a layer, all weights and scales alike."""
    outputs = shape.outputs
    return [
        np.full(shape.weights, weight, np.int8),
        np.full(outputs, scale, np.int32),
        np.zeros(outputs, np.int32),
    ]


@pytest.mark.parametrize("scale", [2**20, -(2**20)])
def test_layers_that_could_leave_the_exact_range_are_refused(scale: int) -> None:
    shape = Shape(64, 1, 7)
    for weight, most in ((127, scale), (127, 1)):
        with pytest.raises(ModelError, match="exact integer range"):
            Layer(shape, *parts(shape, weight, most))
    assert EXACT_SUM < 64 * 49 * 127 * 255
    Layer(shape, *parts(shape, 1, 1))


def test_wrong_shapes_and_types_are_refused() -> None:
    weight, scale, bias = parts(Shape(3, 4))
    for wrong in (
        (weight.reshape(3, 4, 1, 1), scale, bias),
        (weight, scale.astype(np.float32), bias),
        (weight.astype(np.int16), scale, bias),
        (weight, scale, bias[:3]),
    ):
        with pytest.raises(ModelError, match="wrong shape"):
            Layer(Shape(3, 4), *wrong)


def test_a_channel_that_sees_later_ones_is_refused() -> None:
    shape = Shape(3, 6, causal=True)
    assert shape.mask[:, :, 0, 0].tolist() == [[0] * 3] * 2 + [[1, 0, 0]] * 2 + [[1, 1, 0]] * 2
    weight, scale, bias = parts(shape)
    weight[4, :2] = 1
    layer = Layer(shape, weight, scale, bias)
    assert [part.weight.any() for part in layer.parts(3)] == [False, False, True]
    weight[0, 2] = 1
    with pytest.raises(ModelError, match="channels after"):
        Layer(shape, weight, scale, bias)


@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=40))
def test_signs_come_back_from_their_bits(signs: list[int]) -> None:
    weight = np.array(signs, np.int8)
    assert np.array_equal(unpacked(packed(weight), weight.shape), weight)
    for wrong in (np.append(packed(weight), np.uint8(0)), packed(weight).astype(np.int8)):
        with pytest.raises(ModelError, match="wrong size"):
            unpacked(wrong, weight.shape)


def test_a_model_takes_all_tensors_and_no_others() -> None:
    def make(config: int, stored: Stored) -> Stored:
        stored.part("part").layer("layer", Shape(config, 2, binary=True))
        stored.integers("top", (2, 3))
        return stored

    blank = make(5, Blank())
    assert sorted(blank.taken) == [
        "part.layer.bias",
        "part.layer.scale",
        "part.layer.weight",
        "top",
    ]
    assert list(built(make, 5, blank.taken).layers) == ["part.layer"]
    lacking = {name: array for name, array in blank.taken.items() if name != "part.layer.scale"}
    with pytest.raises(ModelError, match="lacks the tensor 'part.layer.scale'"):
        built(make, 5, lacking)
    with pytest.raises(ModelError, match="does not name"):
        built(make, 5, {**blank.taken, "more": np.zeros(1)})
    with pytest.raises(ModelError, match="top has the wrong shape"):
        built(make, 5, {**blank.taken, "top": np.zeros((2, 3), np.int64)})
