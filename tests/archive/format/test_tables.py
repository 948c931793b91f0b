"""Tables of TILE chunks, and what they may tell of twins."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitswap_cli.archive.format.sections import MAX_EXTRAS
from bitswap_cli.archive.format.segments import MAX_TWINS, TileSegment, TileTable
from bitswap_cli.archive.format.tables import pack_tile_table, unpack_tile_table
from bitswap_cli.archive.format.values.blobs import pack_blob, unpack_blob
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.errors import ArchiveError
from tests.archive.format.test_attributes import attributes

numbers = st.integers(0, (1 << 62) - 1)
tiles = st.lists(
    st.builds(
        TileSegment,
        st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name),
        st.sampled_from(["png", "bmp", "pnm"]),
        *[numbers] * 5,
        st.integers(1, 1 << 40),
        st.integers(0, 7),
        st.integers(0, 0xFFFFFFFF),
        attributes,
        st.just(0),
    ),
    min_size=1,
    max_size=9,
)


def with_twins(segments: list[TileSegment], places: list[int]) -> list[TileSegment]:
    """Some segments, and behind them twins of those at some places."""
    every = list(segments)
    for place in places:
        at = place % len(segments)
        like = segments[at]._replace(name=b"t%d" % place, kind="pnm", crc=place, size=1 + place)
        every.append(like._replace(twin=len(every) - at))
    return every


@settings(deadline=None, max_examples=40)
@given(
    tiles,
    st.lists(st.integers(0, 999), max_size=MAX_TWINS - 9),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, MAX_EXTRAS),
)
def test_tile_tables(
    segments: list[TileSegment], places: list[int], checksum: int, swallowed: int
) -> None:
    table = TileTable(with_twins(segments, places), checksum, swallowed, 1)
    assert unpack_tile_table(pack_tile_table(table)) == table
    assert table.coded == segments
    starts = [sum(s.tiles for s in segments[:k]) for k in range(len(segments))]
    assert table.starts == starts + [starts[place % len(starts)] for place in places]


@pytest.mark.parametrize(
    ("row", "change"),
    [
        (0, {"twin": 1}),
        (1, {"twin": 2}),
        (2, {"twin": 1}),
        (1, {"twin": MAX_TWINS + 1}),
        *((1, {name: 2}) for name in ("height", "width", "channels", "first", "tiles")),
        (1, {"orientation": 1}),
    ],
)
def test_twins_of_no_picture_before_them(row: int, change: dict[str, Any]) -> None:
    """Of one that is not in the table, of another twin, of one of another shape."""
    like = TileSegment(b"a", "pnm", 1, 1, 1, 0, 1, 1, 0, 7)
    segments = [like, like._replace(name=b"b", twin=1), like._replace(name=b"c", twin=2)]
    assert unpack_tile_table(pack_tile_table(TileTable(segments, 0, 0, 1)))
    segments[row] = segments[row]._replace(**change)
    with pytest.raises(ArchiveError, match="not before it|malformed"):
        unpack_tile_table(pack_tile_table(TileTable(segments, 0, 0, 1)))


def test_a_kind_that_has_no_number_here_is_malformed() -> None:
    segment = TileSegment(b"a", "pnm-16", 1, 1, 2, 0, 1, 0)
    row = unpack_object(unpack_blob(pack_tile_table(TileTable([segment], 0, 0, 1)), 999, "t"), "t")
    assert row["kind"] == 5
    row["kind"] = 250
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_tile_table(pack_blob(pack_object(row)))
