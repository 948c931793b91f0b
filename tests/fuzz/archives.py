"""Archives as trees: taken apart, spoilt in one place or more, and packed with sound checksums.

What chunks hold of pictures beside their pixels is swallowed by their words; here it is taken out
of them, and stands beside them, where it can be spoilt.
"""

import copy
import random
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitswap_cli.archive.format.register import read_table
from bitswap_cli.archive.format.sections import (
    BYTE,
    CHUNKS,
    CRC,
    DRAW,
    END_MAGIC,
    HEAD,
    ID,
    INDX,
    JPEG,
    MAGIC,
    MAX_EXTRAS,
    MODL,
    NAMED_VERSION,
    PREAMBLE,
    SECTION,
    TILE,
    TRAILER,
)
from bitswap_cli.archive.format.segments import ByteTable, WholeTable
from bitswap_cli.archive.format.values.blobs import unpack_blob
from bitswap_cli.archive.format.values.columns import pack_column
from bitswap_cli.archive.format.values.repeats import parts_of, unpack_part
from bitswap_cli.errors import ArchiveError
from bitswap_cli.mixing import octets
from tests.fuzz.drawn import redrawn
from tests.fuzz.nodes import Blob, Framed, Item, Mixed, Node, Packed, Plain
from tests.fuzz.raw import scratched
from tests.fuzz.values import unpacked

_LENGTH = struct.Struct("<I")
_TAGS = (HEAD, MODL, INDX, *CHUNKS)


@dataclass
class Section:
    """A tag and what the body consists of."""

    tag: bytes
    nodes: list[Node]
    own: bytes | None = None
    """An id that is not the archive's."""

    def body(self) -> bytes:
        """Return the body."""
        return b"".join(node.pack() for node in self.nodes)

    def parts(self) -> list[Node]:
        """Return all that can be spoilt, what is likely to matter more than once."""
        found = [part for node in self.nodes for part in node.parts()]
        return found + 3 * [part for part in found if isinstance(part, Item)]


@dataclass
class Whole:
    """An archive."""

    version: int
    own: bytes
    sections: list[Section]
    repaired: bool = True
    """Whether the index tells of the chunks as they are."""

    def pack(self) -> bytes:
        """Return its bytes, with sound lengths, places and checksums."""
        if self.repaired:
            self._repair()
        out = bytearray(PREAMBLE.pack(MAGIC, self.version) + self.own)
        index = 0
        for one in self.sections:
            if one.tag == INDX:
                index = len(out)
            out += framed(one.tag, one.body(), self.own if one.own is None else one.own)
        return bytes(out) + TRAILER.pack(index, END_MAGIC)

    def chunks(self) -> list[Section]:
        """Return the sections of what is archived."""
        return [one for one in self.sections if one.tag not in (HEAD, MODL, INDX)]

    def _repair(self) -> None:
        """Let the index tell of the chunks that there are."""
        bodies = [(one.tag, len(one.body())) for one in self.sections if one.tag in CHUNKS]
        for one in self.sections:
            node = one.nodes[0]
            if one.tag == INDX and isinstance(node, Item) and isinstance(node.value, list):
                tags = pack_column([CHUNKS.index(tag) for tag, _ in bodies] or [0])
                lengths = pack_column([length for _, length in bodies] or [0])
                columns = [tags, lengths, 1] if bodies else []
                node.value = [*node.value[:4], len(bodies), *columns]


def framed(tag: bytes, body: bytes, own: bytes) -> bytes:
    """Return a section, its CRC-32 right."""
    data = SECTION.pack(tag, len(body)) + own + body
    return data + CRC.pack(zlib.crc32(data))


def parsed(data: bytes) -> Whole:
    """Take an archive apart; raise ValueError if that cannot be done."""
    magic, version = PREAMBLE.unpack_from(data)
    place, end = TRAILER.unpack_from(data, len(data) - TRAILER.size)
    if (magic, end) != (MAGIC, END_MAGIC):
        raise ValueError("no archive")
    start = PREAMBLE.size + (ID if version >= NAMED_VERSION else 0)
    own, position = data[PREAMBLE.size : start], start
    sections = []
    while position < len(data) - TRAILER.size:
        tag, length = SECTION.unpack_from(data, position)
        begin = position + SECTION.size + len(own)
        sections.append(Section(tag, _nodes(tag, data[begin : begin + length])))
        position = begin + length + CRC.size
    return Whole(version, own, sections)


def _nodes(tag: bytes, body: bytes) -> list[Node]:
    if tag in (HEAD, INDX):
        return [Item(value=unpacked(body))]
    if tag == MODL:
        return [Plain(data=body)]
    try:
        table, rest = _counted(body)
        rest = rest[CRC.size :]
        nodes: list[Node] = [Framed(inner=_blob(table))]
        mixed = _mixed(tag, body)
        if tag == BYTE and _has(body, "frames"):
            told, words = _counted(rest)
            return [*nodes, Framed(inner=_blob(told), checked=False), Plain(data=words)]
        if tag == BYTE and mixed and _has(body, "repeats"):
            found = parts_of(memoryview(rest), 1 << 30)
            return [*nodes, *(Packed(inner=_value(unpack_part(one, mixed[0]))) for one in found)]
        if tag == BYTE:
            return [*nodes, _unmixed(rest, *mixed, counted=False) if mixed else _blob(rest)]
        extras, words = _counted(rest)
        if tag == JPEG:
            return [*nodes, Framed(inner=_blob(extras), checked=False), Item(value=unpacked(words))]
        beside: Node = _blob(extras) if tag == DRAW else Plain(data=extras)
        if mixed:
            beside = _unmixed(extras[_LENGTH.size :], mixed[0], _LENGTH.unpack_from(extras)[0])
        return [*nodes, Framed(inner=beside, checked=False), Plain(data=words)]
    except (ValueError, struct.error):
        return [Plain(data=body)]


def _counted(data: bytes) -> tuple[bytes, bytes]:
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    return data[_LENGTH.size : end], data[end:]


def _has(body: bytes, what: str) -> bool:
    try:
        table = read_table(BYTE, body, NAMED_VERSION)
    except ArchiveError:
        return False
    return isinstance(table, ByteTable) and getattr(table, what) > 0


def _mixed(tag: bytes, body: bytes) -> tuple[int, int] | None:
    """Return by which version of context mixing a chunk holds its bytes, or extras, and how many
    bytes it has; None if by none."""
    try:
        table = read_table(tag, body, NAMED_VERSION)
    except ArchiveError:
        return None
    if isinstance(table, WholeTable) and table.mixed:
        return table.mixed, 0
    return (table.mixed, table.length) if isinstance(table, ByteTable) and table.mixed else None


def _unmixed(words: bytes, version: int, size: int, *, counted: bool = True) -> Node:
    data = octets.decode(np.frombuffer(words, "<u4"), size, version)
    return Mixed(inner=_value(data), version=version, counted=counted)


def _blob(data: bytes) -> Node:
    try:
        inner = unpack_blob(data, MAX_EXTRAS, "")
    except ArchiveError:
        return Plain(data=data)
    return Blob(inner=_value(inner))


def _value(inner: bytes) -> Node:
    try:
        value = unpacked(inner)
    except ValueError:
        value = None
    return Item(value=value) if isinstance(value, list | dict) else Plain(data=inner)


def beside(whole: Whole, decode: Any) -> Whole:
    """Return an archive whose words have swallowed nothing.

    Parameters
    ----------
    whole : Whole
    decode : callable
        From a whole chunk's body to its tiles, their sizes, the extras and the codec.
    """
    for one in whole.sections:
        if one.tag != TILE:
            continue
        tiles, sizes, extras, codec = decode(one.body(), whole.version)
        words, swallowed, _ = codec.encode(tiles, sizes, b"")
        if swallowed:
            raise ValueError("nothing was there to be swallowed")
        table = one.nodes[0]
        for part in table.parts():
            if isinstance(part, Item):
                _forget(part.value)
        one.nodes = [
            table,
            Framed(inner=_blob(extras) if extras else Plain(), checked=False),
            Plain(data=words),
        ]
    return whole


def _forget(table: Any) -> None:
    """Let a table say that nothing was swallowed."""
    if isinstance(table, dict):
        table.pop("swallowed", None)
    else:
        table[2] = 0


def mutant(seeds: Sequence[Whole], chance: random.Random) -> bytes:
    """Return an archive with some things wrong, most of which only what they are will tell."""
    whole = copy.deepcopy(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 1, 2, 3))):
        if chance.random() < 0.2:
            _rearrange(whole, chance.choice(seeds), chance)
        else:
            one = chance.choice([*whole.sections, *whole.chunks(), *whole.chunks()])
            if one.tag == INDX:
                if whole.repaired:
                    whole.pack()
                whole.repaired = False
            chance.choice(one.parts()).spoil(chance)
            if one.tag == DRAW and chance.random() < 0.7:
                one.nodes = redrawn(one.nodes, chance)
    data = whole.pack()
    if chance.random() < 0.1:
        data = scratched(data, chance)
    return data


def _rearrange(whole: Whole, other: Whole, chance: random.Random) -> None:
    """Double, move, drop, exchange or rename sections."""
    sections = whole.sections
    at, place = chance.randrange(len(sections)), chance.randrange(len(sections) + 1)
    match chance.randrange(10):
        case 0 if len(sections) > 1:
            del sections[at]
        case 1:
            sections.insert(place, copy.deepcopy(sections[at]))
        case 2:
            sections.insert(place, sections.pop(at))
        case 3:
            sections.insert(place, copy.deepcopy(chance.choice(other.sections)))
        case 4:
            sections[at] = copy.deepcopy(chance.choice(other.sections))
        case 5:
            whole.version = chance.choice((0, 1, 2, 3, 4, 5, 6, 65535))
        case 6:
            whole.own = chance.choice((b"", chance.randbytes(ID), other.own))
        case 7:
            sections[at].own = chance.choice((b"", chance.randbytes(ID), other.own))
        case 8:
            sections[at].tag = chance.choice((*_TAGS, b"ABCD", b"\0\0\0\0"))
        case _:  # an archive in an archive, as it is
            inner = Plain(data=copy.deepcopy(other).pack())
            sections.insert(place, Section(chance.choice(CHUNKS), [inner]))
    whole.repaired = chance.random() < 0.9


def sizes_of(segments: Sequence[Any], geometry: tuple[int, int]) -> Any:
    """Return the sizes of the tiles of some segments, int32 (N, 3)."""
    from bitswap_cli.images.tiles import tile_sizes

    return np.concatenate([tile_sizes(s.laid, *geometry, s.first, s.tiles) for s in segments])
