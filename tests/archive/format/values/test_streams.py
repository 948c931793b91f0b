"""Files with streams inflated: what is told of these comes back, and other bytes are refused."""

import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.values import streams
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.format.values.streams import (
    Folded,
    folded,
    pack_streams,
    unpack_streams,
)
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images import deflate
from bitswap_cli.images.inside.scanning import BASE64, OWN, RAW

TEXT = b"some text that is told, and some text that is told again" * 9


@given(
    st.lists(
        st.builds(
            Folded, st.integers(0, 1 << 40), st.integers(0, 1 << 24),
            st.sampled_from([RAW, OWN, BASE64]), st.binary(),
            st.sampled_from([None, None, 0, 1 << 20]),
        ),
        min_size=1,
    ),
    st.binary(),
)  # fmt: skip
def test_they_come_back(told: list[Folded], rest: bytes) -> None:
    pieces = any(one.last is not None for one in told)
    texts = any(one.packing == BASE64 for one in told)
    packed = memoryview(pack_streams(told) + rest)
    found, behind = unpack_streams(packed, pieces=pieces, texts=texts)
    assert (found, bytes(behind)) == (told, rest)
    if texts:
        with pytest.raises(ArchiveError, match="is malformed"):
            unpack_streams(packed, pieces=True)


def row(*values: object) -> bytes:
    packed = pack_object([*values])
    return len(packed).to_bytes(4, "little") + packed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\0\0",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff" * 9,
        row(1, 0, 0, 0, 1, b""),
        row(0, 0, 0, 0, 0, b""),
        row(-1, 0, 0, 0, 0, b""),
        row(1 << 40, 0, 0, 0, 0, b""),
        row(1, 0, 0, 2, 1, b"a"),
        row(1, -1, 0, 0, 1, b"a"),
        row(1, 0, (1 << 26) + 1, 0, 1, b"a"),
        row(2, 0, 0, 0, 1, b"abc"),
        row(2, 0, 0, 0, 2, b"abc"),
        row(1, 0, 0, 0, 1, b"a", b"more"),
        row(1, 0, 0, 0, 1, b"a")[:-1],
        row(1, 0, 0, 0, 1, [b"a"]),
    ],
)
def test_others_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="is malformed"):
        unpack_streams(memoryview(data))


def test_at_most_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST", 2)
    one = Folded(0, 0, RAW, b"")
    assert unpack_streams(memoryview(pack_streams([one] * 2)))[0] == [one] * 2
    with pytest.raises(ArchiveError):
        unpack_streams(memoryview(pack_streams([one] * 3)))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=9), st.booleans(), st.integers(0, 9)), max_size=5),
    st.lists(st.integers(0, 5000), max_size=9),
)
def test_however_it_comes_a_file_is_put_together(
    parts: list[tuple[bytes, bool, int]], cuts: list[int]
) -> None:
    text, expected, told = bytearray(), bytearray(), list[Folded]()
    for literal, own, level in parts:
        stream = zlib.compress(TEXT, level)
        described = deflate.describe(stream if own else stream[:-4], len(TEXT))
        assert described is not None
        told.append(Folded(len(literal), len(TEXT), OWN if own else RAW, described.description))
        text += literal + TEXT
        expected += literal + (stream if own else stream[2:-4])
    text, expected = text + b"the end", expected + b"the end"
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    split = [memoryview(text)[start:end] for start, end in pairwise(places)]
    assert b"".join(folded(split, told)) == expected


def test_streams_behind_the_file() -> None:
    for one in (Folded(9, 0, RAW, b""), Folded(0, 9, RAW, b"")):
        with pytest.raises(ArchiveError, match="behind its file"):
            list(folded([b"1234", b"", b"5678"], [one]))
