"""A model is told of components as the frame has them."""

import numpy as np
import pytest

from bitswap_cli.images.formats.jpeg.codec import split
from bitswap_cli.images.formats.jpeg.outline import outline
from tests.images.formats.jpeg.files import photograph, pillow


@pytest.mark.parametrize(("subsampling", "sampling"), [(0, (1, 1)), (1, (1, 2)), (2, (2, 2))])
def test_an_outline_tells_sampling_and_steps(subsampling: int, sampling: tuple[int, int]) -> None:
    data = pillow(photograph(40, 56), quality=80, subsampling=subsampling)
    jpeg = split(data)
    assert jpeg is not None
    (picture,) = jpeg.pictures
    luma, *chroma = outline(picture.frame, picture.quantization)
    assert luma.sampling == (1, 1) and [c.sampling for c in chroma] == [sampling] * 2
    for component, x in zip((luma, *chroma), picture.coefficients, strict=True):
        assert (component.rows, component.columns) == x.shape[:2]
    assert np.array_equal(chroma[0].steps, chroma[1].steps)
    assert not np.array_equal(luma.steps, chroma[0].steps)
