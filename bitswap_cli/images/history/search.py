"""Planes of samples -> the coefficients that a decoder makes them of: the compiled searches."""

import math
from functools import cache, reduce
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import address
from bitswap_cli.images.formats.lattice.maps import Map
from bitswap_cli.images.history.engine import Kernel
from bitswap_cli.images.history.reference import FAST_SCALES, Method, Plane, factors

UNIT = 256  # of coefficients that are not rounded yet: 1
_ZERO = 256  # what a step loses for a coefficient that it does not explain: a nat
Blocks = NDArray[np.int16]
Told = NDArray[np.int32]


class Effort(NamedTuple):
    """How hard a search tries."""

    width: int
    depth: int
    moves: int
    subsets: int
    """Of how many moves all subsets are tried."""


class Pace(NamedTuple):
    """How what is wrong is taken back to coefficients, see native/relax.c."""

    rate: int
    """How much of it is added up in turn, in 256ths."""
    leak: int
    """How much of what was added up is lost, in 256ths."""
    patience: int
    """Sweeps in which less of a sixteenth of the wrong pixels goes, at most."""


class Work:
    """What searches in blocks may do, in comparisons of 64 samples; it bounds their time.

    It is counted, and no clock is asked, so that every machine finds the same.

    Parameters
    ----------
    blocks : int
        How many there are.
    each : int
        Comparisons for each of them, on the average, which `grant` grants; without bound if it is
        not given.
    """

    def __init__(self, blocks: int, each: int | None = None) -> None:
        self._left = np.array([1 << 60 if each is None else 0], np.int64)
        self._reserve = blocks * (each or 0)

    def grant(self, share: float) -> None:
        """Let searches use a share of what was not granted yet."""
        granted = int(share * self._reserve)
        self._reserve -= granted
        self._left += granted

    def told(self) -> int:
        """Return where the kernel finds how many comparisons are left."""
        return address(self._left)


class Searcher:
    """The searches of a kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._lattice = kernel.bound("history_lattice", "plppppp")
        self._ranges = kernel.bound("history_ranges", "plpppppp")
        self._seen = kernel.bound("history_seen", "plplpppppp")
        self._forward = kernel.bound("history_forward", "plp")
        self._comb = kernel.bound("history_comb", "plllllpp")
        self._solve = kernel.bound("history_solve", "pppllplpllllllppp")
        self._shrink = kernel.bound("history_shrink", "plllp")
        self._narrow = kernel.bound("history_narrow", "plllp")
        self._fit = kernel.bound("history_fit", "pplplpp")
        self._settle = kernel.bound("history_settle", "pppppppppp")
        self._relax = kernel.bound("history_relax", "pppppppppppplllp")
        self._chroma = kernel.bound("history_chroma", "ppplllllpllllpppp")

    def lattice(self, pixels: Plane) -> tuple[NDArray[np.uint8], Plane, int, int]:
        """Find luma and chroma of pixels (.., 3).

        Returns planes (3, ..); `known`: 1 where they are, 0 where a channel is at an end of its
        range, 2 where no luma and chroma give these; and how many pixels that are not gray are
        known, and are not though no channel is at an end.
        """
        planes = np.empty((3, *pixels.shape[:-1]), np.uint8)
        known, off = np.empty(pixels.shape[:-1], np.uint8), np.zeros(1, np.int64)
        on = self._lattice(
            address(pixels), known.size, *map(address, planes), address(known), address(off)
        )
        return planes, known, on, int(off[0])

    def ranges(
        self, pixels: Plane, known: Plane, used: Map | None, planes: list[Plane], low: Plane,
        high: Plane,
    ) -> None:  # fmt: skip
        """Narrow what planes (3, H, W) may be where they are not known, the two others being as
        they were decoded; colours are made by a map, or by libjpeg."""
        told = (
            address(pixels), known.size, address(known), *map(address, planes),
            address(low), address(high),
        )  # fmt: skip
        if used is None:
            self._ranges(*told)
        else:
            self._seen(address(used.sums.tables), used.sums.shift, *told)

    def forward(self, samples: Told) -> Told:
        """Return coefficients of blocks of samples (n, 64), both in units of 1 / UNIT."""
        out = np.empty(samples.shape, np.int32)
        self._forward(address(samples), len(samples), address(out))
        return out

    def comb(self, told: Told, least: int, most: int, table: Told) -> NDArray[np.int64]:
        """Return scores (64, 256) of steps up to `most` at each place of coefficients (n, 64)."""
        scores = np.zeros((64, 256), np.int64)
        limits = least, most, table.shape[1] - 1
        self._comb(address(told), len(told), *limits, _ZERO, address(table), address(scores))
        return scores

    def solve(
        self, start: Plane | NDArray[np.int16], low: Plane, high: Plane, steps: NDArray[np.int32],
        method: Method, left_open: int, effort: Effort, work: Work, blocks: Blocks, state: Plane,
        crop: bool = False,
    ) -> int:  # fmt: skip
        """Find blocks (rows, columns, 64) of a plane; see native/solve.c."""
        rows, columns, _ = blocks.shape
        supposed = np.ascontiguousarray(start, np.int16)  # which may be above 255
        found = self._solve(
            address(supposed), address(low), address(high), rows, columns, address(steps), method,
            address(_factors()), left_open, crop, *effort, work.told(), address(blocks),
            address(state),
        )  # fmt: skip
        return _counted(found)

    def shrink(self, plane: Plane, vertical: int) -> Told:
        """Undo interpolation by least squares, (vertical h, 2 w) -> (h, w) in units of 1 / UNIT."""
        height, width = plane.shape[0] // vertical, plane.shape[1] // 2
        out = np.empty((height, width), np.int32)
        _counted(self._shrink(address(plane), height, width, vertical, address(out)))
        return out

    def narrow(self, plane: Plane, vertical: int) -> Told:
        """Undo upsampling by the inverse DCT, (8 vertical rows, 16 columns) -> (8 rows, 8 columns)
        in units of 1 / UNIT."""
        rows, columns = plane.shape[0] // (8 * vertical), plane.shape[1] // 16
        out = np.empty((8 * rows, 8 * columns), np.int32)
        self._narrow(address(plane), rows, columns, vertical, address(out))
        return out

    def fit(
        self, samples: Told, known: NDArray[np.bool_], steps: NDArray[np.int32], method: Method,
        told: Told,
    ) -> None:  # fmt: skip
        """Find coefficients of those blocks of samples (n, 64), in units of 1 / UNIT, of which
        whole rows or columns are known; others stay as they are in `told`."""
        self._fit(
            address(samples), address(known), len(samples), address(steps), method,
            address(_factors()), address(told),
        )  # fmt: skip

    def chroma(
        self, told: Told, low: Plane, high: Plane, valid: tuple[int, int], vertical: int,
        steps: Told, method: Method, wide: bool, moves: int, subsets: int, work: Work,
        blocks: Blocks, plane: Plane, state: Plane,
    ) -> int:  # fmt: skip
        """Find blocks of chroma that was interpolated, or is `wide`; see native/chroma.c."""
        rows, columns, _ = blocks.shape
        return self._chroma(
            address(told), address(low), address(high), rows, columns, *valid, vertical,
            address(steps), method, wide, moves, subsets, work.told(), address(blocks),
            address(plane), address(state),
        )  # fmt: skip

    def settle(
        self, pixels: Plane, geometry: NDArray[np.int64], planes: list[Plane],
        blocks: list[Blocks], steps: Told, most: int,
    ) -> int:  # fmt: skip
        """Move coefficients of colours that are still wrong, while no more than `most` pixels are
        compared; see native/colour.c."""
        left = np.array([most], np.int64)
        found = self._settle(
            address(pixels), address(geometry), *map(address, planes), *map(address, blocks),
            address(steps), address(left),
        )  # fmt: skip
        return _counted(found)

    def relax(
        self, pixels: Plane, meant: Plane, known: Plane, clear: NDArray[np.bool_],
        geometry: NDArray[np.int64], planes: list[Plane], blocks: list[Blocks], steps: Told,
        pace: Pace, most: int,
    ) -> int:  # fmt: skip
        """Take back to coefficients what is wrong of colours in some MCUs, while no more than
        `most` pixels are compared; see native/relax.c. Returns how many are wrong in these."""
        left = np.array([most], np.int64)
        found = self._relax(
            address(pixels), address(meant), address(known), address(clear), address(geometry),
            *map(address, planes), *map(address, blocks), address(steps), *pace, address(left),
        )  # fmt: skip
        return _counted(found)


def _counted(found: int) -> int:
    if found < 0:
        raise MemoryError
    return found


def bias(method: Method) -> int:
    """Return how far above samples lies, on the average, what they were rounded of."""
    return UNIT // 2 if method == Method.FAST else 0


def fine(steps: NDArray[np.int32], method: Method) -> NDArray[np.int64]:
    """Return what steps come to, in units of 1 / UNIT: a fast inverse DCT rounds them."""
    if method != Method.FAST:
        return steps * np.int64(UNIT)
    found: NDArray[np.int64] = factors(steps, method) * (UNIT << 12) // FAST_SCALES
    return np.maximum(found, 1)


@cache
def _factors() -> NDArray[np.int32]:
    """Return what native/lines.c asks for, of 1 to 7 samples that are known: an orthonormal matrix
    (n, n), and a triangular one; their product are the first n waves at these. In 2^-16."""
    found = list[float]()
    for known in range(1, 8):
        waves = [
            [
                math.cos((2 * x + 1) * u * math.pi / 16) * (0.5 if u else 0.125**0.5)
                for x in range(known)
            ]
            for u in range(known)
        ]
        rows, upper = list[list[float]](), [[0.0] * known for _ in range(known)]
        for u, wave in enumerate(waves):  # by Gram and Schmidt
            left = wave
            for k, row in enumerate(rows):
                upper[k][u] = sum(a * b for a, b in zip(row, left, strict=True))
                left = [a - upper[k][u] * b for a, b in zip(left, row, strict=True)]
            upper[u][u] = math.sqrt(sum(a * a for a in left))
            rows.append([a / upper[u][u] for a in left])
        found += [value for row in rows + upper for value in row]
    return np.array([round(value * (1 << 16)) for value in found], np.int32)


T = TypeVar("T", bound=np.generic)
_TRUE = np.uint64(0x0101010101010101)  # eight booleans


def in_blocks(plane: NDArray[T]) -> NDArray[T]:
    """(8 rows, 8 columns) -> (rows columns, 64)."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    split = plane.reshape(rows, 8, columns, 8).swapaxes(1, 2)
    return np.ascontiguousarray(split.reshape(rows * columns, 64))


def over_channels(join: np.ufunc, told: NDArray[T]) -> NDArray[T]:
    """(H, W, C) -> (H, W), one channel after the other: numpy is slow along so short an axis."""
    return reduce(join, [told[..., k] for k in range(told.shape[2])])


def over_areas(join: np.ufunc, told: NDArray[T], tall: int, wide: int) -> NDArray[T]:
    """(tall H, wide W) -> (H, W), likewise, of areas of few samples."""
    return reduce(join, [told[y::tall, x::wide] for y in range(tall) for x in range(wide)])


def whole(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which blocks of a plane (8 rows, 8 columns) are true everywhere: (rows, columns)."""
    rows, columns = known.shape[0] // 8, known.shape[1] // 8
    lines = np.ascontiguousarray(known).view(np.uint64).reshape(rows, 8, columns)
    told: NDArray[np.bool_] = np.bitwise_and.reduce(lines, 1) == _TRUE
    return told


@cache
def searcher(kernel: Kernel) -> Searcher:
    """Return the searches of a kernel, bound once: for a small picture, that takes as long as to
    search."""
    return Searcher(kernel)
