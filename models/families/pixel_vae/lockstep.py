"""Lockstep: the pixels of a group of tiles in the order in which they are coded.

All tiles advance together, and within a tile all rows: row y follows row y - 1 at a distance of
radius + 1 pixels, just far enough for its window. Step t holds the pixels of every tile with
x + (radius + 1) y = t, so a step is a batch whatever the tiles are:

        . . . . . . 6          pixels of one tile and the step they belong to, radius 1
        0 1 2 3 4 5 6
        2 3 4 5 6 7 8
        4 5 6 7 8 9 ..

A step codes its pixels channel by channel: a *batch* is one channel of one step. This is the
definition, in numpy; pixels.py does the same in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.parameters import MixtureParameters
from bitswap_cli.contract import Integers, Pop
from bitswap_models.families.pixel_vae import window
from bitswap_models.families.pixel_vae.pixel_net import Film, PixelNet


class Mixtures(NamedTuple):
    """All pixels of a group with their mixtures, in the order in which a decoder pops."""

    symbols: Integers
    """(n,)"""
    parameters: MixtureParameters
    """Arrays (n, K)."""
    owner: Integers
    """The tile of each symbol, (n,)."""
    batches: Integers
    """How many symbols are pushed or popped at a time, (m,); they come to n."""


class Step(NamedTuple):
    """Pixels that are coded together: tiles, rows and columns, (N,) each."""

    tile: NDArray[np.int64]
    y: NDArray[np.int64]
    x: NDArray[np.int64]


def steps(sizes: Integers, radius: int) -> Iterator[Step]:
    """Yield the steps of tiles that hold pixels; `sizes` (B, 3) are valid rows and columns, and
    coded channels."""
    rows, columns = sizes[:, 0, None].astype(np.int64), sizes[:, 1, None].astype(np.int64)
    slope = radius + 1
    y = np.arange(rows.max(initial=0))
    for t in range(int((columns + slope * rows).max(initial=0)) - slope):
        x = t - slope * y
        tile, row = np.nonzero((y < rows) & (x >= 0) & (x < columns))
        if len(tile):
            yield Step(tile, row, x[row])


def _parameters(
    net: PixelNet, film: Film | None, tiles: Integers, step: Step, sizes: Integers
) -> Callable[[int, Integers], MixtureParameters]:
    """Return what tells the mixtures of the pixels of a step, channel by channel."""
    radius, tile = net.config.radius, net.config.tile
    width = sizes[step.tile, 1].astype(np.int64)
    rows, columns = window.places(step.y, step.x, width, radius)
    seen = tiles[step.tile[:, None], rows, columns]  # (N, taps, C)
    seen[rows[:, 0] < 0] = window.UNKNOWN
    border = window.borders(step.y, step.x, width, radius).astype(np.int32)
    mine = None
    if film is not None:
        cell = step.y // tile * (tiles.shape[1] // tile) + step.x // tile
        mine = film[step.tile, cell]
    terms = net.terms(seen, border, mine)
    return lambda channel, known: net.channel(channel, terms, known)


# told the pixels of a batch, their channel and their parameters (n, K); returns their values, (n,)
_Code = Callable[[Step, int, MixtureParameters], Integers]


def _walk(net: PixelNet, film: Film | None, sizes: Integers, tile: int, code: _Code) -> Integers:
    """Go through tiles batch by batch; returns them, (B, T, T, C), 0 where there are no pixels."""
    channels = net.config.channels
    tiles = np.zeros((len(sizes), tile, tile, channels), np.int32)
    for step in steps(sizes, net.config.radius):
        parameters = _parameters(net, film, tiles, step, sizes)
        known = np.zeros((len(step.tile), channels), np.int32)
        for c in range(channels):
            known[:, c] = known[:, 0]
            coded = sizes[step.tile, 2] > c
            if coded.any():
                told = MixtureParameters(*(p[coded] for p in parameters(c, known)))
                known[coded, c] = code(Step(*(a[coded] for a in step)), c, told)
        tiles[step.tile, step.y, step.x] = known
    return tiles


def mixtures(net: PixelNet, film: Film | None, x: Integers, sizes: Integers) -> Mixtures:
    """Everything that an encoder of the tiles x, (B, C, T, T), pushes."""
    symbols: list[Integers] = []
    owner: list[Integers] = []
    parameters: list[MixtureParameters] = []

    def code(step: Step, channel: int, told: MixtureParameters) -> Integers:
        symbols.append(x[step.tile, channel, step.y, step.x])
        parameters.append(told)
        owner.append(step.tile.astype(np.int32))
        return symbols[-1]

    _walk(net, film, sizes, x.shape[-1], code)
    every = MixtureParameters(*(np.concatenate(p) for p in zip(*parameters, strict=True)))
    batches = np.array([len(batch) for batch in symbols], np.int32)
    return Mixtures(np.concatenate(symbols), every, np.concatenate(owner), batches)


def walk(net: PixelNet, film: Film | None, sizes: Integers, tile: int, pop: Pop) -> Integers:
    """Pop the pixels of tiles, batch by batch: (B, C, T, T), 0 where there are none."""
    tiles = _walk(net, film, sizes, tile, lambda step, channel, told: pop(told))
    pixels: Integers = np.ascontiguousarray(tiles.transpose(0, 3, 1, 2))
    return pixels
