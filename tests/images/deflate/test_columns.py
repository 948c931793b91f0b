"""Columns of corrections: what is coded is decoded, and hostile bytes are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import COLUMNS, RIGHTS, about, decode, encode

MOST = 1 << 20

values = st.one_of(st.integers(0, 3), st.integers(0, 300), st.integers(0, 2**31 - 1))
columns = st.lists(st.lists(values, max_size=40), min_size=COLUMNS, max_size=COLUMNS)


def _arrays(lists: list[list[int]]) -> list[np.ndarray]:
    return [np.array(column, np.int32) for column in lists]


@limits(deadline=None)
@given(columns)
def test_columns_come_back_but_for_zeros_at_their_end(lists: list[list[int]]) -> None:
    found = decode(encode(_arrays(lists)), MOST)
    for place, (column, expected) in enumerate(zip(found, lists, strict=True)):
        while place not in RIGHTS and expected and not expected[-1]:
            expected.pop()
        assert column.tolist() == expected


def test_nothing_takes_no_bytes() -> None:
    assert encode(_arrays([[]] * 3 + [[0, 0]] + [[]] * (COLUMNS - 4))) == b""


def test_long_columns_near_their_entropy() -> None:
    generator = np.random.default_rng(0)
    column = (generator.random(50_000) < 0.02).astype(np.int32)
    data = encode([np.empty(0, np.int32), column, *_arrays([[]] * (COLUMNS - 2))])
    assert len(data) < 1.02 * 50_000 * 0.1414 / 8 + 64


@limits(deadline=None)
@given(columns, st.integers(1, 30))
def test_what_columns_take_is_known_before(lists: list[list[int]], times: int) -> None:
    many = _arrays([each * times for each in lists])
    taken = 8 * len(encode(many))
    assert abs(about(many) - taken) <= 0.06 * taken + 8 * 40


@limits(deadline=None)
@given(columns, st.integers(0, 10_000), st.integers(1, 255))
def test_damage_is_refused_or_harmless(lists: list[list[int]], at: int, flip: int) -> None:
    data = bytearray(encode(_arrays(lists)))
    if data:
        data[at % len(data)] ^= flip
    try:
        found = decode(bytes(data), 4096)
    except ArchiveError:
        return
    assert sum(len(column) for column in found) <= 4096


def test_counts_are_bounded_before_anything_is_read() -> None:
    data = encode(_arrays([[5] * 100] + [[]] * (COLUMNS - 1)))
    assert len(decode(data, 100)[0]) == 100
    with pytest.raises(ArchiveError):
        decode(data, 99)
