"""z_2 refined for a group: read as any other, the same again, and smaller."""

import numpy as np
import pytest

from bitswap_cli.ans.parameters import LogisticParameters
from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import Tiles
from bitswap_models.fitting import refined
from bitswap_models.fitting.compiled import engine
from tests.conftest import MakeModel, smooth_tile, telling

needs_kernel = pytest.mark.skipif(engine() is None, reason="there is no compiled kernel")


@pytest.fixture(scope="module")
def tiles() -> Tiles:
    pictures = [smooth_tile(64, 3, seed) for seed in range(3)]
    pixels = np.stack(pictures).transpose(0, 2, 3, 1).astype(np.uint8)
    return Tiles(pixels, np.array([[64, 64, 3], [64, 41, 3], [33, 64, 1]], np.int32))


@needs_kernel
def test_refined_groups_are_smaller_and_read_by_every_reader(tiles: Tiles) -> None:
    plain, patient = telling(), telling()
    assert refined.refine(patient)
    before, after = (tile_codec(model).encode(*tiles, b"") for model in (plain, patient))
    assert after.bits.sum() < before.bits.sum()
    assert tile_codec(patient).encode(*tiles, b"").words == after.words
    back, _ = tile_codec(plain).decode(after.words, tiles.sizes, 8)
    for tile, restored, (h, w, c) in zip(tiles.pixels, back, tiles.sizes, strict=True):
        assert np.array_equal(tile[:h, :w, :c], restored[:h, :w, :c])


@needs_kernel
def test_where_no_step_helps_the_start_is_told(
    tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, patient = telling(), telling()
    refined.refine(patient)
    monkeypatch.setattr(refined, "RATE", -9.0)
    before, after = (tile_codec(model).encode(*tiles, b"") for model in (plain, patient))
    assert before.words == after.words


@needs_kernel
def test_pixels_that_are_looked_at_are_those_of_the_pictures(tiles: Tiles) -> None:
    model, kernel = telling(), engine()
    assert kernel is not None
    x = tiles.pixels.transpose(0, 3, 1, 2).astype(np.int32)
    group = refined._Group(model, kernel, x, tiles.sizes)
    assert group.pixels == 64 * 64 + 64 * 41 + 33 * 64
    part = group.part(np.random.default_rng(0), 40)
    assert part.film.shape[0] == 40 and len(part.pixels.known) == 40 * refined.PIXELS
    valid = {
        tuple(p) for t, s in zip(*tiles, strict=True) for p in t[: s[0], : s[1]].reshape(-1, 3)
    }
    assert {tuple(pixel) for pixel in part.pixels.known} <= valid
    assert set(part.pixels.coded) == {1, 3}


def test_the_slope_of_told_bits_is_theirs() -> None:
    prior = LogisticParameters(np.array([0, 32, -40], np.int32), np.array([40, 60, 20], np.int32))
    z = np.array([1.0, 4.0, -3.0], np.float32)
    _, rise = refined._told(z, prior)
    for k in range(3):
        step = np.eye(3, dtype=np.float32)[k] * 1e-2
        above, below = (refined._told(z + s * step, prior)[0] for s in (1, -1))
        assert rise[k] == pytest.approx((above - below) / 2e-2, rel=0.02)


def test_models_without_z2_are_not_refined(make_model: MakeModel) -> None:
    model = make_model(kind="pixel_vae", latents=(2,))
    assert not refined.refine(model) and model.common is None
