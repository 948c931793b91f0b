"""Planes: the components of pictures, as the JPEG VAE codes them.

Planes of one rank advance together; those of a higher rank see those below. Within a plane block
(r, c) follows its left, top left, top and top right neighbour, so that wave t holds the blocks of
every plane with c + 2 r = t:

        0 1 2 3 4
        2 3 4 5 6
        4 5 6 7 8
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.coefficients import Component, Frame
from bitswap_models.families.jpeg_vae.features import (
    Bytes,
    colocated,
    companded,
    dequantized,
    log_steps,
    of_blocks,
    reciprocals,
)
from bitswap_models.families.jpeg_vae.network import Surroundings

_NEIGHBOURS = np.array([(0, -1), (-1, 0), (-1, -1), (-1, 1)])  # features.py's order


@dataclass
class Plane:
    """A component of a picture, in front of the network."""

    picture: int
    place: int
    """Which one of the picture's components it is."""
    component: Component
    statistics: Bytes
    """(64,), see `features.statistics_of`."""
    chroma: bool
    second: bool
    rank: int
    x: NDArray[np.int16]
    """Coefficients, (rows, columns, 64); 0 where they are not known yet."""
    luma: Bytes | None = None
    other: Bytes | None = None
    """(rows, columns, 64), see `Surroundings`."""

    def __post_init__(self) -> None:
        self.reciprocal = reciprocals(self.component.steps)
        self.logs = log_steps(self.component.steps).astype(np.int8)


def is_chroma(frame: Frame, place: int) -> bool:
    """Whether a component is chroma, which sees the first one: the second and third are, of three
    or more."""
    return len(frame) > 2 and place in (1, 2)


def planes_of(
    frames: Sequence[Frame], statistics: Sequence[Sequence[NDArray[np.integer]]]
) -> list[Plane]:
    """Planes of pictures, of the ranks in order, without coefficients."""
    planes = []
    for number, (frame, told) in enumerate(zip(frames, statistics, strict=True)):
        for place, component in enumerate(frame):
            chroma = is_chroma(frame, place)
            x = np.zeros((component.rows, component.columns, 64), np.int16)
            planes.append(
                Plane(
                    number,
                    place,
                    component,
                    told[place].astype(np.int8),
                    chroma,
                    chroma and place == 2,
                    2 * place + chroma,
                    x,
                )  # fmt: skip
            )
    return sorted(planes, key=lambda plane: plane.rank)


def ranks(planes: list[Plane]) -> Iterator[list[Plane]]:
    """Planes that advance together; what those of the next rank see must be known by then."""
    for rank in sorted({plane.rank for plane in planes}):
        some = [plane for plane in planes if plane.rank == rank]
        for plane in some:
            if plane.chroma:
                look(plane, [p for p in planes if p.picture == plane.picture])
        yield some


def look(plane: Plane, whole: list[Plane]) -> None:
    """Tell a chroma plane of the components before it."""
    component, first, before = plane.component, whole[0], whole[1]
    shape = component.rows, component.columns
    alike = plane.second and before.x.shape == plane.x.shape
    same = alike and before.component.sampling == component.sampling
    if same and np.array_equal(before.component.steps, component.steps):
        plane.luma = before.luma  # most often; it is what takes long here
    else:
        grays = dequantized(first.x, first.component.steps)
        seen = colocated(grays, component.sampling, shape)
        plane.luma = companded(seen, plane.reciprocal).reshape(*shape, 64)
    plane.other = np.zeros((*shape, 64), np.int8)
    if alike:
        grays = dequantized(before.x, before.component.steps)
        plane.other = companded(16 * grays, plane.reciprocal)


class Wave(NamedTuple):
    """Blocks that are coded together: numbers of planes, rows and columns, (N,) each."""

    plane: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]


def waves(planes: list[Plane]) -> Iterator[Wave]:
    """Yield the waves of planes of one rank that hold blocks."""
    shapes = np.array([plane.x.shape[:2] for plane in planes])
    rows, columns = shapes[:, 0, None], shapes[:, 1, None]
    row = np.arange(rows.max())
    for t in range(int((columns + 2 * rows).max()) - 2):
        column = t - 2 * row
        plane, r = np.nonzero((row < rows) & (column >= 0) & (column < columns))
        if len(plane):
            yield Wave(plane, r, column[r])


def surroundings(
    planes: list[Plane], known: Sequence[NDArray[np.integer]], wave: Wave
) -> Surroundings:
    """What the network sees of the blocks of a wave; `known` are the planes' coefficients."""
    around = np.zeros((len(wave.plane), 4, 64), np.int32)
    there = np.zeros((len(wave.plane), 4), bool)
    for i in np.unique(wave.plane):
        here = np.nonzero(wave.plane == i)[0]
        x = known[i]
        for j, (down, right) in enumerate(_NEIGHBOURS):
            r, c = wave.row[here] + down, wave.column[here] + right
            inside = (r >= 0) & (c >= 0) & (c < x.shape[1])
            around[here[inside], j] = x[r[inside], c[inside]]
            there[here, j] = inside

    steps = np.stack([plane.component.steps for plane in planes])
    reciprocal = np.stack([plane.reciprocal for plane in planes])
    statistics = np.stack([plane.statistics for plane in planes])
    logs = np.stack([plane.logs for plane in planes])
    second = np.array([plane.second for plane in planes])
    luma, other = np.zeros((2, len(wave.plane), 64), np.int8)
    for i, plane in enumerate(planes):
        if plane.luma is not None and plane.other is not None:
            here = wave.plane == i
            at = wave.row[here], wave.column[here]
            luma[here], other[here] = plane.luma[at], plane.other[at]
    mine = wave.plane
    return Surroundings(
        of_blocks(around, there, steps[mine]), statistics[mine], logs[mine], reciprocal[mine],
        luma, other, second[mine],
    )  # fmt: skip
