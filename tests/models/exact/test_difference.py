"""Fitted models as differences: they come back, little costs little, and damage is an error."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_models.exact.difference import decode, encode

KINDS: tuple[type[np.integer], ...] = (np.int8, np.uint8, np.int32)
Pair = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Tensors of two models of one kind, which differ a little, much, or not at all."""
    base: dict[str, np.ndarray] = {}
    fitted: dict[str, np.ndarray] = {}
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(KINDS))
        limits = np.iinfo(kind)
        shape = draw(hnp.array_shapes(max_dims=4, max_side=5))
        numbers = st.integers(int(limits.min), int(limits.max))
        base[f"t{number}"] = draw(hnp.arrays(kind, shape, elements=numbers))
        size = draw(st.sampled_from([0, 1, 40, 1 << 33]))
        change = draw(hnp.arrays(np.int64, shape, elements=st.integers(-size, size)))
        unit = draw(st.sampled_from([0, 3]))
        whole = base[f"t{number}"] + (change << unit)
        fitted[f"t{number}"] = whole.clip(limits.min, limits.max).astype(kind)
    return base, fitted


@settings(deadline=None)
@given(pairs())
def test_differences_come_back(pair: Pair) -> None:
    base, fitted = pair
    decoded = decode(base, encode(base, fitted))
    assert decoded.keys() == fitted.keys()
    for name, tensor in fitted.items():
        assert decoded[name].dtype == tensor.dtype
        assert np.array_equal(decoded[name], tensor)


@settings(deadline=None)
@given(pairs(), st.data())
def test_other_bytes_are_an_error_or_other_integers(pair: Pair, data: st.DataObject) -> None:
    base, fitted = pair
    blob = bytearray(encode(base, fitted))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    blob = blob[: data.draw(st.integers(0, len(blob)))]
    try:
        decoded = decode(base, bytes(blob))
    except ArchiveError as error:
        assert "\n" not in str(error)
    else:
        assert {n: (t.shape, t.dtype) for n, t in decoded.items()} == {
            n: (t.shape, t.dtype) for n, t in base.items()
        }


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_error(blob: bytes) -> None:
    base: dict[str, np.ndarray] = {"a": np.zeros((3, 4), np.int8), "b": np.zeros(5, np.int32)}
    with pytest.raises(ArchiveError):
        decode(base, blob + b"\xff")


def test_what_stays_costs_next_to_nothing() -> None:
    base: dict[str, np.ndarray] = {
        "a": np.arange(-100, 100, dtype=np.int8),
        "b": np.arange(50, dtype=np.int32),
    }
    heads = 64
    assert len(encode(base, base)) == heads + len(base)
    assert decode(base, encode(base, base)).keys() == base.keys()


@pytest.mark.parametrize("share, deviation", [(0.02, 3.0), (0.2, 2.0), (1.0, 1.5)])
def test_differences_cost_little_more_than_their_entropy(share: float, deviation: float) -> None:
    random = np.random.default_rng(0)
    change = np.rint(random.laplace(0, deviation, 50_000)) * (random.random(50_000) < share)
    base = {"a": np.zeros(50_000, np.int8)}
    blob = encode(base, {"a": change.astype(np.int8)})
    _, count = np.unique(change, return_counts=True)
    entropy = -(count * np.log2(count / len(change))).sum() / 8
    assert entropy < len(blob) < 1.06 * entropy + 80


def test_tensors_of_other_kinds_are_refused() -> None:
    base = {"a": np.zeros(3, np.int8)}
    for other in ({"a": np.zeros(4, np.int8)}, {"a": np.zeros(3, np.int32)}, {}):
        with pytest.raises(ValueError, match="same"):
            encode(base, other)
