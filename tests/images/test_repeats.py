"""Which pictures may be drawn ones, and how many go into one chunk."""

import numpy as np
import pytest

from bitswap_cli.images.picture import MAX_PIXELS, Picture, Recipe
from bitswap_cli.images.repeats import MAX_HELD, depth, few
from tests.models.families.drawn.pictures import flat, noise


def test_drawn_ones_repeat_their_colours_and_are_not_only_high() -> None:
    random = np.random.default_rng(1)
    assert depth(Picture(flat(20, 30, 3, random), Recipe("bmp", b"", b""))) == 1
    assert depth(Picture(noise(20, 30, 3, random), Recipe("bmp", b"", b""))) is None
    assert depth(Picture(flat(1 << 24, 1, 3, random), Recipe("bmp", b"", b""))) is None


@pytest.mark.parametrize(
    ("shapes", "fits"),
    [
        ([(MAX_PIXELS >> 13, 1 << 13, 1)], True),
        ([(MAX_PIXELS >> 13, 1 << 13, 2)], False),
        ([(MAX_PIXELS >> 14, 1 << 13, 1)] * 2, True),
        ([(MAX_PIXELS >> 14, 1 << 13, 1)] * 3, False),
        ([(MAX_HELD // 7 - 2, 1, 1)], True),
        ([(MAX_HELD // 7 - 1, 1, 1)], False),
        ([(1, MAX_HELD // 3 - 6, 1)], True),
        ([(1, MAX_HELD // 3 - 5, 1)], False),
    ],
)
def test_what_is_held_beside_pixels_counts(shapes: list[tuple[int, int, int]], fits: bool) -> None:
    assert few(shapes) == fits
