"""z_2 in fitting: groups are those of the coder, and what chooses z_2 learns to tell them apart."""

import dataclasses

import numpy as np
import pytest
import torch

from bitswap_cli.coding import tile_codec
from bitswap_cli.contract import Tiles
from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.enlarged import with_common
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.cells import Cells
from bitswap_models.fitting.descent import CELLS, PIXELS, Fit
from bitswap_models.fitting.fit import fit
from tests.models.fitting.test_fitting import CONFIG, bits, started, waves

FREE = 10**15  # samples that share the price of differences


@pytest.fixture(scope="module")
def model() -> PixelVAE:
    torch.set_num_threads(1)
    return with_common(started(CONFIG), 4)


@pytest.fixture(scope="module")
def tiles() -> list[Tiles]:
    """Groups of calm pictures and of noisy ones in turn; of small ones; and of one alone."""
    calm, noisy = waves(16, 64, 1, 2.0), waves(16, 64, 2, 20.0)
    mixed = np.stack((calm.reshape(4, 4, 64, 64, 3), noisy.reshape(4, 4, 64, 64, 3)), 1)
    large = mixed.reshape(32, 64, 64, 3)
    sizes = [
        np.tile(np.array([side, side, 3], np.int32), (n, 1)) for n, side in ((32, 64), (5, 16))
    ]
    return [Tiles(large, sizes[0]), Tiles(waves(5, 16, 3), sizes[1])]


def some(tiles: Tiles, first: int) -> Tiles:
    """Four of them."""
    return Tiles(tiles.pixels[first : first + 4], tiles.sizes[first : first + 4])


def test_groups_are_those_that_are_coded_together(model: PixelVAE, tiles: list[Tiles]) -> None:
    cells = Cells(model, tiles)
    assert cells.groups is not None and model.common is not None
    assert cells.groups.has.tolist() == [True] * 8 + [False]
    assert cells.groups.pixels.tolist() == [4 * 64 * 64] * 8 + [5 * 16 * 16]
    assert np.array_equal(cells.group, [*np.arange(8).repeat(4 * 16), *[8] * 5])
    stored = {k: np.array(v) for k, v in model.tensors().items()}
    stored["common.mean.bias"] += 3 << 20
    other = built(PixelVAE, model.config, stored)
    cells.renew(other)
    assert other.common is not None
    for group in range(8):
        pixels, sizes = some(tiles[0], 4 * group)
        chosen = other.common.of(pixels.transpose(0, 3, 1, 2).astype(np.int32), sizes)
        assert np.array_equal(cells.groups.z2[group], chosen)
    assert cells.groups.z2[:8].any() and not cells.groups.z2[8].any()


def test_what_chooses_z2_learns(model: PixelVAE, tiles: list[Tiles]) -> None:
    fitted = fit(model, tiles, FREE, steps=150, rate=1.0, chooser=True).model
    assert fitted.common is not None
    told = Cells(fitted, tiles).groups
    assert told is not None and (told.z2[:8:2] != told.z2[1:8:2]).any(1).all()
    stored = {k: np.array(v) for k, v in fitted.tensors().items()}
    stored["common.mean.scale"][:] = stored["common.mean.bias"][:] = 0
    without = built(PixelVAE, fitted.config, stored)
    assert without.common is not None
    groups = [some(tiles[0], at) for at in range(0, 32, 4)]
    assert bits(fitted, groups) < 0.98 * bits(without, groups)
    assert (np.stack(fitted.common.prior) != np.stack(without.common.prior)).sum() == 0


def test_without_training_it_what_chooses_z2_stays(model: PixelVAE, tiles: list[Tiles]) -> None:
    fitted = fit(model, tiles, FREE, steps=60, rate=1.0).model
    for name in ("common.mean.bias", "common.prior", "common.centre", "common.hidden.weight"):
        assert np.array_equal(fitted.tensors()[name], model.tensors()[name])
    assert fitted.tensors()["film.2.bias"].any() and not model.tensors()["film.2.bias"].any()


def test_what_is_measured_is_what_is_coded(model: PixelVAE, tiles: list[Tiles]) -> None:
    stored = {k: np.array(v) for k, v in model.tensors().items()}
    stored["common.mean.bias"] += 3 << 20
    stored["film.2.weight"] += 3
    moved = built(PixelVAE, model.config, stored)
    fitting = Fit(moved, cells := Cells(moved, tiles[:1]), FREE)
    random = np.random.default_rng(0)
    found = fitting.measure([cells.draw(random, CELLS, PIXELS) for _ in range(200)])
    assert list(found) == ["likelihood", "kl1", "common"]
    coded = np.zeros(3)
    codec = tile_codec(moved)
    for at in range(0, 32, 4):  # a group after the other: chunks begin with smaller ones
        coded += codec.encode_by_term(*some(tiles[0], at), b"").bits.sum(0)
    # the first tile of each is a group of its own there, and has no other z_2
    for name, term in zip(found, coded / tiles[0].pixels.size, strict=True):
        tolerance = {"likelihood": 0.02, "kl1": 0.3, "common": 1.1}[name]
        assert found[name] == pytest.approx(term, rel=tolerance)


def test_a_model_without_z2_has_no_groups(tiles: list[Tiles]) -> None:
    plain = started(dataclasses.replace(CONFIG))
    assert Cells(plain, tiles).groups is None
    assert Fit(plain, Cells(plain, tiles), FREE, chooser=True).chooser is None
