"""From a zlib stream to inflated bytes and a description, which is proved."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate import makers
from bitswap_cli.images.deflate.columns import COLUMNS, NOTHING, Column
from bitswap_cli.images.deflate.engine import engine
from bitswap_cli.images.deflate.guess import guess, likely, told
from bitswap_cli.images.deflate.inflated import PADDING, UNSEEN, Bytes, Inflated, Seen, Told
from bitswap_cli.images.deflate.parameters import COSTS, LIBDEFLATE, Parameters
from bitswap_cli.images.deflate.remembering import once, remember
from bitswap_cli.images.deflate.restoring import (
    MOST_TOLD,
    Deflate,
    adler32,
    deflated,
    most_corrections,
    pack,
    rebuild,
    room_for,
    written,
)

_KEPT = 1 << 24  # inflated bytes of a stream whose tokens are kept while it is remembered
_POOR, _SHARE = 16, 100  # bytes of a description, and a share of its stream, that are many
_SOON = 8  # of a stream by an unknown maker: the part of it that a description by costs may take
_SMALL = 1 << 16  # inflated bytes of a stream of which it is asked first whether it is a plain one


class Described(NamedTuple):
    """A zlib stream, taken apart.

    Attributes
    ----------
    inflated : bytes
        What it inflates to.
    description : bytes
        What `restore` needs besides; where it does not pay, keep the stream as it is.
    """

    inflated: bytes
    description: bytes


def _is_zlib(stream: bytes) -> bool:
    """Whether a stream begins as RFC 1950 says, and needs no dictionary."""
    if len(stream) < 2 or int.from_bytes(stream[:2], "big") % 31:
        return False
    return stream[0] & 15 == 8 and stream[0] >> 4 < 8 and not stream[1] & 32


def _inflate(stream: bytes, limit: int) -> Inflated | None:
    return engine().inflate(stream[2:], limit) if _is_zlib(stream) else None


def _inflated(stream: bytes, limit: int) -> Inflated | None:
    return once(_inflate, stream, limit) if limit <= _KEPT else _inflate(stream, limit)


def inflate(stream: bytes, size: int) -> Bytes | None:
    """Inflate a zlib stream whose checksum is right.

    Parameters
    ----------
    stream : bytes
        A zlib stream, and whatever lies behind it.
    size : int
        Of what it inflates to.

    Returns
    -------
    uint8 array or None
        None if it does not inflate to as much, or may not be described.
    """
    found = _inflated(stream, size)
    if found is None or len(found.data) != size + PADDING:
        return None
    end = 2 + found.consumed
    right = stream[end : end + 4] == adler32(found.data)
    return found.data[:size] if right else None


def describe(stream: bytes, limit: int, feeds: Iterable[int] = ()) -> Described | None:
    """Take a zlib stream apart.

    It is made again of the description, in which what a predictor, or a search for the cheapest
    tokens, said while it was described is taken as it was: given the same bytes and the same tokens
    so far, it would say the same.

    Parameters
    ----------
    stream : bytes
        A zlib stream, and whatever lies behind it.
    limit : int
        The most bytes that it may inflate to.
    feeds : iterable of int, optional
        How many bytes its writer may have given deflate at a time, such as a row of a PNG.

    Returns
    -------
    Described or None
        None if it is no zlib stream, or a damaged one; if it inflates to more than the limit; or
        if it is far longer than what it inflates to.
    """
    inflated = _inflated(stream, limit)
    if inflated is None or not len(inflated.blocks):
        return None
    size = len(inflated.data) - PADDING
    if inflated.consumed > room_for(size):
        return None
    description = _said(inflated, stream, feeds)
    if description is None:
        return None
    described = Described(inflated.data[:size].tobytes(), description)
    remember(*described, stream)
    return described


def _said(inflated: Inflated, stream: bytes, feeds: Iterable[int]) -> bytes | None:
    """Return a description of a stream, or None if there is none."""
    adler, tail = adler32(inflated.data), stream[2 + inflated.consumed :]
    soon = len(tail) + _POOR + inflated.consumed // _SOON
    costs = _Costs(inflated, stream, adler)
    by_costs: bytes | None = None

    def otherwise() -> bool:  # no known maker would be told in less, if costs take so little
        nonlocal by_costs
        by_costs = costs.described(soon)
        return by_costs is not None

    made = _plain(inflated, stream) or _corrected(inflated, stream, feeds, otherwise)
    if made is None:
        return by_costs
    parameters, columns, deflate = made
    if sum(map(len, columns)) > most_corrections(len(inflated.data) - PADDING):
        return None
    description = pack(parameters, stream[:2], tail, adler, columns)
    by_costs = costs.described(len(description))
    if by_costs is not None:
        return by_costs
    if not _proves(inflated, description, deflate, stream):
        return None
    if parameters.family == LIBDEFLATE:
        makers.note(makers.LIBDEFLATE)
    return description


_Made = tuple[Parameters, list[Column], Deflate]
"""Who made a stream, its corrections, and what makes it again of these."""


def _plain(inflated: Inflated, stream: bytes) -> _Made | None:
    """Return the likeliest maker of a small stream, if it is just what that one makes.

    What `_corrected` finds is the same, but takes as long for few bytes as for many.
    """
    if len(inflated.data) > _SMALL:
        return None
    likeliest = likely(inflated, stream[:2])
    how = likeliest.as_array()
    raw = stream[2 : 2 + inflated.consumed]
    try:
        made = engine().make(inflated.data, how, len(raw))
    except ArchiveError:  # it is longer
        return None

    def deflate(_: Bytes, by: NDArray[np.int64], columns: Sequence[Column]) -> bytes:
        return raw if np.array_equal(by, how) and not any(map(len, columns)) else b""

    return (likeliest, [NOTHING] * COLUMNS, deflate) if made == raw else None


def _corrected(
    inflated: Inflated, stream: bytes, feeds: Iterable[int], otherwise: Callable[[], bool]
) -> _Made | None:
    """Return who made a stream, as near as it can be found; None if it is told otherwise."""
    found = guess(inflated, stream[:2], feeds, otherwise)
    if found is None:
        return None
    parameters, predicted = found

    def deflate(data: Bytes, how: NDArray[np.int64], columns: Sequence[Column]) -> bytes:
        if any(map(len, columns)):
            made = engine().replay(data, how, columns, predicted)
        else:  # all was found to be as predicted
            made = inflated.tokens, inflated.blocks
        return written(data, how, columns, *made)

    return parameters, told(inflated, parameters, predicted), deflate


class _Costs:
    """How a stream is described by costs, which are searched once as far as they lead to an end.

    Parameters
    ----------
    inflated : Inflated
    stream : bytes
    adler : bytes
        Checksum of the inflated bytes.
    """

    def __init__(self, inflated: Inflated, stream: bytes, adler: bytes) -> None:
        self._inflated, self._stream, self._adler = inflated, stream, adler
        self._told: Told | None = None
        self._refused = 0  # bytes that were too few to be told at all

    def described(self, size: int) -> bytes | None:
        """Return a description of fewer bytes, if so many may be worth while, and there is one."""
        inflated, stream = self._inflated, self._stream
        tail = stream[2 + inflated.consumed :]
        poor = _POOR + inflated.consumed // _SHARE
        if size - len(tail) < poor or len(inflated.data) > MOST_TOLD or size <= self._refused:
            return None
        if self._told is None:
            self._told = engine().tell(inflated, size)
        if self._told is None:
            self._refused = size
            return None
        window = min(max((stream[0] >> 4) + 8, 9), 15)
        parameters = Parameters(COSTS, (1, 5, 6, 9)[stream[1] >> 6], window=window)
        description = pack(parameters, stream[:2], tail, self._adler, [NOTHING] * COLUMNS)
        description += self._told.message
        if len(description) >= size:
            return None
        if not _proves(inflated, description, deflated, stream, self._told.seen):
            return None
        makers.note(makers.COSTS)
        return description


def _proves(
    inflated: Inflated, description: bytes, deflate: Deflate, stream: bytes, seen: Seen = UNSEEN
) -> bool:
    """Tell whether a stream comes back by a description."""
    try:
        return rebuild(inflated.data, description, deflate, seen) == stream
    except ArchiveError:
        return False
