"""Planar pictures in arrays are found, become one tall picture, and come back byte for byte."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import varint
from bitswap_cli.images.formats.arrays.planar import planes_in
from bitswap_cli.images.formats.arrays.planes import Planes, of_shape
from bitswap_cli.images.inspection import rebuild
from bitswap_cli.images.shown import shown
from tests.images.formats.proof import pictures
from tests.images.formats.samples import Pixels, array_file, arrays_file, pickled, planar


def smooth(height: int, width: int, channels: int, seed: int = 0) -> Pixels:
    """A picture (H, W, C) whose channels are about the same."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[:height, :width]
    slopes = rng.uniform(1, 4, 2)
    waves = np.sin(rows / slopes[0] + seed) + np.cos(columns / slopes[1])
    gray = 120 + 50 * waves[..., None] + rng.normal(0, 2, (height, width, channels))
    picture: Pixels = np.clip(gray, 0, 255).astype(np.uint8)
    return picture


MANY = np.concatenate([smooth(12, 12, 3, seed) for seed in range(9)])


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("flat", [False, True])
def test_planar_pictures_are_seen(protocol: int, flat: bool) -> None:
    array = planar(MANY, 12)
    array = array.reshape(9, -1) if flat else array
    for data in (array_file(array), pickled(array, protocol)):
        (picture,) = pictures(data)
        assert picture.recipe.kind == "planar"
        assert np.array_equal(shown(picture), MANY)


def test_gray_pictures_in_a_row_each() -> None:
    gray = MANY[..., :1]
    (picture,) = pictures(array_file(gray.reshape(9, 144)))
    assert picture.recipe.kind == "planar" and np.array_equal(picture.pixels, gray)


@pytest.mark.parametrize(
    "array",
    [
        MANY[..., 0].T.reshape(12, 108),  # no square in a row
        np.kron(smooth(8, 8, 1)[..., 0], np.ones((9, 18), np.uint8)),  # a wide picture, 72x144
        np.random.default_rng(0).integers(0, 256, (9, 3, 12, 12), np.uint8),  # nothing in common
        MANY.reshape(9, 12, 12, 3),  # channels last
        planar(MANY, 12)[:, :2],
    ],
)
def test_other_arrays_are_seen_by_their_rows(array: Pixels) -> None:
    (picture,) = pictures(array_file(np.ascontiguousarray(array)))
    assert picture.recipe.kind == "npy"


@pytest.mark.parametrize("shape", [(24, 18), (24, 18, 3), (24, 18, 9)])
def test_arrays_in_the_order_of_fortran_are_seen(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    data = array_file(np.asfortranarray(array))
    assert b"'fortran_order': True" in data
    (picture,) = pictures(data)
    assert picture.recipe.kind == "planar"
    if shape[-1] == 3:
        assert np.array_equal(picture.pixels, array.swapaxes(0, 1))


@pytest.mark.parametrize("shape", [(24, 18), (5, 24, 18), (2, 3, 24, 18)])
def test_booleans_are_seen(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).integers(0, 2, shape, np.uint8)
    (picture,) = pictures(array_file(array > 0))
    assert picture.recipe.kind == "planar"
    assert picture.pixels.shape[1] == 18 and set(np.unique(picture.pixels)) == {0, 1}


@pytest.mark.parametrize("shape", [(24, 7), (24, 18, 5), (3, 3), (0, 9)])
def test_other_axes_of_these_are_kept(shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.bool_)
    assert not pictures(array_file(array))


def test_pickles_without_pictures_are_kept() -> None:
    array = planar(MANY, 12)
    for other in (array.astype(np.uint16), np.asfortranarray(array), array[:0], [1, 2, 3]):
        assert not pictures(pickle.dumps(other, 3))
    assert not pictures(pickled(array)[:-900])


@settings(max_examples=50)
@given(
    channels=st.sampled_from([1, 3, 4]),
    sides=st.tuples(st.integers(8, 20), st.integers(8, 20)),
    count=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_pixels_of_any_planes_come_back(
    channels: int, sides: tuple[int, int], count: int, seed: int
) -> None:
    how = Planes(channels, *sides)
    assert how.sound
    data = np.random.default_rng(seed).integers(0, 256, count * how.size, np.uint8)
    pixels = how.to_pixels(data)
    assert pixels.shape == (count * sides[0], sides[1], channels)
    assert how.from_pixels(pixels) == data.tobytes()


def test_axes_tell_of_planes() -> None:
    assert of_shape([5, 3, 32, 40]) == of_shape([3, 32, 40]) == Planes(3, 32, 40)
    assert of_shape([5, 3072]) == Planes(3, 32, 32) and of_shape([5, 784]) == Planes(1, 28, 28)
    for shape in ([5, 785], [5, 2, 9, 9], [5, 9, 9, 3], [5, 3, 7, 9], [5, 9], [3, 9, 1 << 17]):
        assert of_shape(shape) is None


@pytest.mark.parametrize(
    "told",
    [b"", b"\3\x0c", b"\3\x0c\x0c\x0c", b"\2\x0c\x0c", b"\3\0\x0c", b"\3\x0c\0",
     b"\3\x0d\x0c", b"\3" + 2 * varint(1 << 40)],
)  # fmt: skip
def test_a_damaged_description_is_refused(told: bytes) -> None:
    (picture,) = pictures(array_file(planar(MANY, 12)))
    with pytest.raises(ArchiveError, match=r"damaged|does not fit"):
        rebuild(picture.recipe._replace(description=told), picture.pixels)


def test_only_whole_arrays_are_looked_at() -> None:
    data = array_file(planar(MANY, 12))
    assert planes_in(data) == (128, len(data), Planes(3, 12, 12))
    assert planes_in(data[:-1]) is None


@pytest.mark.parametrize("data", [pickled(planar(MANY, 12)), arrays_file(x=MANY)])
def test_as_many_pixels_as_are_held_as_a_whole(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_PIXELS", 99)
    assert len(pictures(data)) == 1
    monkeypatch.setattr("bitswap_cli.images.picture.MAX_LARGE", MANY[..., 0].size - 1)
    assert not pictures(data)
