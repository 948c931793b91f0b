"""Maps that recipes tell are lines, rounded down, and never more than the sum of three can hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.lattice.maps import MAP_OF, colours
from bitswap_cli.images.formats.lattice.own import SIZE, own_map, pack
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
