"""Batches of blocks: cells of files, as the network in training sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bitswap_cli.coefficients import Coefficients, Frame
from bitswap_models.families.jpeg_vae.config import CELL
from bitswap_models.families.jpeg_vae.features import dequantized, last_of, statistics_of
from bitswap_models.families.jpeg_vae.latents import picture_inputs, pooled
from bitswap_models.families.jpeg_vae.network import inputs_of, local_inputs
from bitswap_models.families.jpeg_vae.planes import Plane, Wave, planes_of, ranks, surroundings
from bitswap_models.families.jpeg_vae.tables import signed, tables


class Batch(NamedTuple):
    """N blocks of cells of one kind of component, those with the latest last coefficient first."""

    inputs: Tensor
    """(N, I) of the first layer."""
    logs: Tensor
    """(N, 63), logarithms of the coefficients but DC."""
    local: Tensor
    """(64, N, F), local inputs; those that are of predictions are 0."""
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
    cell: Tensor
    """(N,), the number of each block's cell."""
    pooled: Tensor
    """(cells, 64) and"""
    picture: Tensor
    """(cells, 128): what latents see."""

    def first(self, count: int, coefficients: slice) -> Batch:
        """The first blocks alone, and local inputs of some coefficients; these are copied."""
        rows = (t[:count] for t in self)
        local = self.local[coefficients, :count].clone()
        return Batch(*rows)._replace(local=local, pooled=self.pooled, picture=self.picture)

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(t.to(device) for t in self))


def planes(frame: Frame, x: Coefficients) -> list[Plane]:
    """The planes of a file, which know all of it."""
    told = planes_of([frame], [[statistics_of(part).astype(np.int32) for part in x]])
    for plane in told:
        plane.x = x[plane.place]
    list(ranks(told))  # chroma sees luma
    return told


def cells_of(plane: Plane) -> list[tuple[int, int]]:
    """First rows and columns of the cells of a plane."""
    rows, columns, _ = plane.x.shape
    return [(r, c) for r in range(0, rows, CELL) for c in range(0, columns, CELL)]


def batch_of(chosen: Sequence[tuple[Plane, tuple[int, int]]]) -> Batch:
    """Cells of planes of one kind, luma or chroma, as a batch."""
    places, pools, pictures = [], [], []
    for number, (plane, (row, column)) in enumerate(chosen):
        part = plane.x[row : row + CELL, column : column + CELL]
        r, c = np.divmod(np.arange(part.shape[0] * part.shape[1]), part.shape[1])
        places.append(np.stack((np.full(len(r), number), r + row, c + column)))
        pools.append(pooled(part))
        pictures.append(picture_inputs(plane))
    some = [plane for plane, _ in chosen]
    wave = Wave(*np.concatenate(places, 1))
    x = np.stack([some[p].x[r, c] for p, r, c in zip(*wave, strict=True)])
    last = last_of(x)
    order = np.argsort(-last, kind="stable")
    wave, x, last = Wave(*(part[order] for part in wave)), x[order], last[order]
    seen = surroundings(some, [plane.x for plane in some], wave)
    nothing = np.zeros((len(x), 2), np.int32)
    chroma = some[0].chroma
    local = np.stack([local_inputs(k, seen, last, nothing, chroma=chroma) for k in range(64)])
    steps = np.stack([plane.component.steps for plane in some])[wave.plane]
    arrays: list[NDArray[np.integer]] = [
        inputs_of(seen, chroma=chroma), signed(tables().log, x[:, 1:]), local,
        seen.blocks.border, dequantized(x, steps), seen.blocks.mean, seen.reciprocal, x, last,
        seen.statistics, wave.plane, np.concatenate(pools), np.concatenate(pictures),
    ]  # fmt: skip
    whole = {"last": torch.int64, "cell": torch.int64}
    tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
    return Batch(*(
        t.to(whole.get(name, torch.float32))
        for name, t in zip(Batch._fields, tensors, strict=True)
    ))  # fmt: skip
