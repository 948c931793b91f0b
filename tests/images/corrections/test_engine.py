"""Corrections come back, from either engine by the same words; damage is seen, or bounded."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.corrections import engine, reference
from bitswap_cli.images.corrections.state import Grid

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8], Grid]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Pixels, what was made, and where blocks lie: here and there one off, a patch, or noise."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    height, width = draw(st.integers(1, 27)), draw(st.integers(1, 27))
    shape = height, width, draw(st.sampled_from([1, 3]))
    made = random.integers(0, 256, shape).astype(np.uint8)
    if draw(st.booleans()):
        made[:] = draw(st.sampled_from([0, 7, 255]))
    pixels = made.copy()
    wrong = random.random(shape[:2]) < draw(st.sampled_from([0, 0.02, 0.3, 1]))
    most = draw(st.sampled_from([1, 4, 128]))
    pixels[wrong] += random.integers(-most, most + 1, (wrong.sum(), shape[2])).astype(np.uint8)
    if draw(st.booleans()):
        patch = pixels[height // 3 :, width // 2 :]
        patch[:] = random.integers(90, 110, patch.shape)
    offset, size = st.integers(0, 255), st.integers(1, 2)
    grid = Grid(draw(offset), draw(offset), draw(size), draw(size), draw(st.booleans()))
    return pixels, made, grid


@given(pairs())
@settings(deadline=None, max_examples=25)
def test_engines_give_the_same_words(pair: Pair) -> None:
    pixels, made, grid = pair
    words = reference.encode(pixels, made, grid)
    assert np.array_equal(engine.encode(pixels, made, grid), words)
    assert np.array_equal(engine.decode(words, made, grid), pixels)
    assert np.array_equal(reference.decode(words, made, grid), pixels)


@given(pairs())
@settings(deadline=None)
def test_pixels_come_back(pair: Pair) -> None:
    pixels, made, grid = pair
    words = engine.encode(pixels, made, grid)
    assert np.array_equal(engine.decode(words, made, grid), pixels)


def noise(side: int) -> Pair:
    random = np.random.default_rng(3)
    pixels, made = (random.integers(0, 256, (side, side, 3)).astype(np.uint8) for _ in range(2))
    return pixels, made, Grid(3, 5, 2, 2, True)


@pytest.mark.skipif(engine.compiled() is None, reason="the reference takes minutes")
def test_noise_takes_as_much_room_as_it_needs() -> None:
    pixels, made, grid = noise(250)
    words = engine.encode(pixels, made, grid)
    assert len(words) > 1 << 15
    assert np.array_equal(engine.decode(words, made, grid), pixels)


def test_what_clusters_takes_few_bits() -> None:
    """Two pixels in three of one block, by one more or less: 2 bits for each."""
    random = np.random.default_rng(4)
    made = random.integers(60, 200, (160, 160, 3)).astype(np.uint8)
    pixels = made.copy()
    wrong = random.random((16, 16)) < 0.67
    pixels[80:96, 64:80][wrong] += 1
    words = engine.encode(pixels, made, Grid(0, 0, 2, 2, True))
    assert 32 * len(words) < 3 * wrong.sum() + 250


@pytest.mark.parametrize("name", ["c", "reference"])
def test_words_that_do_not_end_with_the_pixels_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "c" and engine.compiled() is None:
        pytest.skip("the kernel is not compiled")
    monkeypatch.setenv("BITSWAP_ENGINE", name)
    pixels, made, grid = noise(6)
    words = engine.encode(pixels, made, grid)
    longer, empty = np.append(words, np.uint32(7)), words[:0]
    for own, other in ((words[:-1], made), (longer, made), (empty, made), (words, made[:, :3])):
        with pytest.raises(ArchiveError, match="malformed"):
            engine.decode(own, np.ascontiguousarray(other), grid)


@given(pairs(), st.data())
@settings(deadline=None)
def test_damage_is_an_error_or_other_pixels(pair: Pair, data: st.DataObject) -> None:
    pixels, made, grid = pair
    words = engine.encode(pixels, made, grid)
    words[data.draw(st.integers(0, len(words) - 1))] ^= 1 << data.draw(st.integers(0, 31))
    with suppress(ArchiveError):
        assert not np.array_equal(engine.decode(words, made, grid), pixels)


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_ENGINE", "fortran")
    with pytest.raises(InputError, match="choose c or reference"):
        engine.encode(*noise(2))
