"""Stores of small files, and the blocks that they hold."""

from collections.abc import Sequence

import torch

from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.planes import Plane
from bitswap_models.training.jpeg.planes import File
from bitswap_models.training.jpeg.store import Places, Store

CPU = torch.device("cpu")


def stored(files: Sequence[File], *, chroma: bool) -> tuple[Store, list[Plane]]:
    """A store of the planes of a kind, and these."""
    planes = [plane for file in files for plane in file if plane.chroma == chroma]
    store = Store(0, len(planes), chroma=chroma, device=CPU)
    for slot, plane in enumerate(planes):
        store.put(slot, plane)
    return store, planes


def every(store: Store, planes: Sequence[Plane]) -> Places:
    """All cells of planes, as a batch has them."""
    corners = [
        (slot, row, column)
        for slot, plane in enumerate(planes)
        for row in range(0, plane.x.shape[0], CELL)
        for column in range(0, plane.x.shape[1], CELL)
    ]
    within = torch.arange(CELL**2)
    slot, row, column = (t[:, None] for t in torch.tensor(corners).unbind(1))
    row, column = row + within // CELL, column + within % CELL
    inside = (row < store.size[slot, 0]) & (column < store.size[slot, 1])
    cell = torch.arange(len(corners))[:, None]
    parts = (slot, row, column, cell, inside)
    return store.ordered(Places(*(t.expand(row.shape).flatten() for t in parts)))
