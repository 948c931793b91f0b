"""Who wrote a stream is found, as far as the choice decides what a description takes."""

import pytest

from bitswap_cli.images.deflate import describe
from bitswap_cli.images.deflate.parameters import LIBDEFLATE, ZLIB
from tests.images.deflate.streams import by_libdeflate, changing, deflated


@pytest.mark.parametrize("level", range(1, 13))
def test_streams_by_libdeflate_are_seen(level: int) -> None:
    described = describe(by_libdeflate(changing(), level) + b"behind", 1 << 20)
    assert described is not None and described.inflated == changing()
    assert described.description[0] >> 4 == LIBDEFLATE
    assert len(described.description) <= 3 + 2 + 7  # header told, and what is behind


@pytest.mark.parametrize("level", range(1, 10))
def test_streams_by_zlib_are_seen(level: int) -> None:
    described = describe(deflated(changing(), level), 1 << 20)
    assert described is not None
    assert described.description[0] >> 4 == ZLIB and len(described.description) == 3
