"""Maps that nobody told are found by what they made."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bitswap_cli.images.formats.lattice.blind import find_map, may_have_map
from bitswap_cli.images.formats.lattice.finder import find
from bitswap_cli.images.formats.lattice.own import OWN
from bitswap_cli.images.formats.lattice.sample import sampled
from bitswap_cli.images.formats.lattice.search import Searcher
from bitswap_cli.images.history import engine
from tests.images.formats.lattice.scenes import WEIGHTS, made, smooth, steps

needs_kernel = pytest.mark.skipif(engine.compiled() is None, reason="no kernel")


@needs_kernel
@settings(max_examples=20, phases=[Phase.generate], deadline=None)  # each takes a tenth of a second
@given(
    st.integers(0, 99), st.sampled_from(WEIGHTS), st.floats(0.85, 1.3), st.booleans(),
    st.floats(0, 20),
)  # fmt: skip
def test_any_matrix_is_found(
    seed: int, weights: tuple[float, float], contrast: float, video: bool, light: float
) -> None:
    """And luma and chroma are the integers that they were, but for a whole number."""
    told, matrix = smooth(seed), steps(weights, contrast, video)
    pixels = made(told, matrix, light)
    colours = sampled(pixels, 40_000)
    assert may_have_map(colours.inside)
    kernel = engine.compiled()
    assert kernel is not None
    found = find_map(Searcher(kernel), colours)
    assert found is not None and found.on > 0.97 * len(colours.within)
    seen = Searcher(kernel).triples(found.map, pixels)
    different = seen.planes[:, seen.known == 1].astype(int) - told[:, seen.known == 1]
    usual = np.median(different, axis=1, keepdims=True)
    assert (different == usual).mean() > 0.98


@needs_kernel
def test_a_whole_picture_is_told_by_it() -> None:
    pixels = made(smooth(3), steps(WEIGHTS[2], 1, True), 0.5)
    found = find(pixels)
    assert found is not None and found.map.name == OWN
    assert abs(int(found.chroma.mean()) - 128) < 20


@needs_kernel
def test_others_are_not() -> None:
    """Colours of any integers, and a map's after other rounding, by more than it makes."""
    told, matrix = smooth(4), steps(WEIGHTS[2], 1, True)
    pixels = made(told, matrix, 0)
    noise = np.random.default_rng(1).integers(-2, 3, pixels.shape)
    blurred = (pixels.astype(int) + noise).clip(1, 254).astype(np.uint8)
    smaller = pixels[:200, :200].copy()  # too small to be asked
    for own in (blurred, smaller, np.roll(pixels, 7, 1) // 2 + pixels // 2):
        assert find(np.ascontiguousarray(own)) is None
    assert not may_have_map(sampled(blurred, 40_000).inside)
    assert not may_have_map(sampled(pixels, 40_000).inside[:900])
