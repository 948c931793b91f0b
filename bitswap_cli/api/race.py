"""Fitting models to the pictures of a catalogue, and a race of them for who goes on.

A larger model codes better, but a smaller one is fitted faster; a higher rate goes further, but
leaves more differences to code. Which one wins depends on the pictures, on how many there are, and
on the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from bitswap_cli.api.arguments import Notes, ignore
from bitswap_cli.api.codecs.tiles import Start
from bitswap_cli.api.coded import Measure
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.material import Material, material
from bitswap_cli.coding import ChunkCodec, TileModel, tile_codec
from bitswap_cli.contract import Tiles
from bitswap_cli.errors import InputError
from bitswap_models.exact.model import ExactModel
from bitswap_models.families import register
from bitswap_models.families.register import family_of

PACES = (0.5, 2.0)  # other rates of fitting, in that of bitswap_models.fitting
LONG = (10.0, 400)  # seconds and steps in which a model shows what it can become

Outcomes = dict[int, tuple[ExactModel, Any]]
"""By the channels of pictures: a model, and what became of it."""


class NothingToFit(InputError):
    """There are no pictures that a model could be fitted to."""


class FitProgress(NamedTuple):
    """How far fitting has come."""

    stage: str
    """What is being fitted."""
    rate: float
    """Bits/dim of some of the pixels, and of their latents."""
    saved: float
    """How many bytes fewer all pictures take so far than under the model unfitted, those of the
    fitted model counted. The archive may save less: some may take fewer in another way."""
    done: float
    """Share of this stage's time, 0..1."""
    left: float | None
    """Seconds that are left of this stage, if it goes by the clock."""


@dataclass(frozen=True)
class Fitter:
    """Fits models to the pictures of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        One of wide pictures.
    threads : int
        They change the speed, and no integer where steps say how long.
    notes : callable
        Told how the race goes.
    shown : callable, optional
        Called with a `FitProgress` every few seconds.
    stopped : callable
        Asked before every step; fitting ends with what there is when it returns True.
    drawn : bool
        Whether drawn pictures are fitted to, too: those that no other model will code.
    """

    catalogue: Catalogue
    threads: int = 1
    notes: Notes = ignore
    shown: Callable[[FitProgress], None] | None = None
    stopped: Callable[[], bool] = lambda: False
    drawn: bool = True

    def fit(
        self,
        stage: str,
        codec: ChunkCodec,
        found: Material,
        seconds: float | None,
        steps: int | None,
        pace: float,
        *,
        turning: bool = False,
    ) -> Outcomes:
        """Fit the model of each number of channels; they share the time by their samples.

        Parameters
        ----------
        stage : str
            What is said of it.
        codec : ChunkCodec
        found : Material
            Its pictures.
        seconds, steps : number, optional
            How long; `steps`, of each model, if both are given.
        pace : float
            Rate, in that of bitswap_models.fitting.
        turning : bool
            Lay small pictures anew on the way.
        """
        outcomes: Outcomes = {}
        shares = {
            c: max(portion.samples, found.samples / 10) for c, portion in found.portions.items()
        }
        for channels, portion in sorted(found.portions.items(), key=lambda item: item[1].samples):
            own = codec.of(channels)
            if own is None:
                raise TypeError("material is of pictures that the codec takes")
            label = f"{stage} {channels} channels" if len(shares) > 1 else stage
            part = None if seconds is None else seconds * shares[channels] / sum(shares.values())
            fitting = family_of(own.model).fitting()
            coded = Measure(portion, codec.name, codec.model.batch or 64)
            outcome = fitting.fit(
                own.model, [Tiles(*t) for t in portion.tiles], portion.samples,
                seconds=part, steps=steps, rate=pace * fitting.RATE, threads=self.threads,
                again=partial(self._laid, codec, channels, coded) if turning else None, coded=coded,
                progress=self.shown and partial(self._show, label, part), stopped=self.stopped,
            )  # fmt: skip
            outcomes[channels] = cast(ExactModel, own.model), outcome
        return outcomes

    def material(
        self, codec: ChunkCodec, *, turning: bool = False, only: int | None = None
    ) -> Material:
        """Return the pictures that a codec is fitted to, see `material`; small ones turned, if they
        may be."""
        threads = self.threads if turning else 0
        return material(self.catalogue, codec, threads=threads, only=only, drawn=self.drawn)

    def _show(self, label: str, seconds: float | None, progress: Any) -> None:
        left = None if seconds is None else seconds * (1 - progress.done)
        if self.shown:
            self.shown(FitProgress(label, progress.rate, progress.saved, progress.done, left))

    def _laid(
        self, codec: ChunkCodec, channels: int, coded: Measure, model: ExactModel
    ) -> list[Tiles]:
        """The tiles of a codec's pictures of so many channels, as a model of these codes them best;
        they are what is `coded` from now on."""

        def family(others: int) -> TileModel | None:
            found = codec.of(others)
            grown = None if found is None else found.model
            return model if others == channels else grown

        own = model if channels == codec.channels else codec.model
        laid = tile_codec(own, codec.name, codec.model.batch or 64, family)
        portion = self.material(laid, turning=True, only=channels).portions.get(channels)
        if portion is None:
            return []
        coded.portion = portion
        return [Tiles(*tiles) for tiles in portion.tiles]


class Trial(NamedTuple):
    """What came of fitting a model at one rate for a share of the time."""

    start: Start
    found: Material
    pace: float
    outcomes: Outcomes
    size: float
    """Bytes."""


def race(
    starts: Sequence[Start], fitter: Fitter, seconds: float | None, steps: int | None
) -> list[Trial]:
    """Fit each start for a while, and the one that takes the fewest bytes at other rates, unless
    the time is too short for that.

    Parameters
    ----------
    starts : sequence of Start
        The codecs know how they grow.
    fitter : Fitter
    seconds, steps : number, optional
        How long all of fitting takes.

    Raises
    ------
    InputError
        See `suited`.
    """
    part = None if seconds is None else share(seconds, LONG[0])
    count = None if steps is None else int(share(steps, LONG[1]))
    enough = (part or 0) >= LONG[0] if count is None else count >= LONG[1]
    trials: list[Trial] = []

    def attempt(start: Start, found: Material, pace: float) -> Trial:
        what = start.model.name
        what = f"{what} at {pace:g} times the rate" if pace != 1 else what
        outcomes = fitter.fit(f"try {what}", start.codec, found, part, count, pace)
        size = sum(outcome.size for _, outcome in outcomes.values())
        fitter.notes(f"model {what}, fitted for a while, comes to about {size:,.0f} bytes")
        trials.append(Trial(start, found, pace, outcomes, size))
        return trials[-1]

    for start in starts if enough or len(starts) > 1 else ():
        found = fitter.material(start.codec)
        # one that takes other pictures would keep some as files
        if not trials or found.samples == trials[0].found.samples:
            attempt(start, suited(start, found), 1.0)
    if trials and enough:
        best = min(trials, key=lambda trial: trial.size)
        for pace in PACES:
            if fitter.stopped() or attempt(best.start, best.found, pace).size < best.size:
                break
    return trials


def share(whole: float, long: float) -> float:
    """What one trial takes of a time: a sixteenth, or less, down to half of that, where that is
    `long` enough."""
    return min(whole / 16, max(long, whole / 32))


def suited(start: Start, found: Material) -> Material:
    """Return what a codec is fitted to.

    Raises
    ------
    InputError
        If its model is of a family that cannot be fitted.
    NothingToFit
        If there are no pictures for it.
    """
    if family_of(start.codec.model).fit is None:
        kinds = ", ".join(register.names(lambda family: family.fit))
        raise InputError(f"--fit needs a model of kind {kinds}, which {start.model.name} is not")
    if not found.portions and found.drawn:
        raise NothingToFit(
            "--fit: all pictures repeat their colours; the model drawn codes them, which learns"
            " while it codes"
        )
    if not found.portions:
        raise NothingToFit(f"--fit: there is no picture that the model {start.model.name} codes")
    return found
