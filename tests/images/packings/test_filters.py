"""PNG's filters are those of the standard, in C and in numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.formats.png.filters import guess
from bitswap_cli.images.packings import engine as engines
from bitswap_cli.images.packings import reference
from bitswap_cli.images.packings.filters import FILTERS, Rows, least

BOTH = [one for one in (engines.compiled(), reference) if one is not None]


def by_hand(rows: list[list[int]], number: int, line: int, unit: int) -> list[int]:
    """Filter one line byte by byte."""
    found = []
    for at, value in enumerate(rows[line]):
        left = rows[line][at - unit] if at >= unit else 0
        up = rows[line - 1][at] if line else 0
        corner = rows[line - 1][at - unit] if line and at >= unit else 0
        found.append((value - guess(number, left, up, corner)) % 256)
    return found


def some_rows(height: int, pixels: int, unit: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    top = int(rng.choice([2, 8, 256]))
    return rng.integers(0, top, (height, pixels * unit)).astype(np.uint8)


PICTURES = st.builds(
    lambda height, pixels, unit, seed: (some_rows(height, pixels, unit, seed), unit),
    st.integers(1, 9), st.integers(1, 40), st.sampled_from([1, 2, 3, 4, 6, 8]), st.integers(0, 99),
)  # fmt: skip


@given(PICTURES, st.data())
def test_lines_are_filtered_as_by_hand(picture: tuple[Rows, int], data: st.DataObject) -> None:
    rows, unit = picture
    choice = st.lists(st.integers(0, FILTERS - 1), min_size=len(rows), max_size=len(rows))
    filters = np.array(data.draw(choice), np.uint8)
    values = rows.tolist()
    for engine in BOTH:
        made = engine.filtered(rows, unit, filters)
        for line, number in enumerate(filters.tolist()):
            assert made[line].tolist() == [number, *by_hand(values, number, line, unit)]


@given(PICTURES, st.data())
def test_filters_are_undone(picture: tuple[Rows, int], data: st.DataObject) -> None:
    rows, unit = picture
    choice = st.lists(st.integers(0, FILTERS - 1), min_size=len(rows), max_size=len(rows))
    filters = np.array(data.draw(choice), np.uint8)
    for engine in BOTH:
        lines = engine.filtered(rows, unit, filters)
        back = engine.unfiltered(lines, unit)
        assert back is not None and np.array_equal(back, rows)
        lines[-1, 0] = FILTERS
        assert engine.unfiltered(lines, unit) is None


@given(PICTURES)
def test_what_filters_leave_is_summed_up(picture: tuple[Rows, int]) -> None:
    rows, unit = picture
    for engine in BOTH:
        found = engine.sums(rows, unit)
        assert found.shape == (FILTERS, len(rows))
        for (number, line), told in np.ndenumerate(found):
            left = by_hand(rows.tolist(), number, line, unit)
            assert told == sum(min(value, 256 - value) for value in left)


@given(PICTURES, st.lists(st.integers(0, FILTERS - 1), min_size=1, unique=True))
def test_the_least_filter_is_the_first_of_the_least_sum(
    picture: tuple[Rows, int], tried: list[int]
) -> None:
    rows, unit = picture
    for engine in BOTH:
        filters = least(engine.sums(rows, unit), tried)
        lines = engine.filtered_least(rows, unit, tried)
        assert np.array_equal(lines, engine.filtered(rows, unit, filters))


@pytest.mark.parametrize("engine", BOTH, ids=lambda engine: engine.NAME)
def test_large_images_are_filtered_in_blocks_that_know_the_line_before(
    engine: engines.Engine,
) -> None:
    rows = some_rows(100, 1000, 4, 1)
    filters = np.arange(100, dtype=np.uint8) % FILTERS
    again = engine.filtered(rows, 4, filters)
    assert np.array_equal(again[60:], engine.filtered(rows[59:], 4, filters[59:])[1:])
    assert np.array_equal(engine.sums(rows, 4)[:, 60:], engine.sums(rows[59:], 4)[:, 1:])
