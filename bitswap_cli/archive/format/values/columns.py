"""Columns: what entries have in common stands beside its like.

A column of numbers is one number if they are all equal, else the least of them and the differences
to it in byte planes, lowest plane first. A column of names shares prefixes from one to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.header import newer
from bitswap_cli.archive.format.sections import MAX_TABLE
from bitswap_cli.errors import ArchiveError, display

MAX_SIZE = 1 << 62
CRCS = 1 << 32  # how many values a CRC-32 has
ORIGINALS = ("original_shared", "original_ends")  # the two values of names of originals


class Columns:
    """The columns of an unpacked object, taken one by one.

    Parameters
    ----------
    columns : mapping
    count : int
        How many values each has.
    """

    def __init__(self, columns: Mapping[str, Any], count: int) -> None:
        self._columns = dict(columns)
        self._count = count

    def take(self, name: str, limit: int = MAX_SIZE) -> list[int]:
        """Return a column; one that is missing is 0 everywhere."""
        return unpack_column(self._columns.pop(name, 0), self._count, limit)

    def array(self, name: str) -> list[bytes]:
        """Return what is no column but an array of bytes."""
        found = self._columns.pop(name, [])
        if not isinstance(found, list) or not all(isinstance(one, bytes) for one in found):
            raise malformed()
        return found

    def one(self, name: str, limit: int) -> int:
        """Return what is no column but one number of the whole table."""
        found = self._columns.pop(name, 0)
        if not isinstance(found, int) or not 0 <= found < limit:
            raise malformed()
        return found

    def names(self) -> list[bytes]:
        """Return the names."""
        shared, ends = self._columns.pop("shared", 0), self._columns.pop("ends", None)
        return unpack_names(shared, ends, self._count)

    def originals(self, count: int) -> list[bytes]:
        """Return the names of what `count` of the entries equal."""
        if not count:
            return []
        shared, ends = (self._columns.pop(name, 0) for name in ORIGINALS)
        return unpack_names(shared, ends, count)

    def times(self) -> list[int]:
        """Return the times."""
        start, steps = self._columns.pop("start", 0), self._columns.pop("steps", 0)
        return unpack_times(start, steps, self._count)

    def end(self) -> None:
        """Raise `ModelError` if there is a column that nobody took."""
        for name in self._columns:
            raise newer(f"the column {display(name)}")


def pack_columns(columns: Mapping[str, object]) -> dict[str, object]:
    """Return columns by their names, without those that are 0 everywhere."""
    return {name: column for name, column in columns.items() if column != 0}


def pack_column(values: Sequence[int]) -> object:
    """Serialise integers of one meaning."""
    least, most = min(values), max(values)
    if least == most:
        return least
    width = ((most - least).bit_length() + 7) // 8
    above = np.fromiter((value - least for value in values), "<u8", len(values))
    return [least, above.view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()]


def unpack_column(column: Any, count: int, limit: int = MAX_SIZE) -> list[int]:
    """Invert `pack_column`; raise `ArchiveError` unless all are in 0 .. `limit` - 1."""
    values: list[int] = unpack_array(column, count, limit).tolist()
    return values


def unpack_array(column: Any, count: int, limit: int = MAX_SIZE) -> NDArray[np.int64]:
    """Do what `unpack_column` does, for columns too long for a list."""
    match column:
        case int(value) if 0 <= value < limit:
            return np.full(count, value, np.int64)
        case [int(least), bytes(planes)] if 0 <= least < limit:
            above = _unpack_planes(planes, count)
            if int(above.max()) < limit - least:
                return above.view(np.int64) + least
    raise malformed()


def _unpack_planes(planes: bytes, count: int) -> NDArray[np.uint64]:
    width, rest = divmod(len(planes), count)
    if rest or not 1 <= width <= 8:
        raise malformed()
    above = np.zeros((count, 8), np.uint8)
    above[:, :width] = np.frombuffer(planes, np.uint8).reshape(width, count).T
    values: NDArray[np.uint64] = above.view("<u8").ravel()
    return values


def pack_times(times: Sequence[int]) -> list[object]:
    """Return the first of some times and the column of the steps from one to the next."""
    steps = [after - before for before, after in zip(times[:-1], times[1:], strict=True)]
    return [times[0], pack_column(steps or [0])]


def unpack_times(start: Any, steps: Any, count: int) -> list[int]:
    match steps:
        case int(step):
            moves = [step] * (count - 1)
        case [int(least), bytes(planes)] if count > 1:
            moves = [least + above for above in _unpack_planes(planes, count - 1).tolist()]
        case _:
            raise malformed()
    if not isinstance(start, int):
        raise malformed()
    times = [start]
    for move in moves:
        times.append(times[-1] + move)
    if not -MAX_SIZE <= min(times) <= max(times) <= MAX_SIZE:
        raise malformed()
    return times


def pack_names(names: Iterable[bytes]) -> dict[str, object]:
    """Return the column of how many bytes names share with the one before, and what follows."""
    shared, ends, last = [], [], b""
    for name in names:
        longest = min(len(name), len(last))
        same = next((k for k in range(longest) if name[k] != last[k]), longest)
        shared.append(same)
        ends.append(name[same:])
        last = name
    return {"shared": pack_column(shared), "ends": b"\0".join(ends)}


def unpack_names(shared: Any, ends: Any, count: int) -> list[bytes]:
    if not isinstance(ends, bytes):
        raise malformed()
    names, last, total = [], b"", 0
    if ends.count(b"\0") != count - 1:
        raise malformed()
    pieces = ends.split(b"\0")
    for same, end in zip(unpack_column(shared, count), pieces, strict=True):
        total += same + len(end)
        # Shared prefixes could unfold without bound.
        if same > len(last) or total > MAX_TABLE:
            raise malformed()
        last = last[:same] + end
        names.append(last)
    return names


def named(kinds: Mapping[int, str], numbers: list[int]) -> list[str]:
    """Return what numbers stand for; raise `ArchiveError` if one stands for nothing."""
    if not kinds.keys() >= set(numbers):
        raise malformed()
    return [kinds[number] for number in numbers]


def malformed() -> ArchiveError:
    """Return the error to raise for a table that no writer makes."""
    return ArchiveError("the archive's table is malformed")
