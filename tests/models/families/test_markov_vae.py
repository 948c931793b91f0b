"""The Markov VAE: its planes, its causality, its file, its known answer."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bitswap_cli.contract import Step
from bitswap_cli.errors import ModelError
from bitswap_models.exact.distributions import POWERS, quantized
from bitswap_models.families.markov_vae import Config, MarkovVAE
from bitswap_models.families.planes import coding_order
from bitswap_models.stored import model_file
from bitswap_models.training.loop import start


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
def test_steps_depend_on_earlier_pixels_only(make_model, config) -> None:
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
def test_integers_are_equal_in_any_batch(make_model, channels: int) -> None:
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
def test_every_depth_is_an_option(make_model, depth: int) -> None:
    model = make_model(latents=(2,) * depth)
    assert model.depth == depth
    z = latents(model, 2)
    for layer in range(1, depth):
        assert model.posterior(layer + 1, z).mean.shape == model.prior(layer, z).mean.shape
    assert model.top_prior(2).scale.shape == z.shape


def test_weights_of_mixtures_sum_to_256() -> None:
    assert hashlib.sha256(POWERS.numpy().astype("<i4").tobytes()).hexdigest() == (
        "5941340da9c107932349e3d8b3ad0833d8ab47fe0001f1874a5c77411be591af"
    )
    logits = torch.randint(-127, 129, (4, 3, 5, 6, 6)).float()
    weight, _, _ = quantized(logits, logits, logits)
    assert (weight.sum(2) == 256).all() and (weight >= 0).all()
    equal, _, _ = quantized(*[torch.zeros(1, 1, 3, 1, 1)] * 3)
    assert equal.flatten().tolist() == [86, 85, 85]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = MarkovVAE(Config(tile=8, width=8, latents=(2, 3), level_width=8, hidden=8))
    start(model, torch.randint(0, 256, (8, 3, 8, 8)).float(), torch.Generator().manual_seed(0))
    path = tmp_path / "m.safetensors"
    model_file.write(model, path, recipe="# none", metrics={"bpd": 1.0})
    return path


def altered(path: Path, metadata: dict[str, str], **tensors: torch.Tensor) -> Path:
    stored = load_file(path)
    from safetensors import safe_open

    with safe_open(path, "pt") as opened:
        kept = opened.metadata()
    other = path.with_name("other.safetensors")
    save_file({**stored, **tensors}, other, {**kept, **metadata})
    return other


def test_model_files_come_back(file: Path) -> None:
    model = model_file.load(file)
    answer = model_file.known_answer(model)
    assert answer == model_file.known_answer(model_file.load(file))
    binary = sum(np.prod(m.shape) for m in model_file.layers(model).values() if m.binary)
    packed = sum(t.numel() for n, t in load_file(file).items() if t.dtype == torch.uint8)
    assert packed == -(-binary // 8)


def test_another_known_answer_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match="known answer"):
        model_file.load(altered(file, {"known_answer": "0" * 64}))
    bias = load_file(file)["features.stem.bias"]
    with pytest.raises(ModelError, match="known answer"):
        model_file.load(altered(file, {}, **{"features.stem.bias": bias + 2**24}))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"profile": "2"},
        {"config": "{"},
        {"config": "[]"},
        {"config": json.dumps({"tile": 10**9, "latents": [1]})},
        {"config": json.dumps({"tile": 32, "latents": [2] * 9})},
        {"config": json.dumps({"tile": 8.0, "latents": [2, 3]})},
    ],
)
def test_damaged_metadata_is_refused(file: Path, change: dict[str, str]) -> None:
    with pytest.raises(ModelError):
        model_file.load(altered(file, change))


def test_damaged_files_are_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        model_file.load(altered(file, {}, extra=torch.zeros(1)))
    with pytest.raises(ModelError, match="wrong size"):
        model_file.load(
            altered(file, {}, **{"features.blocks.0.first.weight": torch.zeros(3).byte()})
        )
    with pytest.raises(ModelError, match="lacks"):
        stored = load_file(file)
        del stored["top"]
        model_file.build(Config(tile=8, latents=(2, 3)), stored)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_bytes(b"hello" * 100)
    for path in (tmp_path / "empty", tmp_path / "text", tmp_path / "none"):
        with pytest.raises(ModelError):
            model_file.load(path)
