"""NumPy's .npz: the arrays of a ZIP file that have pictures of one width, one below the other
(NumPy's documentation, numpy.savez; PKWARE, APPNOTE.TXT).

What is left of a file without these arrays is the prefix, in which names, sizes and checksums stand
as they were: so the description need not know ZIP, but only where arrays were and how they were
packed.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.contract import Samples
from bitswap_cli.images import deflate
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.formats.arrays import npy, npy_header
from bitswap_cli.images.formats.deep import whole
from bitswap_cli.images.formats.flat import with_flat, without_flat
from bitswap_cli.images.formats.format import Kind, Pixels
from bitswap_cli.images.formats.rows import Layout, misfit, samples_of, to_rows
from bitswap_cli.images.picture import Picture, Recipe, is_held

MAGIC: Sequence[bytes] = (b"PK\3\4",)
KINDS: Sequence[Kind] = (Kind("npz", 28, exact=True, plain=False, common=True, feature="npz"),)

_LOCAL = struct.Struct("<4s22xHH")  # lengths of the name and of what follows it
_CENTRAL = struct.Struct("<4s4xHH8xIIHHH8xI")
_END = struct.Struct("<4s6xHIIH")
_ENDS, _ENTRY = b"PK\5\6", b"PK\1\2"
_COMMENT = 1 << 16  # bytes behind the end's record, at most
_ENCRYPTED = 1  # flag
_STORED, _DEFLATED = 0, 8  # methods
_MEMBERS = 1 << 12
_LEAST = 1 << 10  # bytes of a deflated member that are read, for its first codes
_HEADER = b"\x78\x9c"  # of a zlib stream, which deflate's lack in ZIP files
_CHECKSUM = struct.Struct(">I")
_NOTHING = Layout(0, 0, 0, 0, 0)

Bytes = NDArray[np.uint8]


class _Member(NamedTuple):
    """An array, and where it lies in the file."""

    start: int
    size: int
    method: int
    length: int
    """Bytes of the .npy file."""
    layout: Layout

    @property
    def unit(self) -> tuple[int, int, bool]:
        """What has to be the same of arrays in one picture."""
        return self.layout.width, self.layout.channels, self.layout.deep

    def unpacked(self, data: bytes, most: int) -> bytes:
        """Return the first bytes of the .npy file, so many at most; none if it is damaged."""
        # no copy of more than may be needed: many members may claim the same bytes
        end = self.start + min(self.size, 2 * most + _LEAST)
        packed = data[self.start : end]
        if self.method == _STORED:
            return packed[:most]
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
        except zlib.error:
            return b""


def split(data: bytes, kind: str) -> Picture | None:
    """See `Format.split`: of the arrays that fit together, those that have most of all pixels."""
    members = _chosen(_members(data)) if _begins(data) else []
    prefix, told, parts, at = [], [], [], 0
    for one in members:
        layout, array = one.layout, one.unpacked(data, one.length + 1)
        if len(array) != one.length:
            return None
        header = array[: layout.start]
        told += [varint(one.start - at), bytes([one.method]), varint(len(header)), header]
        if one.method == _DEFLATED:
            stream = data[one.start : one.start + one.size]
            checksum = _CHECKSUM.pack(zlib.adler32(array))
            described = deflate.describe(_HEADER + stream + checksum, len(array))
            if described is None:
                return None
            told += [varint(len(described.description)), described.description]
        prefix.append(data[at : one.start])
        at = one.start + one.size
        rows = np.frombuffer(array, np.uint8, offset=layout.start)
        parts.append(samples_of(rows.reshape(layout.height, layout.stride), layout))
    if not members:
        return None
    pixels, flat = np.concatenate(parts), b""
    if not members[0].layout.deep:
        pixels, flat = without_flat(pixels)
    description = b"".join([bytes([len(flat)]), flat, *told])
    recipe = Recipe(kind, b"".join([*prefix, data[at:]]), b"", description)
    return Picture(np.ascontiguousarray(pixels), recipe)


def join(recipe: Recipe, samples: Samples, *, quick: bool = False) -> bytes:
    """See `Format.join`."""
    reader = Reader(recipe.description)
    pixels, out, at, top = _with_flat(reader, samples), [], 0, 0
    plain = recipe._replace(description=b"")
    for gap, deflated, header, layout in _told(reader, recipe):
        part = pixels[top : top + layout.height]
        array = header + to_rows(plain, np.ascontiguousarray(part), layout).tobytes()
        if deflated is not None:
            stream = deflate.restore(array, deflated)
            array = stream[len(_HEADER) : -_CHECKSUM.size]
        out += [recipe.prefix[at : at + gap], array]
        at, top = at + gap, top + layout.height
    if at > len(recipe.prefix) or top != len(pixels) or recipe.suffix:
        raise misfit(recipe)
    return b"".join([*out, recipe.prefix[at:]])


def shown(recipe: Recipe, samples: Samples) -> Pixels:
    """See `Format.shown`: pictures of all arrays one below the other."""
    reader = Reader(recipe.description)
    pixels = _with_flat(reader, samples)
    for one in _told(reader, recipe):
        return whole(pixels) if one.layout.deep else pixels
    raise misfit(recipe)


class _Told(NamedTuple):
    """What a description tells of an array."""

    gap: int
    """Bytes of the prefix before it."""
    deflated: bytes | None
    """How it was, if it was."""
    header: bytes
    layout: Layout


def _told(reader: Reader, recipe: Recipe) -> Iterator[_Told]:
    """Yield what the rest of a description tells; raise `ArchiveError` if it is damaged."""
    while not reader.done:
        gap, (method,) = reader.varint(), reader.take(1)
        header = reader.take(reader.varint())
        layout = npy.layout_of(header)
        if layout is None or layout.start != len(header) or method not in (_STORED, _DEFLATED):
            raise misfit(recipe)
        deflated = reader.take(reader.varint()) if method == _DEFLATED else None
        yield _Told(gap, deflated, header, layout)


def _with_flat(reader: Reader, samples: Samples) -> Bytes:
    """Return samples of all channels."""
    (count,) = reader.take(1)
    return with_flat(samples.view(np.uint8), reader.take(count))


def _begins(data: bytes) -> bool:
    """Whether a file begins as ZIP, with a member whose name is that of an array."""
    if len(data) < _LOCAL.size or not data.startswith(MAGIC[0]):
        return False
    _, name, _ = _LOCAL.unpack_from(data)
    return data[_LOCAL.size : _LOCAL.size + name].endswith(b".npy")


def _members(data: bytes) -> Iterator[_Member]:
    """Yield the arrays of a file that are pictures, in the order of its directory."""
    end = _end_of(data)
    if end < 0:
        return
    _, count, _, at, _ = _END.unpack_from(data, end)
    for _ in range(min(count, _MEMBERS)):
        if at + _CENTRAL.size > len(data):
            return
        tag, flags, method, size, length, *lengths, local = _CENTRAL.unpack_from(data, at)
        if tag != _ENTRY or local + _LOCAL.size > len(data):
            return
        at += _CENTRAL.size + sum(lengths)
        tag, *names = _LOCAL.unpack_from(data, local)
        start = local + _LOCAL.size + sum(names)
        known = method in (_STORED, _DEFLATED) and not flags & _ENCRYPTED
        if tag != MAGIC[0] or start + size > len(data) or not known:
            continue
        one = _Member(start, size, method, length, _NOTHING)
        layout = npy.layout_of(one.unpacked(data, npy_header.MOST))
        if layout and layout.fits and layout.start + layout.stride * layout.height == length:
            yield one._replace(layout=layout)


def _end_of(data: bytes) -> int:
    """Return where the end of the directory lies: the last one whose comment ends the file, as a
    comment may hold what begins it, too; or else the last one, or -1."""
    first, last = max(0, len(data) - _END.size - _COMMENT), len(data) - _END.size
    found = (first + one.start() for one in re.finditer(_ENDS, data[first:]))
    ends = [end for end in found if end <= last]
    whole = [end for end in ends if _END.unpack_from(data, end)[-1] == last - end]
    return max(whole or ends, default=-1)


def _chosen(members: Iterable[_Member]) -> list[_Member]:
    """Return those that become one picture, in the order in which they lie in the file; none if
    they are too many, or lie one upon the other."""
    groups: dict[tuple[int, int, bool], list[_Member]] = {}
    for one in members:
        groups.setdefault(one.unit, []).append(one)
    chosen = sorted(max(groups.values(), key=_pixels, default=[]))
    apart = all(one.start + one.size <= other.start for one, other in pairwise(chosen))
    held = apart and chosen and is_held(1, _pixels(chosen), chosen[0].layout.channels, large=True)
    return chosen if held else []


def _pixels(members: Iterable[_Member]) -> int:
    return sum(one.layout.pixels for one in members)
