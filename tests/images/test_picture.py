"""How large a picture may be that is held."""

import pytest

from bitswap_cli.images.picture import (
    MAX_LARGE,
    MAX_LARGE_SAMPLES,
    MAX_PIXELS,
    MAX_SAMPLES,
    is_held,
)


@pytest.mark.parametrize(
    ("height", "width", "channels", "plain", "large"),
    [
        (1, 1, 1, True, True),
        (0, 1, 1, False, False),
        (MAX_PIXELS, 1, 3, True, True),
        (1, MAX_PIXELS + 1, 1, False, True),
        (MAX_SAMPLES // 8, 1, 8, True, True),
        (MAX_SAMPLES // 8 + 1, 1, 8, False, True),
        (MAX_PIXELS, 1, 6, False, True),
        (MAX_LARGE, 1, 2, False, True),
        (MAX_LARGE + 1, 1, 1, False, False),
        (MAX_LARGE_SAMPLES // 4, 1, 4, False, True),
        (MAX_LARGE_SAMPLES // 4 + 1, 1, 4, False, False),
        (1 << 62, 1 << 62, 1, False, False),
    ],
)
def test_bounds(height: int, width: int, channels: int, plain: bool, large: bool) -> None:
    assert is_held(height, width, channels, large=False) == plain
    assert is_held(height, width, channels, large=True) == large
