"""What a file system tells of an entry beside its name, its bytes and its time of modification.

Every table has the same columns for it, whatever else its rows are made of. They tell it in the row
in which an entry begins, and nothing in the others.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from bitswap_cli.archive.format.header import MODES, OWNERS, SPARSE, XATTRS
from bitswap_cli.archive.format.values.columns import Columns, malformed, pack_column, unpack_column
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object

MOST_MODE = 0o7777
ACCESS, INHERITED = b"system.posix_acl_access", b"system.posix_acl_default"
MOST_NAME = 255  # bytes of the name of an extended attribute
MOST_XATTRS = 1024  # of an entry
MOST_BYTES = 1 << 20  # of all extended attributes of an entry, names included
_MOST_IN_TABLE = 1 << 16  # extended attributes in the sets of a table
MOST_RUNS = 1 << 16  # lengths that tell the holes of a file
_MOST_RUNS_IN_TABLE = 1 << 17
_MOST_ID = 1 << 32
# How a list of access begins, and each of its rows: tag, rights, and whose they are.
_ACL, _ACL_ROW = struct.Struct("<I"), struct.Struct("<HHI")
_GROUP = 4

T = TypeVar("T")
Xattrs = tuple[tuple[bytes, bytes], ...]


class Attributes(NamedTuple):
    """What is told; what is not told is as the system makes it."""

    mode: int | None = None
    """Twelve bits of permission, as POSIX has them; None: not told."""
    owner: int | None = None
    """Number of the user that it belongs to; None: not told."""
    group: int | None = None
    """Number of the group likewise."""
    xattrs: Xattrs = ()
    """Names and values of extended attributes, lists of access (ACLs) among them; names in
    ascending order."""
    holes: tuple[int, ...] = ()
    """Bytes before the first hole of a sparse file, bytes of that hole, bytes from there to the
    next one, and so on; none but the first is 0."""

    @property
    def access(self) -> bytes | None:
        """The list of who may access it, as Linux has it, if there is one."""
        return dict(self.xattrs).get(ACCESS)

    @property
    def weight(self) -> int:
        """About how many bytes it takes in a table, where these are many, and in memory."""
        own = sum(256 + len(name) + len(value) for name, value in self.xattrs)
        return own + 64 * len(self.holes)


NONE = Attributes()


def without_access(mode: int, access: bytes) -> int:
    """Return a mode without the list of access that goes with it.

    With such a list, the bits of the group tell the most that any of those may who are named in it.
    Without it they would give that to the group, so they become what the list gives to the group.
    """
    rows = access[_ACL.size :]
    rights = 0
    if len(rows) % _ACL_ROW.size == 0:
        rights = sum(right for tag, right, _ in _ACL_ROW.iter_unpack(rows) if tag == _GROUP)
    return mode & (~0o070 | rights << 3)


def pack_attributes(rows: Sequence[Attributes]) -> dict[str, object]:
    """Return the columns of a table that tell attributes, one of each row."""
    sets, xattr = _numbered([row.xattrs for row in rows])
    holes, hole = _numbered([row.holes for row in rows])
    return {
        "mode": pack_column([_packed(row.mode) for row in rows]),
        "owner": pack_column([_packed(row.owner) for row in rows]),
        "group": pack_column([_packed(row.group) for row in rows]),
        "xattr": pack_column(xattr),
        "xattrs": [pack_object([part for pair in own for part in pair]) for own in sets] or 0,
        "hole": pack_column(hole),
        "holes": [pack_object([len(own), pack_column(own)]) for own in holes] or 0,
    }


def unpack_attributes(columns: Columns) -> list[Attributes]:
    """Invert `pack_attributes`, row by row; raise `ArchiveError` if malformed."""
    sets: list[Xattrs] = [(), *_unpack_sets(columns.array("xattrs"))]
    holes: list[tuple[int, ...]] = [(), *_unpack_holes(columns.array("holes"))]
    rows = zip(
        columns.take("mode", MOST_MODE + 2),
        columns.take("owner", _MOST_ID + 1),
        columns.take("group", _MOST_ID + 1),
        columns.take("xattr", len(sets)),
        columns.take("hole", len(holes)),
        strict=True,
    )
    return [
        Attributes(_unpacked(mode), _unpacked(owner), _unpacked(group), sets[xattr], holes[hole])
        for mode, owner, group, xattr, hole in rows
    ]


def features_of(rows: Iterable[Attributes]) -> frozenset[str]:
    """Return the features that an archive needs to tell some attributes."""
    found = set()
    for row in rows:
        found |= {MODES} if row.mode is not None else set()
        found |= {OWNERS} if (row.owner, row.group) != (None, None) else set()
        found |= {XATTRS} if row.xattrs else set()
        found |= {SPARSE} if row.holes else set()
    return frozenset(found)


def _numbered(rows: list[T]) -> tuple[list[T], list[int]]:
    """Return those of some tuples that are not empty, each once, and which of them each row has,
    from 1 on."""
    different = list(dict.fromkeys(row for row in rows if row))
    number = {own: number for number, own in enumerate(different, 1)}
    return different, [number.get(row, 0) for row in rows]


def _packed(number: int | None) -> int:
    return 0 if number is None else number + 1


def _unpacked(number: int) -> int | None:
    return number - 1 if number else None


def _unpack_sets(packed: list[bytes]) -> list[Xattrs]:
    sets: list[Xattrs] = []
    count = 0
    for own in packed:
        match unpack_object(own, "table"):
            case [*parts] if 0 < len(parts) <= 2 * MOST_XATTRS and len(parts) % 2 == 0:
                count += len(parts) // 2
                names, values = parts[::2], parts[1::2]
                if count <= _MOST_IN_TABLE and _fit(names, values):
                    sets.append(tuple(zip(names, values, strict=True)))
                    continue
        raise malformed()
    return sets


def _fit(names: list[object], values: list[object]) -> bool:
    size = 0
    last = b""
    for name, value in zip(names, values, strict=True):
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            return False
        if not last < name or len(name) > MOST_NAME or b"\0" in name:
            return False
        last, size = name, size + len(name) + len(value)
    return size <= MOST_BYTES


def _unpack_holes(packed: list[bytes]) -> list[tuple[int, ...]]:
    holes: list[tuple[int, ...]] = []
    in_all = 0
    for own in packed:
        match unpack_object(own, "table"):
            case [int(count), column] if 0 < count <= MOST_RUNS and count % 2 == 0:
                in_all += count
                if in_all <= _MOST_RUNS_IN_TABLE:
                    runs = unpack_column(column, count)
                    if all(runs[1:]):
                        holes.append(tuple(runs))
                        continue
        raise malformed()
    return holes
