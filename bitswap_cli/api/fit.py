"""Models are fitted to the pictures that they are to code, and go with the archive."""

import time
from collections.abc import Sequence
from pathlib import Path

from bitswap_cli.api.codecs.tiles import Start
from bitswap_cli.api.race import LONG, Fitter, Outcomes, race, share, suited
from bitswap_cli.archive.format.header import TURNED, Fitted
from bitswap_cli.archive.writing.material import Material
from bitswap_cli.coding import tile_codec
from bitswap_cli.images.formats.format import WIDE
from bitswap_models.exact.model import ExactModel
from bitswap_models.stored import fitted_model, model_file


def fit(
    starts: Sequence[Start],
    fitter: Fitter,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    save: Path | None = None,
    always: bool = False,
) -> Start:
    """Fit the models of a codec to the pictures of a catalogue; return their codec and header.

    There is a model for the pictures that the codec takes as it is, and one for each number of
    channels of wide pictures; they share the time by their samples. Where fitting does not pay, the
    model stays as it is.

    Parameters
    ----------
    starts : sequence of Start
        To start from; the codecs know how they grow. Each of several is fitted for a while, and so
        is the best one at other rates; what then takes the fewest bytes is fitted for the rest of
        the time.
    fitter : Fitter
    seconds, steps : number, optional
        How long; `steps`, of each model, if both are given.
    save : Path, optional
        Write the fitted model, that of most samples, to this file.
    always : bool
        Take fitted models where they do not pay, too.

    Raises
    ------
    InputError
        If the model is of a family that cannot be fitted.
    NothingToFit
        If there are no pictures for it.
    """
    began = time.monotonic()
    trials = race(starts, fitter, seconds, steps)
    best = min(trials, key=lambda trial: trial.size) if trials else None
    start = best.start if best else starts[0]
    if best and fitter.stopped():
        found, outcomes = best.found, best.outcomes
    else:
        found = fitter.material(start.codec, turning=True)
        left = seconds and seconds - len(trials) * share(seconds, LONG[0])
        pace = best.pace if best else 1.0
        outcomes = fitter.fit(
            "fit", start.codec, suited(start, found), left, steps, pace, turning=found.oriented
        )
    if save is not None:
        recipe = f'fitted = "{start.model.name} {start.model.sha256}"\n'
        recipe += f"seconds = {time.monotonic() - began:.0f}\n"
        most = max(found.portions, key=lambda channels: found.portions[channels].samples)
        model_file.write(outcomes[most][1].model, save, recipe=recipe, metrics={})
    return _fitted(start, found, outcomes, always)


def _fitted(start: Start, found: Material, outcomes: Outcomes, always: bool) -> Start:
    """Codec and header with the models that pay."""
    codec, header = start.codec, start.header
    models: dict[int, ExactModel] = {}
    fitted: list[Fitted] = []
    for channels, (base, outcome) in outcomes.items():
        model = outcome.model if outcome.saved > 0 or always else base
        if model is not base or channels != codec.channels:
            fitted.append(Fitted(channels, 0, 0, fitted_model.encode(base, model)))
            models[channels] = model
    features = header.features | ({WIDE} if found.wide else set())
    features |= {TURNED} if found.oriented else set()
    named = start.model._replace(fitted=tuple(sorted(fitted)))
    main = models.get(codec.channels, codec.model)
    own = tile_codec(main, codec.name, codec.model.batch or 64, models.get)
    return Start((own,), header._replace(models=(named,), features=features))
