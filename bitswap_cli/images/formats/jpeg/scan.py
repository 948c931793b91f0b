"""The compiled reader and writer of scans, where there is one, else those in Python.

Both give the same coefficients and the same bytes: reading.py and writing.py are the definition.
BITSWAP_ENGINE chooses, see bitswap_cli/ans/library.py.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import Library, address, chosen, load
from bitswap_cli.errors import InputError
from bitswap_cli.images.formats.jpeg import reading, writing
from bitswap_cli.images.formats.jpeg.frame import Frame, Scan
from bitswap_cli.images.formats.jpeg.notes import Coefficients, Notes, Unwritable

ABI = 3
_NO_MEMORY, _NO_ROOM = -1, -3
_ROOM = 1 << 12  # bytes of a scan beyond what is reckoned by its blocks


class _Component(ctypes.Structure):
    """`component` of native/scan.h."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("horizontal", "vertical", "rows", "columns")),
        *((name, ctypes.c_int32) for name in ("real_rows", "real_columns", "dc", "ac")),
        ("coefficients", ctypes.c_void_p),
    ]


class _Scan(ctypes.Structure):
    """`scan` of native/scan.h."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("components", "progressive", "first", "last")),
        *((name, ctypes.c_int32) for name in ("high", "low", "restart", "width", "height")),
        ("fresh", ctypes.c_int32),
        ("component", _Component * 4),
    ]


class _Notes(ctypes.Structure):
    """`notes` of native/scan.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("units", "restarts", "end", "partial")),
        *((name, ctypes.c_int64) for name in ("runs", "odd")),
        *((name, ctypes.c_void_p) for name in ("padding", "run", "block")),
    ]


class Kernel:
    """The compiled engine.

    Parameters
    ----------
    path : Path
        The library.

    Raises
    ------
    OSError
        If it does not load, or is of another version.
    """

    def __init__(self, path: Path) -> None:
        library = Library(path, "jpeg_abi", ABI)
        self._read = library.bound("jpeg_read", "psplp")
        self._write = library.bound("jpeg_write", "psppl")
        self._compare = library.bound("jpeg_compare", "psppl")

    def read(self, frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients) -> Notes:
        """See `read`."""
        blocks = scan.blocks(frame)
        padding = np.zeros(scan.units(frame) // scan.restart + 1 if scan.restart else 1, np.uint8)
        runs, odd = np.zeros(blocks, np.uint16), np.zeros(blocks, np.uint32)
        noted = _Notes(padding=address(padding), run=address(runs), block=address(odd))
        body = np.frombuffer(data, np.uint8)[scan.start : scan.end]
        failed = self._read(
            ctypes.byref(_structure(frame, scan, coefficients)),
            scan.tables, address(body), body.size, ctypes.byref(noted),
        )  # fmt: skip
        if failed:
            raise MemoryError
        return Notes(
            noted.units, noted.restarts, noted.end, noted.partial,
            padding[: noted.restarts].tobytes(), runs[: noted.runs].copy(), odd[: noted.odd].copy(),
        )  # fmt: skip

    def write(
        self, frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes
    ) -> memoryview:
        """See `write`."""
        structure = _structure(frame, scan, coefficients)
        noted, _kept = _noted(notes)
        room = 16 * scan.blocks(frame) + 4 * notes.restarts + _ROOM
        while True:
            out = np.empty(room, np.uint8)
            length = self._write(
                ctypes.byref(structure), scan.tables, ctypes.byref(noted), address(out), room
            )
            if length >= 0:
                return out[:length].data
            if length == _NO_MEMORY:
                raise MemoryError
            if length != _NO_ROOM:
                raise Unwritable
            room *= 4

    def compare(
        self, frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients, notes: Notes
    ) -> int | None:
        """See `compare`."""
        noted, _kept = _noted(notes)
        expected = np.frombuffer(data, np.uint8)[scan.start : scan.end]
        length: int = self._compare(
            ctypes.byref(_structure(frame, scan, coefficients)),
            scan.tables, ctypes.byref(noted), address(expected), expected.size,
        )  # fmt: skip
        if length == _NO_MEMORY:
            raise MemoryError
        return length if length >= 0 else None


def _noted(notes: Notes) -> tuple[_Notes, list[NDArray[np.generic]]]:
    """Notes for the kernel, and the arrays that must live as long."""
    padding = np.frombuffer(notes.padding or b"\0", np.uint8)
    runs = np.zeros(0, np.uint16) if notes.runs is None else notes.runs
    noted = _Notes(
        units=notes.units, restarts=notes.restarts, runs=runs.size, odd=notes.odd.size,
        padding=None if notes.padding is None else address(padding),
        run=None if notes.runs is None else address(runs),
        block=address(notes.odd),
    )  # fmt: skip
    return noted, [padding, runs, notes.odd]


def _structure(frame: Frame, scan: Scan, coefficients: Coefficients) -> _Scan:
    rows, columns = frame.mcus
    structure = _Scan(
        len(scan.components), int(frame.progressive), scan.first, scan.last, scan.high, scan.low,
        scan.restart, columns, rows, int(scan.fresh),
    )  # fmt: skip
    for k, (place, dc, ac) in enumerate(scan.components):
        c, blocks = frame.components[place], coefficients[place]
        if blocks.dtype != np.int16 or blocks.shape != (c.rows, c.columns, 64):
            raise ValueError("coefficients are none of this frame")
        if not blocks.flags.c_contiguous:
            raise ValueError("coefficients are not contiguous")
        structure.component[k] = _Component(
            c.horizontal, c.vertical, c.rows, c.columns, c.real_rows, c.real_columns,
            dc, ac, address(blocks),
        )  # fmt: skip
    return structure


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


@cache
def _engine() -> Kernel | None:
    return chosen(compiled, InputError)


def read(frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients) -> Notes:
    """Read a scan into coefficients, which hold what the scans before it gave.

    It goes as far as it can: data that is cut short or damaged leaves the rest as it was.

    Parameters
    ----------
    frame : Frame
    scan : Scan
    data : bytes
        What the scan is a part of.
    coefficients : list of int16 arrays (rows, columns, 64)
        Of each component of the frame, in zigzag order; changed.

    Returns
    -------
    Notes
        What `write` needs besides.
    """
    return (_engine() or reading).read(frame, scan, data, coefficients)


def write(frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> bytes | memoryview:
    """Write the MCUs of a scan that the notes name; the last byte is filled with ones.

    Parameters
    ----------
    frame, scan, coefficients
        As `read` has them.
    notes : Notes
        Its `end` and `partial` are not looked at.

    Raises
    ------
    Unwritable
        If the scan has no code for the coefficients.
    """
    return (_engine() or writing).write(frame, scan, coefficients, notes)


def compare(
    frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients, notes: Notes
) -> int | None:
    """Tell whether a scan would be written as it is, and at most two bytes more.

    It takes no memory for what would be written, and ends where that differs.

    Parameters
    ----------
    frame, scan, data, coefficients, notes
        As `read` and `write` have them.

    Returns
    -------
    int or None
        How many bytes; None if they differ, or cannot be written.
    """
    return (_engine() or writing).compare(frame, scan, data, coefficients, notes)
