"""Entry tables of chunks, column by column so that like stands beside like.

A column of numbers is one number if they are all equal, else the least of them and the differences
to it in byte planes, lowest plane first. A column of names shares prefixes from one to the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.archive.format.objects import pack_object, unpack_object
from bitswap_cli.archive.format.sections import (
    MAX_CHUNK_BYTES,
    MAX_EXTRAS,
    MAX_SEGMENTS,
    MAX_TABLE,
    pack_blob,
    unpack_blob,
)
from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats import register
from bitswap_cli.images.orientation import ORIENTATIONS, turned_shape

BYTE_KINDS = ("file", "dir", "link")
MAX_SIZE = 1 << 62


class TileSegment(NamedTuple):
    """Consecutive tiles of one picture."""

    name: bytes
    kind: str
    height: int
    width: int
    channels: int
    first: int
    """Number of its first tile in the picture."""
    tiles: int
    """How many tiles."""
    size: int
    """Bytes of the original file, or 0: not told."""
    orientation: int = 0
    """How the picture lies in its tiles (see images/orientation.py)."""

    @property
    def laid(self) -> tuple[int, int, int]:
        """Height, width and channels of the picture as it lies in its tiles."""
        return turned_shape((self.height, self.width, self.channels), self.orientation)


class TileTable(NamedTuple):
    """What a TILE chunk holds."""

    segments: list[TileSegment]
    checksum: int
    """CRC-32 of the decoded samples."""
    swallowed: int
    """How many bytes of the extras are in the initial bits."""
    factor: int
    """How many times as high and wide as the model's its tiles are."""


class ByteSegment(NamedTuple):
    """Consecutive bytes of one file; a link's target; or an empty folder."""

    name: bytes
    kind: str
    size: int
    """Bytes of the whole file."""
    offset: int
    """Of these bytes in the file."""
    length: int
    """Of these bytes."""
    mtime: int
    """Nanoseconds since 1970."""


class ByteTable(NamedTuple):
    """What a BYTE chunk holds."""

    segments: list[ByteSegment]
    checksum: int
    """CRC-32 of the unpacked bytes."""


class Extra(NamedTuple):
    """What a picture needs beyond its pixels, once, with its first tile."""

    mtime: int
    prefix: bytes
    suffix: bytes


def pack_tile_table(table: TileTable) -> bytes:
    """Serialise the table of a TILE chunk."""
    names, kinds, *numbers, orientations = zip(*table.segments, strict=True)
    if any(orientations):  # else there is no such column: versions before 4 have none
        numbers.append(orientations)
    columns = [pack_column(column) for column in numbers]
    number = {kind.name: kind.number for kind in register.kinds()}
    kind = pack_column([number[name] for name in kinds])
    head = [len(names), table.checksum, table.swallowed, table.factor]
    return pack_blob(pack_object([*head, *_pack_names(names), kind, *columns]))


def unpack_tile_table(blob: bytes) -> TileTable:
    """Invert `pack_tile_table`; raise `ArchiveError` if malformed."""
    match unpack_object(unpack_blob(blob, MAX_TABLE, "table"), "table"):
        case [
            int(count),
            int(checksum),
            int(swallowed),
            int(factor),
            shared,
            ends,
            kind,
            *columns,
        ] if 0 < count <= MAX_SEGMENTS and 0 <= swallowed <= MAX_EXTRAS and len(columns) in (6, 7):
            names = _unpack_names(shared, ends, count)
            known = {kind.number: kind.name for kind in register.kinds()}
            kinds = _named(known, unpack_column(kind, count))
            numbers = [unpack_column(column, count) for column in columns[:6]]
            numbers += [unpack_column(column, count, ORIENTATIONS) for column in columns[6:]]
            segments = [TileSegment(*row) for row in zip(names, kinds, *numbers, strict=True)]
            return TileTable(segments, checksum, swallowed, factor)
    raise _malformed()


def pack_byte_table(table: ByteTable) -> bytes:
    """Serialise the table of a BYTE chunk."""
    names, kinds, sizes, offsets, lengths, mtimes = zip(*table.segments, strict=True)
    columns = [pack_column(column) for column in (sizes, offsets)]
    length = 0 if lengths == sizes else pack_column(lengths)
    kind = pack_column([BYTE_KINDS.index(kind) for kind in kinds])
    packed = [len(names), table.checksum, *_pack_names(names), kind, *columns, length]
    return pack_blob(pack_object([*packed, *_pack_times(mtimes)]))


def unpack_byte_table(blob: bytes) -> ByteTable:
    """Invert `pack_byte_table`; raise `ArchiveError` if malformed."""
    match unpack_object(unpack_blob(blob, MAX_TABLE, "table"), "table"):
        case [
            int(count),
            int(checksum),
            shared,
            ends,
            kind,
            size,
            offset,
            length,
            start,
            steps,
        ] if 0 < count <= MAX_SEGMENTS:
            names = _unpack_names(shared, ends, count)
            kinds = _named(dict(enumerate(BYTE_KINDS)), unpack_column(kind, count))
            sizes = unpack_column(size, count)
            lengths = sizes if length == 0 else unpack_column(length, count)
            rows = zip(
                names,
                kinds,
                sizes,
                unpack_column(offset, count),
                lengths,
                _unpack_times(start, steps, count),
                strict=True,
            )
            segments = [ByteSegment(*row) for row in rows]
            _check_bytes(segments)
            return ByteTable(segments, checksum)
    raise _malformed()


def pack_extras(extras: Sequence[Extra]) -> bytes:
    """Serialise the extras of a chunk; nothing if there are none."""
    if not extras:
        return b""
    frames = list(dict.fromkeys((extra.prefix, extra.suffix) for extra in extras))
    place = {frame: number for number, frame in enumerate(frames)}
    which = pack_column([place[extra.prefix, extra.suffix] for extra in extras])
    times = _pack_times([extra.mtime for extra in extras])
    prefixes, suffixes = zip(*frames, strict=True)
    return pack_blob(pack_object([*times, which, list(prefixes), list(suffixes)]))


def unpack_extras(blob: bytes, count: int) -> list[Extra]:
    """Invert `pack_extras` of `count` extras; raise `ArchiveError` if malformed."""
    if not count:
        if blob:
            raise _malformed()
        return []
    match unpack_object(unpack_blob(blob, MAX_EXTRAS, "extras"), "extras"):
        case [start, steps, which, [*prefixes], [*suffixes]] if len(prefixes) == len(suffixes):
            if all(isinstance(part, bytes) for part in (*prefixes, *suffixes)):
                times = _unpack_times(start, steps, count)
                places = unpack_column(which, count, limit=len(prefixes))
                rows = zip(times, places, strict=True)
                return [Extra(time, prefixes[k], suffixes[k]) for time, k in rows]
    raise _malformed()


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
    raise _malformed()


def _unpack_planes(planes: bytes, count: int) -> NDArray[np.uint64]:
    width, rest = divmod(len(planes), count)
    if rest or not 1 <= width <= 8:
        raise _malformed()
    above = np.zeros((count, 8), np.uint8)
    above[:, :width] = np.frombuffer(planes, np.uint8).reshape(width, count).T
    values: NDArray[np.uint64] = above.view("<u8").ravel()
    return values


def _pack_times(times: Sequence[int]) -> list[object]:
    """Return the first of some times and the column of the steps from one to the next."""
    steps = [after - before for before, after in zip(times[:-1], times[1:], strict=True)]
    return [times[0], pack_column(steps or [0])]


def _unpack_times(start: Any, steps: Any, count: int) -> list[int]:
    match steps:
        case int(step):
            moves = [step] * (count - 1)
        case [int(least), bytes(planes)] if count > 1:
            moves = [least + above for above in _unpack_planes(planes, count - 1).tolist()]
        case _:
            raise _malformed()
    if not isinstance(start, int):
        raise _malformed()
    times = [start]
    for move in moves:
        times.append(times[-1] + move)
    if not -MAX_SIZE <= min(times) <= max(times) <= MAX_SIZE:
        raise _malformed()
    return times


def _pack_names(names: Iterable[bytes]) -> list[object]:
    """Return the column of how many bytes names share with the one before, and what follows."""
    shared, ends, last = [], [], b""
    for name in names:
        longest = min(len(name), len(last))
        same = next((k for k in range(longest) if name[k] != last[k]), longest)
        shared.append(same)
        ends.append(name[same:])
        last = name
    return [pack_column(shared), b"\0".join(ends)]


def _unpack_names(shared: Any, ends: Any, count: int) -> list[bytes]:
    if not isinstance(ends, bytes):
        raise _malformed()
    names, last, total = [], b"", 0
    if ends.count(b"\0") != count - 1:
        raise _malformed()
    pieces = ends.split(b"\0")
    for same, end in zip(unpack_column(shared, count), pieces, strict=True):
        total += same + len(end)
        # Shared prefixes could unfold without bound.
        if same > len(last) or total > MAX_TABLE:
            raise _malformed()
        last = last[:same] + end
        names.append(last)
    return names


def _named(kinds: Mapping[int, str], numbers: list[int]) -> list[str]:
    if not kinds.keys() >= set(numbers):
        raise _malformed()
    return [kinds[number] for number in numbers]


def _check_bytes(segments: list[ByteSegment]) -> None:
    for segment in segments:
        whole = segment.offset == 0 and segment.length == segment.size
        if segment.offset + segment.length > segment.size:
            raise _malformed()
        # Only files come in parts, and a part is never empty: else it would be no progress.
        if not whole and (segment.kind != "file" or not segment.length):
            raise _malformed()
    if sum(segment.length for segment in segments) > MAX_CHUNK_BYTES:
        raise _malformed()


def _malformed() -> ArchiveError:
    return ArchiveError("the archive's table is malformed")
