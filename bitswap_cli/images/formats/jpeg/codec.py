"""A JPEG file <-> quantized coefficients and a recipe, byte for byte.

The recipe is MessagePack: the skeleton (all bytes outside of entropy-coded data, frame.py), and for
each scan nil, or what its data has besides coefficients: MCUs written, restart markers among them,
the bits before these (nil: ones), lengths of end-of-block runs (nil: as long as can be), how many
bytes of what is written are dropped, and the bytes that then follow.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack
import numpy as np

from bitswap_cli.errors import ArchiveError
from bitswap_cli.images.formats.jpeg import scan as scans
from bitswap_cli.images.formats.jpeg.frame import Frame, NotJpeg, Parsed, Scan, parse
from bitswap_cli.images.formats.jpeg.reference import (
    MOST_RUN,
    Coefficients,
    Notes,
    Unwritable,
    unit_count,
)


class Jpeg(NamedTuple):
    """A file split into coefficients and recipe."""

    frame: Frame
    quantization: dict[int, tuple[int, ...]]
    """Tables by their numbers, 64 steps each in zigzag order."""
    coefficients: Coefficients
    """Of each component, int16 (rows, columns, 64), in zigzag order."""
    recipe: bytes


def split(data: bytes) -> Jpeg | None:
    """Split a file into coefficients and recipe, if it can be written again from them.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Jpeg or None
        None if it is no JPEG, or of a kind that is kept as it is: arithmetic, lossless or
        hierarchical coding, or a writer that cannot be followed.
    """
    try:
        parsed = parse(data)
    except NotJpeg:
        return None
    coefficients = _room(parsed.frame)
    read = [
        scans.read(parsed.frame, scan, data[scan.start : scan.end], coefficients)
        for scan in parsed.scans
    ]
    noted: list[list[Any] | None] = []
    skeleton, at = bytearray(), 0
    for scan, notes in zip(parsed.scans, read, strict=True):
        told = _told(parsed.frame, scan, coefficients, notes, data[scan.start : scan.end])
        if told is False:
            return None
        noted.append(told)
        skeleton += data[at : scan.start]
        at = scan.end
    skeleton += data[at:]
    recipe = msgpack.packb([bytes(skeleton), noted], use_bin_type=True)
    return Jpeg(parsed.frame, parsed.quantization, coefficients, recipe)


def _room(frame: Frame) -> Coefficients:
    return [np.zeros((c.rows, c.columns, 64), np.int16) for c in frame.components]


def _plain(frame: Frame, scan: Scan) -> Notes:
    """What is noted of a scan that is whole and has nothing of its own."""
    units = unit_count(frame, scan)
    restarts = (units - 1) // scan.restart if scan.restart else 0
    return Notes(units, restarts, padding=None, runs=None)


def _written(frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> bytes | None:
    try:
        return scans.write(frame, scan, coefficients, notes)
    except Unwritable:
        return None


def _told(
    frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes, data: bytes
) -> list[Any] | None | bool:
    """What the recipe tells of a scan; False if its data cannot be written again."""
    if _written(frame, scan, coefficients, _plain(frame, scan)) == data:
        return None
    greedy = Notes(notes.units, notes.restarts, padding=notes.padding, runs=None)
    for told in (greedy, notes):
        body = _written(frame, scan, coefficients, told)
        if body is not None and body[: notes.end] == data[: notes.end]:
            cut = len(body) - notes.end
            return [told.units, told.restarts, told.padding, told.runs, cut, data[notes.end :]]
    return False


def join(recipe: bytes, coefficients: Coefficients) -> bytes:
    """Write the file again.

    Parameters
    ----------
    recipe : bytes
        Of `split`.
    coefficients : list of int16 arrays (rows, columns, 64)

    Raises
    ------
    ArchiveError
        If recipe and coefficients do not belong together.
    """
    damaged = ArchiveError("the archive holds a JPEG whose recipe does not fit its coefficients")
    parsed, skeleton, noted = _parsed(recipe)
    shapes = [(c.rows, c.columns, 64) for c in parsed.frame.components]
    if [c.shape for c in coefficients] != shapes or len(noted) != len(parsed.scans):
        raise damaged
    out, at = bytearray(), 0
    for scan, told in zip(parsed.scans, noted, strict=True):
        out += skeleton[at : scan.start]
        at = scan.start
        notes, cut, rest = _plain(parsed.frame, scan), 0, b""
        if told is not None:
            notes, cut, rest = _notes(parsed.frame, scan, told)
        body = _written(parsed.frame, scan, coefficients, notes)
        if body is None or not 0 <= cut <= min(2, len(body)):
            raise damaged
        out += body[: len(body) - cut] + rest
    return bytes(out + skeleton[at:])


def frame_of(recipe: bytes) -> Parsed:
    """What a recipe says of frame, scans and quantization; raise `ArchiveError` if malformed."""
    return _parsed(recipe)[0]


def _parsed(recipe: bytes) -> tuple[Parsed, bytes, list[Any]]:
    try:
        match msgpack.unpackb(recipe, raw=False):
            case [bytes(skeleton), list(noted)]:
                return parse(skeleton), skeleton, noted
    except (ValueError, msgpack.UnpackException, RecursionError, NotJpeg):
        pass
    raise ArchiveError("the archive holds a JPEG whose recipe is malformed")


def _notes(frame: Frame, scan: Scan, told: object) -> tuple[Notes, int, bytes]:
    """Check what a recipe tells of a scan."""
    total = unit_count(frame, scan)
    match told:
        case [int(units), int(restarts), padding, runs, int(cut), bytes(rest)]:
            most = total // scan.restart if scan.restart else 0
            sound = 0 <= units <= total and 0 <= restarts <= most
            sound = sound and (padding is None or _numbers(padding, restarts, 255))
            sound = sound and (runs is None or _numbers(runs, None, MOST_RUN))
            if sound:
                return Notes(units, restarts, padding=padding, runs=runs), cut, rest
    raise ArchiveError("the archive holds a JPEG whose recipe is malformed")


def _numbers(values: object, count: int | None, most: int) -> bool:
    """Whether these are so many numbers of 0..most."""
    return (
        isinstance(values, list)
        and count in (None, len(values))
        and all(type(value) is int and 0 <= value <= most for value in values)
    )
