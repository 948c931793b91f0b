"""Orientations: eight ways to lie, and one way back from each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.orientation import ORIENTATIONS, turn, turn_back, turned_shape

SIDES = st.integers(1, 9)


@given(SIDES, SIDES, st.sampled_from([1, 3, 4]), st.integers(0, ORIENTATIONS - 1))
def test_turning_back_inverts_turning(
    height: int, width: int, channels: int, orientation: int
) -> None:
    pixels = np.arange(height * width * channels).reshape(height, width, channels)
    turned = turn(pixels, orientation)
    assert turned.shape == turned_shape(pixels.shape, orientation)
    assert np.array_equal(turn_back(turned, orientation), pixels)


def test_orientations_are_the_symmetries_of_a_square() -> None:
    square = np.arange(12).reshape(2, 2, 3)
    ways = [turn(square, orientation) for orientation in range(ORIENTATIONS)]
    assert len({way.tobytes() for way in ways}) == ORIENTATIONS
    assert np.array_equal(ways[0], square)
    assert np.array_equal(ways[1], np.fliplr(square))
    assert np.array_equal(ways[2], np.flipud(square))
    assert np.array_equal(ways[4], square.transpose(1, 0, 2))
    closed = {turn(way, orientation).tobytes() for way in ways for orientation in range(8)}
    assert closed == {way.tobytes() for way in ways}
