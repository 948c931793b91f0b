"""Growing: a larger model says the same of the same pictures, and what is new can be fitted."""

import dataclasses

import numpy as np
import pytest
import torch

from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import Tiles
from bitswap_cli.errors import ModelError
from bitswap_models.families.pixel_vae import growth, lockstep
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.growth import grow, larger
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting import compiled, gradient
from bitswap_models.fitting.fit import fit
from bitswap_models.stored import model_file
from bitswap_models.training.evaluation import start
from bitswap_models.training.layers import layers
from bitswap_models.training.networks.pixel_net import PixelNet
from bitswap_models.training.networks.pixel_vae import PixelNetwork

CONFIG = Config(tile=16, latents=(4,), encoder=8, link=8, radius=2, width=16, split=8, components=3)
GRADIENT = compiled.engine()


def pictures(count: int, channels: int, seed: int = 0) -> np.ndarray:
    """(N, 16, 16, C) uint8: slopes with noise, alike in all channels but for some of it."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :16]
    slope = random.uniform(-5, 5, (2, count, 1, 1))
    gray = 128 + slope[0] * (y - 8) + slope[1] * (x - 8) + random.normal(0, 6, (count, 16, 16))
    noise = random.normal(0, 2, (count, 16, 16, channels))
    pixels: np.ndarray = gray[..., None] + noise
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[1, 3])
def model(request: pytest.FixtureRequest) -> PixelVAE:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = dataclasses.replace(CONFIG, channels=request.param)
    trained = PixelNetwork(config)
    x = torch.from_numpy(pictures(64, request.param)).permute(0, 3, 1, 2).float()
    start(trained, x, torch.Generator().manual_seed(0))
    model = model_file.build(trained)
    assert isinstance(model, PixelVAE)
    return model


def sizes(count: int, coded: int) -> np.ndarray:
    return np.tile(np.array([16, 16, coded], np.int32), (count, 1))


def bits(model: PixelVAE, x: np.ndarray, coded: int) -> np.ndarray:
    """Net bits of tiles, each term apart, and proof that they come back."""
    codec = tile_codec(model)
    tiles = np.concatenate((x, np.repeat(x[..., :1], model.channels - x.shape[-1], -1)), -1)
    told = codec.encode_by_term(tiles, sizes(len(x), coded), b"")
    again, _ = codec.decode(told.words, sizes(len(x), coded))
    assert np.array_equal(again[..., :coded], x[..., :coded])
    return told.bits


@pytest.mark.parametrize(
    "fields", [{"width": 24}, {"width": 40}, {"radius": 4}, {"radius": 3, "width": 20}]
)
def test_a_larger_model_says_the_same(model: PixelVAE, fields: dict[str, int]) -> None:
    """To the bit: radius changes the order of symbols, and so what is summed, but not a term."""
    x = pictures(1, model.channels, 1)  # of more, latents are popped from what the first left
    grown = grow(model, **fields)
    assert dataclasses.replace(model.config, **fields) == grown.config
    assert bits(grown, x, model.channels) == pytest.approx(bits(model, x, model.channels), abs=1e-6)
    shapes = [{n: t.shape for n, t in m.tensors().items()} for m in (model, grown)]
    assert shapes[0].keys() == shapes[1].keys()
    assert shapes[0] != shapes[1]


@pytest.mark.parametrize("channels", [2, 4, 6, 8])
def test_channels_before_new_ones_stay_as_they_are(model: PixelVAE, channels: int) -> None:
    if channels < model.channels:
        with pytest.raises(ModelError):
            grow(model, channels=channels)
        return
    grown = grow(model, channels=channels)
    x = pictures(2, channels, 2)
    integers = np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.int32)
    whole = grown.mixtures(_latents(2), integers, sizes(2, channels))
    known = np.ascontiguousarray(integers[:, : model.channels])
    base = model.mixtures(_latents(2), known, sizes(2, model.channels))
    order, other = (_order(m, sizes(2, m.channels)) for m in (grown, model))
    for c in range(model.channels):
        for mine, before in zip(whole.parameters, base.parameters, strict=True):
            assert np.array_equal(mine[order == c], before[other == c])


def _latents(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-4, 5, (count, 4, 1, 1)).astype(np.int32)


def _order(model: PixelVAE, of: np.ndarray) -> np.ndarray:
    """The channel of each symbol in coding order."""
    found = [
        np.repeat(np.arange(model.channels), len(step.tile))
        for step in lockstep.steps(of, model.config.radius)
    ]
    return np.concatenate(found)


def test_a_new_channel_begins_as_gray(model: PixelVAE) -> None:
    """One that repeats the first costs no more than a gray picture does twice."""
    grown = grow(model, channels=4)
    gray = pictures(8, 1, 3)
    alone = bits(grown, gray, 1)[:, 0].sum()
    before = bits(model, np.repeat(gray, model.channels, -1), 1)[:, 0].sum()
    assert alone == pytest.approx(before)
    every = bits(grown, np.repeat(gray, 4, -1), 4)[:, 0].sum()
    three = bits(model, np.repeat(gray, model.channels, -1), model.channels)[:, 0].sum()
    assert every - three < 1.3 * alone * (4 - model.channels)


def test_growth_is_what_it_was() -> None:
    """Archives depend on it: the signs, the weights of new channels."""
    assert growth.signs(0, (2, 4)).tolist() == [[-1, 1, -1, 1], [-1, 1, -1, 1]]
    assert growth.signs(2, (2, 4)).tolist() == [[-1, 1, -1, 1], [-1, 1, 1, 1]]


def test_new_room_is_used(model: PixelVAE) -> None:
    """Fitting finds what the smaller model has no unit for, and follows channels with channels."""
    x = pictures(40, 4, 4)
    x[..., 3] = x[..., 0] ^ 1
    tiles = [Tiles(x, sizes(40, 4))]
    grown = grow(model, channels=4, width=24)
    fitted, saved, _ = fit(grown, tiles, 40 * 256 * 4 * 100, steps=150)
    assert saved > 0
    fourth = slice(3 * CONFIG.split, None)
    assert fitted.net.coded and fitted.net.coded.weight[fourth].any()
    before = bits(grown, x, 4).sum()
    assert bits(fitted, x, 4).sum() < 0.9 * before


def test_pictures_of_fewer_channels(model: PixelVAE) -> None:
    """As many channels as a picture has are coded, by numpy and by C alike."""
    grown = grow(model, channels=4)
    for coded in (1, 2, 3, 4):
        x = pictures(2, 4, 5)
        x[..., coded:] = x[..., :1]
        integers = np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.int32)
        told = grown.mixtures(_latents(2), integers, sizes(2, coded))
        film = grown.film_of(_latents(2))
        slow = lockstep.mixtures(grown.net, film, integers, sizes(2, coded))
        assert np.array_equal(told.symbols, slow.symbols)
        assert np.array_equal(told.batches, slow.batches)
        for fast, reference in zip(told.parameters, slow.parameters, strict=True):
            assert np.array_equal(fast, reference)
        bits(grown, x[..., :coded], coded)


def test_what_cannot_grow(model: PixelVAE) -> None:
    for fields in ({"width": 15}, {"radius": 1}, {"radius": 6}, {"channels": 9}, {"width": 513}):
        with pytest.raises(ModelError):
            grow(model, **fields)
    assert grow(model, width=16) is model
    assert grow(model) is model


def test_growth_is_told_as_archives_tell_it(model: PixelVAE) -> None:
    """Channels of the pictures, but how much larger radius and width become."""
    grown = larger(model, 4, 1, 8).config
    assert (grown.channels, grown.radius, grown.width) == (4, 3, 24)
    assert larger(model, 1, 0, 0) is model


@pytest.mark.skipif(GRADIENT is None, reason="the gradient is not compiled")
def test_gradients_of_many_channels() -> None:
    """The kernel has room for eight, and gives what torch gives."""
    torch.manual_seed(1)
    config = dataclasses.replace(CONFIG, channels=8)
    random = np.random.default_rng(0)
    count = sum(
        shape.outputs * (shape.inputs + 2)
        for shape in (layer.shape for layer in layers(PixelNet(config)).values())
    )
    parameters = random.normal(0, 0.05, count).astype(np.float32)
    taps = 2 * config.radius * (config.radius + 1)
    window = random.integers(100, 140, (128, taps, 8)).astype(np.uint8)
    pixels = compiled.Pixels(
        window, np.zeros((128, 6), np.uint8), window[:, -1].copy(), np.full(128, 8, np.uint8)
    )
    assert GRADIENT
    fast, slope, _ = GRADIENT(config, parameters, None, pixels, 2.0**-17)
    slow, expected, _ = gradient.by_torch(config, parameters, None, pixels, 2.0**-17)
    assert fast == pytest.approx(slow, rel=1e-3)
    assert np.linalg.norm(slope - expected) < 0.02 * np.linalg.norm(expected)
