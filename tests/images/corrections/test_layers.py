"""Both layers lead from what was decoded to what was there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.corrections import layers
from bitswap_cli.images.corrections.engine import encode
from bitswap_cli.images.corrections.state import Grid
from bitswap_cli.images.history.engine import engine

GRID = Grid(3, 9, 2, 2, linked=True)


def colours(planes: layers.Planes) -> NDArray[np.uint8]:
    """libjpeg's."""
    return engine().colour(*planes) if len(planes) == 3 else planes[0][:, :, None]


@given(st.integers(0, 1 << 32), st.sampled_from([1, 3]), st.sampled_from([0, 2, 40]))
@settings(deadline=None, max_examples=50)
def test_they_come_back(seed: int, count: int, most: int) -> None:
    random = np.random.default_rng(seed)
    planes = [random.integers(0, 256, (21, 34)).astype(np.uint8) for _ in range(count)]
    pixels = colours(planes)
    some = random.random(pixels.shape) < 0.03
    pixels[some] += random.integers(0, most + 1, some.sum()).astype(np.uint8)
    told = layers.told(pixels, planes, colours, GRID)
    assert np.array_equal(layers.corrected(planes, colours, GRID, told), pixels)
    assert any(told) == (not np.array_equal(pixels, colours(planes)))


def test_what_luma_and_chroma_explain_is_told_of_them() -> None:
    random = np.random.default_rng(1)
    planes = [random.integers(60, 190, (48, 64)).astype(np.uint8) for _ in range(3)]
    other = [plane.copy() for plane in planes]
    other[0][8:16, 8:16] += 3
    other[1][24:32, 24:40] -= 2
    first, second = layers.told(colours(other), planes, colours, GRID)
    assert first and not second
    painted = colours(planes)
    painted[8:24, 8:24] = (250, 3, 90)
    first, second = layers.told(painted, planes, colours, GRID)
    assert second and not first


def test_what_is_malformed_is_refused() -> None:
    planes = [np.zeros((9, 9), np.uint8)] * 3
    pixels = np.ones((9, 9, 3), np.uint8)
    words = encode(pixels, colours(planes), GRID).tobytes()
    for count, told in ((3, [words[1:], b""]), (3, [b"", words[4:]]), (1, [words, b""])):
        with pytest.raises(ArchiveError, match="corrections"):
            layers.corrected(planes[:count], colours, GRID, told)
