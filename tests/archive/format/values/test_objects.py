"""Objects of the container: what is one, and what is refused before it takes memory."""

import time
import tracemalloc

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.values.objects import (
    MAX_DEPTH,
    MAX_ITEMS,
    pack_object,
    unpack_object,
)
from bitswap_cli.errors import ArchiveError

leaves = st.none() | st.integers(-(1 << 63), (1 << 64) - 1) | st.text(max_size=300) | st.binary()
objects = st.recursive(
    leaves,
    lambda inside: (
        st.lists(inside, max_size=40) | st.dictionaries(st.text(max_size=40), inside, max_size=20)
    ),
    max_leaves=60,
)


@settings(deadline=None, max_examples=200)
@given(objects)
def test_objects_come_back_if_they_are_not_too_deep(value: object) -> None:
    packed = pack_object(value)
    if depth(value) <= MAX_DEPTH:
        assert unpack_object(packed, "test") == value
    for bad in (packed + b"\0", packed[:-1], b"\x92" + packed):
        with pytest.raises(ArchiveError, match="test is malformed"):
            unpack_object(bad, "test")


def depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize("length", [0, 15, 16, 31, 32, 255, 256, 65535, 65536])
def test_every_form_of_a_length(length: int) -> None:
    for value in (
        bytes(length),
        "a" * length,
        [0] * length,
        dict.fromkeys(map(str, range(length))),
    ):
        assert unpack_object(pack_object(value), "test") == value


@pytest.mark.parametrize("value", [True, False, 1.5, msgpack.ExtType(1, b"x"), {1: 2}, {b"a": 2}])
def test_other_types_are_refused(value: object) -> None:
    for whole in (value, [1, value], {"a": [value]}):
        with pytest.raises(ArchiveError, match="malformed"):
            unpack_object(msgpack.packb(whole), "test")


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_object(b"\x82\xa1a\x01\xa1a\x02", "test")


def test_what_is_too_much_is_refused_in_little_memory_and_time() -> None:
    many = b"\xdd" + (1 << 25).to_bytes(4, "big") + b"\x90" * (1 << 25)
    bombs = [
        many,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * (MAX_DEPTH + 1) + b"\x90",
        b"\x91" * (1 << 22),
        pack_object([0] * (MAX_ITEMS + 1)),
    ]
    began = time.perf_counter()
    tracemalloc.start()
    try:
        for bomb in bombs:
            with pytest.raises(ArchiveError, match="malformed"):
                unpack_object(bomb, "test")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < 5
    assert unpack_object(pack_object([0] * (MAX_ITEMS - 1)), "test")[-1] == 0
