"""What a host has besides its pictures, and CRC-32 of what is joined."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.format.values.pieces import (
    joined_crc,
    pack_pieces,
    size_of_pieces,
    unpack_pieces,
)
from bitswap_cli.errors import ArchiveError


@given(st.lists(st.tuples(st.integers(0, 99), st.binary(max_size=9)), min_size=1), st.binary())
def test_they_come_back(pictures: list[tuple[int, bytes]], rest: bytes) -> None:
    numbers, literals = list[int](), [literal for _, literal in pictures]
    for step, _ in pictures:
        numbers.append((numbers[-1] if numbers else -1) + 1 + step)
    joined = b"".join([*literals, rest])
    packed = pack_pieces(numbers, list(map(len, literals)), joined)
    assert len(packed) == size_of_pieces(len(pictures), len(joined))
    pieces = unpack_pieces(packed)
    assert pieces.numbers == numbers
    assert list(map(bytes, pieces.between())) == [*literals, rest]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\0\0",
        b"\0\0\0\0",  # no picture
        b"\0\0\0\0rest",
        b"\1\0\0\0" + b"\0" * 7,
        b"\xff\xff\xff\xff" + b"\0" * 100,
        b"\1\0\0\0\0\0\0\0\5\0\0\0four",
        b"\2\0\0\0" + b"\0" * 8 + b"\xff" * 8 + b"none",
    ],
)
def test_others_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="pieces"):
        unpack_pieces(data)


@given(st.binary(max_size=99), st.binary(max_size=99))
def test_crc_of_what_is_joined(first: bytes, second: bytes) -> None:
    crc = joined_crc(zlib.crc32(first), zlib.crc32(second), len(second))
    assert crc == zlib.crc32(first + second)


def test_crc_of_many_bytes() -> None:
    """x^(2^k) has an order: what so many zeros are can be told without them."""
    crc = zlib.crc32(b"")
    for _ in range(5):
        crc = joined_crc(crc, zlib.crc32(bytes(1 << 20)), 1 << 20)
    assert crc == zlib.crc32(bytes(5 << 20))
    one = zlib.crc32(b"1")
    assert joined_crc(one, 0, (1 << 32) - 1) == one
