"""From inflated bytes and a description to the very same zlib stream."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import (
    COLUMNS,
    NOTHING,
    Column,
    Reader,
    decode,
    encode,
    varint,
)
from bitswap_cli.images.deflate.engine import engine
from bitswap_cli.images.deflate.inflated import (
    DAMAGED,
    PADDING,
    UNSEEN,
    Blocks,
    Bytes,
    Seen,
    Tokens,
)
from bitswap_cli.images.deflate.parameters import COSTS, FREE, Parameters, checked
from bitswap_cli.images.deflate.remembering import once, recall

_FILTERED, _FIXED, _HEADER, _TAIL, _BEHIND, _FULL, _FEED = (1 << bit for bit in range(7))

_SHORT = 32  # bytes of a description that is kept

MOST_TOLD = 1 << 30
"""Inflated bytes of a stream that is told by costs, at most."""
SPARE = 1 << 16  # bytes that a stream may be longer than 9/8 of what it inflates to


def adler32(data: Bytes) -> bytes:
    """Adler-32 (RFC 1950) of inflated bytes, without their padding: four bytes, big endian."""
    return once(_adler32, data)


def _adler32(data: Bytes) -> bytes:
    return engine().adler(data, len(data) - PADDING).to_bytes(4, "big")


def room_for(size: int) -> int:
    """The longest zlib stream that is described or restored for so many inflated bytes."""
    return size + size // 8 + SPARE


def most_corrections(size: int) -> int:
    """The most integers that are described or restored for so many inflated bytes."""
    return 4 * size + SPARE


def pack(
    parameters: Parameters, header: bytes, tail: bytes, adler: bytes, columns: list[Column]
) -> bytes:
    """Write a description.

    Parameters
    ----------
    parameters : Parameters
    header, tail : bytes
        The stream's first two bytes, and what lies behind its deflate stream.
    adler : bytes
        Checksum of the inflated bytes, with which a tail begins if it is right.
    columns : list of int32 arrays
        Corrections.

    Returns
    -------
    bytes
    """
    p = parameters
    right = tail.startswith(adler)
    behind = tail[len(adler) :] if right else tail
    told = header != p.header()
    flags = _FILTERED * p.filtered | _FIXED * p.fixed | _HEADER * told | _TAIL * (not right)
    flags |= _BEHIND * bool(behind) | _FULL * bool(p.full) | _FEED * bool(p.feed)
    parts = [bytes([p.family << 4 | p.level, p.memory << 4 | p.window - 8, flags])]
    parts += [varint(value) for value in p.search]
    parts += [varint(value) for value in (p.full, p.feed) if value]
    parts += [header] if told else []
    parts += [varint(len(behind)), behind] if behind else []
    return b"".join(parts) + encode(columns)


def restore(inflated: bytes, description: bytes) -> bytes:
    """Rebuild a zlib stream.

    Parameters
    ----------
    inflated : bytes
        What the stream inflates to.
    description : bytes
        What `describe` said of it.

    Returns
    -------
    bytes
        The stream, at most 9/8 of the inflated bytes, 64 KiB and what lay behind it.

    Raises
    ------
    ArchiveError
        If the description is damaged, or does not belong to these bytes.
    """
    known = recall(inflated, description)
    if known is not None:
        return known
    data = np.zeros(len(inflated) + PADDING, np.uint8)
    data[: len(inflated)] = np.frombuffer(inflated, np.uint8)
    return rebuild(data, description, deflated)


Deflate = Callable[[Bytes, NDArray[np.int64], Sequence[Column]], bytes]


def deflated(data: Bytes, how: NDArray[np.int64], columns: Sequence[Column]) -> bytes:
    """Return the raw deflate stream that a predictor and corrections make of inflated bytes."""
    if any(map(len, columns)):
        return written(data, how, columns, *engine().restore(data, how, columns))
    return engine().make(data, how, room_for(len(data) - PADDING))


def heard(data: Bytes, how: NDArray[np.int64], message: bytes, seen: Seen) -> bytes:
    """Return the raw deflate stream that is told by costs; what was seen is taken as it was."""
    if len(data) > MOST_TOLD:
        raise ArchiveError(DAMAGED)
    found = engine().hear(data, message, seen)
    columns = engine().describe_blocks(found, int(how[-1]))
    return written(data, how, columns, found.tokens, found.blocks)


def written(
    data: Bytes, how: NDArray[np.int64], columns: Sequence[Column], tokens: Tokens, blocks: Blocks
) -> bytes:
    """Return the raw deflate stream of tokens and blocks."""
    room = room_for(len(data) - PADDING)
    return engine().write(data, tokens, blocks, int(how[-1]), columns, room)


def rebuild(data: Bytes, description: bytes, deflate: Deflate, seen: Seen = UNSEEN) -> bytes:
    """Rebuild a zlib stream; see `restore`.

    Parameters
    ----------
    data : uint8 array
        The inflated bytes, and PADDING zeros behind them.
    description : bytes
    deflate : callable
        `deflated`, or what does the same.
    seen : uint32 array, optional
        Of what was told by costs.
    """
    most = most_corrections(len(data) - PADDING)
    told = _known(description, most) if len(description) <= _SHORT else _read(description, most)
    if told.message:
        raw = heard(data, told.how, told.message, seen)
    else:
        raw = deflate(data, told.how, told.columns)
    adler = adler32(data) if told.right else b""
    return told.header + raw + adler + told.behind


class _Told(NamedTuple):
    """What a description tells."""

    how: NDArray[np.int64]
    """Parameters of the predictor."""
    header: bytes
    columns: list[Column]
    message: bytes
    """What is told by costs, instead of columns."""
    right: bool
    """Whether the checksum is."""
    behind: bytes


def _read(description: bytes, most: int) -> _Told:
    """Read a description of at most so many integers."""
    reader = Reader(description)
    first, second, flags = reader.take(3)
    family = first >> 4
    search = tuple(reader.varint() for _ in range(4 * (family == FREE)))
    full = reader.varint() if flags & _FULL else 0
    feed = reader.varint() if flags & _FEED else 0
    setting = (first & 15, second >> 4, (second & 15) + 8)
    strategy = (bool(flags & _FILTERED), bool(flags & _FIXED))
    parameters = checked(Parameters(family, *setting, *strategy, feed, full, search))
    header = reader.take(2) if flags & _HEADER else parameters.header()
    behind = reader.take(reader.varint()) if flags & _BEHIND else b""
    columns, message = [NOTHING] * COLUMNS, b""
    if family == COSTS:
        message = reader.take(1) + reader.rest()
    else:
        columns = decode(reader.rest(), most)
    return _Told(parameters.as_array(), header, columns, message, not flags & _TAIL, behind)


_known = lru_cache(256)(_read)  # many small files have one in common
