"""Starting a network on a batch of tiles, and measuring it on others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bitswap_models.training.network import Network


def to_input(tiles: np.ndarray, device: torch.device) -> Tensor:
    """(N, H, W, C) uint8 -> (N, C, H, W) float tensor of the same integers."""
    return torch.from_numpy(tiles).to(device).permute(0, 3, 1, 2).float()


def start(
    model: Network, x: Tensor, generator: torch.Generator, taken: Collection[nn.Module] = ()
) -> None:
    """Data-dependent initialisation, from one batch, of every layer that has one, but for those
    that are taken from another model."""
    layers: list[Any] = [m for m in model.modules() if hasattr(m, "starting") and m not in taken]
    for layer in layers:
        layer.starting = True
    with torch.no_grad():
        model.elbo(x, model.noise(len(x), generator))
    for layer in layers:
        layer.starting = False


@torch.no_grad()
def evaluate(model: Network, tiles: np.ndarray, seed: int = 1, batch: int = 64) -> dict[str, float]:
    """Return bits/dim on tiles: ``bpd``, ``likelihood`` and each ``kl``."""
    device = next(iter(model.state_dict().values())).device
    generator = torch.Generator(device).manual_seed(seed)
    sums: dict[str, float] = {}
    for i in range(0, len(tiles), batch):
        x = to_input(tiles[i : i + batch], device)
        terms = model.elbo(x, model.noise(len(x), generator), soft=0.0)
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + float(term.sum())
    result = {name: value / tiles.size for name, value in sums.items()}
    return {"bpd": sum(result.values()), **result}


def describe(metrics: dict[str, float]) -> str:
    """One line: bpd split into likelihood and each KL."""
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
