"""Runs of equal units, as TGA and PackBits pack them <-> the units and a description.

Packets have up to 128 units: a run of one, or that many as they are. Packers differ in how long a
run must be to be one; what a packer does beside its rule is told.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.deflate.columns import Reader, varint
from bitswap_cli.images.packings.reference import DAMAGED, Bytes

MOST = 128  # units of a packet
UNITS = 1 << 24  # units that are packed, at most: each takes some bytes of memory


class Rule(NamedTuple):
    """When a packer takes a run."""

    first: int
    """Units of a run that begins a packet, 2 or 3."""
    later: int
    """Of one that ends a packet of units as they are: 2, 3, or 4 for a pair that no single unit
    follows, and 3."""
    most: int
    """Units of a packet."""


RULES = tuple(
    Rule(first, later, most) for most in (128, 127) for later in (2, 3, 4) for first in (2, 3)
)


class Unpacked(NamedTuple):
    """Units, and their packets."""

    units: Bytes
    """(N, bytes of a unit)"""
    packets: NDArray[np.int32]
    """How many units each has, negative where it is a run."""
    end: int
    """Where they end in the source."""


def read(source: bytes, start: int, count: int, unit: int, *, tiff: bool) -> Unpacked | None:
    """Unpack so many units of some bytes; None if that is damaged.

    The head of a packet is how many units follow as they are, less 1, or that of a run plus 128
    (TGA), or 257 less that of a run (TIFF, PackBits).
    """
    data, packets, at, left = bytearray(), [], start, count
    while left:
        if at >= len(source):
            return None
        head = source[at]
        packet = _packet(head, tiff=tiff)
        number = abs(packet)
        taken = unit if packet < 0 else unit * number
        if number > min(left, MOST) or at + 1 + taken > len(source):
            return None
        body = source[at + 1 : at + 1 + taken]
        data += body * number if packet < 0 else body
        packets.append(packet)
        at += 1 + taken
        left -= number
    units = np.frombuffer(data, np.uint8).reshape(count, unit)
    return Unpacked(units, np.array(packets, np.int32), at)


def describe(units: Bytes, packets: NDArray[np.int32], row: int) -> bytes | None:
    """Say by which rule packets were made, and which were not.

    Parameters
    ----------
    units : uint8 array (N, bytes of a unit)
    packets : int32 array
    row : int
        Units of a row, which packets may end with; N is a multiple of it.

    Returns
    -------
    bytes or None
        None if there are too many units.
    """
    if len(units) > UNITS:
        return None
    starts = np.cumsum(np.abs(packets)) - np.abs(packets)
    best: tuple[int, int, NDArray[np.intp]] | None = None
    for within, span in ((1, row), (0, len(units))):
        runs = _runs(units, span)
        for number, rule in enumerate(RULES):
            odd = np.flatnonzero(_packets(runs, span, rule, starts) != packets)
            if best is None or len(odd) < len(best[2]):
                best = within, number, odd
        if best is not None and not len(best[2]):
            break
    if best is None:
        return None
    within, number, odd = best
    gaps = np.diff(odd, prepend=-1) - 1
    pairs = zip(gaps.tolist(), packets[odd].tolist(), strict=True)
    parts = [bytes([2 * number + within]), varint(len(odd))]
    parts += [varint(gap) + bytes([_head(packet, tiff=False)]) for gap, packet in pairs]
    return b"".join(parts)


def write(units: Bytes, reader: Reader, row: int, *, tiff: bool) -> bytes:
    """Pack units by the description that a reader is at (inverse of `read` and `describe`).

    Raises
    ------
    ArchiveError
        If it is damaged, or does not belong to the units.
    """
    (first,) = reader.take(1)
    number, within = divmod(first, 2)
    if number >= len(RULES) or len(units) > UNITS:
        raise ArchiveError(DAMAGED)
    span, unit = (row if within else len(units)), units.shape[1]
    packets = _packets(_runs(units, span), span, RULES[number]).data
    left = reader.varint()
    gap = reader.varint() if left else -1
    data, out, at = units.tobytes(), bytearray(), 0
    while at < len(units):
        packet: int = packets[at]
        if not gap:
            packet = _packet(reader.take(1)[0], tiff=False)
            left -= 1
            gap = reader.varint() if left else -1
        else:
            gap -= 1
        length = abs(packet)
        if length > len(units) - at or (tiff and packet == -1):  # which has no head
            raise ArchiveError(DAMAGED)
        here = (
            data[at * unit : (at + 1) * unit]
            if packet < 0
            else data[at * unit : (at + length) * unit]
        )
        out.append(_head(packet, tiff=tiff))
        out += here
        at += length
    if left:
        raise ArchiveError(DAMAGED)
    return bytes(out)


def _packet(head: int, *, tiff: bool) -> int:
    """Return how many units a packet with this head has, negative if it is a run."""
    if head < MOST:
        return head + 1
    return head - 257 if tiff else 127 - head


def _head(packet: int, *, tiff: bool) -> int:
    """Invert `_packet`."""
    if packet > 0:
        return packet - 1
    return 257 + packet if tiff else 127 - packet


def _runs(units: Bytes, span: int) -> NDArray[np.int32]:
    """Return how many equal units begin at each, within its span."""
    count = len(units)
    last = np.ones(count, bool)  # of a run
    last[:-1] = np.any(units[1:] != units[:-1], axis=1)
    last[span - 1 :: span] = True
    places = np.flatnonzero(last)
    lasts = np.repeat(places, np.diff(places, prepend=-1))
    return (lasts - np.arange(count) + 1).astype(np.int32)


def _packets(
    runs: NDArray[np.int32], span: int, rule: Rule, at: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Return the packet that a rule takes at each unit, or at some of them."""
    count = len(runs)
    first = np.ones(count, bool)  # of a run
    first[1:] = runs[:-1] != runs[1:] + 1
    first[::span] = True
    stops = np.flatnonzero(first & (runs >= min(rule.later, 3)))
    pairs = np.flatnonzero(first & (runs == 2))
    if rule.later == 4:
        ends = (pairs + 2) % span == 0
        ends[~ends] = runs[pairs[~ends] + 2] > 1
        stops = np.sort(np.concatenate([stops, pairs[ends]]))
    places = np.arange(count) if at is None else at
    # the next unit, behind each, before which a packet of single units stops
    stop = np.append(stops, count)[np.searchsorted(stops, places, "right")]
    plain = np.minimum(np.minimum(stop, (places // span + 1) * span) - places, rule.most)
    if rule.later == 4:  # which does not part a pair
        cut = np.minimum(places + rule.most - 1, count - 1)
        plain -= (plain == rule.most) & first[cut] & (runs[cut] == 2) & (cut > places)
    here = runs[places]
    return np.where(here < rule.first, plain, -np.minimum(here, rule.most)).astype(np.int32)
