"""What fitting says is what the archive takes, kind by kind."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.api import coded
from bitswap_cli.api.codecs.tiles import named
from bitswap_cli.api.coded import Measure
from bitswap_cli.api.compress import compress
from bitswap_cli.api.fit import fit
from bitswap_cli.api.race import FitProgress
from bitswap_cli.archive.sources.catalogue import Catalogue
from bitswap_cli.archive.writing.material import Portion, material
from bitswap_models import zoo
from tests.api.conftest import waves

pytestmark = pytest.mark.skipif(
    not {"photo", "drawn"} <= set(zoo.embedded()), reason="models are not installed"
)
STEPS = 60


def sprite(seed: int) -> np.ndarray:
    """A disc of light that changes slowly, on nothing, (64, 64, 4) uint8."""
    y, x = np.mgrid[:64, :64] - np.random.default_rng(seed).integers(20, 44, (2, 1, 1))
    opaque = np.dstack([waves(64, 64, seed), np.full((64, 64, 1), 255)])
    inside: np.ndarray = np.where((x**2 + y**2 < 700)[..., None], opaque, 0).astype(np.uint8)
    return inside


def repeated(seed: int) -> np.ndarray:
    """A picture that is kept otherwise: zstd makes it smaller than a model of tiles does."""
    return np.tile(np.random.default_rng(seed).integers(0, 256, (8, 8, 4), np.uint8), (8, 8, 1))


def pixel_art(seed: int) -> np.ndarray:
    """Some of a few squares, which pictures that are kept tell each other, (64, 64, 4) uint8."""
    squares = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 4), np.uint8)
    chosen = squares[np.random.default_rng(seed).integers(0, 60, (4, 4))]
    flat: np.ndarray = np.kron(np.block([[[one] for one in row] for row in chosen]), ONES)
    return flat


def icon(seed: int) -> Image.Image:
    """A disc of light in 32 colours."""
    return Image.fromarray(waves(48, 48, seed)).quantize(32)


def screenshot(seed: int) -> np.ndarray:
    """Text on windows of slopes, (80, 96, 3) uint8."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:80, :96]
    slope = (x + 2 * y)[..., None] // 8 + random.integers(0, 200, 3)
    text = np.kron(random.random((20, 48)) < 0.2, np.ones((4, 2), bool))[..., None]
    shown: np.ndarray = np.where(text & (y % 8 < 5)[..., None], 30, slope).astype(np.uint8)
    return shown


def deep(seed: int) -> np.ndarray:
    """A gray photograph of 12 bits, (96, 80) uint16."""
    noise = np.random.default_rng(seed).integers(0, 16, (96, 80))
    return (waves(96, 80, seed)[..., 0].astype(np.uint16) << 4) + noise.astype(np.uint16)


ONES = np.ones((2, 2, 1), np.uint8)
KINDS: dict[str, list[Callable[[int], np.ndarray | Image.Image]]] = {
    "photographs": [lambda seed: waves(96, 80, seed)],
    "gray": [lambda seed: waves(96, 80, seed)[..., 0]],
    "icons": [icon],
    "screenshots": [screenshot],
    "16 bits": [deep],
    "pixel art": [pixel_art],
    "sprites": [sprite],
    "sprites and others": [sprite, repeated],
}


def folder_of(where: Path, kind: str) -> Path:
    where.mkdir()
    for number in range(40 if "sprites" in kind else 20):
        made = KINDS[kind][number % len(KINDS[kind])](number)
        image = made if isinstance(made, Image.Image) else Image.fromarray(made)
        image.save(where / f"{number}.png")
    return where


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_line_is_what_the_archive_takes(tmp_path: Path, kind: str) -> None:
    """And three times the steps make it no larger; where fitting is not worth it, the line does not
    say that it is."""
    folder, told, sizes = folder_of(tmp_path / "in", kind), list[FitProgress](), list[int]()
    for steps in (STEPS, 3 * STEPS) if kind == "sprites" else (STEPS,):
        report = compress(
            folder, tmp_path / "a", model="photo", fit_steps=steps, fitting=told.append,
            verify=False, force=True, threads=2,
        )  # fmt: skip
        assert told[-1].done == 1
        if report.net_bpd is None:
            assert kind in ("pixel art", "screenshots") and report.saved == told[-1].saved == 0
        else:
            assert abs(told[-1].rate / report.net_bpd - 1) < 0.02
        sizes.append(report.bytes_after)
    assert sizes[-1] <= 1.01 * sizes[0]


def test_a_larger_archive_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However fitting went: the archive is as without it, to the byte."""
    folder = folder_of(tmp_path / "in", "pixel art")
    whatever = partial(fit, always=True)
    monkeypatch.setattr("bitswap_cli.api.fit.fit", whatever)
    report = compress(folder, tmp_path / "a", model="photo", fit_steps=1, verify=False)
    assert report.saved == 0 and any("did not pay" in note for note in report.notes)
    compress(folder, tmp_path / "b", model="photo", verify=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def portion_of(folder: Path) -> tuple[Portion, Measure]:
    start = named("photo", None, 64, fitting=True)
    portion = material(Catalogue([folder], wide=True), start.codec).portions[4]
    return portion, Measure(portion, start.codec.name, 64)


def test_some_tell_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that lose count as what they take without the model."""
    portion, measure = portion_of(folder_of(tmp_path / "in", "sprites and others"))
    codec = named("photo", None, 64, fitting=True).codec.of(4)
    assert codec is not None
    rate, size, by_model = measure(codec.model, portion.tiles)
    bits = codec.encode(*portion.tiles[0], b"").bits
    loses = bits / 8 >= portion.limits
    assert loses.any() and not loses.all()
    assert rate == pytest.approx(bits[~loses].mean() / 64**2 / 4)
    assert by_model == pytest.approx(bits[~loses].sum() / 8)
    assert portion.together > np.minimum(bits / 8, portion.limits).sum()
    assert size == pytest.approx(np.minimum(bits / 8, portion.limits).sum())
    monkeypatch.setattr(coded, "_MOST", portion.samples // 2)
    assert measure(codec.model, portion.tiles)[1] == pytest.approx(size, rel=0.2)


def test_drawn_pictures_are_left_to_their_model(tmp_path: Path) -> None:
    (folder := tmp_path / "in").mkdir()
    for seed in range(5):
        squares = np.random.default_rng(seed).integers(0, 256, (9, 9, 4), np.uint8)
        Image.fromarray(np.kron(squares, np.ones((7, 7, 1), np.uint8))).save(folder / f"{seed}.png")
    report = compress(folder, tmp_path / "a", fit_steps=STEPS, verify=False)
    assert any("model drawn" in note for note in report.notes)
    compress(folder, tmp_path / "b", verify=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
