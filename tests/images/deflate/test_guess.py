"""Who wrote a stream is found, as far as the choice decides what a description takes."""

import pytest
from hypothesis import given
from hypothesis import settings as limits

from bitswap_cli.images.deflate import describe, describing
from bitswap_cli.images.deflate.parameters import LIBDEFLATE, ZLIB
from tests.images.deflate.streams import by_libdeflate, changing, deflated, raws, settings


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


@limits(max_examples=60, deadline=None)
@given(raws, settings)
def test_plain_streams_are_described_as_others_are(raw: bytes, setting: dict[str, int]) -> None:
    """A quick look at the likeliest maker changes no description."""
    stream = deflated(raw, **setting)
    described = [describe(stream, 1 << 20, [31])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(describing, "_SMALL", 0)
        described.append(describe(stream, 1 << 20, [31]))
    assert described[0] == described[1] is not None


def test_a_stream_of_the_likeliest_maker_is_searched_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(describing, "guess")
    described = describe(deflated(changing(), 6), 1 << 20)
    assert described is not None and len(described.description) == 3
