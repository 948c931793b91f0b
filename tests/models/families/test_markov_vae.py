"""The Markov VAE: its planes and its causality."""

import hashlib

import numpy as np
import pytest

from bitswap_cli.contract import Step
from bitswap_models.exact.mixtures import POWERS, weights_of
from bitswap_models.families.markov_vae import MarkovVAE
from bitswap_models.families.planes import coding_order
from tests.conftest import MakeModel


def tiles(model: MarkovVAE, count: int, seed: int = 0) -> np.ndarray:
    shape = (count, model.channels, model.tile, model.tile)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.int32)


def latents(model: MarkovVAE, count: int, seed: int = 0) -> np.ndarray:
    grid = model.tile // model.stride
    shape = (count, model.config.latents[0], grid, grid)
    return np.random.default_rng(seed).integers(-20, 20, shape).astype(np.int32)


def steps(model: MarkovVAE, z: np.ndarray, x: np.ndarray) -> list[Step]:
    told: list[Step] = []

    def code(step: Step) -> np.ndarray:
        told.append(step)
        top, left, stride = step.plane
        return x[:, step.channel, top::stride, left::stride]

    model.likelihood(z, code)
    return told


def same(a: Step, b: Step) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a.parameters, b.parameters, strict=True))


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_planes_cover_every_pixel_once(levels: int) -> None:
    covered = np.zeros((16, 16), int)
    for top, left, stride in coding_order(levels):
        covered[top::stride, left::stride] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("config", [{}, {"channels": 1}, {"levels": 0}, {"levels": 1}])
def test_steps_depend_on_earlier_pixels_only(make_model: MakeModel, config: dict[str, int]) -> None:
    model = make_model(**config)
    x, z = tiles(model, 2), latents(model, 2)
    before = steps(model, z, x)
    for k, step in enumerate(before):
        later = x.copy()
        for other in before[k:]:
            top, left, stride = other.plane
            later[:, other.channel, top::stride, left::stride] ^= 255
        after = steps(model, z, later)
        assert all(same(a, b) for a, b in zip(before[: k + 1], after, strict=False)), step.plane


@pytest.mark.parametrize("channels", [1, 3])
def test_integers_are_equal_in_any_batch(make_model: MakeModel, channels: int) -> None:
    model = make_model(channels=channels)
    x, z = tiles(model, 9), latents(model, 9)
    whole = steps(model, z, x)
    for batch in (None, 1, 4):
        model.batch = batch
        assert all(map(same, whole, steps(model, z, x)))
        posterior = model.posterior(1, x)
        model.batch = None
        assert all(map(np.array_equal, posterior, model.posterior(1, x)))


@pytest.mark.parametrize("depth", range(1, 9))
def test_every_depth_is_an_option(make_model: MakeModel, depth: int) -> None:
    model = make_model(latents=(2,) * depth)
    assert model.depth == depth
    z = latents(model, 2)
    for layer in range(1, depth):
        assert model.posterior(layer + 1, z).mean.shape == model.prior(layer, z).mean.shape
    assert model.top_prior(2).scale.shape == z.shape


def test_weights_of_mixtures_sum_to_256() -> None:
    assert hashlib.sha256(POWERS.astype("<i4").tobytes()).hexdigest() == (
        "5941340da9c107932349e3d8b3ad0833d8ab47fe0001f1874a5c77411be591af"
    )
    weight = weights_of(np.random.default_rng(0).integers(-127, 129, (4, 3, 6, 6, 5)))
    assert (weight.sum(-1) == 256).all() and (weight >= 0).all()
    assert weights_of(np.zeros((1, 3), np.int32)).tolist() == [[86, 85, 85]]
