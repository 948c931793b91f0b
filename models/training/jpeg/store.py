"""Planes of JPEG files on a device, and blocks that are drawn from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitswap_models.families.jpeg_vae.planes import Plane

SIDE = 64  # rows and columns of blocks that are kept of a plane
FOUND = 0.12  # share of blocks that are of files as they are


class Places(NamedTuple):
    """Where N blocks are, int64 (N,) each, those with the latest last coefficient first."""

    slot: Tensor
    row: Tensor
    column: Tensor
    cell: Tensor
    """The number of each block's cell."""
    inside: Tensor
    """Whether there is a block: a cell at an edge may have less. bool"""


class Store:
    """Planes of one kind, luma or chroma.

    Parameters
    ----------
    found, drawn : int
        How many it can hold, of files as they are and of drawn ones, which come behind.
    chroma : bool
    device : torch.device
    """

    def __init__(self, found: int, drawn: int, *, chroma: bool, device: torch.device) -> None:
        self.found, self.drawn, self.chroma, self.device = found, drawn, chroma, device
        slots = found + drawn

        def zeros(dtype: torch.dtype, *shape: int) -> Tensor:
            return torch.zeros((slots, *shape), dtype=dtype, device=device)

        square = (SIDE, SIDE, 64)
        self.x = zeros(torch.int16, *square)
        # what chroma sees of other components; see Surroundings
        self.luma, self.other = (zeros(torch.int8, *square if chroma else (0,)) for _ in range(2))
        self.steps, self.reciprocal = (zeros(torch.int32, 64) for _ in range(2))
        self.statistics, self.logs = (zeros(torch.int8, 64) for _ in range(2))
        self.second = zeros(torch.bool)
        self.size = zeros(torch.int64, 2)
        self.weight = zeros(torch.float32)
        """How often a plane is drawn from, 0 where there is none yet."""

    def put(
        self, slot: int, plane: Plane, corner: tuple[int, int] = (0, 0), weight: float = 1.0
    ) -> None:
        """Keep a plane, or what there is of it from a row and column of blocks on."""
        row, column = corner
        part = np.s_[row : row + SIDE, column : column + SIDE]
        x = plane.x[part]
        rows, columns, _ = x.shape
        self._send(self.x[slot, :rows, :columns], x)
        if plane.luma is not None and plane.other is not None:
            self._send(self.luma[slot, :rows, :columns], plane.luma[part])
            self._send(self.other[slot, :rows, :columns], plane.other[part])
        self._send(self.steps[slot], plane.component.steps)
        self._send(self.reciprocal[slot], plane.reciprocal)
        self._send(self.statistics[slot], plane.statistics)
        self._send(self.logs[slot], plane.logs)
        self._send(self.size[slot], np.array((rows, columns)))
        self.second[slot] = plane.second
        self.weight[slot] = weight

    def _send(self, there: Tensor, array: NDArray[Any]) -> None:
        """Copy an array; a GPU is not waited for."""
        here = torch.from_numpy(np.ascontiguousarray(array))
        if self.device.type == "cuda":
            here = here.pin_memory()
        there.copy_(here, non_blocking=True)

    def told(self) -> list[NDArray[np.int32]]:
        """Statistics of the drawn planes, and logarithms of their steps, (planes, 64) each."""
        there = self.weight[self.found :] > 0
        parts = (t[self.found :][there] for t in (self.statistics, self.logs))
        return [part.int().cpu().numpy() for part in parts]

    @torch.no_grad()
    def draw(self, count: int, side: int, generator: torch.Generator) -> Places:
        """Draw blocks: whole cells of side x side of them, `count` blocks in all."""
        device, cells = self.device, count // side**2
        found, drawn = self.weight[: self.found], self.weight[self.found :]
        chances = torch.cat((
            found * (FOUND / found.sum().clamp_min(1e-9)),
            drawn * ((1 - FOUND) / drawn.sum().clamp_min(1e-9)),
        ))  # fmt: skip
        slot = torch.multinomial(chances, cells, replacement=True, generator=generator)
        size = self.size[slot]
        chance = torch.rand((cells, 2), device=device, generator=generator)
        corner = (chance * ((size + side - 1) // side)).long() * side
        within = torch.arange(side**2, device=device)
        row, column = corner[:, :1] + within // side, corner[:, 1:] + within % side
        inside = (row < size[:, :1]) & (column < size[:, 1:])
        cell = torch.arange(cells, device=device)
        parts = (slot[:, None], row, column, cell[:, None], inside)
        return self.ordered(Places(*(t.expand(cells, side**2).flatten() for t in parts)))

    def ordered(self, places: Places) -> Places:
        """The same blocks in a batch's order; those that are not there, in the last place, are the
        first of their planes."""
        slot, row, column, cell, inside = places
        places = Places(slot, row * inside, column * inside, cell, inside)
        last = last_of(self.x[places.slot, places.row, places.column])
        order = torch.argsort(torch.where(inside, last, -1), descending=True, stable=True)
        return Places(*(t[order] for t in places))

    def counts(self, places: Places, firsts: list[int]) -> list[int]:
        """How many blocks of ordered places have coefficients from these on."""
        last = last_of(self.x[places.slot, places.row, places.column]) * places.inside
        return [int((last >= first).sum()) for first in firsts]


def last_of(x: Tensor) -> Tensor:
    """See `features.last_of`: (.., 64) -> (..)"""
    return ((x != 0) * torch.arange(64, device=x.device, dtype=torch.int32)).amax(-1)
