"""Columns that tell what a file system tells of entries."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitswap_cli.archive.format.attributes import (
    ACCESS,
    MOST_BYTES,
    MOST_MODE,
    MOST_RUNS,
    MOST_XATTRS,
    NONE,
    Attributes,
    features_of,
    pack_attributes,
    unpack_attributes,
    without_access,
)
from bitswap_cli.archive.format.values.columns import Columns, pack_columns
from bitswap_cli.archive.format.values.objects import pack_object
from bitswap_cli.errors import ArchiveError

numbers = st.none() | st.integers(0, (1 << 32) - 1)
xattrs = st.dictionaries(
    st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name),
    st.binary(max_size=9),
    max_size=3,
).map(lambda found: tuple(sorted(found.items())))
runs = st.tuples(st.integers(0, 99), *[st.integers(1, 1 << 40)] * 3)
holes = st.just(()) | runs | runs.map(lambda found: found[2:])
modes = st.none() | st.integers(0, MOST_MODE)
attributes = st.builds(Attributes, modes, numbers, numbers, xattrs, holes)


@given(st.lists(attributes, min_size=1, max_size=9))
def test_round_trip(rows: list[Attributes]) -> None:
    columns = Columns(pack_columns(pack_attributes(rows)), len(rows))
    assert unpack_attributes(columns) == rows
    columns.end()


def test_where_nothing_is_told_there_are_no_columns() -> None:
    assert pack_columns(pack_attributes([NONE, NONE])) == {}
    assert features_of([NONE, NONE]) == frozenset()
    assert features_of([NONE, Attributes(0)]) == {"modes"}
    assert features_of([Attributes(None, 0), NONE]) == {"owners"}
    told = Attributes(1, 2, 3, ((b"user.a", b""),), (0, 4096))
    assert features_of([told]) == {"modes", "owners", "sparse", "xattrs"}


def test_equal_sets_are_stored_once() -> None:
    """An access list of a thousand files costs what that of one does."""
    own = Attributes(0o660, xattrs=((ACCESS, b"list"), (b"user.x", b"1")))
    columns = pack_attributes([own] * 999 + [NONE, own._replace(mode=0)])
    assert columns["xattrs"] == [pack_object([ACCESS, b"list", b"user.x", b"1"])]


def packed(*pairs: Any) -> bytes:
    return pack_object([part for pair in pairs for part in pair])


@pytest.mark.parametrize(
    "columns",
    [
        *({"mode": column} for column in (-1, MOST_MODE + 2, [0, b"\0\0\0"], [0, b"\0\x02\0\x10"])),
        {"owner": (1 << 32) + 1},
        {"group": b""},
        {"xattr": 1},
        {"xattr": 2, "xattrs": [packed((b"a", b""))]},
        {"xattr": 1, "xattrs": packed((b"a", b""))},
        {"xattr": 1, "xattrs": [1]},
        *(
            {"xattr": 1, "xattrs": [own]}
            for own in (
                b"",
                pack_object({}),
                packed(),
                pack_object([b"a"]),
                packed((b"", b"")),
                packed((b"a\0", b"")),
                packed((b"a" * 256, b"")),
                packed((b"b", b""), (b"a", b"")),
                packed((b"a", b""), (b"a", b"")),
                packed((b"a", 1)),
                packed(("a", b"")),
                packed((b"a", bytes(MOST_BYTES))),
                packed(*((b"%05d" % number, b"") for number in range(MOST_XATTRS + 1))),
            )
        ),
        {"hole": 1},
        *(
            {"hole": 1, "holes": [own]}
            for own in (
                b"",
                pack_object([0, 0]),
                pack_object([1, 5]),
                pack_object([2, 0]),
                pack_object([4, [0, b"\1\1\0\1"]]),
                pack_object([2, [0, b"\1\1\1"]]),
                pack_object([2, -1]),
                pack_object([MOST_RUNS + 2, 1]),
            )
        ),
    ],
)
def test_malformed(columns: dict[str, Any]) -> None:
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_attributes(Columns(columns, 2))


def test_there_are_no_more_than_a_table_may_tell() -> None:
    """Few bytes of a hostile table would stand for much memory."""
    holes = pack_object([MOST_RUNS, 4096])
    assert len(unpack_attributes(Columns({"hole": 1, "holes": [holes] * 2}, 2))) == 2
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_attributes(Columns({"hole": 1, "holes": [holes] * 3}, 2))
    full = packed(*((b"%05d" % number, b"") for number in range(MOST_XATTRS)))
    assert len(unpack_attributes(Columns({"xattr": 1, "xattrs": [full] * 64}, 2))) == 2
    with pytest.raises(ArchiveError, match="malformed"):
        unpack_attributes(Columns({"xattr": 1, "xattrs": [full] * 65}, 2))


@pytest.mark.parametrize(("group", "mode"), [(0, 0o604), (4, 0o644), (7, 0o664), (None, 0o604)])
def test_a_mode_without_its_list_gives_the_group_no_more_than_that_did(
    group: int | None, mode: int
) -> None:
    rows = [(1, 6, 0xFFFFFFFF), (2, 7, 1000), (16, 6, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)]
    rows += [] if group is None else [(4, group, 0xFFFFFFFF)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *row) for row in rows)
    assert without_access(0o664, access) == mode
    assert without_access(0o664, access + b"?") == without_access(0o664, b"") == 0o604
