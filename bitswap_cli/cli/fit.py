"""``bitswap compress --fit``: a model is fitted to the pictures, and goes with the archive."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from bitswap_cli.cli.common import Console, stderr_is_terminal
from bitswap_cli.cli.table import human_size
from bitswap_cli.errors import InputError

if TYPE_CHECKING:
    from bitswap_cli.archive.format.sections import Header
    from bitswap_cli.archive.writing.material import Material
    from bitswap_cli.coding import TileModel
    from bitswap_cli.coding.chunk import ChunkCodec
    from bitswap_cli.contract import Tiles
    from bitswap_models.families.pixel_vae.model import PixelVAE
    from bitswap_models.fitting.fit import Outcome, Progress

    Start = tuple[ChunkCodec, Header]
    Outcomes = dict[int, tuple[PixelVAE, Outcome]]
    _Shown = Callable[[str, float | None, Progress], None]

DEFAULT = "5m"
PACES = (0.5, 2.0)  # other rates of fitting, in that of models/fitting.py
LONG = (10.0, 400)  # seconds and steps in which a model shows what it can become
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class _Trial(NamedTuple):
    """What came of fitting a model at one rate for a share of the time."""

    start: "Start"
    found: "Material"
    pace: float
    outcomes: "Outcomes"
    size: float
    """Bytes."""


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A length of time such as 90s, 10m or 1.5h, in seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse it."""
        match = _DURATION.fullmatch(value)
        if not match:
            self.fail(f"{value!r} is no duration such as 90s, 10m or 1h", param, ctx)
        return float(match.group(1)) * _SECONDS[match.group(2)]


class FitCommand(click.Command):
    """A command whose ``--fit`` takes the next word only if that is a duration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give ``--fit`` its default where no duration follows."""
        given = list(args)
        options = args.index("--") if "--" in args else len(args)
        for at in range(options):
            if args[at] == "--fit":
                following = args[at + 1] if at + 1 < options else ""
                if not _DURATION.fullmatch(following):
                    given[at] = f"--fit={DEFAULT}"
        return super().parse_args(ctx, given)


def fit(
    console: Console,
    starts: "Sequence[Start]",
    sources: Sequence[str],
    *,
    seconds: float | None,
    steps: int | None,
    threads: int,
    save: Path | None,
) -> "Start":
    """Fit the models of a codec to the pictures of sources; return their codec and header.

    There is a model for the pictures that the codec takes as it is, and one for each number of
    channels of wide pictures; they share the time by their samples. Where fitting does not pay, the
    model stays as it is.

    Parameters
    ----------
    console : Console
    starts : sequence of (ChunkCodec, Header)
        Of the models to start from, as `encoders` gives them; the codecs know how they grow. Each
        of several is fitted for a while, and so is the best one at other rates; what then takes the
        fewest bytes is fitted for the rest of the time.
    sources : sequence of str
    seconds, steps : number, optional
        How long; `steps`, of each model, if both are given.
    threads : int
    save : Path, optional
        Write the fitted model, that of most samples, to this file.

    Raises
    ------
    InputError
        If the model is of a kind that cannot be fitted, or there are no pictures for it.
    """
    from bitswap_cli.archive.format.sections import Fitted
    from bitswap_cli.archive.writing.material import material
    from bitswap_cli.coding import tile_codec
    from bitswap_models.stored import model_file, revision

    started = time.monotonic()
    with _watch(console) as (shown, stopped):
        run = partial(_fit_groups, threads=threads, shown=shown, stopped=stopped)
        trials = _race(console, starts, sources, seconds, steps, run, stopped)
        best = min(trials, key=lambda trial: trial.size) if trials else None
        codec, header = best.start if best else starts[0]
        if best and stopped():
            found, outcomes = best.found, best.outcomes
        else:
            found = _material(codec, header, material(sources, codec, threads=threads))
            again = partial(_again, codec, sources, threads) if found.oriented else None
            left = seconds and seconds - len(trials) * _share(seconds, LONG[0])
            outcomes = run("fit", codec, found, left, steps, again, best.pace if best else 1.0)
    models: dict[int, PixelVAE] = {}
    fitted: list[Fitted] = []
    for channels, (base, outcome) in outcomes.items():
        model = outcome.model if outcome.saved > 0 else base
        if model is not base or channels != codec.channels:
            fitted.append(Fitted(channels, 0, 0, revision.encode(base, model)))
            models[channels] = model
    if save is not None:
        recipe = f'fitted = "{header.model} {header.sha256}"\n'
        recipe += f"seconds = {time.monotonic() - started:.0f}\n"
        most = max(found.groups, key=lambda channels: found.groups[channels].samples)
        model_file.write(outcomes[most][1].model, save, recipe=recipe, metrics={})
    header = header._replace(
        fitted=tuple(sorted(fitted)), wide=header.wide or found.wide, oriented=found.oriented
    )
    main = models.get(codec.channels, codec.model)
    return tile_codec(main, codec.name, codec.model.batch or 64, models.get), header


def _race(
    console: Console,
    starts: "Sequence[Start]",
    sources: Sequence[str],
    seconds: float | None,
    steps: int | None,
    run: "Callable[..., Outcomes]",
    stopped: Callable[[], bool],
) -> list[_Trial]:
    """Fit each start for a while, and the one that takes the fewest bytes at other rates, unless
    the time is too short for that.

    A larger model codes better, but a smaller one is fitted faster; a higher rate goes further, but
    leaves more differences to code. Which one wins depends on the pictures, on how many there are,
    and on the time.
    """
    from bitswap_cli.archive.writing.material import material

    share = None if seconds is None else _share(seconds, LONG[0])
    part = None if steps is None else int(_share(steps, LONG[1]))
    enough = (share or 0) >= LONG[0] if part is None else part >= LONG[1]
    trials: list[_Trial] = []

    def attempt(start: "Start", found: "Material", pace: float) -> _Trial:
        codec, header = start
        what = f"{header.model} at {pace:g} times the rate" if pace != 1 else header.model
        outcomes = run(f"try {what}", codec, found, share, part, None, pace)
        size = sum(outcome.size for _, outcome in outcomes.values())
        console.note(f"model {what}, fitted for a while, comes to about {size:,.0f} bytes")
        trials.append(_Trial(start, found, pace, outcomes, size))
        return trials[-1]

    for start in starts if enough or len(starts) > 1 else ():
        found = material(sources, start[0])
        # one that takes other pictures would keep some as files
        if not trials or found.samples == trials[0].found.samples:
            attempt(start, _material(*start, found), 1.0)
    if trials and enough:
        best = min(trials, key=lambda trial: trial.size)
        for pace in PACES:
            if stopped() or attempt(best.start, best.found, pace).size < best.size:
                break
    return trials


def _share(whole: float, long: float) -> float:
    """What one trial takes of a time: a sixteenth, or less, down to half of that, where that is
    `long` enough."""
    return min(whole / 16, max(long, whole / 32))


def _material(codec: "ChunkCodec", header: "Header", found: "Material") -> "Material":
    """What a codec is fitted to, if it can be and there is anything."""
    from bitswap_models.families import register

    if register.family_of(codec.model).fit is None:
        kinds = ", ".join(register.names(lambda family: family.fit))
        raise InputError(f"--fit needs a model of kind {kinds}, which {header.model} is not")
    if not found.groups:
        raise InputError(f"--fit: there is no picture that the model {header.model} codes")
    return found


def _fit_groups(
    what: str,
    codec: "ChunkCodec",
    found: "Material",
    seconds: float | None,
    steps: int | None,
    again: "Callable[[int, PixelVAE], list[Tiles]] | None" = None,
    pace: float = 1.0,
    *,
    threads: int,
    shown: "_Shown | None",
    stopped: Callable[[], bool],
) -> "Outcomes":
    """Fit the model of each number of channels; return what it was and what it became."""
    from bitswap_cli.contract import Tiles
    from bitswap_models.families.register import family_of

    outcomes: Outcomes = {}
    shares = {c: max(group.samples, found.samples / 10) for c, group in found.groups.items()}
    for channels, group in sorted(found.groups.items(), key=lambda item: item[1].samples):
        own = codec.of(channels)
        if own is None:
            raise TypeError("material is of pictures that the codec takes")
        label = f"{what} {channels} channels" if len(shares) > 1 else what
        part = None if seconds is None else seconds * shares[channels] / sum(shares.values())
        fitting = family_of(own.model).fitting()
        outcome = fitting.fit(
            own.model, [Tiles(*t) for t in group.tiles], group.samples,
            seconds=part, steps=steps, rate=pace * fitting.RATE, threads=threads,
            again=again and partial(again, channels),
            progress=shown and partial(shown, label, part), stopped=stopped,
        )  # fmt: skip
        outcomes[channels] = cast("PixelVAE", own.model), outcome
    return outcomes


def _again(
    codec: "ChunkCodec", sources: Sequence[str], threads: int, channels: int, model: "PixelVAE"
) -> "list[Tiles]":
    """The tiles of a codec's pictures of so many channels, as a model of these codes them best."""
    from bitswap_cli.archive.writing.material import material
    from bitswap_cli.coding import tile_codec
    from bitswap_cli.contract import Tiles

    def family(others: int) -> "TileModel | None":
        found = codec.of(others)
        grown = None if found is None else found.model
        return model if others == channels else grown

    own = model if channels == codec.channels else codec.model
    laid = tile_codec(own, codec.name, codec.model.batch or 64, family)
    groups = material(sources, laid, threads=threads, only=channels).groups
    return [Tiles(*tiles) for group in groups.values() for tiles in group.tiles]


@contextmanager
def _watch(console: Console) -> "Iterator[tuple[_Shown | None, Callable[[], bool]]]":
    """Yield what shows how far fitting is, if anybody looks, and what tells whether it was
    interrupted.

    A second interrupt ends the program as ever.
    """
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, before)
        if not console.quiet:
            click.echo("bitswap: fitting ends here; interrupt again to give up", err=True)

    live = stderr_is_terminal() and not console.quiet

    def show(label: str, seconds: float | None, progress: "Progress") -> None:
        left = "" if seconds is None else f", {seconds * (1 - progress.done):.0f} s left"
        saved = human_size(max(0, round(progress.saved)))
        text = f"{label}: {progress.rate:.3f} bpd, {saved} saved so far{left}"
        text += " (Ctrl-C: compress now)"
        if live:
            click.echo(f"\r\033[K{text}", err=True, nl=False)
        else:
            console.note(text)

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, stop)
        yield show if live or console.verbose else None, lambda: stopped
    finally:
        signal.signal(signal.SIGINT, before)
        if live:
            click.echo("\r\033[K", err=True, nl=False)
