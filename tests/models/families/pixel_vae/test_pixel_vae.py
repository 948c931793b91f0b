"""The pixel VAE: what training simulates is what codes, and pixels see earlier ones only."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from bitswap_cli.ans import LogisticMixture, LogisticParameters
from bitswap_cli.errors import ModelError
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae import lockstep
from bitswap_models.families.pixel_vae import model as module
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.families.pixel_vae.window import borders, places, taps
from bitswap_models.stored import model_file
from bitswap_models.training.latents import draw
from tests.conftest import SMALL, MakeModel, smooth_tile, started

KIND = "pixel_vae"


def sizes_of(model: PixelVAE, count: int) -> np.ndarray:
    return np.tile(np.array([model.tile, model.tile, model.channels], np.int32), (count, 1))


def pictures(model: PixelVAE, count: int) -> np.ndarray:
    return np.stack([smooth_tile(model.tile, model.channels, k) for k in range(count)])


def latents(model: PixelVAE, count: int) -> np.ndarray | None:
    if not model.depth:
        return None
    shape = (count, model.config.latents[0], 1, 1)
    return np.random.default_rng(3).integers(-40, 40, shape).astype(np.int32)


@pytest.mark.parametrize("fields", [{}, {"channels": 1}, {"latents": ()}, {"latents": (2,)},
                                    {"radius": 1}, {"radius": 3}, {"components": 6},
                                    {"latents": (3,), "bounded": 1}])  # fmt: skip
def test_training_counts_the_bits_that_coding_takes(fields: dict[str, object]) -> None:
    """With latents drawn from the same noise."""
    network = started(KIND, **fields)
    model = model_file.build(network)
    assert isinstance(model, PixelVAE)
    x = pictures(model, 12)
    noise = network.noise(len(x), torch.Generator().manual_seed(1))
    terms = network.elbo(torch.from_numpy(x).float(), noise, soft=0.0)

    z = x
    chain = []
    for layer in range(1, model.depth + 1):
        q: LogisticParameters = model.posterior(layer, z)
        mean, scale = map(torch.from_numpy, q)
        z = draw(mean, scale, noise[layer - 1]).numpy().astype(np.int32)
        chain.append(z)
    coded = model.mixtures(chain[0] if chain else None, x, sizes_of(model, len(x)))
    bits = LogisticMixture(coded.parameters, 0, 255).bits(coded.symbols)
    per_tile = np.bincount(coded.owner, bits)
    simulated = terms["likelihood"].detach().numpy()
    np.testing.assert_allclose(per_tile, simulated, rtol=0.004)
    for layer in range(1, model.depth + 1):
        assert terms[f"kl{layer}"].shape == (len(x), model.config.latents[layer - 1])


@pytest.mark.parametrize("fields", [{}, {"channels": 1}, {"radius": 3}])
def test_batches_depend_on_earlier_batches_only(
    make_model: MakeModel, fields: dict[str, object]
) -> None:
    model = make_model(kind=KIND, **fields)
    x, z, sizes = pictures(model, 2), latents(model, 2), sizes_of(model, 2)
    before = model.mixtures(z, x, sizes)
    ends = np.cumsum(before.batches)
    walk = list(lockstep.steps(sizes, model.config.radius))
    assert len(ends) == len(walk) * model.channels
    for k in range(0, len(ends), 5):
        step, channel = walk[k // model.channels], k % model.channels
        later = x.copy()
        later[step.tile, channel, step.y, step.x] ^= 255
        for c in range(channel + 1, model.channels):
            later[step.tile, c, step.y, step.x] ^= 255
        for after in walk[k // model.channels + 1 :]:
            later[after.tile, :, after.y, after.x] ^= 255
        changed = model.mixtures(z, later, sizes)
        for a, b in zip(before.parameters, changed.parameters, strict=True):
            assert np.array_equal(a[: ends[k]], b[: ends[k]])


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_steps_visit_every_pixel_once_and_windows_read_what_is_known(radius: int) -> None:
    sizes = np.array([[5, 7, 3], [1, 1, 3], [8, 8, 1], [3, 1, 3], [1, 9, 3]], np.int32)
    visited = np.full((len(sizes), 9, 9), -1)
    for t, step in enumerate(lockstep.steps(sizes, radius)):
        rows, columns = places(step.y, step.x, sizes[step.tile, 1].astype(np.int64), radius)
        first = rows[:, 0] < 0
        assert (first == ((step.y == 0) & (step.x == 0))).all()
        read = visited[step.tile[:, None], rows, columns][~first]
        assert ((read >= 0) & (read < t)).all()
        assert (visited[step.tile, step.y, step.x] == -1).all()
        visited[step.tile, step.y, step.x] = t
    for tile, (rows_, columns_, _) in zip(visited, sizes, strict=True):
        assert (tile[:rows_, :columns_] >= 0).all()
        assert (tile >= 0).sum() == rows_ * columns_


def test_windows_of_inner_pixels_are_their_neighbours() -> None:
    y, x = np.array([4]), np.array([5])
    rows, columns = places(y, x, 12, 3)
    assert [(r - 4, c - 5) for r, c in zip(rows[0], columns[0], strict=True)] == list(taps(3))
    assert not borders(y, x, 12, 3).any()
    assert borders(np.array([0]), np.array([11]), 12, 3).tolist() == [[1, 1, 1, 0, 0, 0, 1, 1, 1]]


def test_gray_tiles_have_the_posterior_of_their_channels(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(kind="pixel_vae")
    rng = np.random.default_rng(1)
    shape = 2, model.channels, 2 * model.tile, model.tile
    colours = rng.integers(0, 256, shape).astype(np.int32)
    for x in (colours[:, :1].repeat(model.channels, 1), colours):
        found = model.posterior(1, x)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_once", lambda x: x)
            assert all(map(np.array_equal, found, model.posterior(1, x)))


def test_beyond_bounds_all_latents_are_alike(make_model: MakeModel) -> None:
    model = make_model(kind=KIND, latents=(3,), bounded=1)
    low, high = model.bounds
    assert (low > -128).all() and (high < 127).all() and (low < high).all()
    z = np.random.default_rng(0).integers(-128, 128, (200, 3, 1, 1)).astype(np.int32)
    within = z.clip(low[:, None, None], high[:, None, None])
    assert (z != within).any() and np.array_equal(model.film_of(z), model.film_of(within))
    edges = np.stack((low, high))[:, :, None, None]
    assert not np.array_equal(*model.film_of(edges))


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (None, "lacks the tensor"),
        (np.zeros((2, 4), np.int32), "shape"),
        (np.zeros((2, 3), np.float32), "shape"),
        (np.array([[1, 0, 0], [0, 5, 5]], np.int32), "none"),
        (np.array([[-129, 0, 0], [0, 5, 5]], np.int32), "none"),
        (np.array([[0, 0, 0], [0, 5, 128]], np.int32), "none"),
    ],
)
def test_bounds_that_are_none_are_refused(
    make_model: MakeModel, bounds: np.ndarray | None, message: str
) -> None:
    model = make_model(kind=KIND, latents=(3,), bounded=1)
    stored = {**model.tensors(), "bounds": bounds}
    stored = {name: tensor for name, tensor in stored.items() if tensor is not None}
    with pytest.raises(ModelError, match=message):
        built(PixelVAE, model.config, stored)


@pytest.mark.parametrize(
    "bad", [{"tile": 30}, {"radius": 0}, {"layers": 9}, {"components": 17}, {"width": -1},
            {"latents": [65]}, {"latents": [1] * 9}, {"latents": [0]}, {"channels": 9},
            {"bounded": 1}, {"bounded": 2, "latents": [3]}, {"bounded": 1, "latents": []}]
)  # fmt: skip
def test_hostile_configs_are_refused(tmp_path: Path, bad: dict[str, object]) -> None:
    config = {**SMALL[KIND], **bad}
    path = tmp_path / "m.safetensors"
    metadata = {"kind": KIND, "profile": "1", "config": json.dumps(config)}
    save_file({"top": np.zeros(1)}, path, metadata)
    with pytest.raises(ModelError, match="no usable config"):
        model_file.load(path)
