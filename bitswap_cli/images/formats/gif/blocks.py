"""The blocks of a GIF file (CompuServe, GIF89a specification): frames, palettes, transparency."""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = (b"GIF87a", b"GIF89a")

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_PALETTE, _INTERLACED, _TRANSPARENT = 0x80, 0x40, 0x01  # flags
_FRAMES = 1 << 16  # of a file, at most


class Frame(NamedTuple):
    """An image of a file."""

    height: int
    width: int
    interlaced: bool
    palette: NDArray[np.uint8]
    """Colours (entries, 3)."""
    transparent: int
    """The index that shows nothing, or -1."""
    least: int
    """Bits of an index, as LZW has them, 1 to 8."""
    end: int
    """Where its blocks of data begin, or would."""
    after: int
    """Where they end; the same in a skeleton."""


def read_frames(data: bytes, *, skeleton: bool) -> list[Frame] | None:
    """Find the frames of a file, or of a file without their blocks of data.

    Returns
    -------
    list of Frame or None
        None if there are none, or too many, or one that is damaged or has no palette. What follows
        the last one that is found is of no interest.
    """
    if len(data) < 13 or data[:6] not in MAGIC:
        return None
    flags, at = data[10], 13
    common, at = _palette(data, at, flags)
    frames: list[Frame] = []
    transparent = -1
    while at < len(data) and len(frames) <= _FRAMES:
        if data[at] == _EXTENSION:
            body = data[at + 3 : at + 7]
            if data[at + 1 : at + 2] == bytes([_CONTROL]) and len(body) == 4:
                transparent = body[3] if body[0] & _TRANSPARENT else -1
            after = end_of_blocks(data, at + 2)
            if after is None:
                break
            at = after
        elif data[at] == _IMAGE:
            frame = _frame(data, at + 1, common, transparent, skeleton=skeleton)
            if frame is None:
                return None
            frames.append(frame)
            at, transparent = frame.after, -1
        else:
            break
    return frames if 0 < len(frames) <= _FRAMES else None


def end_of_blocks(data: bytes, at: int) -> int | None:
    """Return where a run of blocks of data ends; None if it is cut."""
    while at < len(data):
        length = data[at]
        at += 1 + length
        if not length:
            return at
    return None


def lengths_of(run: bytes) -> list[int]:
    """Return the lengths of blocks, the empty one that ends them left out."""
    found, at = [], 0
    while run[at]:
        found.append(run[at])
        at += 1 + run[at]
    return found


def in_blocks(stream: bytes, lengths: list[int]) -> bytes:
    """Return a stream cut into blocks of these lengths, and an empty one."""
    parts, at = [], 0
    for length in lengths:
        parts += [bytes([length]), stream[at : at + length]]
        at += length
    return b"".join([*parts, b"\0"])


def _frame(
    data: bytes, at: int, common: NDArray[np.uint8] | None, transparent: int, *, skeleton: bool
) -> Frame | None:
    if at + 9 > len(data):
        return None
    _, _, width, height, flags = struct.unpack_from("<HHHHB", data, at)
    own, at = _palette(data, at + 9, flags)
    palette = common if own is None else own
    if at >= len(data) or palette is None or not width or not height:
        return None
    least, end = data[at], at + 1
    after = end if skeleton else end_of_blocks(data, end)
    if after is None or not 0 < least <= 8:
        return None
    interlaced = bool(flags & _INTERLACED)
    return Frame(height, width, interlaced, palette, transparent, least, end, after)


def _palette(data: bytes, at: int, flags: int) -> tuple[NDArray[np.uint8] | None, int]:
    """Return the palette that flags tell of, if it is whole, and where it ends."""
    if not flags & _PALETTE:
        return None, at
    size = 3 << (flags & 7) + 1
    colours = data[at : at + size]
    whole = len(colours) == size
    return np.frombuffer(colours, np.uint8).reshape(-1, 3) if whole else None, at + size
