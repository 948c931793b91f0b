"""Repeats and the rest make the bytes again; what no writer makes is refused."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitswap_cli.archive.format.chunks import decode_bytes, encode_repeats
from bitswap_cli.archive.format.register import read_table, told
from bitswap_cli.archive.format.sections import BYTE, NAMED_VERSION
from bitswap_cli.archive.format.segments import ByteSegment, ByteTable
from bitswap_cli.archive.format.values.columns import pack_column
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.archive.format.values.repeats import (
    LEAST,
    MAX_PARTS,
    joined,
    pack_part,
    pack_repeats,
    parts_of,
    spans,
    unpack_part,
    unpack_repeats,
)
from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing import octets
from bitswap_cli.mixing.state import NEWEST

Rows = list[tuple[int, int, int]]
NOISE = np.random.default_rng(3).bytes(5000)
TEXT = b"".join(b"%d is followed by %d\n" % (k, k + 1) for k in range(300))


@st.composite
def told_apart(draw: st.DrawFn) -> tuple[bytes, NDArray[np.int64]]:
    """Bytes, and repeats among them."""
    data, rows = bytearray(NOISE[: draw(st.integers(LEAST, 200))]), Rows()
    for _ in range(draw(st.integers(1, 8))):
        gap = draw(st.integers(0, 40))
        data += NOISE[len(data) : len(data) + gap]
        length = draw(st.integers(LEAST, len(data)))
        source = draw(st.integers(0, len(data) - length))
        rows.append((len(data), length, source))
        data += data[source : source + length]
    return bytes(data + NOISE[: draw(st.integers(0, 40))]), np.array(rows, np.int64)


@given(told_apart(), st.integers(1, 300))
def test_repeats_and_the_rest_are_all(told: tuple[bytes, NDArray[np.int64]], most: int) -> None:
    data, found = told
    assert np.array_equal(unpack_repeats(pack_repeats(found), len(found), len(data)), found)
    cut = spans(found, len(data), most)
    sizes = [sum(end - begin for begin, end in part) for part in cut]
    assert max(sizes, default=0) <= most
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    parts = [b"".join(data[begin:end] for begin, end in part) for part in cut]
    assert joined(found, iter(parts), len(data)) == data
    for wrong in (parts[:-1], [*parts, b"1"], [parts[0][1:], *parts[1:]]):
        with pytest.raises(ArchiveError, match="malformed"):
            joined(found, iter(wrong), len(data))


@pytest.mark.parametrize(
    ("gaps", "lengths", "distances"),
    [
        ([100], [LEAST - 1], [90]),  # too short
        ([100], [LEAST], [LEAST - 1]),  # it would repeat itself
        ([100], [LEAST], [101]),  # before the beginning
        ([1000], [LEAST], [100]),  # behind the end
        ([100, 500], [400, LEAST], [100, 100]),
        ([2**62], [2**62], [2**62]),
        ([-1], [LEAST], [100]),
    ],
)
def test_what_repeats_nothing_is_refused(
    gaps: list[int], lengths: list[int], distances: list[int]
) -> None:
    told = pack_object([pack_column(column) for column in (gaps, lengths, distances)])
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_repeats(told, len(gaps), 1000)


@pytest.mark.parametrize("told", [b"", b"\x90", b"\x93\x01\x01\xc0", b"\x94\x64\x64\x64\x00"])
def test_what_is_no_table_of_repeats_is_refused(told: bytes) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_repeats(told, 1, 1000)


@given(st.sampled_from((b"1", bytes(3000), NOISE, TEXT, NOISE + TEXT + NOISE)), st.booleans())
@settings(deadline=None)
def test_parts_come_back(data: bytes, twice: bool) -> None:
    packed = pack_part(data) * (1 + twice)
    assert len(packed) <= (1 + twice) * (len(data) + 9)
    found = parts_of(memoryview(packed), (1 + twice) * len(data))
    assert [unpack_part(part, NEWEST) for part in found] == [data] * (1 + twice)
    with pytest.raises(ArchiveError, match="malformed"):
        parts_of(memoryview(packed), (1 + twice) * len(data) - 1)
    for end in (1, 7, len(packed) - 1):
        with pytest.raises(ArchiveError, match="malformed"):
            parts_of(memoryview(packed)[:end], 1 << 20)


@pytest.mark.parametrize(
    ("size", "coded"),
    [(3, b"\x00ab"), (1, b"\x00ab"), (4, b"\x02" + struct.pack("<I", 4)), (4, b"\x03abcd")],
)
def test_parts_that_are_not_as_long_as_told_are_refused(size: int, coded: bytes) -> None:
    (part,) = parts_of(memoryview(struct.pack("<II", size, len(coded)) + coded), size)
    with pytest.raises(ArchiveError, match=r"malformed|damaged"):
        unpack_part(part, NEWEST)


@pytest.mark.parametrize("size", [0, octets.MOST + 1, (1 << 32) - 1])
def test_parts_of_no_size_that_may_be_are_refused(size: int) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        parts_of(memoryview(struct.pack("<II", size, 1) + b"\x00"), 1 << 33)


def test_more_parts_than_a_reader_remembers_are_refused() -> None:
    tiny = struct.pack("<II", 1, 2) + b"\x00a"
    assert len(parts_of(memoryview(tiny * MAX_PARTS), 1 << 20)) == MAX_PARTS
    with pytest.raises(ArchiveError, match="malformed"):
        parts_of(memoryview(tiny * (MAX_PARTS + 1)), 1 << 20)


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_chunk_comes_back_or_is_refused(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT[:900]
    data, found = text + text[100:800], np.array([[900, 700, 100]], np.int64)
    segment = ByteSegment(b"x", "file", len(data), 0, len(data), 0, zlib.crc32(data))
    body = encode_repeats([segment], data, found, [pack_part(text)])
    table = read_table(BYTE, body, NAMED_VERSION)
    assert isinstance(table, ByteTable)
    assert told(BYTE, table, set()) == {"mixed", "mixed-3", "repeats"}
    if engine == "reference":
        monkeypatch.setenv("BITSWAP_ENGINE", engine)
    assert decode_bytes(table, body)() == data
    spoilt = [
        (table._replace(mixed=0), body),
        (table._replace(frames=1), body),
        (table._replace(repeats=2), body),
        (table._replace(checksum=table.checksum ^ 1), body),
        (table, body[:-1]),
        (table, body + b"1"),
        (table, body[:-4] + b"1111"),
    ]
    for wrong, its in spoilt:
        with pytest.raises(ArchiveError, match=r"malformed|damaged|checksum"):
            decode_bytes(wrong, its)()
