"""What a picture was becomes a JPEG file again, wherever one decodes to the picture."""

import numpy as np
import pytest

from bitswap_cli.images.history import recipe
from bitswap_cli.images.history.jpeg import as_jpeg
from tests.images.history.jpegs import load, save, scene, taken_apart
from tests.images.history.test_recipe import seen


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
@pytest.mark.parametrize("size", [(96, 128), (77, 101)])
def test_files_are_those_of_libjpeg(sampling: str, size: tuple[int, int]) -> None:
    gray = sampling == "gray"
    data = save(scene(*size, gray=gray), 80, "4:4:4" if gray else sampling)
    origin, jpeg = taken_apart(data)
    _, picture = seen(load(data))
    told = recipe.unpack(recipe.pack(picture, origin, jpeg.coefficients))
    assert as_jpeg(told, jpeg.coefficients) == data


def test_tables_of_each_component() -> None:
    data = save(scene(64, 64), 80)
    origin, jpeg = taken_apart(data)
    own = origin._replace(steps=(*origin.steps[:2], origin.steps[2] + 1))
    _, picture = seen(load(data))
    told = recipe.unpack(recipe.pack(picture, own, jpeg.coefficients))._replace(corrections=b"")
    found = as_jpeg(told, jpeg.coefficients)
    assert found is not None
    for steps, again in zip(own.steps, taken_apart(found)[0].steps, strict=True):
        assert np.array_equal(steps, again)


def test_others_have_none() -> None:
    data = save(scene(96, 128), 80, "4:2:0")
    origin, jpeg = taken_apart(data)
    pixels = load(data)
    wide = np.dstack([pixels, np.full((96, 128), 255, np.uint8)])
    painted = pixels.copy()
    painted[3, 5] ^= 1
    for picture, own in (
        (pixels[8:], origin._replace(top=8)),
        (pixels[:-8], origin),
        (np.swapaxes(pixels, 0, 1), origin._replace(orientation=4)),
        (wide, origin),
        (painted, origin),
        (pixels, origin._replace(fancy=False)),
    ):
        _, one = seen(np.ascontiguousarray(picture))
        told = recipe.unpack(recipe.pack(one, own, jpeg.coefficients))
        assert as_jpeg(told, jpeg.coefficients) is None
    _, one = seen(pixels)
    told = recipe.unpack(recipe.pack(one, origin, jpeg.coefficients))
    jpeg.coefficients[0][0, 0, 1] = 2047  # which has no code
    assert as_jpeg(told, jpeg.coefficients) is None
