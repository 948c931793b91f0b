"""Finds out whether pixels were made by a JPEG decoder, and of which coefficients.

A decoder's luma and chroma are a quarter of all triples, so a sample of pixels tells most pictures
that are none; blocks whose coefficients are multiples of steps tell the others.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history.decoder import SAMPLINGS, Origin
from bitswap_cli.images.history.engine import compiled
from bitswap_cli.images.history.evidence import EXACT, SMOOTH, Evidence, busy, evidence
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import Blocks, Searcher, Told
from bitswap_cli.images.history.solving import Canvas, Puzzle
from bitswap_cli.images.history.tables import quality_of, standard

_SAMPLE = 10_000  # pixels that are asked whether they are on the lattice
_ON = 0.9  # of them
_EVIDENCE = 300  # of a grid of blocks, in nats
_SMALLEST = 16  # pixels of a picture's side
_WRONG = 0.3  # of all pixels, at most


class Found(NamedTuple):
    """What a picture was."""

    origin: Origin
    coefficients: list[Blocks]
    """Of each component, (rows, columns, 64), in zigzag order."""
    wrong: int
    """How many pixels a decoder makes otherwise."""


def may_be(pixels: NDArray[Any]) -> bool:
    """Whether pixels look as if a JPEG decoder had made them; quick."""
    finder = _finder(pixels)
    return finder is not None and finder.luma() is not None


def find(pixels: NDArray[Any]) -> Found | None:
    """Find the JPEG that pixels (H, W, 1 or 3) were.

    Returns
    -------
    Found or None
        None where nothing speaks for there being one, or where no kernel is compiled.
    """
    finder = _finder(pixels)
    return None if finder is None else finder.run()


def _finder(pixels: NDArray[Any]) -> "_Finder | None":
    used = compiled()  # whatever engine is asked for: there is no reference, and bytes are the same
    height, width, channels = pixels.shape
    if used is None or min(height, width) < _SMALLEST or channels not in (1, 3):
        return None
    if pixels.dtype != np.uint8:
        return None
    return _Finder(Searcher(used), np.ascontiguousarray(pixels))


class _Luma(NamedTuple):
    """What is known of a picture that looks as if it was a JPEG."""

    planes: NDArray[np.uint8]
    """Luma and chroma, (C, H, W)."""
    known: Plane
    """1 where they are known, (H, W)."""
    evidence: Evidence
    """Of blocks of luma."""


class _Finder:
    def __init__(self, search: Searcher, pixels: Plane) -> None:
        self.search, self.pixels = search, pixels
        self.height, self.width, self.channels = pixels.shape

    def luma(self) -> _Luma | None:
        """Return luma, if blocks of it speak for a JPEG."""
        planes = self.pixels[None, :, :, 0]
        known = np.ones((self.height, self.width), np.uint8)
        if self.channels == 3:
            flat = self.pixels.reshape(-1, 3)
            sample = np.ascontiguousarray(flat[:: max(1, len(flat) // _SAMPLE) | 1])
            _, _, on, off = self.search.lattice(sample)
            if on < _ON * (on + off):
                return None
            planes, known, on, off = self.search.lattice(self.pixels)
            if on < _ON * (on + off):
                return None
        told = evidence(self.search, busy(self.search, planes[0], known == 1), EXACT)
        return _Luma(planes, known, told) if told.strength >= _EVIDENCE else None

    def run(self) -> Found | None:
        """Find the JPEG, or nothing."""
        luma = self.luma()
        if luma is None:
            return None
        origins = self.origins(luma)
        puzzles = [Puzzle(self.search, self.canvas(luma, origin)) for origin in origins]
        if len(puzzles) > 1:
            wrong = [puzzle.solve(rounds=1)[1] for puzzle in puzzles]
            puzzles = [Puzzle(self.search, self.canvas(luma, origins[wrong.index(min(wrong))]))]
        coefficients, least = puzzles[0].solve()
        if least > _WRONG * self.height * self.width:
            return None
        return Found(puzzles[0].origin, coefficients, least)

    def canvas(self, luma: _Luma, origin: Origin) -> Canvas:
        """Return the picture on the grid of a JPEG."""
        return Canvas(self.pixels, luma.planes, luma.known, origin)

    def origins(self, luma: _Luma) -> list[Origin]:
        """Return the JPEG that most speaks for; or some, if little is told of chroma."""
        steps = luma.evidence.luma()
        size = self.height, self.width, 0, 0
        if self.channels == 1:
            return [Origin(*size, SAMPLINGS[0], True, (steps,))]
        tried: list[tuple[int, Origin]] = []
        for sampling in SAMPLINGS[::-1]:  # of equals, the one of the fewest blocks
            for fancy in (True, False) if sampling[1] > 1 else (True,):
                small = [
                    self.shrunk(plane, luma.known == 1, sampling, fancy)
                    for plane in luma.planes[1:]
                ]
                told = np.concatenate([busy(self.search, *own) for own in small])
                errors = SMOOTH if sampling[1] > 1 and fancy else EXACT
                found = evidence(self.search, told, errors)
                own = found.chroma(steps)
                origin = Origin(*size, sampling, fancy, (steps, own, own))
                tried.append((found.strength_for(chroma=True), origin))
        best = max(tried, key=lambda one: one[0])
        if best[0] >= _EVIDENCE or quality_of(steps) is None:
            return [best[1]]
        like = standard(chroma=True)[quality_of(steps)]
        return [origin._replace(steps=(steps, like, like)) for _, origin in tried]

    def shrunk(
        self, plane: Plane, known: NDArray[np.bool_], sampling: tuple[int, int], fancy: bool
    ) -> tuple[Plane | Told, NDArray[np.bool_]]:
        """Return chroma as it was before it was upsampled, and where it is known."""
        tall, wide = sampling
        rows, columns = self.height // tall, self.width // wide
        inside = np.ascontiguousarray(plane[: tall * rows, : wide * columns])
        split = known[: tall * rows, : wide * columns].reshape(rows, tall, columns, wide)
        sure = np.logical_and.reduce(split, (1, 3))
        if wide > 1 and fancy:
            return self.search.shrink(inside, tall), sure
        return inside[::tall, ::wide], sure
