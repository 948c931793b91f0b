"""What the compiled kernel does, in Python: slow, and the oracle of the tests."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.packings.fax_rows import fax_read as fax_read
from bitswap_cli.images.packings.fax_rows import fax_write as fax_write
from bitswap_cli.images.packings.filters import filtered as filtered
from bitswap_cli.images.packings.filters import filtered_least as filtered_least
from bitswap_cli.images.packings.filters import sums as sums
from bitswap_cli.images.packings.filters import unfiltered as unfiltered

NAME = "reference"

DAMAGED = "the packed data is damaged: what is told of it packs nothing"

CODES, WIDEST = 1 << 12, 12  # of LZW: entries of the table, bits of a code

_SEEN, _MOST_RUN = 64, 62  # of QOI
_DIFF, _LUMA, _RUN, _RGB, _RGBA = 0x40, 0x80, 0xC0, 0xFE, 0xFF

Bytes = NDArray[np.uint8]


class Unpacked(NamedTuple):
    """What an LZW stream holds, and the choices of its packer."""

    data: Bytes
    bits: int
    """How many were read."""
    clears: NDArray[np.int32]
    """Codes of data since the last clear code, or the start, at each clear code."""
    odds: NDArray[np.int32]
    """Codes whose strings could have been longer (N, 2): how many others came since the one before,
    and how long its string is."""
    longest: int
    """The longest string; if it is 1, no code is odd."""
    width: int
    """Bits of the code that follows."""


class _Table:
    """Strings that occurred, by code: where in the data, and how long; 0 for one that equals an
    earlier one."""

    def __init__(self, tiff: bool, least: int) -> None:
        self.tiff, self.least, self.clear = tiff, least, 1 << least
        self.reset()

    def reset(self) -> None:
        self.width, self.next = self.least + 1, self.clear + 2
        self.children: dict[tuple[int, int], int] = {}
        self.strings: dict[int, tuple[int, int]] = {}

    def add(self, code: int, byte: int) -> None:
        self.children.setdefault((code, byte), self.next)
        self.next += 1
        if self.next + self.tiff == 1 << self.width and self.width < WIDEST:
            self.width += 1


class _Bits:
    """Codes of a stream, by place and width."""

    def __init__(self, source: bytes, tiff: bool) -> None:
        self._source, self._tiff = source + bytes(3), tiff

    def at(self, bit: int, width: int) -> int:
        three = self._source[bit >> 3 : (bit >> 3) + 3]
        if self._tiff:
            value = int.from_bytes(three, "big") >> 24 - (bit & 7) - width
        else:
            value = int.from_bytes(three, "little") >> (bit & 7)
        return value & (1 << width) - 1


def lzw_read(source: bytes, tiff: bool, least: int, size: int, room: int) -> Unpacked | None:
    """Unpack LZW.

    Parameters
    ----------
    source : bytes
        The stream, and whatever lies behind.
    tiff : bool
        Whether the high bits come first, and codes grow one entry early; else as in GIF.
    least, size, room : int
        Bits of a byte of data, 1 to 8; bytes of data, at least one; the most clear codes, and codes
        that are odd.

    Returns
    -------
    Unpacked or None
        None if it is damaged, or no packer that `lzw_write` knows makes it.
    """
    table, bits, data = _Table(tiff, least), _Bits(source, tiff), bytearray()
    clears: list[int] = []
    odds: list[tuple[int, int]] = []
    bit = since = usual = before = length = 0
    longest, previous = 1, -1
    while len(data) < size:
        if bit + table.width > 8 * len(source):
            return None
        code = bits.at(bit, table.width)
        bit += table.width
        peeked = bits.at(bit, least + 1)
        clearing = code == table.clear
        if clearing and (len(clears) == room or (previous >= 0 and peeked >= table.clear)):
            return None
        string = b"" if clearing else _string(table, data, code, previous, (before, length))
        if string is None or len(string) > size - len(data):
            return None
        first = peeked if clearing else string[0]
        odd = previous >= 0 and (previous, first) in table.children
        if odd:
            odds.append((usual, length))
        usual = 0 if odd else usual + (previous >= 0)
        if clearing:
            clears.append(since)
            since, previous = 0, -1
            table.reset()
            continue
        if previous >= 0 and table.next < CODES:
            table.strings[table.next] = (before, 0 if odd else length + 1)
            table.add(previous, first)
        before, previous, length = len(data), code, len(string)
        data += string
        longest = max(longest, length)
        since += 1
    if longest > 1 and len(odds) > room:
        return None
    told = np.array(odds if longest > 1 else [], np.int32).reshape(-1, 2)
    counts = np.array(clears, np.int32)
    return Unpacked(np.frombuffer(data, np.uint8), bit, counts, told, longest, table.width)


def _string(
    table: _Table, data: bytearray, code: int, previous: int, last: tuple[int, int]
) -> bytes | None:
    """Return the string of a code; None if it has none, or equals that of another."""
    if code < table.clear:
        return bytes([code])
    if previous < 0 or code == table.clear + 1:
        return None
    place, length = last
    if code == table.next < CODES:
        if (previous, data[place]) in table.children:
            return None
        return bytes(data[place : place + length]) + data[place : place + 1]
    place, length = table.strings.get(code, (0, 0))
    return bytes(data[place : place + length]) if length else None


def lzw_write(
    data: Bytes, tiff: bool, least: int, clears: Sequence[int], odds: Sequence[Sequence[int]],
    longest: int, room: int,
) -> tuple[bytes, int, int]:  # fmt: skip
    """Pack LZW (inverse of `lzw_read`).

    Returns
    -------
    bytes, int, int
        The stream, `room` bytes at most; its bits; those of the code that follows.

    Raises
    ------
    ArchiveError
        If what is told does not fit the data, or it takes more room.
    """
    table, size, plain = _Table(tiff, least), len(data), data.tobytes()

    parts: list[tuple[int, int]] = []  # codes and their widths
    cleared, told = list(clears)[::-1], list(odds)[::-1]
    at = since = usual = 0
    previous = -1
    while at < size:
        while cleared and cleared[-1] == since:
            cleared.pop()
            parts.append((table.clear, table.width))
            since, previous = 0, -1
            table.reset()
            if len(parts) > 8 * room:
                raise ArchiveError(DAMAGED)
        code, width = plain[at], table.width
        if code >= table.clear:
            raise ArchiveError(DAMAGED)
        if previous >= 0 and table.next < CODES:
            table.add(previous, code)
        odd = bool(told) and told[-1][0] == usual
        span, most = 1, min(told[-1][1] if odd else longest, size - at)
        while span < most and (following := table.children.get((code, plain[at + span]), -1)) >= 0:
            code, span = following, span + 1
        if odd and span != told.pop()[1]:
            raise ArchiveError(DAMAGED)
        parts.append((code, width))
        usual = 0 if odd else usual + 1
        previous, at, since = code, at + span, since + 1
    bit = sum(width for _, width in parts)
    if cleared or told or bit > 8 * room:
        raise ArchiveError(DAMAGED)
    return _joined(parts, bit, tiff), bit, table.width


def _joined(parts: Sequence[tuple[int, int]], bits: int, tiff: bool) -> bytes:
    """Return codes as bytes, unused bits being zero."""
    length = -(-bits // 8)
    if tiff:
        text = "".join(format(code, f"0{width}b") for code, width in parts)
        return int(text.ljust(8 * length, "0") or "0", 2).to_bytes(length, "big")
    text = "".join(format(code, f"0{width}b") for code, width in reversed(parts))
    return int(text or "0", 2).to_bytes(length, "little")


def qoi_read(source: bytes, count: int) -> tuple[Bytes, int] | None:
    """Unpack QOI (qoiformat.org, the specification).

    Parameters
    ----------
    source : bytes
        From the first operation on.
    count : int
        Pixels.

    Returns
    -------
    uint8 array (count, 4), int; or None
        RGBA, and how many bytes were read. None if it is damaged.
    """
    seen = [(0, 0, 0, 0)] * _SEEN
    red, green, blue, alpha = 0, 0, 0, 255
    pixels = bytearray()
    at = 0
    while len(pixels) < 4 * count:
        op = source[at] if at < len(source) else _RGBA
        kind = op & 0xC0
        more = 3 if op == _RGB else 4 if op == _RGBA else int(kind == _LUMA)
        body = source[at + 1 : at + 1 + more]
        if len(body) < more:
            return None
        at += 1 + more
        run = 1
        if op == _RGB:
            red, green, blue = body
        elif op == _RGBA:
            red, green, blue, alpha = body
        elif not kind:
            red, green, blue, alpha = seen[op]
        elif kind == _DIFF:
            steps = (op >> 4 & 3) - 2, (op >> 2 & 3) - 2, (op & 3) - 2
            red, green, blue = red + steps[0] & 255, green + steps[1] & 255, blue + steps[2] & 255
        elif kind == _LUMA:
            step = (op & 63) - 32
            red, green = red + step - 8 + (body[0] >> 4) & 255, green + step & 255
            blue = blue + step - 8 + (body[0] & 15) & 255
        else:
            run = 1 + (op & 63)
        seen[(red * 3 + green * 5 + blue * 7 + alpha * 11) % _SEEN] = (red, green, blue, alpha)
        pixels += bytes((red, green, blue, alpha)) * run
    if len(pixels) > 4 * count:
        return None
    return np.frombuffer(pixels, np.uint8).reshape(-1, 4), at


def qoi_write(pixels: Bytes) -> bytes:
    """Pack QOI as the reference encoder does (inverse of `qoi_read`).

    Parameters
    ----------
    pixels : uint8 array (N, 4)
    """
    seen = [(0, 0, 0, 0)] * _SEEN
    before = (0, 0, 0, 255)
    out = bytearray()
    run = 0
    for pixel in map(tuple, pixels.tolist()):
        if pixel == before:
            run += 1
            if run == _MOST_RUN:
                out.append(_RUN | run - 1)
                run = 0
            continue
        if run:
            out.append(_RUN | run - 1)
            run = 0
        place = (pixel[0] * 3 + pixel[1] * 5 + pixel[2] * 7 + pixel[3] * 11) % _SEEN
        if seen[place] == pixel:
            out.append(place)
        else:
            seen[place] = pixel
            out += _between(before, pixel)
        before = pixel
    if run:
        out.append(_RUN | run - 1)
    return bytes(out)


def _between(before: tuple[int, ...], pixel: tuple[int, ...]) -> bytes:
    """Return the operation that leads from a pixel to another one that was not seen."""
    if pixel[3] != before[3]:
        return bytes([_RGBA, *pixel])
    red, green, blue = (_signed(b - a) for a, b in zip(before[:3], pixel[:3], strict=True))
    if all(-2 <= step <= 1 for step in (red, green, blue)):
        return bytes([_DIFF | red + 2 << 4 | green + 2 << 2 | blue + 2])
    more = _signed(red - green), _signed(blue - green)
    if -32 <= green <= 31 and all(-8 <= step <= 7 for step in more):
        return bytes([_LUMA | green + 32, more[0] + 8 << 4 | more[1] + 8])
    return bytes([_RGB, *pixel[:3]])


def _signed(value: int) -> int:
    """Return a difference of bytes as a signed byte."""
    return (value + 128) % 256 - 128
