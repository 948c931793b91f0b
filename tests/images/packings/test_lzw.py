"""LZW streams come back byte for byte from data and description; bad descriptions are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.packings.lzw import give, take
from tests.images.packings.streams import greedy


def came_back(stream: bytes, size: int, least: int, tiff: bool) -> bytes | None:
    """The description of a stream that comes back from it."""
    found = take(stream, size, least, tiff=tiff)
    if found is None:
        return None
    data, description = found
    reader = Reader(description + b"more")
    assert give(data, reader, least, tiff=tiff) == stream
    assert reader.rest() == b"more"
    return description


@settings(max_examples=200, deadline=None)
@given(
    data=st.lists(st.integers(0, 3), min_size=1, max_size=400),
    tiff=st.booleans(),
    least=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 1 << 20),
    whims=st.sampled_from([0, 0, 0.1, 1]),
    behind=st.binary(max_size=3),
)
def test_streams_come_back(
    data: list[int], tiff: bool, least: int, seed: int, whims: float, behind: bytes
) -> None:
    stream = greedy(bytes(data), tiff, least, seed, whims) + behind
    description = came_back(stream, len(data), least, tiff)
    if not whims:
        assert description is not None
        assert len(description) <= 5 + 2 * bool(behind) + len(behind) + 2
    came_back(stream[:-1], len(data), least, tiff)
    if len(data) > 1:
        came_back(stream, len(data) - 1, least, tiff)


def test_a_packer_of_single_bytes_is_told_in_a_flag() -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 2, 5000).astype(np.uint8).tobytes()
    codes = [256, *data]
    for place in range(len(codes) - 250, 1, -250):
        codes.insert(place, 256)
    bits = "".join(format(code, "09b") for code in reversed(codes))
    stream = int(bits, 2).to_bytes(-(-len(bits) // 8), "little")
    description = came_back(stream, len(data), 8, tiff=False)
    assert description is not None and len(description) < 20


@settings(max_examples=300, deadline=None)
@given(
    description=st.one_of(
        st.binary(max_size=12),
        st.lists(st.integers(0, 1 << 41), max_size=9).map(
            lambda values: b"\0" + b"".join(map(varint, values))
        ),
    ),
    tiff=st.booleans(),
)
def test_any_description_gives_a_stream_or_is_refused(description: bytes, tiff: bool) -> None:
    data = np.tile(np.array([1, 2, 3, 1], np.uint8), 20)
    try:
        give(data, Reader(description), 2, tiff=tiff)
    except ArchiveError as error:
        assert "compressed data is damaged" in str(error) or "packed data is damaged" in str(error)


@pytest.mark.parametrize(
    "values", [[1 << 30], [1, 0, 1 << 40], [2, 0, 1 << 39, 0, 1 << 39], [0, 1 << 30]]
)
def test_counts_are_bounded_before_memory_is_taken(values: list[int]) -> None:
    description = b"\0" + b"".join(map(varint, values)) + bytes(20)
    with pytest.raises(ArchiveError, match="packed data is damaged"):
        give(np.zeros(100, np.uint8), Reader(description), 8)
