"""A small pixel VAE that sees groups, and pictures for it."""

import dataclasses
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bitswap_models.exact.tensors import built
from bitswap_models.families.pixel_vae.config import Config
from bitswap_models.families.pixel_vae.enlarged import with_common
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.stored.model_file import build
from bitswap_models.training.evaluation import start
from bitswap_models.training.groups.tiles import Lot, Tile, lot_of
from bitswap_models.training.networks.pixel_vae import PixelNetwork

CELL, SIDE = 8, 32
CONFIG = Config(tile=CELL, latents=(4,), encoder=8, link=8, radius=2, width=16, split=8, layers=2)


def waves(count: int, side: int, seed: int = 0) -> np.ndarray:
    """(N, side, side, 3) uint8: waves with noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    phase = random.uniform(0, 6, (2, count, 1, 1))
    plane = 128 + 90 * np.sin(y / 5 + phase[0]) * np.cos(x / 7 + phase[1])
    noise = random.normal(0, 3, (count, side, side, 3))
    pixels: np.ndarray = plane[..., None] + noise
    return pixels.clip(0, 255).astype(np.uint8)


def fill(folder: Path) -> None:
    """Make folders sheets, of 64 cells, and photos, three of them."""
    for name, pictures in (("sheets", waves(1, 64)), ("photos", waves(3, 90))):
        (folder / name).mkdir(parents=True)
        for at, pixels in enumerate(pictures):
            Image.fromarray(pixels).save(folder / name / f"{at}.png")


def equal(one: Lot, other: Lot) -> bool:
    return all(np.array_equal(getattr(one, f), getattr(other, f)) for f in Lot._fields)


def lot(large: int, small: int, seed: int = 0) -> Lot:
    """Tiles of one picture each, and tiles of cells."""
    cells = (SIDE // CELL) ** 2
    tiles = [Tile(x[None], SIDE**2, 3) for x in waves(large, SIDE, seed)]
    for some in waves(small * cells, CELL, seed + 1).reshape(small, cells, CELL, CELL, 3):
        tiles.append(Tile(some, 4 * SIDE**2, 3))
    return lot_of(tiles, CELL)


def model(channels: int = 3, latents: tuple[int, ...] = (4,), common: int = 5) -> PixelVAE:
    """A model that has seen one batch, with a z_2 that weighs something."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = PixelNetwork(dataclasses.replace(CONFIG, channels=channels, latents=latents))
    x = torch.from_numpy(waves(64, CELL)[..., :channels].copy()).permute(0, 3, 1, 2).float()
    start(network, x, torch.Generator().manual_seed(0))
    plain = build(network)
    assert isinstance(plain, PixelVAE)
    if not common:
        return plain
    tensors = dict(with_common(plain, common).tensors())
    random = np.random.default_rng(0)
    tensors["common.hidden.scale"] = np.full(CONFIG.link, 40, np.int32)
    tensors["common.mean.scale"] = np.full(common, 3000, np.int32)
    weights = random.integers(-3, 4, tensors["film.2.weight"].shape)
    tensors["film.2.weight"] = weights.astype(np.int8)
    return built(PixelVAE, dataclasses.replace(plain.config, common=common), tensors)
