"""Luma and chroma of pictures are found, and of no others."""

import numpy as np
import pytest

from bitswap_cli.images.formats.lattice import finder
from bitswap_cli.images.formats.lattice.finder import Found, find
from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map
from bitswap_cli.images.formats.lattice.own import LIKELY, own_map
from bitswap_cli.images.history import engine
from bitswap_cli.images.orientation import turn
from tests.images.formats.lattice.scenes import WAYS, Plane, picture, planes, smooth_pictures
from tests.images.history.jpegs import scene

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
COLOURED = [(used, how) for used, how in WAYS if how != Chroma.NONE]
NAMES = [f"{used.name}-{how.name}" for used, how in COLOURED]


def made(found: Found) -> Plane:
    """What was found, as colours."""
    return picture(found.map, found.how, [found.luma, *found.chroma])


@needs_kernel
@pytest.mark.parametrize(("used", "how"), COLOURED, ids=NAMES)
def test_luma_and_chroma(used: Map, how: Chroma) -> None:
    told = planes(how, 120, 160)
    pixels = picture(used, how, told)
    found = find(pixels)
    assert found is not None and (found.how, found.orientation) == (how, 0)
    assert np.array_equal(made(found), pixels)
    for plane, own in zip([found.luma, *found.chroma], told, strict=True):
        assert np.array_equal(plane, own)


@needs_kernel
@pytest.mark.parametrize(("used", "how"), COLOURED, ids=NAMES)
def test_colours_at_an_end_of_their_range(used: Map, how: Chroma) -> None:
    pixels = picture(used, how, planes(how, 120, 160, 100))
    ends = ((pixels == 0) | (pixels == 255)).any(2)
    assert ends.mean() > 0.01
    found = find(pixels)
    assert found is not None and found.how == how
    wrong = np.not_equal(made(found), pixels).any(2)
    assert wrong.mean() < 0.3 * ends.mean()


@needs_kernel
@pytest.mark.parametrize("orientation", range(4))
def test_mirrored_pictures(orientation: int) -> None:
    used, how = MAPS[0], Chroma.BETWEEN
    pixels = turn(picture(used, how, planes(how, 96, 128)), orientation)
    found = find(pixels)
    assert found is not None and (found.how, found.orientation) == (how, orientation)
    assert np.array_equal(made(found), turn(pixels, orientation))


@needs_kernel
@pytest.mark.parametrize("used", [MAPS[0], MAPS[5]], ids=lambda used: used.name)
@pytest.mark.parametrize(("height", "width"), [(97, 128), (96, 127), (97, 127)])
def test_odd_sides(used: Map, height: int, width: int) -> None:
    for how in used.ways:
        pixels = picture(used, how, planes(how, height, width))
        found = find(pixels)
        assert found is not None and found.how == how
        assert np.array_equal(made(found), pixels)


@needs_kernel
@pytest.mark.parametrize(("name", "pixels"), smooth_pictures().items(), ids=smooth_pictures())
def test_chroma_that_was_interpolated(name: str, pixels: Plane) -> None:
    found = find(pixels)
    assert found is not None and (found.how, found.map.name) == (Chroma.SMOOTH, "own-map")
    wrong = np.not_equal(made(found), pixels).any(2)
    ends = ((pixels == 0) | (pixels == 255)).any(2)
    assert (ends.mean() > 0.02) == (name == "ends")
    assert wrong.mean() < 0.15 * ends.mean() + 0.001


@needs_kernel
@pytest.mark.parametrize("number", range(len(LIKELY)))
def test_small_pictures_by_likely_maps(number: int) -> None:
    used = own_map(LIKELY[number])
    pixels = picture(used, Chroma.SMOOTH, planes(Chroma.SMOOTH, 120, 160))
    found = find(pixels)
    assert found is not None and (found.map.told, found.how) == (used.told, Chroma.SMOOTH)
    assert np.not_equal(made(found), pixels).any(2).mean() < 0.001


@needs_kernel
def test_what_was_painted_over_stays_wrong() -> None:
    used, how = MAPS[0], Chroma.BETWEEN
    pixels = picture(used, how, planes(how, 128, 128))
    pixels[30:50, 40:70] = scene(20, 30, 5)
    found = find(pixels)
    assert found is not None and found.how == how
    inside = np.zeros((128, 128), np.bool_)
    inside[29:51, 39:71] = True
    assert np.array_equal(made(found)[~inside], pixels[~inside])


@needs_kernel
def test_gray_pictures_of_three_channels() -> None:
    pixels = np.repeat(scene(64, 64, gray=True), 3, 2)
    pixels[3:8, 5:20] = 5, 6, 7
    found = find(pixels)
    assert found is not None and (found.map.name, found.how) == ("gray", Chroma.NONE)
    assert np.array_equal(found.luma, pixels[..., 1])
    pixels[:40:2, :30] = 5, 6, 7
    assert find(pixels) is None


@needs_kernel
def test_no_others() -> None:
    rng = np.random.default_rng(3)
    assert find(scene(128, 160)) is None
    assert find(rng.integers(0, 256, (64, 64, 3), np.uint8)) is None
    assert find(picture(MAPS[1], Chroma.FULL, planes(Chroma.FULL, 8, 300))) is None
    few = rng.integers(0, 200, (4, 3), np.uint8)
    assert find(few[rng.integers(0, 4, (90, 90))]) is None


def test_nothing_is_found_without_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "compiled", lambda: None)
    assert find(picture(MAPS[1], Chroma.FULL, planes(Chroma.FULL, 64, 64))) is None
