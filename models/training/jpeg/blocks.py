"""Batches of blocks as the network in training sees them: families/jpeg_vae/features.py in torch.

All numbers are integers and equal those of the coder: sums that may be larger than 2^24 are made in
float64. No shape depends on the blocks, and nothing waits for the device.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.features import (
    COEFFICIENT_MAX,
    LEFT,
    PIXEL_MAX,
    SHOWN_OF,
    SIGNED,
    TOP,
    TOP_LEFT,
    TOP_RIGHT,
)
from bitswap_models.families.jpeg_vae.tables import BASIS_BITS, GRAY_BITS, tables
from bitswap_models.training.jpeg.store import Places, Store, last_of

GUESSES = 7  # where among the local inputs those of predictions are


class Batch(NamedTuple):
    """N blocks of one kind of component, those with the latest last coefficient first."""

    inputs: Tensor
    """(N, I) of the first layer."""
    logs: Tensor
    """(N, 63), logarithms of the coefficients but DC."""
    local: Tensor
    """(64, F, N), local inputs but those that are of predictions."""
    border: Tensor
    """(N, 32) and"""
    grays: Tensor
    """(N, 64): what predictors see."""
    mean: Tensor
    """(N,), see `Blocks`."""
    reciprocal: Tensor
    """(N, 64) of the quantization steps."""
    x: Tensor
    """(N, 64), the coefficients."""
    last: Tensor
    """(N,), the index of the last one."""
    statistics: Tensor
    """(N, 64)"""
    inside: Tensor
    """(N,), 1, or 0 where there is no block."""
    cell: Tensor
    """(N,), the number of each block's cell. int64"""
    pooled: Tensor
    """(cells, 64) and"""
    picture: Tensor
    """(cells, 128): what latents see; nothing unless blocks are drawn in cells."""


class Look:
    """Looks at blocks of a store, which are drawn in cells of side x side: the tables are on its
    device."""

    def __init__(self, store: Store, side: int) -> None:
        self.store, self.side = store, side
        made, device = tables(), store.device
        self.log, self.near, self.gray, self.rest = (
            torch.tensor(table, dtype=torch.float32, device=device)
            for table in (made.log, made.near, made.gray, made.rest)
        )
        self.basis = [
            torch.tensor(made.basis[:, which], dtype=torch.float64, device=device)
            for _, which in SHOWN_OF
        ]
        # down and right to the neighbours, in features.py's order
        self.down = torch.tensor((0, -1, -1, -1), device=device)
        self.right = torch.tensor((-1, 0, -1, 1), device=device)
        self.k = torch.arange(64, device=device)

    @torch.no_grad()
    def __call__(self, places: Places) -> Batch:
        """See the blocks of places, float32 of integers."""
        store, k = self.store, self.k
        slot = places.slot
        x = store.x[slot, places.row, places.column].int()
        around, there = self._around(places)
        pixels, border, mean = self._pixels(around, there, store.steps[slot])
        logs = signed(self.log, around)
        logs[:, :, 0] = 0
        magnitude = logs.abs()
        inputs = [
            pixels, magnitude[:, LEFT, 1:], magnitude[:, TOP, 1:],
            ((magnitude[:, TOP_LEFT, 1:] + magnitude[:, TOP_RIGHT, 1:] + 1) / 2).floor(),
            logs[:, LEFT, 1 : SIGNED + 1], logs[:, TOP, 1 : SIGNED + 1],
            2.0 * last_of(around), 64.0 * there,
        ]  # fmt: skip
        others: list[Tensor] = []
        if store.chroma:
            for seen in (store.luma, store.other):
                told = seen[slot, places.row, places.column].float()
                inputs += [told.abs()[:, 1:], told[:, 1 : SIGNED + 1]]
                others += [told, told.abs()]
            inputs.append(64.0 * store.second[slot][:, None])
        statistics, steps = store.statistics[slot].float(), store.logs[slot].float()
        last = last_of(x)
        local = [
            logs[:, LEFT], magnitude[:, LEFT], logs[:, TOP], magnitude[:, TOP],
            magnitude[:, TOP_LEFT], magnitude[:, TOP_RIGHT], self._near(around),
            self.rest[(last[:, None] - k).clamp(min=0)], (2.0 * last[:, None]).expand_as(steps),
            64.0 * ((last[:, None] == k) & (k > 0)), 4 * statistics, steps, *others,
        ]  # fmt: skip
        own = signed(self.log, x)
        grays = (x * store.steps[slot]).clamp(-COEFFICIENT_MAX, COEFFICIENT_MAX)
        pooled, picture = self._cells(places, own, statistics, steps)
        return Batch(
            torch.cat((*inputs, 4 * statistics, steps), 1), own[:, 1:],
            torch.stack([t.T for t in local], 1), border, grays.float(), mean,
            store.reciprocal[slot].float(), x.float(), last.float(), statistics,
            places.inside.float(), places.cell, pooled, picture,
        )  # fmt: skip

    def _around(self, places: Places) -> tuple[Tensor, Tensor]:
        """Coefficients of neighbours (N, 4, 64), 0 where there is none, and whether there is."""
        row, column = places.row[:, None] + self.down, places.column[:, None] + self.right
        columns = self.store.size[places.slot, 1:]
        there = (row >= 0) & (column >= 0) & (column < columns)
        found = self.store.x[places.slot[:, None], row * there, column * there].int()
        return found * there[:, :, None], there

    def _pixels(self, around: Tensor, there: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        """Pixels (N, 60), the border (N, 32) and the mean (N,); see `features.Blocks`."""
        grays = (around * steps[:, None]).clamp(-COEFFICIENT_MAX, COEFFICIENT_MAX).double()
        shift = BASIS_BITS - GRAY_BITS
        seen = [
            ((grays[:, i] @ basis + 2.0 ** (shift - 1)) * 2.0**-shift)
            .floor().clamp(-PIXEL_MAX, PIXEL_MAX).int()
            for (i, _), basis in zip(SHOWN_OF, self.basis, strict=True)
        ]  # fmt: skip
        left, top = there[:, LEFT], there[:, TOP]
        total = seen[LEFT][:, :8].sum(1, dtype=torch.int32) * left
        total += seen[TOP][:, :8].sum(1, dtype=torch.int32) * top
        shifts = 2 + left.int() + top.int()
        half = torch.bitwise_left_shift(torch.ones_like(shifts), shifts - 1)
        mean = ((total + half) >> shifts) * (left | top)
        apart = [(part - mean[:, None]) * there[:, i, None] for i, part in enumerate(seen)]
        border = torch.cat((apart[LEFT][:, :16], apart[TOP][:, :16]), 1)
        border = border.clamp(-PIXEL_MAX, PIXEL_MAX).float()
        return signed(self.gray, torch.cat(apart, 1)), border, mean.float()

    def _near(self, around: Tensor) -> Tensor:
        """(N, 64), see `features.Blocks`."""
        size = around.abs().clamp(max=255)
        sides, corners = size[:, LEFT] + size[:, TOP], size[:, TOP_LEFT] + size[:, TOP_RIGHT]
        near = signed(self.near, (5 * sides + 3 * corners) >> 1)
        near[:, 0] = 0
        return near

    def _cells(
        self, places: Places, logs: Tensor, statistics: Tensor, steps: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What latents see of whole cells; see `latents.pooled` and `latents.picture_inputs`."""
        cells = len(logs) // CELL**2 if self.side == CELL else 0
        pooled, picture = logs.new_zeros(cells, 64), logs.new_zeros(cells, 128)
        if cells:
            there = places.inside.float()
            counts = logs.new_zeros(cells).index_add_(0, places.cell, there)
            pooled.index_add_(0, places.cell, logs.abs() * there[:, None])
            pooled = (2 * pooled / counts[:, None]).floor()
            pooled[:, 0] = 0
            picture[places.cell] = torch.cat((4 * statistics, steps), 1)
        return pooled, picture


def signed(table: Tensor, x: Tensor) -> Tensor:
    """See `tables.signed`."""
    return table[x.abs().clamp(max=len(table) - 1)] * x.sign()
