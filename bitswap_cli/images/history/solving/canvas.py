"""Planes of a picture on the grid of a JPEG."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.decoder import Origin
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import Searcher, over_channels

SURE = 0.5  # of a part's pixels are known, or more: it tells which way is best, in one round
_OFF = 2  # of what is known: no luma and chroma give a pixel
T = TypeVar("T", bound=np.generic)


class Canvas:
    """A picture in the midst of whole MCUs, of which it may not fill the outer ones.

    Parameters
    ----------
    pixels : array (H, W, C)
    planes : array (C, H, W)
        Luma and chroma.
    known : array (H, W)
        1 where they are known.
    origin : Origin
    """

    def __init__(
        self, pixels: Plane, planes: NDArray[np.uint8], known: Plane, origin: Origin
    ) -> None:
        self.pixels, self.planes, self.known, self.origin = pixels, planes, known, origin
        height, width = known.shape
        luma = origin.frame()[0]
        self.shape = 8 * luma.rows, 8 * luma.columns
        self.margin = (
            (origin.top, self.shape[0] - origin.top - height),
            (origin.left, self.shape[1] - origin.left - width),
        )
        self.inside = (
            slice(origin.top, origin.top + height),
            slice(origin.left, origin.left + width),
        )

    @cached_property
    def sure(self) -> NDArray[np.bool_]:
        """Where on the canvas luma and chroma are known."""
        return np.pad(self.known == 1, self.margin)

    @cached_property
    def start(self) -> list[Plane]:
        """What is supposed at each pixel, of each component."""
        return [np.pad(plane, self.margin, mode="edge") for plane in self.planes]

    @cached_property
    def low(self) -> list[Plane]:
        """What is the least that it can be."""
        return [np.where(self.sure, plane, np.uint8(0)) for plane in self.start]

    @cached_property
    def high(self) -> list[Plane]:
        """And the most."""
        return [np.where(self.sure, plane, np.uint8(255)) for plane in self.start]

    @cached_property
    def clear(self) -> NDArray[np.bool_]:
        """Whether all of an MCU is in the picture, and has colours that a decoder makes."""
        origin, (height, width) = self.origin, self.known.shape
        whole = (origin.height, origin.width) == (height, width)
        clear = np.pad(self.known != _OFF, self.margin, "edge" if whole else "constant")
        told: NDArray[np.bool_] = np.logical_and.reduce(self.gathered(clear), (1, 3))
        return told

    def cut(self, sampling: tuple[int, int]) -> NDArray[np.bool_]:
        """Tell of each block of a component in clear MCUs whether pixels of it are not known, as
        channels were cut."""
        tall, wide = (8 * factor for factor in sampling)
        cut = gathered(np.pad(self.known == 0, self.margin, "edge"), tall, wide).any((1, 3))
        told: NDArray[np.bool_] = cut & self.of_blocks(self.clear, sampling)
        return told

    def of_blocks(self, told: NDArray[np.bool_], sampling: tuple[int, int]) -> NDArray[np.bool_]:
        """What is told of each MCU -> of each block of a component."""
        if sampling != (1, 1):
            return told
        tall, wide = self.origin.sampling
        return told.repeat(tall, 0).repeat(wide, 1)

    def gathered(self, plane: NDArray[T]) -> NDArray[T]:
        """(H, W) -> (rows, height of an MCU, columns, its width)"""
        tall, wide = self.origin.sampling
        return gathered(plane, 8 * tall, 8 * wide)

    def part(self, side: int) -> Canvas:
        """Return a square of whole MCUs as a JPEG of its own: that in the midst, or, if half of it
        is not known, the one that tells most: pixels that are not known in part make others wrong,
        but not those that are all black or white."""
        origin, (height, width) = self.origin, self.known.shape
        tall, wide = (8 * factor for factor in origin.sampling)
        places = [((height - side) // 2, (width - side) // 2)]
        if (self.known[square(*places[0], side)] == 1).mean() < SURE:
            down, across = range(tall, height - side, side), range(wide, width - side, side)
            places += itertools.product(down, across)
        places = [(y - (y + origin.top) % tall, x - (x + origin.left) % wide) for y, x in places]
        rows, columns = square(*max(places, key=lambda place: self._worth(place, side)), side)
        return Canvas(
            np.ascontiguousarray(self.pixels[rows, columns]),
            np.ascontiguousarray(self.planes[:, rows, columns]),
            np.ascontiguousarray(self.known[rows, columns]),
            origin._replace(height=side, width=side, top=0, left=0),
        )

    def _worth(self, place: tuple[int, int], side: int) -> int:
        """Return how much a square tells."""
        at = square(*place, side)
        pixels, known = self.pixels[at], self.known[at] == 1
        ends = over_channels(np.logical_and, (pixels == 0) | (pixels == 255))
        return int(2 * np.count_nonzero(known) - 3 * np.count_nonzero(~(known | ends)))

    def narrow(self, search: Searcher, made: list[Plane]) -> None:
        """Tell what pixels may be that are not known, given what is decoded."""
        low = np.stack([own[self.inside] for own in self.low])
        high = np.stack([own[self.inside] for own in self.high])
        planes = [np.ascontiguousarray(plane[self.inside]) for plane in made]
        search.ranges(self.pixels, self.known, self.origin.map, planes, low, high)
        for k, plane in enumerate(made):
            self.low[k][self.inside], self.high[k][self.inside] = low[k], high[k]
            self.start[k] = np.clip(plane, self.low[k], self.high[k])


def gathered(plane: NDArray[T], tall: int, wide: int) -> NDArray[T]:
    """(H, W) -> (H / tall, tall, W / wide, wide)"""
    rows, columns = plane.shape
    return plane.reshape(rows // tall, tall, columns // wide, wide)


def square(top: int, left: int, side: int) -> tuple[slice, slice]:
    """Return where a square lies in a plane."""
    return slice(top, top + side), slice(left, left + side)
