"""The compiled gradient of the pixel VAE's bits against torch's, of its definition."""

import numpy as np
import pytest

from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.window import taps
from bitswap_models.fitting.compiled import Floats, Pixels, engine, in_order, look
from bitswap_models.fitting.gradient import by_torch, gpu
from bitswap_models.training.layers import layers
from bitswap_models.training.networks.pixel_net import PixelNet

CONFIGS = [
    Config(width=48, split=16),
    Config(channels=1, width=32, split=20, components=3, layers=2, radius=2),
    Config(width=20, layers=1, split=24, components=7, radius=1),
]
ENGINE, GPU = engine(), gpu()
needs_kernel = pytest.mark.skipif(ENGINE is None, reason="there is no compiled kernel")


def parameters_of(config: Config, random: np.random.Generator) -> Floats:
    """Integers and scales that let most activations be neither 0 nor 255."""
    parts: list[np.ndarray] = []
    for name, layer in in_order(layers(PixelNet(config))).items():
        outputs, inputs = layer.shape.outputs, layer.shape.inputs
        weight = random.integers(-60, 61, (outputs, inputs))
        if name == "coded":
            weight = weight * layer.shape.mask[:, :, 0, 0]
        norm = np.sqrt((weight**2).sum(1) + 1)
        spread = np.broadcast_to(np.array(layer.spread), outputs) / 64
        parts += [weight.ravel(), spread / norm]
        parts.append(
            np.broadcast_to(np.array(layer.offset), outputs) + random.normal(0, 8, outputs)
        )
    return np.concatenate(parts).astype(np.float32)


def pixels_of(config: Config, random: np.random.Generator, count: int) -> Pixels:
    base = random.integers(20, 235, (count, 1, 1))
    shape = (count, len(taps(config.radius)), config.channels)
    window = (base + random.normal(0, 12, shape)).clip(0, 255).astype(np.uint8)
    known = (base[:, 0] + random.normal(0, 12, (count, config.channels))).clip(0, 255)
    known[:2] = [[0], [255]]
    return Pixels(
        window,
        random.integers(0, 2, (count, 3 * config.radius)).astype(np.uint8),
        known.astype(np.uint8),
        random.choice([0, 1, config.channels], count).astype(np.uint8),
    )


def drawn(
    config: Config, random: np.random.Generator, cells: int, each: int, filmed: bool
) -> tuple[Floats, Floats | None, Pixels]:
    """Parameters, films and pixels."""
    shape = (cells, 2, config.layers, config.width)
    film = random.integers(-40, 41, shape).astype(np.float32) if filmed else None
    return parameters_of(config, random), film, pixels_of(config, random, cells * each)


@needs_kernel
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("filmed", [True, False])
def test_the_kernel_is_the_definition(config: Config, filmed: bool) -> None:
    """But for an activation or two that differs by one where sums were rounded otherwise."""
    given = config, *drawn(config, np.random.default_rng(0), 5, 30, filmed), 2.0**-17
    expected = by_torch(*given)
    assert ENGINE
    bits, slope, films = ENGINE(*given)
    assert bits == pytest.approx(expected[0], rel=1e-3)
    assert np.linalg.norm(slope - expected[1]) < 0.01 * np.linalg.norm(expected[1])
    assert np.linalg.norm(expected[1]) > 0
    if films is not None and expected[2] is not None:
        assert filmed
        assert np.linalg.norm(films - expected[2]) < 0.01 * np.linalg.norm(expected[2])
    else:
        assert not filmed and films is None and expected[2] is None


@pytest.mark.skipif(GPU is None, reason="there is no GPU")
@pytest.mark.parametrize("filmed", [True, False])
def test_a_gpu_repeats_the_definition(filmed: bool) -> None:
    """On other numbers than those that it recorded."""
    assert GPU
    random = np.random.default_rng(3)
    for _ in range(3):
        given = CONFIGS[0], *drawn(CONFIGS[0], random, 4, 32, filmed), 2.0**-17
        expected = by_torch(*given)
        bits, slope, _ = GPU(*given)
        assert bits == pytest.approx(expected[0], rel=1e-3)
        assert np.linalg.norm(slope - expected[1]) < 0.01 * np.linalg.norm(expected[1])
    assert len(GPU.recorded) <= 2


@needs_kernel
@pytest.mark.parametrize("radius", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_kernel_looks_where_the_definition_does(radius: int, channels: int) -> None:
    random = np.random.default_rng(2)
    flat = random.integers(0, 256, (3 * 64, channels)).astype(np.uint8)
    tile, y, x = (a.ravel() for a in np.indices((3, 8, 8)))
    width = np.array([8, 5, 1])[tile]
    places = np.stack((64 * tile, np.full_like(y, 8), y, x, width), 1)[x < width]
    expected = look(flat, places, radius)
    assert ENGINE
    for own, other in zip(ENGINE.look(flat, places, radius), expected, strict=True):
        assert own.dtype == other.dtype and np.array_equal(own, other)


@needs_kernel
def test_pixels_that_do_not_count_have_no_gradient() -> None:
    random = np.random.default_rng(1)
    config = CONFIGS[0]
    pixels = pixels_of(config, random, 70)._replace(coded=np.zeros(70, np.uint8))
    assert ENGINE
    bits, slope, _ = ENGINE(config, parameters_of(config, random), None, pixels, 0.0)
    assert bits == 0 and not slope.any()
