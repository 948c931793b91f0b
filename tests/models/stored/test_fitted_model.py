"""Models that archives carry: they come back to the bit, and what is damaged is refused."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError, ModelError
from bitswap_models.exact.model import ExactModel
from bitswap_models.exact.tensors import Tensors
from bitswap_models.families.pixel_vae.growth import grow
from bitswap_models.families.register import family_of
from bitswap_models.stored import fitted_model
from tests.conftest import MakeModel


def revised(model: ExactModel, seed: int) -> ExactModel:
    """The same model with other offsets."""
    random = np.random.default_rng(seed)
    stored: Tensors = {
        name: array + random.integers(-3, 4, array.shape).astype(np.int32) * (1 << 10)
        if name.endswith(".bias")
        else array
        for name, array in model.tensors().items()
    }
    return family_of(model).build(model.config, stored)


def same(one: ExactModel, other: ExactModel) -> bool:
    stored = other.tensors()
    return one.config == other.config and all(
        np.array_equal(array, stored[name]) for name, array in one.tensors().items()
    )


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    channels=st.integers(1, 5),
    radius=st.integers(0, 2),
    width=st.integers(0, 9),
    seed=st.integers(0),
)
def test_grown_models_come_back(
    make_model: MakeModel, channels: int, radius: int, width: int, seed: int
) -> None:
    base = make_model(kind="pixel_vae", latents=(2,))
    grown = grow(base, max(channels, 3), 2 + radius, 16 + width)
    model = revised(grown, seed)
    body = fitted_model.encode(grown, model)
    assert same(fitted_model.decode(base, channels, radius, width, body), model)


@pytest.mark.parametrize("kind", ["markov_vae", "resnet_vae"])
def test_models_that_do_not_grow_come_back(make_model: MakeModel, kind: str) -> None:
    base = make_model(kind=kind)
    model = revised(base, 0)
    body = fitted_model.encode(base, model)
    assert same(fitted_model.decode(base, 3, 0, 0, body), model)
    for other in ((4, 0, 0), (3, 1, 0), (3, 0, 1)):
        with pytest.raises(ArchiveError, match="fitted from"):
            fitted_model.decode(base, *other, body)


def test_damaged_bodies_are_refused(make_model: MakeModel) -> None:
    base = make_model(kind="pixel_vae", latents=(2,))
    body = fitted_model.encode(base, revised(base, 1))
    for at in (0, 31):
        other = bytearray(body)
        other[at] ^= 1
        with pytest.raises(ModelError, match="known answer"):
            fitted_model.decode(base, 3, 0, 0, bytes(other))
    for bad in (b"", body[:32], body[:-4], body[:-1], body + b"\0\0\0\0"):
        with pytest.raises((ArchiveError, ModelError)):
            fitted_model.decode(base, 3, 0, 0, bad)
    with pytest.raises(ModelError, match="grow"):
        fitted_model.decode(base, 9, 0, 0, body)
