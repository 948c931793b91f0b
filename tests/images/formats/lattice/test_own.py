"""Maps that recipes tell are lines, rounded down, and never more than the sum of three can hold."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.lattice.maps import MAP_OF, MAPS, colours
from bitswap_cli.images.formats.lattice.own import LIKELY, SIZE, as_told, own_map, pack
from tests.images.formats.lattice.test_maps import planes

LINES = st.lists(
    st.tuples(st.integers(-(1 << 26), 1 << 26), st.integers(-(1 << 19), 1 << 19)),
    min_size=5,
    max_size=5,
)


@given(LINES, st.integers(0, 16))
def test_tables_are_lines_rounded_down(lines: list[tuple[int, int]], zeros: int) -> None:
    told = pack(np.array(lines), zeros)
    used = own_map(told)
    assert len(told) == SIZE and used.told == told and used.sums.shift == 16
    for table, (first, step) in zip(used.sums.tables.tolist(), lines, strict=True):
        unit = 1 << zeros
        assert table == [(first + step * k) // unit * unit for k in range(256)]


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_what_a_recipe_tells_is_a_map_or_refused(told: bytes) -> None:
    try:
        tables = own_map(told).sums.tables
    except ArchiveError:
        return
    assert np.abs(tables.astype(np.int64)).max() <= 1 << 28


@pytest.mark.parametrize("zeros", [17, 255])
def test_more_than_all_bits_are_refused(zeros: int) -> None:
    with pytest.raises(ArchiveError, match="map of colours"):
        own_map(pack(np.zeros((5, 2), np.int64), zeros))


def test_libwebp() -> None:
    """As its decoder computes it: products of 16 bits, of which the higher 8 are left."""
    luma, blue, red = (plane.astype(int) for plane in planes(6))
    own = 19077 * luma >> 8
    made = (
        own + (26149 * red >> 8) - 14234,
        own - (6419 * blue >> 8) - (13320 * red >> 8) + 8708,
        own + (33050 * blue >> 8) - 17685,
    )
    pixels = np.stack([channel >> 6 for channel in made], 2).clip(0, 255)
    assert np.array_equal(colours(own_map(LIKELY[0]), *planes(6)), pixels)


def test_libyuv() -> None:
    """As its decoder computes it: luma times 257 of 16 bits, and chroma in 1 / 2^6."""
    luma, blue, red = (plane.astype(int) for plane in planes(6))
    own = (257 * luma * 16320 >> 16) + 32
    u, v = blue - 128, red - 128
    made = own + 90 * v, own - 22 * u - 46 * v, own + 113 * u
    pixels = np.stack([channel >> 6 for channel in made], 2).clip(0, 255)
    assert np.array_equal(colours(own_map(LIKELY[-1]), *planes(6)), pixels)


def test_likely_maps_stay() -> None:
    """Or writers of one version write other archives; FFmpeg 5.1 made the same of those between."""
    told = planes(7)
    found = [zlib.crc32(colours(own_map(own), *told).tobytes()) for own in LIKELY]
    assert found == [0x43D5CFC2, 0xA0D72F21, 0xB88A7142, 0x857D5BAB, 0xD194653B, 0x31B43663]


def test_known_maps_are_such_ones() -> None:
    """Those that round all at once, and FFmpeg's, which rounds each product."""
    told = planes(5, 90, 91)
    for name, zeros in (("libjpeg", 0), ("ffmpeg-601", 16), ("scaled-709", 0)):
        tables, shift = MAP_OF[name].sums
        scaled = tables.astype(np.int64) << 16 - shift
        steps = (scaled[:, -1] - scaled[:, 0]) / 255
        lines = np.stack([scaled[:, 0], np.rint(steps)], 1).astype(np.int64)
        if zeros:  # t(x) = 8 x >> 16, in 1 / 2^16
            factors = np.array([9539, 16525, 13075, -3209, -6660]) * 8
            lines = np.stack([-factors * np.array([16, 128, 128, 128, 128]), factors], 1)
        used = own_map(pack(lines, zeros))
        assert np.array_equal(colours(used, *told), colours(MAP_OF[name], *told))


def test_known_maps_that_recipes_can_tell() -> None:
    told = {used.name: as_told(used) for used in MAPS}
    assert [name for name, own in told.items() if own] == [
        "libjpeg", "opencv", "scaled-601", "scaled-709", "scaled-601-full", "scaled-709-full",
        "gray",
    ]  # fmt: skip
    own = planes(8)
    for used in MAPS:
        if as_told(used):
            told_so = own_map((as_told(used) or used).told)
            assert np.array_equal(colours(told_so, *own), colours(used, *own))
    webp = own_map(LIKELY[0])
    assert as_told(webp) is webp
