"""Makers that descriptions name are noted for who asks."""

import pytest

from bitswap_cli.images.deflate import describe
from bitswap_cli.images.deflate.makers import LIBDEFLATE, noting
from tests.images.deflate.streams import by_libdeflate, changing, deflated


@pytest.mark.parametrize("level", [1, 6, 12])
def test_they_are_noted_within(level: int) -> None:
    stream = by_libdeflate(changing(), level)
    assert describe(stream, 1 << 20)
    with noting() as makers:
        assert describe(deflated(changing(), 6), 1 << 20) and not makers
        assert describe(stream, 1 << 20) and makers == {LIBDEFLATE}
    with noting() as makers:
        assert not makers
