"""Corrections lead from what was made to what was there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections.columns import corrected, corrections


@given(st.data())
def test_corrections(data: st.DataObject) -> None:
    channels = data.draw(st.sampled_from([1, 3]))
    shape = (*data.draw(array_shapes(min_dims=2, max_dims=2, max_side=9)), channels)
    sparse = st.integers(0, 255) | st.just(7)
    pixels, made = (data.draw(arrays(np.uint8, shape, elements=sparse)) for _ in range(2))
    told = corrections(pixels, made)
    assert np.array_equal(corrected(made, told), pixels)


def test_corrections_outside_of_a_picture() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[3, 4] = 1
    told = corrections(pixels, np.zeros_like(pixels))
    for other in (np.zeros((4, 4, 3), np.uint8), np.zeros((19, 1, 3), np.uint8)):
        with pytest.raises(ArchiveError, match="malformed"):
            corrected(other, told)
    with pytest.raises(ArchiveError, match="malformed"):
        corrected(pixels, told[1:])
