"""What blocks of samples say of the steps that their coefficients are multiples of."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history import tables
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import UNIT, Searcher, Told, in_blocks
from bitswap_cli.images.history.tables import Steps

_LEAST = 1.3  # of a coefficient that says something of its step
_BUSY = 600  # blocks that are asked
_ASKED = 4  # times as many are looked at, to find the busy ones
_MANY = 12  # such coefficients make a block one that says much
_LIKE = 0.8  # of what the best table explains: one of luma's quality that does is it
_FITS = 0.75  # of what steps of their own explain: a known table that does is it
EXACT = (0.3, 1.1)  # errors of coefficients where samples are known
SMOOTH = (0.38, 1.6)  # where interpolation was undone


class Evidence(NamedTuple):
    """What busy blocks tell."""

    told: Told
    """Their coefficients, (n, 64)."""
    scores: NDArray[np.int64]
    """Of steps, (64, 256)."""

    @property
    def strength(self) -> int:
        """How much speaks for there being steps at all, and in these places: nats."""
        return tables.evidence(self.scores)

    def strength_for(self, *, chroma: bool) -> int:
        """Likewise, or how much speaks for a table that is known, if that is more."""
        return max(self.strength, tables.best_known(self.scores, chroma)[1] // tables.SCALE)

    def luma(self) -> Steps:
        """Return the table of luma: one that is known, or one of its own."""
        return self._steps(*tables.best_known(self.scores, chroma=False))

    def chroma(self, luma: Steps) -> Steps:
        """Return the table of chroma: that of luma's quality, where it fits as well as any."""
        known, best = tables.best_known(self.scores, chroma=True)
        told = [(tables.score(self.scores, own), own) for own in tables.chromas_of(luma)]
        most, same = max(told, key=lambda one: one[0], default=(0, known))
        if most >= _LIKE * best > 0:
            return same
        return self._steps(known, best)

    def _steps(self, known: Steps, best: int) -> Steps:
        count = (np.abs(self.told) > _LEAST * UNIT).sum(0)
        own, free = tables.free(self.scores, count)
        return known if best >= _FITS * free else own


def busy(search: Searcher, plane: Plane | Told, known: NDArray[np.bool_]) -> Told:
    """Return the coefficients of the blocks of a plane that say most of steps, (n, 64).

    Rounding is the same everywhere in flat blocks, and makes errors that are no chance.

    Parameters
    ----------
    search : Searcher
    plane : array (H, W)
        Samples, uint8 or in units of 1 / UNIT.
    known : array (H, W)
        Where; other blocks say nothing.
    """
    rows, columns = plane.shape[0] // 8 * 8, plane.shape[1] // 8 * 8
    whole = in_blocks(known[:rows, :columns]).all(1)
    chosen = np.nonzero(whole)[0]
    chosen = chosen[:: max(1, len(chosen) // (_ASKED * _BUSY))]
    blocks = in_blocks(plane[:rows, :columns])[chosen].astype(np.int32)
    if plane.dtype == np.uint8:
        blocks *= UNIT
    told = search.forward(np.ascontiguousarray(blocks))
    many = (np.abs(told[:, 1:]) > _LEAST * UNIT).sum(1)
    order = np.argsort(-many, kind="stable")
    enough = max(len(told) // 12, int((many >= _MANY).sum()))
    return np.ascontiguousarray(told[order[: min(_BUSY, enough)]])


def evidence(
    search: Searcher, told: Told, errors: tuple[float, float], most: int = 255
) -> Evidence:
    """Ask busy blocks for steps.

    `errors` are the deviation of most of their coefficients' errors, and that of a fifth; `most` is
    the largest step.
    """
    scores = search.comb(told, int(_LEAST * UNIT), most, tables.likelihoods(*errors))
    return Evidence(told, scores)
