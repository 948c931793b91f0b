"""LZW streams <-> what they hold and a description of their packer's choices (docs/format.md).

Packers differ in when they clear the table, and few take strings that could have been longer.
"""

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.packings.engine import engine
from bitswap_cli.images.packings.reference import CODES, DAMAGED, WIDEST, Bytes

_TOLD, _SINGLE = 1, 2  # flags: bits behind the data are told; strings are of single bytes


def _most(size: int) -> int:
    """The most clear codes, and odd ones, that are told of so many bytes."""
    return 1024 + size // 2


def take(stream: bytes, size: int, least: int, *, tiff: bool = False) -> tuple[Bytes, bytes] | None:
    """Take a stream apart.

    Parameters
    ----------
    stream : bytes
        The whole of it; what lies behind its data is told as well.
    size : int
        Bytes of data, at least one.
    least : int
        Bits of a byte of data, 1 to 8.
    tiff : bool
        Whether it is of TIFF, else of GIF.

    Returns
    -------
    uint8 array, bytes; or None
        Data and description. None if it is damaged, shorter, or of a packer with too many whims.
    """
    found = engine().lzw_read(stream, tiff, least, size, _most(size))
    if found is None:
        return None
    rest = bytearray(stream[found.bits >> 3 :])
    if rest:
        rest[0] &= _unused(found.bits, tiff)
    told = bytes(rest) != _usual_end(found.bits, found.width, least, tiff)
    single = found.longest == 1
    flags = _TOLD * told | _SINGLE * single
    parts = [bytes([flags]), *_runs(found.clears), varint(len(found.odds))]
    parts += [varint(value) for value in found.odds.ravel().tolist()]
    parts += [varint(len(rest)), bytes(rest)] if told else []
    return found.data, b"".join(parts)


def give(data: Bytes, reader: Reader, least: int, *, tiff: bool = False) -> bytes:
    """Make a stream of its data and the description that a reader is at (inverse of `take`).

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to the data.
    """
    size = len(data)
    (flags,) = reader.take(1)
    if flags > _TOLD | _SINGLE:
        raise ArchiveError(DAMAGED)
    pairs = [(reader.varint(), reader.varint()) for _ in range(_few(reader.varint(), size))]
    values, repeats = np.array(pairs, np.int64).reshape(-1, 2).T
    count = _few(reader.varint(), size)
    odds = np.array([reader.varint() for _ in range(2 * count)], np.int64).reshape(-1, 2)
    if max(values.max(initial=0), odds.max(initial=0)) > size:
        raise ArchiveError(DAMAGED)
    cleared = _few(sum(repeats.tolist()), size)
    longest = 1 if flags & _SINGLE else CODES
    room = 16 + (size + cleared) * WIDEST // 8
    body, bits, width = engine().lzw_write(
        data, tiff, least, np.repeat(values, repeats).astype(np.int32).tolist(),
        odds.tolist(), longest, room,
    )  # fmt: skip
    end = reader.take(reader.varint()) if flags & _TOLD else _usual_end(bits, width, least, tiff)
    if not bits & 7:
        return body + end
    if not end or end[0] & ~_unused(bits, tiff) & 255:
        raise ArchiveError(DAMAGED)
    return body[:-1] + bytes([body[-1] | end[0]]) + end[1:]


def _few(count: int, size: int) -> int:
    """Return a count that memory is taken for; raise `ArchiveError` if it is too large."""
    if count > _most(size):
        raise ArchiveError(DAMAGED)
    return count


def _unused(bits: int, tiff: bool) -> int:
    """Return a mask of what so many bits leave of the byte they end in."""
    used = bits & 7
    return 255 >> used if tiff else 255 << used & 255


def _usual_end(bits: int, width: int, least: int, tiff: bool) -> bytes:
    """Return what commonly follows data: the code that ends information, and zeros to a byte's end.

    So many bits lie before it; those of the byte that it begins in are zero.
    """
    used, code = bits & 7, (1 << least) + 1
    length = -(-(used + width) // 8)
    if tiff:
        return (code << 8 * length - used - width).to_bytes(length, "big")
    return (code << used).to_bytes(length, "little")


def _runs(values: NDArray[np.int32]) -> list[bytes]:
    """Return values as runs: how many runs, then of each its value and how often it comes."""
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    lengths = np.diff(starts, append=len(values))
    pairs = np.stack([values[starts], lengths], axis=1).ravel().tolist()
    return [varint(len(starts)), *map(varint, pairs)]
