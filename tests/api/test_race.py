"""Models and rates are tried for a while, and what then takes the fewest bytes goes on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api.codecs.tiles import Start, named
from bitswap_cli.api.fit import fit
from bitswap_cli.api.race import Fitter, Outcomes, share
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.material import Material
from bitswap_cli.coding import ChunkCodec
from bitswap_cli.errors import InputError
from bitswap_models import zoo
from bitswap_models.families.pixel_vae.model import PixelVAE
from bitswap_models.fitting.fit import Outcome
from tests.api.conftest import waves

pytestmark = pytest.mark.skipif(
    not {"gray", "photo", "thumbs"} <= set(zoo.embedded()), reason="models are not installed"
)


@pytest.fixture(scope="module")
def starts() -> list[Start]:
    """Two that take the pictures, and one that would keep them as files."""
    names = (("photo", True), ("thumbs", True), ("gray", False))
    return [named(name, None, 64, fitting=fitting) for name, fitting in names]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("sources") / "pictures"
    folder.mkdir()
    for seed in range(3):
        Image.fromarray(waves(200, 200, seed)).save(folder / f"{seed}.ppm")
    return Catalogue([folder], wide=True)


class Scripted(Fitter):
    """Fits nothing, but says what it would come to, and keeps what it was asked."""

    sizes: dict[float, float] = {}
    calls: list[tuple[object, ...]] = []

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
        self.calls.append((stage, seconds, steps, pace))
        size = 20.0 if "photo" in stage else self.sizes.get(pace, 10.0)
        assert isinstance(codec.model, PixelVAE)
        return {3: (codec.model, Outcome(codec.model, 0.0, size))}


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize(
    "seconds, sizes, paces, left",
    [
        (80.0, {}, [], 70.0),  # too short to tell rates apart
        (160.0, {0.5: 9.0}, [0.5], 130.0),
        (640.0, {}, [0.5, 2.0], 560.0),
        (None, {2.0: 9.0}, [0.5, 2.0], None),
    ],
)
def test_the_best_goes_on(
    pictures: Catalogue,
    starts: list[Start],
    monkeypatch: pytest.MonkeyPatch,
    stopped: bool,
    seconds: float | None,
    sizes: dict[float, float],
    paces: list[float],
    left: float | None,
) -> None:
    """An interrupt keeps what came of it so far."""
    monkeypatch.setattr(Scripted, "sizes", sizes)
    monkeypatch.setattr(Scripted, "calls", [])
    steps = 6400 if seconds is None else None
    fitter = Scripted(pictures, stopped=lambda: stopped)
    assert fit(starts, fitter, seconds=seconds, steps=steps).model.name == "thumbs"
    part = (seconds and {80.0: 5.0, 160.0: 10.0, 640.0: 20.0}[seconds], steps and 400)
    tried = [("try photo", *part, 1.0), ("try thumbs", *part, 1.0)]
    if stopped:
        assert fitter.calls == tried
    else:
        tried += [(f"try thumbs at {pace:g} times the rate", *part, pace) for pace in paces]
        assert fitter.calls[:-1] == tried
        assert fitter.calls[-1] == ("fit", left, steps, next(iter(sizes), 1.0))


def test_what_a_trial_takes() -> None:
    assert share(80, 10) == 5
    assert share(240, 10) == 10
    assert share(640, 10) == 20


def test_what_cannot_be_fitted(pictures: Catalogue, starts: list[Start], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pixel_vae"):
        fit([named("natural32", None, 64)], Fitter(pictures), steps=1)
    (tmp_path / "a.txt").write_text("no picture")
    with pytest.raises(InputError, match="no picture"):
        fit(starts[:1], Fitter(Catalogue([tmp_path / "a.txt"], wide=True)), steps=1)


def test_models_that_do_not_pay_are_taken_only_where_they_always_are(
    pictures: Catalogue, starts: list[Start], tmp_path: Path
) -> None:
    plain = fit(starts[:1], Fitter(pictures), steps=1)
    assert (plain.codec.model, plain.header) == (starts[0].codec.model, starts[0].header)
    shown: list[object] = []
    own = fit(
        starts[:1], Fitter(pictures, shown=shown.append), steps=1, always=True,
        save=tmp_path / "own.safetensors",
    )  # fmt: skip
    assert own.codec.model is not starts[0].codec.model
    assert [fitted.channels for fitted in own.model.fitted] == [3]
    saved = named(str(tmp_path / "own.safetensors"), None, 64).codec
    tiles = np.zeros((2, 32, 32, 3), np.uint8)
    sizes = np.full((2, 3), (32, 32, 3), np.int32)
    assert saved.encode(tiles, sizes, b"").words == own.codec.encode(tiles, sizes, b"").words
