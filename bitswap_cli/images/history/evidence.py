"""What blocks of samples say of the steps that their coefficients are multiples of."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.history import tables
from bitswap_cli.images.history.reference import Plane
from bitswap_cli.images.history.search import UNIT, Searcher, Told, whole
from bitswap_cli.images.history.tables import Steps

_LEAST = 1.3  # of a coefficient that says something of its step
_BUSY = 600  # blocks that are asked
_ASKED = 4  # times as many are looked at, to find the busy ones
_MANY = 12  # such coefficients make a block one that says much
_LIKE = 0.8  # of what the best table explains: one of luma's quality that does is it
_FITS = 0.75  # of what steps of their own explain: a known table that does is it
EXACT = (0.3, 1.1)  # errors of coefficients where samples are known
SMOOTH = (0.38, 1.6)  # where interpolation was undone
_ALIEN = 3  # so many times their mean square, or more, is too much for a block
_OWN = 0.5  # of the blocks are not so, at least, if others are alien


class Evidence(NamedTuple):
    """What busy blocks tell."""

    told: Told
    """Their coefficients, (n, 64)."""
    scores: NDArray[np.int64]
    """Of steps, (64, 256)."""
    errors: tuple[float, float]
    """Of coefficients, see `evidence`."""
    ask: Callable[[Told], NDArray[np.int64]]
    """Scores what some of the blocks tell."""

    @property
    def strength(self) -> int:
        """How much speaks for there being steps at all, and in these places: nats."""
        return tables.evidence(self.scores)

    def strength_for(self, *, chroma: bool) -> int:
        """Likewise, or how much speaks for a table that is known, if that is more."""
        return max(self.strength, tables.best_known(self.scores, chroma)[1] // tables.SCALE)

    def luma(self) -> Steps:
        """Return the table of luma: one that is known, or one of its own."""
        own = self._without_aliens(tables.best_known(self.scores, chroma=False)[0])
        return own._steps(*tables.best_known(own.scores, chroma=False))

    def chroma(self, luma: Steps) -> Steps:
        """Return the table of chroma: that of luma's quality, where it fits as well as any."""
        like = tables.chromas_of(luma)
        own = self._without_aliens((*like, tables.best_known(self.scores, chroma=True)[0])[0])
        known, best = tables.best_known(own.scores, chroma=True)
        told = [(tables.score(own.scores, table), table) for table in like]
        most, same = max(told, key=lambda one: one[0], default=(0, known))
        if most >= _LIKE * best > 0:
            return same
        return own._steps(known, best)

    def _without_aliens(self, known: Steps) -> "Evidence":
        """Return what those blocks tell that a table makes, if these are most and others are not,
        as where another picture was put over this one: their steps would be 1."""
        own = ~aliens(self.told, known * UNIT, self.errors)
        if not _OWN * len(own) <= own.sum() < len(own):
            return self
        told = np.ascontiguousarray(self.told[own])
        return self._replace(told=told, scores=self.ask(told))

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
    chosen = np.argwhere(whole(known[:rows, :columns]))
    chosen = chosen[:: max(1, len(chosen) // (_ASKED * _BUSY))]
    split = plane[:rows, :columns].reshape(rows // 8, 8, columns // 8, 8).swapaxes(1, 2)
    blocks = split[chosen[:, 0], chosen[:, 1]].reshape(-1, 64).astype(np.int32)
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

    def ask(told: Told) -> NDArray[np.int64]:
        return search.comb(told, int(_LEAST * UNIT), most, tables.likelihoods(*errors))

    return Evidence(told, ask(told), errors, ask)


def aliens(told: Told, steps: NDArray[Any], errors: tuple[float, float]) -> NDArray[np.bool_]:
    """Tell which blocks have coefficients (n, 64) that are no multiples of steps, up to errors; all
    are in units of 1 / UNIT. Steps of 1 tell nothing."""
    most, fifth = errors
    square = _ALIEN * (0.8 * most**2 + 0.2 * fifth**2) * UNIT**2
    beside = ((told + steps // 2) % steps - steps // 2)[:, 1:].astype(np.int64)
    found: NDArray[np.bool_] = (beside**2).sum(1) > int(square * beside.shape[1])
    return found
