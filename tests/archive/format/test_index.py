"""The index: columns of chunks that take little memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.index import ChunkInfo, Chunks, Totals, pack_index, unpack_index
from bitswap_cli.archive.format.sections import BYTE, MAX_BODY, MAX_CHUNKS, MAX_SEGMENTS, TILE
from bitswap_cli.errors import ArchiveError

TOTALS = Totals(1, 2, 3, 4)

rows = st.tuples(
    st.sampled_from([TILE, BYTE]), st.integers(0, MAX_BODY), st.integers(0, MAX_SEGMENTS)
)


@settings(deadline=None)
@given(st.lists(rows, max_size=30), st.integers(0, 1 << 40), st.sampled_from([12, 20]))
def test_chunks_are_found_where_they_lie(
    rows: list[tuple[bytes, int, int]], start: int, framing: int
) -> None:
    chunks, offset = Chunks(), start
    for tag, length, segments in rows:
        chunks.add(ChunkInfo(tag, offset, length, segments))
        offset += length + framing
    read, totals = unpack_index(pack_index(chunks, TOTALS), len(rows))
    laid, end = read.laid(start, framing)
    assert (list(laid), end, totals) == (list(chunks), offset, TOTALS)
    assert list(laid[1:3]) == list(laid)[1:3]
    assert list(laid.only([TILE])) == [chunk for chunk in chunks if chunk.tag == TILE]
    if rows:
        assert laid[-1] == list(laid)[-1]
        with pytest.raises(ArchiveError, match="index"):
            unpack_index(pack_index(chunks, TOTALS), len(rows) - 1)


def test_a_chunk_takes_no_more_than_32_bytes() -> None:
    chunks = Chunks(np.zeros(MAX_CHUNKS, Chunks.COLUMNS))
    packed = pack_index(chunks, TOTALS)
    tracemalloc.start()
    try:
        laid, _ = unpack_index(packed, MAX_CHUNKS)[0].laid(0, 12)
        assert tracemalloc.get_traced_memory()[0] <= 32 * len(laid)
    finally:
        tracemalloc.stop()
    with pytest.raises(ArchiveError, match="chunks at most"):
        laid.add(ChunkInfo(TILE, 0, 0, 0))
    with pytest.raises(IndexError):
        laid[MAX_CHUNKS]
