"""Tiles at hand: they lie on the device, and new ones take the places of the oldest."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bitswap_models.families.pixel_vae.common import STATISTICS
from bitswap_models.training.groups.tiles import CHANNELS, Lot


class Pool(NamedTuple):
    """Tensors on the device; see `Lot`."""

    pixels: Tensor  # (P * area, 3) uint8
    statistics: Tensor  # (P, STATISTICS) float
    sides: Tensor  # (P,) int64
    sharing: Tensor  # (P,) float
    coded: Tensor  # (P,) int64

    @property
    def area(self) -> int:
        """Pixels of a tile."""
        return len(self.pixels) // len(self.sides)

    def put(self, lot: Lot, at: int) -> int:
        """Replace tiles from a place on, as many as there are up to the end; returns how many."""
        count, area = min(len(lot.sides), len(self.sides) - at), self.area
        pixels = torch.from_numpy(lot.pixels[:count]).reshape(-1, CHANNELS)
        self.pixels[at * area : (at + count) * area].copy_(pixels)
        for name in ("statistics", "sides", "sharing", "coded"):
            own, new = getattr(self, name), torch.from_numpy(getattr(lot, name)[:count])
            own[at : at + count].copy_(new)
        return count


def empty(count: int, area: int, device: torch.device) -> Pool:
    """Room for so many tiles of so many pixels."""
    return Pool(
        torch.zeros((count * area, CHANNELS), dtype=torch.uint8, device=device),
        torch.zeros((count, STATISTICS), device=device),
        torch.full((count,), 1, device=device),
        torch.full((count,), float(area), device=device),
        torch.full((count,), CHANNELS, device=device),
    )


def pool_of(lot: Lot, device: torch.device) -> Pool:
    """A pool of all tiles of a lot."""
    pool = empty(len(lot.sides), lot.pixels.shape[1], device)
    pool.put(lot, 0)
    return pool
