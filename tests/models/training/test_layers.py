"""Integer layers in training: they compute what codes, and what they give is proved exact."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_models.exact.layers import Layer
from bitswap_models.exact.tensors import Stored
from bitswap_models.training.layers import IntegerConv, floor, round_
from bitswap_models.training.networks.blocks import ResidualBlock


def exact_copy(layer: IntegerConv) -> Layer:
    return Stored({f"layer.{k}": a for k, a in layer.freeze().items()}).layer("layer", layer.shape)


def last(x: torch.Tensor) -> np.ndarray:
    """(B, C, H, W) -> (B, H, W, C) int16"""
    return x.permute(0, 2, 3, 1).numpy().astype(np.int16)


def started(layer: IntegerConv, *inputs: torch.Tensor) -> IntegerConv:
    layer.starting = True
    with torch.no_grad():
        layer(*inputs)
    layer.starting = False
    return layer


KINDS: dict[str, dict[str, Any]] = {
    "binary": {"binary": True},
    "8 bit": {},
    "signs": {"binary": True, "signs": True},
    "signs, 8 bit": {"signs": True},
    "relative": {"relative": 3},
    "causal": {"causal": True, "input_max": 255},
}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([1, 3, 5]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_training_in_float64_computes_what_codes(
    kind: str, size: int, adds: bool, active: bool, seed: int
) -> None:
    """In float32 a product may round across a floor where it is large; the integers never do."""
    torch.manual_seed(seed)
    x = torch.randint(0, 256, (4, 3, 5, 5)).double()
    inputs = (x, x.flip(0)) if kind == "relative" else (x - 128 if kind[0] == "s" else x,)
    add = torch.randint(-500, 500, (4, 6, 5, 5)).double() if adds else None
    within, other = (0, 255) if active else (-32767, 32767), None if add is None else last(add)
    layer = IntegerConv(3, 6, 1 if kind == "causal" else size, **KINDS[kind])
    for number in (torch.float32, torch.float64):
        layer = started(layer.to(number), *(i.to(number) for i in inputs))
        with torch.no_grad():
            trained = layer(*(i.to(number) for i in inputs), add=add, active=active)
        coded = exact_copy(layer)(*map(last, inputs), add=other, within=within)
        away = np.abs(last(trained) - coded)
        assert away.max() <= (1 if number == torch.float32 else 0)


@pytest.mark.parametrize(
    "kwargs",
    [{"binary": True}, {}, {"causal": True, "input_max": 255}],
    ids=["binary", "8 bit", "causal"],
)
def test_training_goes_on_from_what_is_stored(kwargs: dict[str, Any]) -> None:
    """With weights as large as new ones; further inputs weigh nothing."""
    torch.manual_seed(2)
    size = 1 if "causal" in kwargs else 3
    x = torch.randint(0, 256, (8, 3, 9, 9)).float()
    first = started(IntegerConv(3, 6, size, **kwargs), x)
    with torch.no_grad():
        first.v.mul_(7)
    stored = exact_copy(first)
    more = 0 if kwargs else 2
    layer = IntegerConv(3 + more, 6, size, **kwargs)
    layer.thaw(stored)
    wider = torch.cat((x, torch.randint(0, 256, (8, more, 9, 9)).float()), 1)
    with torch.no_grad():
        assert np.abs(last(layer(wider)) - stored(last(x))).max() <= 2
    seen = torch.from_numpy(np.abs(stored.weight).max((1, 2, 3)) > 0)
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
        reach = np.abs(stored.weight.astype(int)).sum((1, 2, 3)) * layer.shape.reach
        assert (reach * np.abs(stored.scale)).min() > 2**30


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
    (floor(x) + round_(x)).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None and torch.equal(x.grad, torch.full((3,), 2.0))
    block = ResidualBlock(4)
    block(torch.randint(0, 255, (2, 4, 6, 6)).float()).sum().backward()
    assert all(p.grad is not None for p in block.parameters())


def test_inputs_of_many_bits_are_multiplied_exactly() -> None:
    """Whatever the arithmetic of other layers rounds: TF32 keeps 11 bits, bfloat16 8."""
    torch.manual_seed(0)
    x = torch.randint(0, 4081, (64, 5, 1, 1)).float()
    layer = started(IntegerConv(5, 7, input_max=4080), x)
    with torch.no_grad():
        exact = layer(x)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(layer(x), exact)
