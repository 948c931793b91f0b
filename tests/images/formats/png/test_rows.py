"""IDAT that is written: what it takes, and that it is read again."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.images.formats.png.chunks import Head
from bitswap_cli.images.formats.png.rows import read_rows, write_rows
from tests.golden.make import photo

HEAD = Head(96, 128, 8, 2, False)


def drawing() -> NDArray[np.uint8]:
    """Stripes with some dots."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[::7] = (200, 10, 60)
    pixels[np.random.default_rng(0).integers(96, size=40), ::5] = 255
    return pixels


@pytest.mark.parametrize("level", [0, 1, 3, 6])
def test_what_is_written_is_read(level: int) -> None:
    for pixels in (drawing(), photo(96, 128, 0)):
        back = read_rows(write_rows(pixels, HEAD, level), HEAD)
        assert back is not None and np.array_equal(back, pixels)


def test_photographs_are_deflated_quickly_and_drawings_well() -> None:
    pixels = photo(96, 128, 0)
    assert write_rows(pixels, HEAD, 6) == write_rows(pixels, HEAD, 3)
    sizes = [len(write_rows(drawing(), HEAD, level)) for level in (1, 3, 6)]
    assert sizes[2] < sizes[1] <= sizes[0]
