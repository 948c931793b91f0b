"""Planar pictures behind labels are found, become one tall picture, and come back byte for byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.formats.arrays.labelled import join, split
from bitswap_cli.images.picture import Recipe
from bitswap_cli.images.shown import shown
from tests.images.formats.arrays.test_planar import smooth
from tests.images.formats.proof import pictures
from tests.images.formats.samples import Pixels, planar

MANY = np.concatenate([smooth(32, 32, 3, seed) for seed in range(20)])


def records(classes: tuple[int, ...], pixels: Pixels = MANY, seed: int = 0) -> bytes:
    """A file as CIFAR has them."""
    flat = planar(pixels, 32).reshape(-1, 3072)
    labels = np.random.default_rng(seed).integers(0, classes, (len(flat), len(classes)), np.uint8)
    return np.concatenate([labels, flat], axis=1).tobytes()


@pytest.mark.parametrize("classes", [(10,), (20, 100)])
def test_data_sets_are_seen(classes: tuple[int, ...]) -> None:
    (picture,) = pictures(records(classes))
    assert picture.recipe.kind == "labelled"
    assert np.array_equal(shown(picture), MANY)
    assert len(picture.recipe.description) == 4 + 20 * len(classes)


@pytest.mark.parametrize(
    "data",
    [
        records((10,))[:-1],
        records((10,), MANY[: 32 * 15]),  # few
        b"\x0a" + records((10,))[1:],  # no class
        records((10,), np.random.default_rng(1).integers(0, 256, MANY.shape, np.uint8)),
        b"",
    ],
)
def test_what_is_no_such_set_is_left(data: bytes) -> None:
    assert split(data, "labelled") is None


@given(st.lists(st.integers(0, 70), min_size=4, max_size=4), st.integers(0, 70))
def test_what_does_not_fit_is_refused(numbers: list[int], labels: int) -> None:
    """A hostile recipe ends in one clear error, or makes a file of its pixels and labels."""
    told = b"".join(map(varint, numbers)) + bytes(labels)
    try:
        made = join(Recipe("labelled", b"", b"", told), MANY)
    except ArchiveError as error:
        assert "fit" in str(error)
    else:
        assert len(made) == MANY.size + labels
