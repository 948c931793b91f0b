"""Integer layers: training computes what coding computes, and what cannot be exact is refused."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ModelError
from bitswap_models.exact.layers import IntegerConv, ResidualBlock, floor, round_


def exact_copy(layer: IntegerConv, **kwargs: object) -> IntegerConv:
    outputs, inputs, size, _ = layer.shape
    copy = IntegerConv(
        inputs, outputs, size, binary=layer.binary, input_max=layer.input_max,
        relative=layer.relative, causal=layer.causal,
    )  # fmt: skip
    copy.load(**layer.freeze())
    return copy


def started(layer: IntegerConv, *inputs: torch.Tensor) -> IntegerConv:
    layer.starting = True
    with torch.no_grad():
        layer(*inputs)
    layer.starting = False
    return layer


def integer_conv(layer: IntegerConv, x: np.ndarray) -> np.ndarray:
    """The definition, in Python's own integers: (sum w x) m + b >> s, zero padding."""
    w, m, b = (t.numpy().astype(object) for t in (layer.weight, layer.scale, layer.bias))
    outputs, inputs, size, _ = layer.shape
    edge = size // 2
    padded = np.pad(x.astype(object), ((0, 0), (edge, edge), (edge, edge)))
    y = np.zeros((outputs, *x.shape[1:]), object)
    for o in range(outputs):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                acc = (padded[:, i : i + size, j : j + size] * w[o]).sum()
                y[o, i, j] = (acc * int(m[o]) + int(b[o])) >> layer.shift
    return y


@settings(max_examples=25, deadline=None)
@given(st.booleans(), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1))
def test_exact_path_is_the_definition(binary: bool, size: int, seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.randint(0, 256, (4, 3, 5, 5)).float()
    layer = exact_copy(started(IntegerConv(3, 4, size, binary=binary), x))
    y = layer(x[:1])[0].numpy()
    assert np.array_equal(y, integer_conv(layer, x[0].numpy().astype(int)).astype(float))


@pytest.mark.parametrize(
    "kwargs",
    [{"binary": True}, {}, {"relative": 3}, {"causal": True, "input_max": 255}],
    ids=["binary", "8 bit", "relative", "causal"],
)
def test_training_computes_what_codes(kwargs: dict[str, object]) -> None:
    torch.manual_seed(1)
    size = 1 if "causal" in kwargs else 3
    x = torch.randint(0, 256, (8, 3, 9, 9)).float()
    inputs = (x, x.flip(0)) if "relative" in kwargs else (x,)
    layer = started(IntegerConv(3, 6, size, **kwargs), *inputs)  # type: ignore[arg-type]
    with torch.no_grad():
        trained, coded = layer(*inputs), exact_copy(layer)(*inputs)
    # float32 may round across a floor where the product is large; the integers never do
    assert (trained - coded).abs().max() <= 1
    assert (trained != coded).float().mean() < 0.01


@pytest.mark.parametrize(
    "kwargs",
    [{"binary": True}, {}, {"causal": True, "input_max": 255}],
    ids=["binary", "8 bit", "causal"],
)
def test_training_goes_on_from_what_is_stored(kwargs: dict[str, object]) -> None:
    """With weights as large as new ones; further inputs weigh nothing."""
    torch.manual_seed(2)
    size = 1 if "causal" in kwargs else 3
    x = torch.randint(0, 256, (8, 3, 9, 9)).float()
    first = started(IntegerConv(3, 6, size, **kwargs), x)  # type: ignore[arg-type]
    with torch.no_grad():
        first.v *= 7
    stored = exact_copy(first)
    more = 0 if kwargs else 2
    layer = IntegerConv(3 + more, 6, size, **kwargs)  # type: ignore[arg-type]
    layer.thaw(stored.weight, stored.scale, stored.bias)
    wider = torch.cat((x, torch.randint(0, 256, (8, more, 9, 9)).float()), 1)
    with torch.no_grad():
        assert (layer(wider) - stored(x)).abs().max() <= 2
    seen = stored.weight.abs().amax((1, 2, 3)) > 0
    size_of = layer.v.detach().square().mean((1, 2, 3)).sqrt()
    assert torch.allclose(size_of[seen], torch.tensor(0.1), rtol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-3, 12), st.integers(-3, 12))
def test_what_training_gives_is_proved_exact_and_uses_the_range(seed: int, g: int, b: int) -> None:
    """Whatever scales and offsets training runs to."""
    torch.manual_seed(seed)
    layer = IntegerConv(3, 4, 3)
    with torch.no_grad():
        layer.g.copy_(torch.randn(4) * 10.0**g)
        layer.b.copy_(torch.randn(4) * 10.0**b)
    stored = exact_copy(layer)
    if g > 9:
        reach = stored.weight.long().abs().sum((1, 2, 3)) * layer.reach()
        assert int((reach * stored.scale.abs()).min()) > 2**30


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_layers_have_the_same_gradients() -> None:
    """Some compilers see through `_Requantize` and find the gradient of a floor: none."""
    torch.manual_seed(3)
    layer = started(IntegerConv(4, 5), x := torch.randint(0, 256, (3, 4, 2, 2)).float())

    def gradients(run: Callable[..., torch.Tensor]) -> list[torch.Tensor]:
        bits = run(x, add=torch.ones(3, 5, 2, 2), active=True).square().sum()
        return list(torch.autograd.grad(bits, (layer.v, layer.g, layer.b)))

    for own, other in zip(
        gradients(torch.compile(layer, backend="aot_eager")), gradients(layer), strict=True
    ):
        assert float(other.norm()) > 0
        assert torch.allclose(own, other, rtol=1e-3)


def test_sign_of_zero_is_plus_one() -> None:
    layer = IntegerConv(2, 2, binary=True)
    torch.nn.init.zeros_(layer.v)
    assert (layer.integers()[0] == 1).all()


def test_gradients_pass_straight_through() -> None:
    x = torch.tensor([0.2, 1.7, -3.4], requires_grad=True)
    (floor(x) + round_(x)).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), 2.0))
    block = ResidualBlock(4)
    block(torch.randint(0, 255, (2, 4, 6, 6)).float()).sum().backward()
    assert all(p.grad is not None for p in block.parameters())


def test_unprovable_layers_are_refused() -> None:
    layer = IntegerConv(64, 1, 7)
    frozen = layer.freeze()
    frozen["weight"] = torch.full_like(frozen["weight"], 127)
    frozen["scale"] = torch.tensor([2**20], dtype=torch.int32)
    with pytest.raises(ModelError, match="exact integer range"):
        IntegerConv(64, 1, 7).load(**frozen)


def test_wrong_shapes_are_refused() -> None:
    frozen = IntegerConv(3, 4).freeze()
    with pytest.raises(ModelError, match="wrong shape"):
        IntegerConv(4, 3).load(**frozen)
    with pytest.raises(ModelError, match="wrong shape"):
        IntegerConv(3, 4).load(frozen["weight"], frozen["scale"].float(), frozen["bias"])


def test_a_channel_that_sees_later_ones_is_refused() -> None:
    frozen = IntegerConv(3, 6, causal=True).freeze()
    frozen["weight"][0, 2] = 1
    with pytest.raises(ModelError, match="channels after"):
        IntegerConv(3, 6, causal=True).load(**frozen)
