"""Training tiles: what a recipe names, in the same order on every run, in other worlds or not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bitswap_cli.errors import InputError, ModelError
from bitswap_models.training import augment
from bitswap_models.training.data import (
    RENEWAL,
    Sampler,
    Source,
    cells,
    images,
    photographs,
    sources_of,
)


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [128 + 90 * np.sin(y / rng.uniform(3, 9) + x / rng.uniform(3, 9)) for _ in range(3)]
    return (np.stack(waves, -1) + rng.normal(0, 3, (height, width, 3))).clip(0, 255).astype("u1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "sheets").mkdir()
    for k, shape in enumerate([(40, 60), (90, 50), (64, 64)]):
        Image.fromarray(photo(*shape, k)).save(tmp_path / "photos" / f"p{k}.png")
    Image.fromarray(photo(48, 48)).save(tmp_path / "sheets" / "a-0009.png")
    return tmp_path


def sampler(root: Path, channels: int = 3, seed: int = 0, **options: Any) -> Sampler:
    sources = [Source("sheets", weight=0.3, cell=16), Source("photos", "photos", 0.7)]
    settings: dict[str, Any] = {
        "margin": 3,
        "flip": True,
        "gray": 0.1 * (channels == 3),
        "vary": 0.8,
        **options,
    }
    return Sampler(root, sources, 12, channels, seed=seed, **settings)


@pytest.mark.parametrize("tables", [[], [{"folder": "a", "weight": 0}]])
def test_sources_of_no_weight_are_refused(tables: list[dict[str, Any]]) -> None:
    with pytest.raises(ModelError, match="not all may have a weight of 0"):
        sources_of(tables)
    assert sources_of([*tables, {"folder": "b"}])[-1] == Source("b")


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_have_margins_and_say_who_may_see_them(root: Path, channels: int) -> None:
    drawn = sampler(root, channels)
    tiles, bordered = drawn.batch(64)
    assert tiles.shape == (64, 15, 18, channels) and tiles.dtype == np.uint8
    sheet = (tiles[:, :3] == 0).all((1, 2, 3)) & (tiles[:, :, :3] == 0).all((1, 2, 3))
    assert sheet.any() and bordered[sheet].all() and not bordered.all()


def test_the_pool_depends_on_the_number_of_renewals_only(root: Path) -> None:
    stepwise, at_once = sampler(root), sampler(root)
    for count in range(3, 14):
        stepwise.renew(count)
    at_once.renew(13)
    pairs = zip(stepwise.varied, at_once.varied, strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    other = sampler(root, seed=1)
    other.renew(13)
    assert not all(map(np.array_equal, other.varied, at_once.varied))
    assert RENEWAL > 0


def test_photographs_that_are_kept_out_are_never_seen(root: Path) -> None:
    sources = [Source("photos", "photos", without=("p0", "p2"))]
    drawn = Sampler(root, sources, 12, 3, flip=False, gray=0.0, seed=0)
    assert [p.shape[:2] for p in drawn.photos] == [(90, 50)]


def test_unknown_kinds_are_one_clear_line(root: Path) -> None:
    with pytest.raises(ModelError, match="'videos'"):
        Sampler(root, [Source("photos", "videos")], 12, 3, flip=False, gray=0.0, seed=0)


@pytest.mark.parametrize("seed", range(12))
def test_other_worlds_are_pictures_of_the_same_kind(seed: int) -> None:
    world = augment.variant(photo(70, 90), np.random.default_rng(seed), 38)
    assert world.dtype == np.uint8 and world.shape[2] == 3 and min(world.shape[:2]) >= 38
    again = augment.variant(photo(70, 90), np.random.default_rng(seed), 38)
    assert np.array_equal(world, again)


@pytest.mark.parametrize("shape", [(16, 16), (17, 15)])
def test_chroma_keeps_gray_gray_and_photographs_near(shape: tuple[int, int]) -> None:
    level = np.repeat(photo(*shape)[:, :, :1], 3, -1)
    colour = photo(*shape).astype(int)
    for seed in range(12):
        gray = augment.through_chroma(level, np.random.default_rng(seed))
        assert np.abs(gray.astype(int) - level).max() <= 1
        assert gray.shape == level.shape and (np.ptp(gray.astype(int), -1) <= 1).all()
        back = augment.through_chroma(photo(*shape), np.random.default_rng(seed))
        assert np.abs(back - colour).mean() < 40


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_pictures_of_other_channels_are_none_to_train_on(root: Path, channels: int) -> None:
    for read in (
        lambda: images(root, channels),
        lambda: cells(root / "sheets", 16, channels),
        lambda: photographs(root / "photos", (), 32, channels, (0, 1)),
    ):
        with pytest.raises(InputError, match="1 or 3 channels"):
            read()
