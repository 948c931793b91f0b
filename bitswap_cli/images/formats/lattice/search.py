"""Colours -> luma and chroma: the compiled searches."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import address
from bitswap_cli.images.formats.lattice.maps import MAP_OF, Chroma, Map, Plane
from bitswap_cli.images.formats.lattice.own import own_map
from bitswap_cli.images.history.engine import Kernel

_BUDGET = 200_000  # samples of chroma that are searched for, besides those that are known
_ALONE, _TOGETHER = 64, 16  # changes that are tried for each pixel, of a plane, and of both


@cache
def _back(name: str) -> NDArray[np.int64]:
    """Return how luma and chroma are estimated of one of `MAPS`."""
    return MAP_OF[name].sums.back()


@lru_cache(64)
def _told_back(told: bytes) -> NDArray[np.int64]:
    """Return it of a map that recipes tell."""
    return own_map(told).sums.back()


@cache
def _told_of(names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return what a search is told of several of `MAPS`, (n, 3): where their tables lie, their
    unit, and where it lies how luma and chroma are estimated."""
    maps = [MAP_OF[name].sums for name in names]
    told = [
        (address(sums.tables), sums.shift, address(_back(name)))
        for name, sums in zip(names, maps, strict=True)
    ]
    return np.array(told, np.int64)


class Triples(NamedTuple):
    """Luma and chroma of pixels."""

    planes: Plane
    """Luma, blue's chroma and red's, (3, ..)."""
    known: Plane
    """1 where they give the pixel, 0 where a channel is at an end of its range, so that others may
    as well, 2 where none do; there they are estimates."""
    on: int
    """How many are known."""

    def chroma(self) -> Self:
        """Return the same without luma."""
        return self._replace(planes=self.planes[1:])


class Searcher:
    """The searches of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._triples = kernel.bound("history_triples", "plppllpppp")
        self._known = kernel.bound("history_known", "plpllpp", void=True)
        self._grays = kernel.bound("history_grays", "pl")
        self._telling = kernel.bound("history_telling", "pllp")
        self._distinct = kernel.bound("history_distinct", "plp")
        self._moments = kernel.bound("history_moments", "plplpppp")
        self._shrink = kernel.bound("history_shrink", "plllp")
        self._smooth = kernel.bound("history_smooth", "ppllplllp", void=True)
        self._mend = kernel.bound("history_mend", "plpllpplll", void=True)
        self._lay = kernel.bound("history_lay", "pllpllppplllp")

    def grays(self, pixels: Plane) -> int:
        """Return how many pixels (.., 3) are gray."""
        return self._grays(address(pixels), pixels.size // 3)

    def telling(self, pixels: Plane, step: int = 1) -> Plane:
        """Return those of each `step`th pixel (n, 3) that are neither gray nor at an end of a
        channel's range."""
        out = np.empty((len(pixels) // step + 2, 3), np.uint8)
        return out[: self._telling(address(pixels), len(pixels), step, address(out))]

    def distinct(self, colours: Plane) -> Plane:
        """Return the different ones of some colours (n, 3), in ascending order, in their place."""
        room = np.empty(2 * len(colours), np.uint32)
        return colours[: self._distinct(address(colours), len(colours), address(room))]

    def known(self, maps: Sequence[Map], pixels: Plane, spare: int) -> list[int]:
        """Return of how many pixels (n, 3) each of some `MAPS` gives luma and chroma; fewer if
        these are all but more than `spare`."""
        room, on = np.empty((4, len(pixels)), np.uint8), np.empty(len(maps), np.int64)
        told = _told_of(tuple(used.name for used in maps))
        self._known(
            address(told), len(maps), address(pixels), len(pixels), spare, address(room),
            address(on),
        )  # fmt: skip
        found: list[int] = on.tolist()
        return found

    def triples(self, used: Map, pixels: Plane) -> Triples:
        """Find luma and chroma of pixels (.., 3)."""
        planes = np.empty((3, *pixels.shape[:-1]), np.uint8)
        known = np.empty(pixels.shape[:-1], np.uint8)
        back = _told_back(used.told) if used.told else _back(used.name)
        on = self._triples(
            address(used.sums.tables), used.sums.shift, address(back), address(pixels), known.size,
            known.size, *map(address, planes), address(known),
        )  # fmt: skip
        return Triples(planes, known, on)

    def moments(self, used: Map, pixels: Plane, planes: Plane) -> tuple[NDArray[np.int64], bool]:
        """Return what luma and chroma (3, n) and pixels (n, 3) say of how the map may be changed.

        That is of those pixels that it makes, but for 1 in a channel: the sums of products of luma,
        chroma and 1, and of these and what red, green and blue are more than it makes, (4, 7); and
        whether it makes any of these otherwise.
        """
        sums = np.empty((4, 7), np.int64)
        off = self._moments(
            address(used.sums.tables), used.sums.shift, address(pixels), len(pixels),
            *map(address, planes), address(sums),
        )  # fmt: skip
        return sums, bool(off)

    def shrink(self, plane: Plane) -> NDArray[np.int32]:
        """Return the samples that interpolation makes a plane of, by least squares, each for two
        rows and columns, in 1 / 256; raise `MemoryError` if there is none."""
        height, width = (side // 2 for side in plane.shape)
        out = np.empty((height, width), np.int32)
        if self._shrink(address(plane), height, width, 2, address(out)):
            raise MemoryError
        return out

    def smooth(self, samples: Plane, plane: Plane, known: Plane) -> Plane:
        """Mend samples in place, such that interpolation gives the pixels of a plane that are
        `known`, and return which of them are sure, 1 or 0."""
        sure = np.empty(samples.shape, np.uint8)
        self._smooth(
            address(plane), address(known), *plane.shape, address(samples), *samples.shape,
            _ALONE * plane.size, address(sure),
        )  # fmt: skip
        return sure

    def mend(self, used: Map, pixels: Plane, chroma: NDArray[np.uint8]) -> None:
        """Mend samples of chroma (2, rows, columns) in place, such that luma and they give more of
        the pixels (H, W, 3) by interpolation."""
        self._mend(
            address(used.sums.tables), used.sums.shift, address(pixels), *pixels.shape[:2],
            *map(address, chroma), *chroma.shape[1:], _TOGETHER * (pixels.size // 3),
        )  # fmt: skip

    def lay(
        self, used: Map, how: Chroma, pixels: Plane, chroma: NDArray[np.uint8], known: Plane
    ) -> tuple[Plane, int]:
        """Choose chroma (2, rows, columns) where it is not `known`, as it is beside, in place; and
        then luma.

        Returns luma (H, W) of pixels (H, W, 3), and how many of them all this does not give.
        """
        height, width, _ = pixels.shape
        luma = np.empty((height, width), np.uint8)
        wrong = self._lay(
            address(used.sums.tables), used.sums.shift, how, address(pixels), height, width,
            *map(address, chroma), address(known), *known.shape, _BUDGET, address(luma),
        )  # fmt: skip
        return luma, wrong


@cache
def searcher(kernel: Kernel) -> Searcher:
    """Return the searches of a kernel, bound once."""
    return Searcher(kernel)
