"""IDX files are split into one tall picture; others of their beginning are kept."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.formats.arrays import idx
from bitswap_cli.images.inspection import inspect_exact, rebuild
from tests.images.formats import samples


@given(
    shape=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    behind=st.binary(max_size=9),
    seed=st.integers(0, 99),
)
def test_arrays_of_any_shape_come_back(shape: list[int], behind: bytes, seed: int) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    data = samples.idx(array) + behind
    (picture,) = inspect_exact(data, None)
    assert picture.recipe.kind == "idx" and rebuild(picture.recipe, picture.pixels) == data


def test_pictures_lie_one_below_the_other() -> None:
    array = samples.drawn(60, 9, 1).reshape(5, 12, 9)
    (picture,) = inspect_exact(samples.idx(array), None)
    assert np.array_equal(picture.pixels[..., 0], array.reshape(60, 9))


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">4BI", 0, 0, 8, 1, 9),  # labels
        struct.pack(">4B2I", 0, 0, 13, 2, 3, 3),  # floats
        struct.pack(">4B2I", 0, 0, 8, 2, 3, 200),  # more than there is
        struct.pack(">4B2I", 0, 0, 8, 2, 0, 3),
        struct.pack(">4B4I", 0, 0, 8, 4, *[(1 << 32) - 1] * 4),
        struct.pack(">4BI", 0, 0, 8, 3, 9),
    ],
)
def test_other_files_are_kept(head: bytes) -> None:
    assert not list(inspect_exact(head + bytes(100), None))
    assert idx.layout_of(head[:7]) is None
