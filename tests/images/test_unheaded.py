"""Pixels are found of which no header tells how they lie, in rows or in planes."""

import numpy as np
import pytest

from bitswap_cli.images.unheaded import is_unheaded, split
from tests.archive.support import encoded, smooth
from tests.images.formats.proof import pictures
from tests.images.formats.rasters.test_strides import image
from tests.images.formats.samples import files


@pytest.mark.parametrize(("height", "width", "count"), [(100, 120, 1), (64, 64, 5), (75, 131, 1)])
@pytest.mark.parametrize("before", [0, 50])
def test_planes_of_colours_are_found(height: int, width: int, count: int, before: int) -> None:
    own = [image(height, width, 3, seed) for seed in range(count)]
    planes = np.stack([np.moveaxis(one, 2, 0) for one in own])
    data = np.random.default_rng(0).bytes(before) + planes.tobytes()
    (picture,) = pictures(data)
    assert picture.recipe.kind == "planar" and len(picture.recipe.prefix) == before
    assert np.array_equal(picture.pixels, np.concatenate(own))


def test_rows_of_other_pictures_are_no_planes() -> None:
    for own in (image(90, 120, 1), image(90, 120, 3)):
        (picture,) = pictures(own.tobytes())
        assert picture.recipe.kind == "rows" and np.array_equal(picture.pixels, own)


def test_headers_that_are_known_tell() -> None:
    for data in files().values():
        assert not is_unheaded(data)
    assert not is_unheaded(encoded(smooth(60, 60), "BMP")[:-900])  # cut
    assert is_unheaded(image(90, 120, 1).tobytes())
    assert split(b"no pixels" * 999) is None and is_unheaded(b"")
