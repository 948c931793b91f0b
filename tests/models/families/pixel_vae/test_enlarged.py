"""Pixel VAEs that grow in all directions say the same, or nearly."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from bitswap_cli.ans import LogisticMixture
from bitswap_cli.errors import ModelError
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.enlarged import enlarge, widen_encoder, with_common
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored.model_file import build
from bitswap_models.training.evaluation import start
from bitswap_models.training.networks.pixel_vae import PixelNetwork

CONFIG = Config(tile=16, latents=(4,), encoder=8, link=8, radius=2, width=16, split=8, layers=2)


def pictures(channels: int) -> np.ndarray:
    """(8, C, 16, 16) int32: slopes with noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    slope = random.uniform(-5, 5, (2, 8, 1, 1, 1))
    every = 128 + slope[0] * (y - 8) + slope[1] * (x - 8)
    noisy: np.ndarray = every + random.normal(0, 4, (8, channels, 16, 16))
    return noisy.clip(0, 255).astype(np.int32)


@pytest.fixture(scope="module", params=[1, 3])
def model(request: pytest.FixtureRequest) -> PixelVAE:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = PixelNetwork(dataclasses.replace(CONFIG, channels=request.param))
    x = torch.from_numpy(pictures(request.param)).float()
    start(network, x, torch.Generator().manual_seed(0))
    model = build(network)
    assert isinstance(model, PixelVAE)
    return with_common(model, 3) if request.param == 3 else model


def bits(model: PixelVAE) -> float:
    """Of pixels, by the first z_1 and z_2 at hand."""
    x = pictures(model.channels)
    sizes = np.tile(np.array([16, 16, model.channels], np.int32), (8, 1))
    z1 = np.random.default_rng(1).integers(-20, 20, (8, 4, 1, 1)).astype(np.int32)
    z2 = None if model.common is None else np.array([3, -4, 5], np.int32)
    coded = model.mixtures(z1, x, sizes, z2)
    return float(LogisticMixture(coded.parameters, 0, 255).bits(coded.symbols).sum())


@pytest.mark.parametrize(
    "fields",
    [{"layers": 3}, {"layers": 4}, {"split": 20}, {"split": 9, "layers": 3, "width": 20}],
)
def test_layers_and_hidden_units_change_nothing(model: PixelVAE, fields: dict[str, Any]) -> None:
    larger = enlarge(model, **fields)
    assert larger.config == dataclasses.replace(model.config, **fields)
    assert bits(larger) == bits(model)


@pytest.mark.parametrize("components", [6, 8, 10])
def test_components_change_little(model: PixelVAE, components: int) -> None:
    larger = enlarge(model, components=components)
    assert larger.config == dataclasses.replace(model.config, components=components)
    assert bits(larger) == pytest.approx(bits(model), rel=0.06)


def test_cells_of_another_size_leave_the_likelihood_as_it_is(model: PixelVAE) -> None:
    larger = enlarge(model, tile=20)
    assert larger.config == dataclasses.replace(model.config, tile=20)
    assert all(np.array_equal(a, larger.tensors()[n]) for n, a in model.tensors().items())


def test_all_at_once_is_a_model(model: PixelVAE) -> None:
    fields = {"width": 24, "radius": 3, "layers": 3, "split": 16, "components": 7}
    larger = enlarge(model, **fields)
    assert larger.config == dataclasses.replace(model.config, **fields)
    assert bits(larger) == pytest.approx(bits(model), rel=0.06)
    assert enlarge(model) is model


def test_a_wider_encoder_says_the_same_at_first(model: PixelVAE) -> None:
    wide = widen_encoder(model, 20)
    assert wide.config == dataclasses.replace(model.config, encoder=20)
    x = pictures(model.channels)
    for one, other in zip(model.posterior(1, x), wide.posterior(1, x), strict=True):
        assert np.array_equal(one, other)
    kept = model.tensors()
    for name, tensor in wide.tensors().items():
        assert name.startswith("encoder.") or np.array_equal(tensor, kept[name])


@pytest.mark.parametrize("channels", [4, 513])
def test_encoders_do_not_shrink_or_explode(model: PixelVAE, channels: int) -> None:
    with pytest.raises(ModelError, match="encoder"):
        widen_encoder(model, channels)


@pytest.mark.parametrize(
    "fields",
    [{"layers": 1}, {"split": 7}, {"components": 4}, {"layers": 9}, {"split": 513}, {"tile": 18}],
)
def test_what_cannot_grow(model: PixelVAE, fields: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="cannot grow"):
        enlarge(model, **fields)


def test_few_components_stay_few(model: PixelVAE) -> None:
    """A new one is a copy of one at its anchor, which there has to be."""
    torch.manual_seed(0)
    few = build(PixelNetwork(dataclasses.replace(CONFIG, components=3)))
    assert isinstance(few, PixelVAE)
    with pytest.raises(ModelError, match="cannot grow"):
        enlarge(few, components=5)
