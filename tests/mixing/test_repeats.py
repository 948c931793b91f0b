"""What is found is a repeat, and what is one is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.mixing import octets, repeats

pytestmark = pytest.mark.skipif(not octets.quick(), reason="there is no kernel")


def repetitive() -> st.SearchStrategy[bytes]:
    """Pieces of noise, again and again, and runs."""
    noise = np.random.default_rng(1).bytes(4000)
    piece = st.tuples(st.integers(0, 3000), st.integers(1, 900)).map(
        lambda t: noise[t[0] : t[0] + t[1]]
    )
    run = st.tuples(st.binary(min_size=1, max_size=3), st.integers(1, 900)).map(
        lambda t: t[0] * t[1]
    )
    return st.lists(st.one_of(piece, run), max_size=12).map(b"".join)


@given(repetitive(), st.sampled_from((64, 100, repeats.LEAST)))
def test_what_is_found_stood_before(data: bytes, least: int) -> None:
    end = 0
    for start, length, source in repeats.find(data, least).tolist():
        assert length >= least
        assert end <= start
        assert 0 <= source <= start - length
        assert data[start : start + length] == data[source : source + length]
        end = start + length
    assert end <= len(data)


@pytest.mark.parametrize("before", [0, 1, 31, 32, 100_000])
@pytest.mark.parametrize("between", [0, 77, 4_000_000])
def test_a_copy_in_noise_is_found_whole(before: int, between: int) -> None:
    """It holds windows whose places are remembered, but for those of which others took the room."""
    length = repeats.LEAST
    noise = np.random.default_rng(2).bytes(before + length + between)
    data = noise + b"<" + noise[before : before + length] + b">"
    found = repeats.find(data)
    assert found.tolist() == [[len(noise) + 1, length, before]]


@pytest.mark.parametrize("period", [1, 3, 32, 100, 255, 256, 1000])
def test_runs_are_found_by_doubling(period: int) -> None:
    """A repeat may not overlap what it repeats, and mixing a run takes a second for each MB."""
    own = np.random.default_rng(3).bytes(period)
    found = repeats.find(b"<" + own * (1_000_000 // period))
    assert found[:, 1].sum() > 990_000
    assert period >= repeats.LEAST or len(found) < 40


@given(st.binary(max_size=300))
def test_short_ones_have_hardly_any(data: bytes) -> None:
    assert len(repeats.find(data)) <= len(data) // repeats.LEAST


@given(repetitive(), st.sampled_from((40, 64, repeats.LEAST)))
@settings(deadline=None)
def test_both_engines_find_the_same(data: bytes, least: int) -> None:
    found = repeats.find(data, least)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITSWAP_ENGINE", "reference")
        assert np.array_equal(repeats.find(data, least), found)
