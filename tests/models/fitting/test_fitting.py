"""Fitting: batches are what the coder sees, and what comes out codes its pictures better."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import Tiles
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.cells import Batch, Cells
from bitswap_models.fitting.descent import Fit
from bitswap_models.fitting.fit import fit
from bitswap_models.stored.model_file import build
from bitswap_models.training.evaluation import start
from bitswap_models.training.layers import frozen
from bitswap_models.training.networks.pixel_vae import PixelNetwork

CONFIG = Config(tile=16, latents=(4,), encoder=8, link=8, radius=2, width=16, split=8, components=3)


def waves(count: int, side: int, seed: int, deviation: float = 6.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    down, right = random.uniform(4, 20, (2, count, 1, 1))
    gray = 128 + 80 * np.sin(y / down + x / right)
    noise = random.normal(0, deviation, (count, side, side, 3))
    pixels: np.ndarray = gray[..., None] + noise
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> PixelVAE:
    torch.set_num_threads(1)
    return started(CONFIG)


def started(config: Config) -> PixelVAE:
    """An exact model that has seen nothing but its first batch."""
    torch.manual_seed(0)
    trained = PixelNetwork(config)
    x = torch.from_numpy(waves(64, 16, 0)).permute(0, 3, 1, 2).float()
    start(trained, x, torch.Generator().manual_seed(0))
    model = build(trained)
    assert isinstance(model, PixelVAE)
    return model


@pytest.fixture(scope="module")
def tiles() -> list[Tiles]:
    sizes = np.array([[32, 32, 3]] * 5 + [[20, 9, 3]], np.int32)
    return [Tiles(waves(6, 32, 1), sizes), Tiles(waves(4, 16, 2), np.array([[16, 16, 3]] * 4))]


def bits(model: PixelVAE, tiles: list[Tiles]) -> float:
    codec = tile_codec(model)
    return sum(float(codec.encode(*t, b"").bits.sum()) for t in tiles)


def test_cells_are_those_that_hold_pixels(model: PixelVAE, tiles: list[Tiles]) -> None:
    cells = Cells(model, tiles)
    assert len(cells.rows) == 5 * 4 + 2 + 4
    assert cells.samples == (5 * 32 * 32 + 20 * 9 + 4 * 16 * 16) * 3
    for at in range(6):
        found = cells.rows[cells.rows[:, 0] == at * 32 * 32]
        assert len(found) == (2 if at == 5 else 4)


def test_batches_are_what_the_coder_sees(model: PixelVAE, tiles: list[Tiles]) -> None:
    """The bits of all pixels of a tile in batches are those that the codec counts."""
    cells = Cells(model, tiles[1:])
    fitted = Fit(model, cells, cells.samples)
    y, x = np.divmod(np.arange(256), 16)
    cell = np.arange(4)
    pixels = cells.look(cell, np.tile(y, (4, 1)), np.tile(x, (4, 1)))
    assert np.array_equal(pixels.known.reshape(4, 16, 16, 3), tiles[1].pixels)
    batch = Batch(cell, cells.noise(np.random.default_rng(3), 4), pixels)
    z = cells.latents(cell, batch.noise)
    estimated, _ = fitted._gradient(fitted.parameters.effective(fitted.differences), batch, 0.0)
    x_ = np.ascontiguousarray(tiles[1].pixels.transpose(0, 3, 1, 2), np.int32)
    coded = model.mixtures(z.astype(np.int32)[:, :, None, None], x_, tiles[1].sizes)
    from bitswap_cli.ans import LogisticMixture

    exact = LogisticMixture(coded.parameters, 0, 255).bits(coded.symbols).sum()
    assert estimated == pytest.approx(exact, rel=0.01)


def test_a_bounded_model_is_fitted_as_it_codes(model: PixelVAE, tiles: list[Tiles]) -> None:
    """Latents drawn as the coder pops them, strays among them: a bounded model bears these."""
    bounds = np.array([[-5] * 4, [5] * 4], np.int32)
    config = dataclasses.replace(CONFIG, bounded=1)
    narrow = built(PixelVAE, config, {**model.tensors(), "bounds": bounds})
    strays = np.full((4, 4), 127.0, np.float32)
    batch = Cells(model, tiles[1:]).draw(np.random.default_rng(1), 4, 64)
    batch = batch._replace(noise=np.stack((batch.noise[0], strays)))
    within = np.stack((batch.noise[0], np.full_like(strays, 5.0)))

    def bits_of(own: PixelVAE, noise: np.ndarray) -> float:
        fitted = Fit(own, Cells(own, tiles[1:]), 1000)
        given = batch._replace(noise=noise)
        return fitted._gradient(fitted.parameters.effective(fitted.differences), given, 0.0)[0]

    assert bits_of(narrow, batch.noise) == bits_of(narrow, within) == bits_of(model, within)
    assert bits_of(narrow, batch.noise) != bits_of(model, batch.noise)
    kept = fit(narrow, tiles, 10_000_000, steps=20).model.tensors()
    assert np.array_equal(kept["bounds"], bounds)


def test_the_encoder_in_training_is_the_one_that_codes(model: PixelVAE, tiles: list[Tiles]) -> None:
    cells = Cells(model, tiles)
    fitted = Fit(model, cells, cells.samples, encoder=True)
    for _ in range(3):
        fitted.advance(1.0)
    cells.renew(fitted.built())
    every = np.arange(len(cells.rows))
    x = torch.from_numpy(cells.images(every)).permute(0, 3, 1, 2).float()
    posterior = fitted.posterior
    assert posterior
    for own, average in zip(posterior.parameters, posterior.average, strict=True):
        own.data.copy_(average)
    for one, other in zip(posterior.encoder(x), cells.posterior(every), strict=True):
        assert np.array_equal(one.detach().numpy()[:, :, 0, 0], other)


def test_fitted_models_code_their_pictures_better(model: PixelVAE, tiles: list[Tiles]) -> None:
    fitted, saved, size = fit(model, tiles, 10_000_000, steps=120, threads=2)
    before = bits(model, tiles)
    assert bits(fitted, tiles) < 0.95 * before
    share = sum(int(t.sizes.prod(1).sum()) for t in tiles) / 10_000_000
    assert 0.7 < saved * share / ((before - bits(fitted, tiles)) / 8) < 1.1
    assert 0.8 < size * share / (bits(fitted, tiles) / 8) < 1.2
    stored, base = fitted.tensors(), model.tensors()
    assert all(np.array_equal(stored[n], base[n]) for n in base if n.startswith("encoder"))
    again = fit(model, tiles, 10_000_000, steps=120, threads=1).model.tensors()
    assert all(np.array_equal(stored[n], again[n]) for n in stored)


def test_an_encoder_is_trained_too(model: PixelVAE, tiles: list[Tiles]) -> None:
    base = model.tensors()

    def changed(fitted: PixelVAE) -> set[str]:
        stored = fitted.tensors()
        return {n for n in base if not np.array_equal(stored[n], base[n])}

    fitted, saved, size = fit(model, tiles, 10_000_000, steps=200, encoder=True)
    assert saved > 0 < size
    assert bits(fitted, tiles) < 0.95 * bits(model, tiles)
    assert {"top", "encoder.stem.weight", "encoder.latents.mean.weight"} <= changed(fitted)


def test_binary_weights_of_an_encoder_are_trained_too(model: PixelVAE, tiles: list[Tiles]) -> None:
    cells = Cells(model, tiles)
    fitted = Fit(model, cells, cells.samples, encoder=True)
    posterior = fitted.posterior
    assert posterior
    binary = [layer for layer in posterior.layers.values() if layer.binary]
    assert len(binary) == 2
    for layer in binary:
        layer.v.data.mul_(0.01)
    before = frozen(posterior.layers)
    for _ in range(30):
        fitted.advance(1.0)
    after = posterior.tensors()
    for name in ("first", "second"):
        signs = f"encoder.blocks.0.{name}.weight"
        assert not np.array_equal(before[signs], after[signs])


def test_a_likelihood_without_latents_is_fitted_too(tiles: list[Tiles]) -> None:
    base = started(dataclasses.replace(CONFIG, latents=()))
    fitted = fit(base, tiles, 10_000_000, steps=60).model
    assert bits(fitted, tiles) < bits(base, tiles)


def test_no_step_changes_nothing(model: PixelVAE, tiles: list[Tiles]) -> None:
    stored = fit(model, tiles, 1000, steps=0).model.tensors()
    assert all(np.array_equal(t, stored[n]) for n, t in model.tensors().items())


def test_few_pictures_are_not_worth_many_differences(model: PixelVAE, tiles: list[Tiles]) -> None:
    """What differences cost is shared by all pictures."""

    def changed(samples: int) -> int:
        fitted = fit(model, tiles, samples, steps=30).model
        stored, base = fitted.tensors(), model.tensors()
        return sum(int((stored[n] != base[n]).sum()) for n in base)

    assert changed(10_000) < 0.5 * changed(100_000_000)


def test_tiles_may_be_laid_anew_on_the_way(model: PixelVAE, tiles: list[Tiles]) -> None:
    """What is fitted from then on are the new tiles; without any, the old ones."""
    asked: list[PixelVAE] = []
    other = [Tiles(tiles[1].pixels[:, ::-1].copy(), tiles[1].sizes)]

    def again(laid: list[Tiles]) -> Callable[[PixelVAE], list[Tiles]]:
        def answer(fitted: PixelVAE) -> list[Tiles]:
            asked.append(fitted)
            return laid

        return answer

    plain, kept, turned = (
        fit(model, tiles[1:], 10_000_000, steps=30, again=a).model.tensors()
        for a in (None, again([]), again(other))
    )
    assert [isinstance(fitted, PixelVAE) for fitted in asked] == [True, True]
    assert all(np.array_equal(plain[n], kept[n]) for n in plain)
    assert not all(np.array_equal(plain[n], turned[n]) for n in plain)


def test_fitting_stops_when_told(model: PixelVAE, tiles: list[Tiles]) -> None:
    asked = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 3

    fit(model, tiles, 10_000, seconds=3600, stopped=stopped)
    assert len(asked) == 4
