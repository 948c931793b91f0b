"""What a stored model says of groups is what the network that starts from it says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bitswap_cli.ans import Logistic, LogisticMixture, LogisticParameters
from bitswap_cli.ans.parameters import LATENT_MAX, LATENT_MIN
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.training.groups.network import Chance, measure
from bitswap_models.training.groups.pool import pool_of
from bitswap_models.training.groups.run import begun
from tests.models.training.groups.small import SIDE, lot, model

DEVICE = torch.device("cpu")
KINDS = [(3, (4,), 5), (3, (4,), 0), (1, (4,), 0), (3, (), 0)]


def latent_bits(z: np.ndarray, told: LogisticParameters) -> float:
    return float(Logistic(told, LATENT_MIN, LATENT_MAX).bits(z).sum())


def coded(exact: PixelVAE, tile: np.ndarray, sharing: int) -> list[float]:
    """Bits of pixels, z_1 and z_2 of a tile, (pictures, side, side, 3), as the model that codes
    says; z_1 are the means of q(z_1 | x)."""
    x = np.ascontiguousarray(tile.transpose(0, 3, 1, 2)[:, : exact.channels], np.int32)
    sizes = np.tile(np.array([*x.shape[2:], exact.channels], np.int32), (len(x), 1))
    z1 = z2 = None
    kl = common = 0.0
    if exact.top is not None:
        told = exact.posterior(1, x)
        z1 = np.clip(np.round(told.mean / 16), LATENT_MIN, LATENT_MAX).astype(np.int32)
        top = (np.broadcast_to(t[:, None, None], z1.shape) for t in exact.top)
        kl = latent_bits(z1, LogisticParameters(*top)) - latent_bits(z1, told)
    if exact.common is not None:
        z2 = exact.common.of(x, sizes)
        common = latent_bits(z2, exact.common.prior) * SIDE**2 / sharing
    found = exact.mixtures(z1, x, sizes, z2)
    pixels = LogisticMixture(found.parameters, 0, 255).bits(found.symbols).sum()
    return [float(pixels), kl, common]


def without_noise(drawn: Chance) -> Chance:
    """Latents are their means."""
    noise = torch.full_like(drawn.noise, torch.nan)
    noise[0] = 0
    return drawn._replace(noise=noise)


@pytest.mark.parametrize("channels, latents, common", KINDS)
def test_bits_are_those_of_the_stored_model(
    channels: int, latents: tuple[int, ...], common: int
) -> None:
    exact = model(channels, latents, common)
    grouped = begun(exact, Path("recipe.toml"), SIDE)
    some = lot(2, 2)
    pool = pool_of(some, DEVICE)
    for at, side in enumerate(some.sides):
        tile = some.pixels[at].reshape(-1, side, side, 3)
        drawn = without_noise(grouped.every(at, torch.Generator()))
        with torch.no_grad():
            *bits, samples, cost = grouped.bits(pool, drawn, 0.0).tolist()
        assert samples == SIDE**2 * channels and cost == 0
        expected = coded(exact, tile, int(some.sharing[at]))
        assert bits[0] == pytest.approx(expected[0], rel=3e-3)
        assert bits[1:] == pytest.approx(expected[1:], rel=0.02, abs=0.5)


def test_a_group_without_z2_is_told_nothing_of_it() -> None:
    exact = model()
    grouped = begun(exact, Path("recipe.toml"), SIDE)
    pool = pool_of(lot(1, 0), DEVICE)
    drawn = without_noise(grouped.every(0, torch.Generator()))
    with torch.no_grad():
        its = grouped.bits(pool, drawn, 0.0)
        none = grouped.bits(pool, drawn._replace(told=torch.zeros(1)), 0.0)
    assert its[2] > 0 and none[2] == 0
    assert its[0] != none[0] and its[1] == none[1]


def test_parts_of_a_tile_are_what_the_whole_is_made_of() -> None:
    """Pixels are counted once, wherever they lie, and latents by the pixels' share."""
    grouped = begun(model(), Path("recipe.toml"), SIDE)
    pool = pool_of(lot(1, 1), DEVICE)
    for at in range(2):
        every = without_noise(grouped.every(at, torch.Generator()))
        with torch.no_grad():
            whole = grouped.bits(pool, every, 0.0)
            parts = torch.zeros(5)
            for cell in every.cell[0]:
                for half in every.place[0, 0].reshape(2, -1):
                    part = every._replace(
                        cell=cell.view(1, 1), place=half.view(1, 1, -1), noise=every.noise[:, :1]
                    )
                    parts += grouped.bits(pool, part, 0.0)
        assert torch.allclose(parts, whole, rtol=1e-4)


def test_gray_tiles_cost_one_channel() -> None:
    grouped = begun(model(), Path("recipe.toml"), SIDE)
    three = lot(1, 0)
    gray = three._replace(
        pixels=np.repeat(three.pixels[..., :1], 3, -1), coded=np.array([1], np.int64)
    )
    found = []
    for some in (gray, gray._replace(coded=three.coded)):
        drawn = without_noise(grouped.every(0, torch.Generator()))
        with torch.no_grad():
            found.append(grouped.bits(pool_of(some, DEVICE), drawn, 0.0).tolist())
    assert found[0][3] == SIDE**2 and found[1][3] == 3 * SIDE**2
    assert found[0][0] < found[1][0]


def test_measuring_is_always_the_same() -> None:
    grouped = begun(model(), Path("recipe.toml"), SIDE)
    pool = pool_of(lot(1, 1), DEVICE)
    found = measure(grouped, pool)
    assert found == measure(grouped, pool)
    assert found["bpd"] == pytest.approx(found["likelihood"] + found["kl1"] + found["common"])
