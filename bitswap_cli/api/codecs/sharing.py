"""How models share the pictures of an archive: each genre has one, and few models have them all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from bitswap_cli.archive.format.header import MAX_MODELS

FURTHER = 400  # bytes that one model more costs: in the header twice, and chunks of its own


class View(NamedTuple):
    """What a file can be seen as."""

    genre: str
    costs: Mapping[str, float]
    """Bytes that it takes under models, by their names; none of others can code it."""


class Trial(NamedTuple):
    """A file of a sample."""

    size: float
    """Bytes that it takes without any model."""
    rival: float
    """Likewise, or as it is coded otherwise, whichever takes less."""
    views: Sequence[View]
    weight: float
    """How many times its own bytes it stands for."""

    def cost(self, genres: Mapping[str, str], limit: float) -> float:
        """Return its bytes where genres have these models, but at most a `limit`."""
        own = (view.costs.get(genres[view.genre], limit) for view in self.views)
        return self.weight * min(limit, *own)


class Sharing(NamedTuple):
    """Which models an archive has, and for which pictures."""

    models: list[str]
    """Names; the more bytes of files a model is for, the further in front."""
    genres: dict[str, str]
    """The model of each genre."""


def shared(trials: Sequence[Trial]) -> Sharing:
    """Return the models under which a sample, and what it stands for, takes the fewest bytes.

    Parameters
    ----------
    trials : sequence of Trial
        At least one of them can be coded by a model.
    """
    names = sorted({name for trial in trials for view in trial.views for name in view.costs})
    numbers = range(1, min(len(names), MAX_MODELS) + 1)
    ways = [_genres(trials, some) for n in numbers for some in combinations(names, n)]

    def cost(genres: Mapping[str, str]) -> tuple[float, float]:
        further = FURTHER * (len(set(genres.values())) - 1)
        rival = sum(trial.cost(genres, trial.rival) for trial in trials)
        # where others code all pictures better, the best of the models is named all the same
        return rival + further, sum(trial.cost(genres, trial.size) for trial in trials)

    genres = min(ways, key=cost)
    used = defaultdict[str, float](float)
    for trial in trials:
        best = min(trial.views, key=lambda view: view.costs.get(genres[view.genre], trial.size))
        used[genres[best.genre]] += trial.weight * trial.size
    models = sorted(set(genres.values()), key=lambda name: (-used[name], name))
    return Sharing(models, genres)


def sums(trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Return by genre and model what the files that can be seen so take under it, or without it."""
    found: dict[str, dict[str, float]] = {}
    for trial in trials:
        for view in trial.views:
            own = found.setdefault(view.genre, defaultdict(float))
            for name, cost in view.costs.items():
                own[name] += trial.weight * min(trial.size, cost)
    return found


def _genres(trials: Sequence[Trial], models: Sequence[str]) -> dict[str, str]:
    """Return the best of some models for each genre; the first one where none can code it."""
    return {
        genre: min((own[name], name) for name in models if name in own)[1]
        if own.keys() & set(models)
        else models[0]
        for genre, own in sums(trials).items()
    }
