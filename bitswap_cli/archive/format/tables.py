"""Tables of chunks and extras of pictures, column by column (docs/format.md)."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from bitswap_cli.archive.format import earlier
from bitswap_cli.archive.format.attributes import pack_attributes, unpack_attributes
from bitswap_cli.archive.format.header import MAX_MODELS
from bitswap_cli.archive.format.names import MAX_DEPTH, depth_of
from bitswap_cli.archive.format.sections import (
    MAX_BLOCK,
    MAX_EXTRAS,
    MAX_FRAMES,
    MAX_MIXED_EXTRAS,
    MAX_SEGMENTS,
    MAX_TABLE,
    NAMED_VERSION,
)
from bitswap_cli.archive.format.segments import (
    BYTE_KINDS,
    COPY_KINDS,
    HOST_KINDS,
    MAX_TWINS,
    PICTURE,
    ByteSegment,
    ByteTable,
    Extra,
    TileSegment,
    TileTable,
    WholeSegment,
    WholeTable,
)
from bitswap_cli.archive.format.values.blobs import (
    pack_blob,
    pack_mixed,
    unpack_blob,
    unpack_mixed,
)
from bitswap_cli.archive.format.values.columns import (
    CRCS,
    ORIGINALS,
    Columns,
    malformed,
    named,
    pack_column,
    pack_columns,
    pack_names,
    pack_times,
    unpack_column,
    unpack_times,
)
from bitswap_cli.archive.format.values.objects import pack_object, unpack_object
from bitswap_cli.archive.format.values.repeats import MAX_REPEATS
from bitswap_cli.errors import ArchiveError, display
from bitswap_cli.images.formats import register
from bitswap_cli.images.orientation import ORIENTATIONS
from bitswap_cli.mixing.state import NEWEST

_MAX_FACTOR = 1 << 8
# numbers in the table of a TILE chunk, and what they stay below
_TILE_HEAD = {
    "checksum": CRCS, "swallowed": MAX_EXTRAS + 1, "factor": _MAX_FACTOR, "model": MAX_MODELS
}  # fmt: skip

# and of a BYTE chunk
_BYTE_HEAD = {
    "checksum": CRCS, "mixed": NEWEST + 1, "frames": MAX_FRAMES, "repeats": MAX_REPEATS + 1
}  # fmt: skip


def pack_tile_table(table: TileTable) -> bytes:
    """Serialise the table of a TILE chunk."""
    names, kinds, *numbers, crcs, attributes, twins = zip(*table.segments, strict=True)
    fields = TileSegment._fields[2:-3]
    number = {kind.name: kind.number for kind in register.kinds()}
    columns = {
        **pack_names(names),
        "kind": pack_column([number[name] for name in kinds]),
        **{name: pack_column(own) for name, own in zip(fields, numbers, strict=True)},
        "crc": pack_column([crc or 0 for crc in crcs]),
        "twin": pack_column(twins),
        **pack_attributes(attributes),
    }
    head = {name: getattr(table, name) for name in _TILE_HEAD}
    return pack_table(len(names), head, columns)


def pack_byte_table(table: ByteTable) -> bytes:
    """Serialise the table of a BYTE chunk."""
    names, kinds, sizes, offsets, lengths, mtimes, crcs, attributes, originals = zip(
        *table.segments, strict=True
    )
    equal = [name for name in originals if name]
    columns = {
        **pack_names(names),
        "kind": pack_column([BYTE_KINDS.index(kind) for kind in kinds]),
        "size": pack_column(sizes),
        "offset": pack_column(offsets),
        "length": 0 if lengths == sizes else pack_column(lengths),
        **dict(zip(("start", "steps"), pack_times(mtimes), strict=True)),
        "crc": pack_column(crcs),
        **pack_attributes(attributes),
        **(dict(zip(ORIGINALS, pack_names(equal).values(), strict=True)) if equal else {}),
    }
    head = {name: getattr(table, name) for name in _BYTE_HEAD}
    return pack_table(len(names), head, columns)


def pack_whole_table(table: WholeTable, kinds: Sequence[str]) -> bytes:
    """Serialise the table of a chunk of whole files, which are of some `kinds`."""
    names, own, *numbers, mtimes, crcs, attributes, depths, twins = zip(
        *table.segments, strict=True
    )
    columns = {
        **pack_names(names),
        "kind": pack_column([kinds.index(kind) for kind in own]),
        **{
            name: pack_column(column)
            for name, column in zip(WholeSegment._fields[2:6], numbers, strict=True)
        },
        **dict(zip(("start", "steps"), pack_times(mtimes), strict=True)),
        "crc": pack_column(crcs),
        "deep": pack_column([depth - 1 for depth in depths]),
        "twin": pack_column(twins),
        **pack_attributes(attributes),
    }
    return pack_table(len(names), {"mixed": table.mixed}, columns)


def unpack_whole_table(
    blob: bytes, kinds: Sequence[str], *, twins: bool = False, mixed: bool = False
) -> WholeTable:
    """Invert `pack_whole_table`, of a chunk that may hold `twins`, or `mixed` extras; raise
    `ArchiveError` if it is malformed, `ModelError` if newer."""
    columns = columns_of(unpack_object(unpack_blob(blob, MAX_TABLE, "table"), "table"))
    names = columns.names()
    own = named(dict(enumerate(kinds)), columns.take("kind"))
    numbers = [columns.take(name) for name in WholeSegment._fields[2:6]]
    told = columns.times(), columns.take("crc", CRCS), unpack_attributes(columns)
    depths = [1 + deep for deep in columns.take("deep", 2)]
    places = columns.take("twin", MAX_TWINS + 1) if twins else [0] * len(names)
    rows = zip(names, own, *numbers, *told, depths, places, strict=True)
    version = columns.one("mixed", NEWEST + 1) if mixed else 0
    table = WholeTable([WholeSegment(*row) for row in rows], version)
    columns.end()
    for row, segment in enumerate(table.segments):
        if segment.twin > row or (segment.twin and table.segments[row - segment.twin].twin):
            raise no_twin(segment.name)
    return table


def unpack_tile_table(blob: bytes, version: int = NAMED_VERSION) -> TileTable:
    """Invert `pack_tile_table`; raise `ArchiveError` if malformed, `ModelError` if newer."""
    found = unpack_object(unpack_blob(blob, MAX_TABLE, "table"), "table")
    if version < NAMED_VERSION:
        return earlier.tile_table(found)
    columns = columns_of(found)
    names, known = columns.names(), {kind.number: kind.name for kind in register.kinds()}
    kinds = named(known, columns.take("kind"))
    numbers = [columns.take(own) for own in TileSegment._fields[2:-4]]
    orientations = columns.take("orientation", ORIENTATIONS)
    crcs = zip(columns.take("crc", CRCS), numbers[-1], strict=True)
    head = [columns.one(name, limit) for name, limit in _TILE_HEAD.items()]
    attributes, twins = unpack_attributes(columns), columns.take("twin", MAX_TWINS + 1)
    columns.end()
    told = [crc if size else None for crc, size in crcs]
    rows = zip(names, kinds, *numbers, orientations, told, attributes, twins, strict=True)
    table = TileTable([TileSegment(*row) for row in rows], *head)
    _check_twins(table.segments)
    return table


def unpack_byte_table(blob: bytes, version: int = NAMED_VERSION) -> ByteTable:
    """Invert `pack_byte_table`; raise `ArchiveError` if malformed, `ModelError` if newer."""
    found = unpack_object(unpack_blob(blob, MAX_TABLE, "table"), "table")
    table = earlier.byte_table(found) if version < NAMED_VERSION else _byte_table(found)
    _check_bytes(table.segments)
    return table


def _byte_table(found: Any) -> ByteTable:
    columns = columns_of(found)
    names = columns.names()
    kinds = named(dict(enumerate(BYTE_KINDS)), columns.take("kind"))
    sizes, offsets, lengths = (columns.take(name) for name in ("size", "offset", "length"))
    equal = [kind in COPY_KINDS for kind in kinds]
    originals = iter(columns.originals(sum(equal)))
    rows = zip(
        names,
        kinds,
        sizes,
        offsets,
        lengths if any(lengths) else sizes,
        columns.times(),
        columns.take("crc", CRCS),
        unpack_attributes(columns),
        [next(originals) if one else b"" for one in equal],
        strict=True,
    )
    head = [columns.one(name, limit) for name, limit in _BYTE_HEAD.items()]
    table = ByteTable([ByteSegment(*row) for row in rows], *head)
    columns.end()
    return table


def pack_table(count: int, head: dict[str, int], columns: dict[str, object]) -> bytes:
    """Serialise numbers of a table and columns of so many values, by their names."""
    return pack_blob(pack_object({"segments": count, **pack_columns({**head, **columns})}))


def columns_of(found: Any) -> Columns:
    """Return the columns of an unpacked table; raise `ArchiveError` if it is none."""
    count = found.pop("segments", 0) if isinstance(found, dict) else None
    if isinstance(count, int) and 0 < count <= MAX_SEGMENTS:
        return Columns(found, count)
    raise malformed()


def pack_extras(extras: Sequence[Extra]) -> bytes:
    """Serialise the extras of a chunk; nothing if there are none."""
    return pack_blob(_extras(extras)) if extras else b""


def mix_extras(extras: Sequence[Extra], version: int = NEWEST) -> bytes | None:
    """Serialise the extras of a chunk by context mixing; None if there are none, or if that takes
    more room than they do, or a reader too long."""
    found = _extras(extras) if extras else b""
    return pack_mixed(found, version) if 0 < len(found) <= MAX_MIXED_EXTRAS else None


def _extras(extras: Sequence[Extra]) -> bytes:
    frames = list(dict.fromkeys((extra.prefix, extra.suffix) for extra in extras))
    place = {frame: number for number, frame in enumerate(frames)}
    which = pack_column([place[extra.prefix, extra.suffix] for extra in extras])
    times = pack_times([extra.mtime for extra in extras])
    prefixes, suffixes = zip(*frames, strict=True)
    found = [*times, which, list(prefixes), list(suffixes)]
    described = b"".join(extra.description for extra in extras)
    if described:
        found += [pack_column([len(extra.description) for extra in extras]), described]
    return pack_object(found)


def unpack_extras(blob: bytes, count: int, *, mixed: int = 0) -> list[Extra]:
    """Invert `pack_extras`, or `mix_extras` of a version, of `count` extras; raise `ArchiveError`
    if they are malformed."""
    if not count:
        if blob:
            raise malformed()
        return []
    if mixed:
        found = unpack_mixed(blob, MAX_MIXED_EXTRAS, "extras", mixed)
    else:
        found = unpack_blob(blob, MAX_EXTRAS, "extras")
    match unpack_object(found, "extras"):
        case [start, steps, which, [*prefixes], [*suffixes], *told] if len(prefixes) == len(
            suffixes
        ):
            if all(isinstance(part, bytes) for part in (*prefixes, *suffixes)):
                times = unpack_times(start, steps, count)
                places = unpack_column(which, count, limit=len(prefixes))
                rows = zip(times, places, _descriptions(told, count), strict=True)
                return [Extra(time, prefixes[k], suffixes[k], own) for time, k, own in rows]
    raise malformed()


def _descriptions(told: list[Any], count: int) -> list[bytes]:
    """Return those of pictures, from a column of their lengths and all of them, joined."""
    match told:
        case []:
            return [b""] * count
        case [lengths, bytes(joined)] if joined:
            ends = list(accumulate(unpack_column(lengths, count, limit=len(joined) + 1)))
            if ends[-1] == len(joined):
                return [joined[start:end] for start, end in pairwise([0, *ends])]
    raise malformed()


def _check_twins(segments: list[TileSegment]) -> None:
    for row, segment in enumerate(segments):
        if segment.twin:
            original = segments[max(row - segment.twin, 0)]
            if segment.twin > row or original.twin or original.lie != segment.lie:
                raise no_twin(segment.name)


def no_twin(name: bytes) -> ArchiveError:
    """Return the error to raise for a picture that others of its chunk cannot be coded by."""
    return ArchiveError(f"{display(name)} shares samples with a picture that is not before it")


def _check_bytes(segments: list[ByteSegment]) -> None:
    for segment in segments:
        whole = segment.begins and segment.ends
        stored = segment.kind in (PICTURE, *HOST_KINDS)  # as something else than its own bytes
        if not stored and segment.offset + segment.length > segment.size:
            raise malformed()
        if depth_of(segment.name) > MAX_DEPTH:
            raise malformed()
        # Only files come in parts, and a part is never empty: else it would be no progress.
        if not whole and (segment.kind != "file" or not segment.length):
            raise malformed()
        if segment.kind in COPY_KINDS and (segment.size or segment.crc or not segment.original):
            raise malformed()
    if sum(segment.length for segment in segments) > MAX_BLOCK:
        raise malformed()
