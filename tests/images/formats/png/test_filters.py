"""Filters are those of the standard, and the choice among them is libpng's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.images.formats.png.filters import FILTERS, Rows, filtered, guess, least_sums


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
    st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2, 3, 4, 6, 8]), st.integers(0, 99),
)  # fmt: skip


@given(PICTURES, st.data())
def test_lines_are_filtered_as_by_hand(picture: tuple[Rows, int], data: st.DataObject) -> None:
    rows, unit = picture
    choice = st.lists(st.integers(0, FILTERS - 1), min_size=len(rows), max_size=len(rows))
    filters = np.array(data.draw(choice), np.uint8)
    made, values = filtered(rows, unit, filters), rows.tolist()
    for line, number in enumerate(filters.tolist()):
        assert made[line].tolist() == [number, *by_hand(values, number, line, unit)]


@given(PICTURES)
def test_the_least_sum_is_chosen_and_the_first_of_equals(picture: tuple[Rows, int]) -> None:
    rows, unit = picture
    for line, chosen in enumerate(least_sums(rows, unit).tolist()):
        residuals = [by_hand(rows.tolist(), number, line, unit) for number in range(FILTERS)]
        sums = [sum(min(value, 256 - value) for value in values) for values in residuals]
        assert chosen == sums.index(min(sums))


def test_large_images_are_filtered_in_blocks_that_know_the_line_before() -> None:
    rows = some_rows(100, 1000, 4, 1)
    whole = least_sums(rows, 4)
    assert whole[60:].tolist() == least_sums(rows[59:], 4)[1:].tolist()
    again = filtered(rows, 4, whole)
    assert np.array_equal(again[60:], filtered(rows[59:], 4, whole[59:])[1:])
