"""Columns that tell what a file system tells of entries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.format.attributes import (
    MOST_MODE,
    NONE,
    Attributes,
    features_of,
    pack_attributes,
    unpack_attributes,
)
from bitswap_cli.archive.format.columns import Columns, pack_columns
from bitswap_cli.errors import ArchiveError

attributes = st.builds(Attributes, st.none() | st.integers(0, MOST_MODE))


@given(st.lists(attributes, min_size=1, max_size=9))
def test_round_trip(rows: list[Attributes]) -> None:
    columns = Columns(pack_columns(pack_attributes(rows)), len(rows))
    assert unpack_attributes(columns) == rows
    columns.end()


def test_where_nothing_is_told_there_are_no_columns() -> None:
    assert pack_columns(pack_attributes([NONE, NONE])) == {}
    assert features_of([NONE, NONE]) == frozenset()
    assert features_of([NONE, Attributes(0)]) == {"modes"}


@pytest.mark.parametrize("column", [-1, MOST_MODE + 2, [0, b"\0\0\0"], [0, b"\0\x02\0\x10"], b""])
def test_malformed(column: object) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_attributes(Columns({"mode": column}, 2))
