"""z_2 of the pixel VAE: statistics of whole cells, and gains and shifts that a group shares."""

from typing import Any

import numpy as np
import pytest

from bitswap_cli.errors import ModelError
from bitswap_models.exact import kernel
from bitswap_models.families.pixel_vae import common
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.enlarged import with_common
from bitswap_models.families.pixel_vae.growth import grow
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored.known_answer import known_answer
from tests.conftest import MakeModel, telling
from tests.models.engines import using

FIELDS: dict[str, Any] = {"kind": "pixel_vae", "latents": (2,)}


def noise(count: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3, side, side)).astype(np.int32)


def sizes_of(count: int, side: int) -> np.ndarray:
    return np.tile(np.array([side, side, 3], np.int32), (count, 1))


def test_statistics_tell_flat_cells_from_noise() -> None:
    flat = np.full((4, 8, 8, 3), 200, np.int16)
    found = common.statistics(flat)
    assert found.dtype == np.int32 and found.shape == (common.STATISTICS,)
    assert found[:3].tolist() == [200] * 3
    blocks = found[3:].reshape(common.ANCHORS, 4, common.MAPS)
    assert (blocks[:, :2] == 0).all() and (blocks[:, 2:] == 256).all()
    noisy = common.statistics(noise(4, 8).transpose(0, 2, 3, 1).astype(np.int16))
    blocks = noisy[3:].reshape(common.ANCHORS, 4, common.MAPS)
    assert (blocks[:, 0] > 100).all() and (blocks[:, 1] > blocks[:, 0]).all()
    assert (blocks[:, 2:] < 20).all()


def test_levels_are_logarithms() -> None:
    """Of sums of errors: exactly, whatever the machine thinks of logarithms."""
    doubled = np.searchsorted(common._LEVELS, 2 ** np.arange(5, 31), side="right")
    assert (np.diff(doubled) == 16).all()
    assert np.searchsorted(common._LEVELS, 0, side="right") == 0
    assert common.LARGEST > 31 * 16


def test_extremes_stay_within_what_is_proved() -> None:
    y, x = np.mgrid[:32, :32]
    board = 255 * ((x + y) % 2)
    cell = np.stack((board, 255 - board, board), -1).astype(np.int16)
    assert common.statistics(cell[None]).max() <= common.LARGEST


def test_only_whole_cells_are_looked_at() -> None:
    x, sizes = noise(2, 32), np.array([[32, 17, 3], [9, 32, 3]], np.int32)
    seen = common.cells(x, sizes, 8)
    assert seen.shape == (8 + 4, 8, 8, 3)
    assert np.array_equal(seen[0], x[0, :, :8, :8].transpose(1, 2, 0))
    assert np.array_equal(seen[-1], x[1, :, :8, 24:].transpose(1, 2, 0))
    other = noise(2, 32, 1)
    other[0, :, :, :16], other[1, :, :8] = x[0, :, :, :16], x[1, :, :8]
    assert np.array_equal(common.cells(other, sizes, 8), seen)


def test_at_most_so_many_cells_are_looked_at() -> None:
    x = np.arange(64).repeat(64).reshape(64, 1, 8, 8).repeat(3, 1).astype(np.int32)
    seen = common.cells(x, sizes_of(64, 8), 8)
    chosen = seen[:, 0, 0, 0].tolist()
    assert len(set(chosen)) == common.LOOKED and chosen == sorted(chosen)
    assert max(np.diff([-1, *chosen, 64])) <= 8  # in every row of eight
    assert {cell % 8 for cell in chosen} == set(range(8))  # and in every column


@pytest.mark.parametrize(
    "sizes, told",
    [([(32, 32)], True), ([(32, 31)], False), ([(8, 8)] * 16, True), ([(8, 8)] * 15, False)],
)
def test_groups_of_few_pixels_have_none(
    make_model: MakeModel, sizes: list[tuple[int, int]], told: bool
) -> None:
    model = telling()
    assert model.common.has(np.array([(*size, 3) for size in sizes], np.int32)) == told


def test_z2_changes_what_is_said_and_is_the_same_everywhere(make_model: MakeModel) -> None:
    model = telling()
    x, sizes = noise(2, 32), sizes_of(2, 32)
    z1 = np.zeros((2, 2, 4, 4), np.int32)
    z2 = model.common.of(x, sizes)
    assert z2.shape == (3,) and z2.dtype == np.int32 and z2.any()
    told, plain = (model.mixtures(z1, x, sizes, z) for z in (z2, None))
    assert any(not np.array_equal(a, b) for a, b in zip(told[1], plain[1], strict=True))
    zero = model.mixtures(z1, x, sizes, 0 * z2)
    assert all(np.array_equal(a, b) for a, b in zip(zero[1], plain[1], strict=True))
    for engine in (None, kernel.chosen()):
        with using(engine):
            again = telling()
            assert np.array_equal(again.common.of(x, sizes), z2)
            same = again.mixtures(z1, x, sizes, z2)
            assert all(np.array_equal(a, b) for a, b in zip(told[1], same[1], strict=True))


def test_a_model_gets_a_z2_and_says_the_same(make_model: MakeModel) -> None:
    model = make_model(**FIELDS)
    larger = with_common(model, 5)
    assert larger.config.common == 5
    x, sizes = noise(2, 32), sizes_of(2, 32)
    z1 = np.random.default_rng(0).integers(-9, 9, (2, 2, 4, 4)).astype(np.int32)
    assert larger.common is not None and not larger.common.of(x, sizes).any()
    before = model.mixtures(z1, x, sizes)
    for z2 in (None, np.array([5, -100, 127, 0, 1], np.int32)):
        after = larger.mixtures(z1, x, sizes, z2)
        assert all(np.array_equal(a, b) for a, b in zip(before[1], after[1], strict=True))
    others: list[tuple[dict[str, Any], int]]
    others = [({}, 0), ({}, 600), ({"channels": 1}, 4), ({"latents": ()}, 4)]
    for fields, size in others:
        with pytest.raises(ModelError, match="z_2"):
            with_common(make_model(**{**FIELDS, **fields}), size)
    with pytest.raises(ModelError, match="z_2"):
        with_common(larger, 5)


def test_a_model_with_z2_grows_and_says_the_same() -> None:
    model = telling()
    grown = grow(model, channels=4, width=24)
    x, sizes, z1 = noise(2, 32), sizes_of(2, 32), np.zeros((2, 2, 4, 4), np.int32)
    wider = np.concatenate((x, x[:, :1]), 1)
    z2 = model.common.of(x, sizes)
    assert grown.common is not None and np.array_equal(grown.common.of(wider, sizes), z2)
    film, more = model.film_of(z1, z2), grown.film_of(z1, z2)
    assert film is not None and more is not None
    assert np.array_equal(more[..., : film.shape[-1]], film) and not more[..., 16:].any()


def test_the_known_answer_depends_on_all_that_z2_is_made_with() -> None:
    from bitswap_models.exact.tensors import built

    model = telling()
    answers = {known_answer(model)}
    for name in ("common.hidden.bias", "common.mean.bias", "common.prior", "film.2.bias"):
        changed = {k: np.array(v) for k, v in model.tensors().items()}
        changed[name] += 1 if name == "common.prior" else 1 << 22
        answers.add(known_answer(built(PixelVAE, model.config, changed)))
    assert len(answers) == 5


@pytest.mark.parametrize("fields", [{"channels": 1}, {"latents": ()}, {"latents": (2, 2)}])
def test_configs_that_can_have_none(fields: dict[str, Any]) -> None:
    assert Config(common=4).sound()
    assert not Config(common=4, **fields).sound()
