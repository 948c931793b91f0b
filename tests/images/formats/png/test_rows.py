"""IDAT that is written: what it takes, and that it is read again."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bitswap_cli.images.formats.png import rows
from bitswap_cli.images.formats.png.chunks import Head, find_pixels
from bitswap_cli.images.formats.png.rows import read_rows, write_rows
from tests.golden.make import photo
from tests.images.png_files import SAMPLES, write_png

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


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour", SAMPLES)
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_each_reader_sees_the_same(
    depth: int, colour: int, interlaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our engine, and zlib and Pillow where that has not room for all at once."""
    if depth < 8 and colour not in (0, 3) or depth > 8 and colour == 3:
        return
    for height, width in ((9, 13), (1, 1), (5, 2)):
        shape = height, width, SAMPLES[colour]
        samples = np.random.default_rng(depth).integers(0, 1 << depth, shape)
        found = find_pixels(write_png(samples, depth, colour, interlaced=interlaced), colours=True)
        assert found is not None
        head, idat = Head(height, width, depth, colour, interlaced), found[2]
        taller, damaged = head._replace(height=height + 1), idat[:-1] + bytes([idat[-1] ^ 1])
        one = read_rows(idat, head)
        assert one is not None and read_rows(idat + b"behind", head) is not None
        assert read_rows(idat, taller) is None and read_rows(damaged, head) is None
        with monkeypatch.context() as patch:
            patch.setattr(rows, "_AT_ONCE", 0)
            other = read_rows(idat, head)
            assert other is not None and np.array_equal(other, one)
            assert read_rows(idat, taller) is None and read_rows(damaged, head) is None


def test_photographs_are_deflated_quickly_and_drawings_well() -> None:
    pixels = photo(96, 128, 0)
    assert write_rows(pixels, HEAD, 6) == write_rows(pixels, HEAD, 3)
    sizes = [len(write_rows(drawing(), HEAD, level)) for level in (1, 3, 6)]
    assert sizes[2] < sizes[1] <= sizes[0]
