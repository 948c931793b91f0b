"""The ResNet VAE: what training simulates is what codes, and it is as large as published."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from bitswap_cli.ans import Logistic, LogisticMixture
from bitswap_cli.contract import Level, Step
from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import Blank
from bitswap_models.families.resnet_vae import Config, ResNetVAE
from bitswap_models.stored import model_file
from bitswap_models.stored.sizes import sizes
from bitswap_models.training.latents import draw
from bitswap_models.training.layers import layers
from tests.conftest import MakeModel, smooth_tile, started

KIND = "resnet_vae"
PRECISIONS = [(8, 8), (1, 8), (1, 1)]  # bits of weights and activations


def published(weight_bits: int = 1, activation_bits: int = 1) -> ResNetVAE:
    """The published configuration; all is 0."""
    return ResNetVAE(Config(weight_bits=weight_bits, activation_bits=activation_bits), Blank())


def pictures(count: int, tile: int = 8, channels: int = 3) -> np.ndarray:
    return np.stack([smooth_tile(tile, channels, k) for k in range(count)])


@pytest.mark.parametrize("fields", [
    *({"weight_bits": w, "activation_bits": a} for w, a in PRECISIONS),
    {"channels": 1}, {"latents": (3,)}, {"latents": (1,) * 5}, {"ends": 0, "ends_size": 1},
])  # fmt: skip
def test_training_counts_the_bits_that_coding_takes(fields: dict[str, object]) -> None:
    """With latents drawn from the same noise."""
    network = started(KIND, **fields)
    x = pictures(12, channels=network.channels)
    for layer in layers(network).values():  # blocks start at gain 0
        if not layer.spread:
            torch.nn.init.constant_(layer.g, 0.3)
    noise = network.noise(len(x), torch.Generator().manual_seed(1))
    with torch.no_grad():
        terms = network.elbo(torch.from_numpy(x).float(), noise, soft=0.0)
    exact = model_file.build(network)
    assert isinstance(exact, ResNetVAE)
    seen = exact.bottom_up(x)
    bits: dict[str, float] = {"likelihood": 0.0}

    def code(level: Level) -> np.ndarray:
        q = exact.posterior(level, seen)
        mean, scale = map(torch.from_numpy, q)
        z = draw(mean, scale, noise[level.layer - 1]).numpy().astype(np.int32)
        cost, gain = (Logistic(p, -128, 127).bits(z).sum() for p in (level.prior, q))
        bits[f"kl{level.layer}"] = float(cost - gain)
        return z

    def pixels(step: Step) -> np.ndarray:
        symbols = x[:, step.channel]
        bits["likelihood"] += float(LogisticMixture(step.parameters, 0, 255).bits(symbols).sum())
        return symbols

    exact.likelihood(exact.descend(len(x), 8 // exact.stride, code), pixels)
    assert list(terms) == ["likelihood", *(f"kl{k}" for k in range(1, exact.depth + 1))]
    for name, term in terms.items():
        assert float(term.sum()) == pytest.approx(bits[name], rel=0.01, abs=0.002 * x.size), name


def test_the_top_down_path_sees_every_latent_above_and_none_below(make_model: MakeModel) -> None:
    """Otherwise a decoder could not walk: p(z_l | ..) must not need z_l or what is below."""
    model = make_model(kind=KIND)

    def walk(changed: int) -> dict[int, np.ndarray]:
        priors: dict[int, np.ndarray] = {}

        def code(level: Level) -> np.ndarray:
            priors[level.layer] = np.stack(level.prior)
            z = np.random.default_rng(level.layer).integers(-9, 9, level.prior.mean.shape)
            return (z + 40 * (level.layer == changed)).astype(np.int32)

        model.descend(2, 4, code)
        return priors

    before = walk(0)
    for changed in range(1, model.depth + 1):
        after = walk(changed)
        for layer in before:
            assert np.array_equal(before[layer], after[layer]) == (layer >= changed)


@pytest.mark.parametrize("bits", PRECISIONS)
def test_integers_are_equal_in_any_batch(make_model: MakeModel, bits: tuple[int, int]) -> None:
    model = make_model(kind=KIND, weight_bits=bits[0], activation_bits=bits[1])
    x = pictures(7)
    together = model.bottom_up(x)
    for k in range(len(x)):
        for whole, one in zip(together, model.bottom_up(x[k : k + 1]), strict=True):
            assert np.array_equal(whole[k : k + 1], one)


def test_the_published_configuration_is_as_large_as_published() -> None:
    """56 M parameters, 97.1 % binary, 90-94 % smaller (Bird, Kingma and Barber, table 1)."""
    counted = sizes(published())
    assert round(counted.parameters / 1e6) == 56
    assert 0.965 < counted.binary_share < 0.975
    assert counted.packed_bytes <= 0.10 * counted.float32_bytes
    # with everything that is not binary in float32, as published
    unpacked = counted.binary / 8 + 4 * (counted.parameters - counted.binary)
    assert 0.90 <= 1 - unpacked / counted.float32_bytes <= 0.945
    assert sizes(published(8, 8)).binary == 0


@pytest.mark.parametrize(
    "change",
    [{"weight_bits": 2}, {"activation_bits": 0}, {"latents": []}, {"width": 257}, {"ends_size": 4}],
)
def test_hostile_configurations_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "m.safetensors"
    model_file.write(started(KIND), path, recipe="", metrics={})
    with safe_open(path, "np") as file:
        metadata = dict(file.metadata())
    metadata["config"] = json.dumps({**json.loads(metadata["config"]), **change})
    save_file(load_file(path), path, metadata)
    with pytest.raises(ModelError, match="no usable config"):
        model_file.load(path)
