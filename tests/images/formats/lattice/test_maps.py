"""Maps make the colours that programs make, and keep their numbers for ever."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.images.formats.lattice.maps import MAPS, Chroma, Map, colours, spread
from bitswap_cli.images.history import engine, reference

BY_NAME = {used.name: used for used in MAPS}
Plane = NDArray[np.uint8]


def planes(seed: int, height: int = 300, width: int = 301) -> NDArray[np.uint8]:
    """Luma and chroma of all values."""
    return np.random.default_rng(seed).integers(0, 256, (3, height, width), np.uint8)


def test_maps_keep_their_numbers() -> None:
    told = planes(0)
    found = [(used.name, zlib.crc32(colours(used, *told).tobytes())) for used in MAPS]
    assert found == [
        ("photo-cd", 0xE6557639),
        ("libjpeg", 0x4E5EE358),
        ("opencv", 0x258A2155),
        ("opencv-601", 0xADE8015B),
        ("ffmpeg-601", 0x02B8F26F),
        ("ffmpeg-709", 0x5FB52DFC),
        ("ffmpeg-601-full", 0x2641FC83),
        ("ffmpeg-709-full", 0x41A3CE53),
        ("scaled-601", 0xD1B87967),
        ("scaled-709", 0x93CF3DAB),
        ("scaled-601-full", 0xB311FC41),
        ("scaled-709-full", 0x1834332D),
        ("pillow", 0xAB036DC6),
        ("gray", 0x2AF3479B),
        ("table-601", 0x26932810),
        ("table-709", 0x216AA491),
        ("table-601-full", 0xB04BD66C),
        ("table-709-full", 0xA4FAF0C0),
    ]


@pytest.mark.skipif(engine.compiled() is None, reason="no kernel")
@pytest.mark.parametrize("used", MAPS, ids=lambda used: used.name)
def test_kernel_and_reference_agree(used: Map) -> None:
    kernel, told = engine.compiled(), planes(4)
    assert kernel is not None
    found = kernel.mapped(*used.sums, *told)
    assert np.array_equal(found, reference.mapped(*used.sums, *told))


def test_pillow() -> None:
    luma, blue, red = planes(1)
    image = Image.merge("YCbCr", [Image.fromarray(plane) for plane in (luma, blue, red)])
    made = np.asarray(image.convert("RGB"))
    assert np.array_equal(colours(BY_NAME["pillow"], luma, blue, red), made)


def test_the_decoder_of_jpeg_files() -> None:
    told = planes(2)
    assert np.array_equal(colours(BY_NAME["libjpeg"], *told), reference.colour(*told))


@pytest.mark.parametrize("used", MAPS, ids=lambda used: used.name)
def test_gray_stays_gray(used: Map) -> None:
    luma = np.arange(256, dtype=np.uint8)[None]
    centre = (156, 137) if used.name == "photo-cd" else (128, 128)
    made = colours(used, luma, *(np.full_like(luma, own) for own in centre))
    assert (made == made[..., :1]).all() and (np.diff(made[0, :, 0].astype(int)) >= 0).all()


@pytest.mark.parametrize("used", MAPS, ids=lambda used: used.name)
def test_tables_ascend_or_descend(used: Map) -> None:
    """The search of chroma goes on where it ended for less of it."""
    steps = np.diff(used.sums.tables.astype(np.int64))
    assert (steps[:3] >= 0).all() and (steps[3:] <= 0).all()


def slowly(plane: Plane, how: Chroma, row: int, column: int) -> int:
    """The chroma of one pixel, as docs/format.md has it."""
    i, j = row // 2, column // 2
    if how == Chroma.SMOOTH:
        other = min(max(i + row % 2 * 2 - 1, 0), len(plane) - 1)
        beside = min(max(j + column % 2 * 2 - 1, 0), plane.shape[1] - 1)
        near, far = ((3 * int(plane[k, j]) + int(plane[k, beside])) for k in (i, other))
        return (3 * near + far + 8) // 16
    if how == Chroma.ACROSS:
        return int(plane[row, j])
    if how == Chroma.REPEATED:
        return int(plane[i, j])
    below, right = min(i + row % 2, len(plane) - 1), min(j + column % 2, plane.shape[1] - 1)
    return (sum(int(plane[k, n]) for k in (i, below) for n in (j, right)) + 2) // 4


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=6)),
    st.sampled_from([Chroma.REPEATED, Chroma.BETWEEN, Chroma.ACROSS, Chroma.SMOOTH]),
    st.booleans(),
    st.booleans(),
)
def test_chroma_at_each_pixel(plane: Plane, how: Chroma, odd: bool, wide: bool) -> None:
    height, width = 2 * plane.shape[0] - odd, 2 * plane.shape[1] - wide
    height = len(plane) if how == Chroma.ACROSS else height
    seen = spread(plane, how, height, width)
    assert seen.shape == (height, width)
    for row in range(height):
        for column in range(width):
            assert seen[row, column] == slowly(plane, how, row, column)


def test_chroma_of_all_pixels_is_as_it_is() -> None:
    plane = planes(3)[0]
    assert spread(plane, Chroma.FULL, *plane.shape) is plane
