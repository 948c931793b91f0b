"""The choice among filters is libpng's."""

from hypothesis import given

from bitswap_cli.images.formats.png.filters import least_sums
from bitswap_cli.images.packings.filters import FILTERS, Rows
from tests.images.packings.test_filters import PICTURES, by_hand


@given(PICTURES)
def test_the_least_sum_is_chosen_and_the_first_of_equals(picture: tuple[Rows, int]) -> None:
    rows, unit = picture
    for line, chosen in enumerate(least_sums(rows, unit).tolist()):
        residuals = [by_hand(rows.tolist(), number, line, unit) for number in range(FILTERS)]
        sums = [sum(min(value, 256 - value) for value in values) for values in residuals]
        assert chosen == sums.index(min(sums))
