"""Bands cover a picture once, in order, and are as large as they may be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.coefficients import Component, Frame
from bitswap_cli.images import bands

STEPS = np.ones(64, np.int32)
FACTORS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4)


def frame_of(rows: int, columns: int, factors: list[tuple[int, int]]) -> Frame:
    return [Component(rows * down, columns * across, (1, 1), STEPS) for down, across in factors]


@given(st.integers(1, 40), st.integers(1, 9), FACTORS, st.integers(1, 200))
def test_bands_cover_a_picture(
    rows: int, columns: int, factors: list[tuple[int, int]], most: int
) -> None:
    frame = frame_of(rows, columns, factors)
    picture = [np.arange(c.rows * c.columns * 64).reshape(c.rows, c.columns, 64) for c in frame]
    strips = math.gcd(*(c.rows for c in frame))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BLOCKS", most)
        found = bands.bands(frame)
        cuts = list(bands.cut([x.astype(np.int16) for x in picture], found))
        spans = bands.together(found)
    for place, x in enumerate(picture):
        joined = np.concatenate([cut[place] for cut in cuts])
        assert np.array_equal(joined, x.astype(np.int16))
    shapes = [[x.shape[:2] for x in cut] for cut in cuts]
    assert shapes == [[(c.rows, c.columns) for c in band] for band in found]
    for band in found:
        assert bands.blocks_of(band) <= max(most, bands.blocks_of(frame) // strips)
    assert [k for span in spans for k in range(span.start, span.stop)] == list(range(len(found)))


@given(st.lists(st.integers(1, 30), max_size=30))
def test_as_many_are_coded_together_as_may_be(sizes: list[int]) -> None:
    frames = [frame_of(size, 1, [(1, 1)]) for size in sizes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BLOCKS", 20)
        spans = bands.together(frames)
    for span in spans:
        own = sum(sizes[span])
        assert own <= 20 or span.stop - span.start == 1
        assert span.stop == len(sizes) or own + sizes[span.stop] > 20
    whole = [k for span in spans for k in range(span.start, span.stop)]
    assert whole == list(range(len(sizes)))


def test_estimates_grow_with_coefficients() -> None:
    few, many = np.zeros((2, 4, 5, 64), np.int16)
    few[0, 0, :3] = 1
    many[:, :, :9] = 40
    assert 0 < bands.estimate([few]) < 10 < bands.estimate([many]) < bands.estimate([many, few])
