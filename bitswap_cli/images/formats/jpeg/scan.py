"""The compiled reader and writer of scans, where there is one; reference.py is its definition.

Both give the same coefficients and the same bytes. BITSWAP_ENGINE chooses, as it does for the coder.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.formats.jpeg import reference
from bitswap_cli.images.formats.jpeg.frame import Frame, Scan
from bitswap_cli.images.formats.jpeg.reference import Coefficients, Notes, Unwritable, unit_count

ABI = 1
_ROOM = 1 << 12  # bytes of a scan beyond what its coefficients take at most


class _Component(ctypes.Structure):
    """`component` of scan.c."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("horizontal", "vertical", "rows", "columns")),
        *((name, ctypes.c_int32) for name in ("real_rows", "real_columns", "dc", "ac")),
        ("coefficients", ctypes.c_void_p),
    ]


class _Scan(ctypes.Structure):
    """`scan` of scan.c."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("components", "progressive", "first", "last")),
        *((name, ctypes.c_int32) for name in ("high", "low", "restart", "width", "height")),
        ("component", _Component * 4),
    ]


class _Notes(ctypes.Structure):
    """`notes` of scan.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("units", "restarts", "end", "partial")),
        *((name, ctypes.c_int64) for name in ("runs", "room")),
        *((name, ctypes.c_void_p) for name in ("padding", "run")),
    ]


def _address(array: NDArray[np.generic]) -> int:
    return array.ctypes.data


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
        library = ctypes.CDLL(str(path))
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        try:
            library.bitswap_jpeg_abi.restype = number
            if library.bitswap_jpeg_abi() != ABI:
                raise OSError(f"{path} was built from another version")
            self._read, self._write = library.bitswap_jpeg_read, library.bitswap_jpeg_write
        except AttributeError as error:
            raise OSError(f"{path} is not the kernel: {error}") from error
        self._read.argtypes = [pointer, ctypes.c_char_p, ctypes.c_char_p, number, pointer]
        self._write.argtypes = [pointer, ctypes.c_char_p, pointer, number, pointer]
        self._read.restype = self._write.restype = number

    def read(self, frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients) -> Notes:
        """See `read`."""
        total = unit_count(frame, scan)
        padding = np.zeros(total // max(scan.restart, 1) + 1 if scan.restart else 1, np.uint8)
        runs = np.zeros(total if scan.first else 1, np.int32)
        noted = _Notes(room=len(runs), padding=_address(padding), run=_address(runs))
        structure = _structure(frame, scan, coefficients)
        failed = self._read(
            ctypes.byref(structure), scan.tables, data, len(data), ctypes.byref(noted)
        )
        if failed:
            raise MemoryError
        return Notes(
            noted.units, noted.restarts, noted.end, noted.partial,
            padding[: noted.restarts].tolist(), runs[: noted.runs].tolist(),
        )  # fmt: skip

    def write(self, frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> bytes:
        """See `write`."""
        noted = _Notes(units=notes.units, restarts=notes.restarts)
        padding = np.array(notes.padding or [0], np.uint8)
        runs = np.array(notes.runs or [0], np.int32)
        noted.padding = None if notes.padding is None else _address(padding)
        noted.run = None if notes.runs is None else _address(runs)
        noted.runs = len(notes.runs or ())
        structure = _structure(frame, scan, coefficients)
        samples = sum(coefficients[place].size for place, _, _ in scan.components)
        # no code and its number take more than 31 bits, and every byte may be followed by a zero
        for room in (samples + 2 * notes.restarts, 8 * samples + 4 * notes.restarts):
            out = np.empty(room + _ROOM, np.uint8)
            length = self._write(
                ctypes.byref(structure), scan.tables, _address(out), len(out), ctypes.byref(noted)
            )
            if length >= 0:
                return out[:length].tobytes()
            if length == -1:
                raise MemoryError
        raise Unwritable


def _structure(frame: Frame, scan: Scan, coefficients: Coefficients) -> _Scan:
    rows, columns = frame.mcus
    structure = _Scan(
        len(scan.components), int(frame.progressive), scan.first, scan.last, scan.high, scan.low,
        scan.restart, columns, rows,
    )  # fmt: skip
    for k, (place, dc, ac) in enumerate(scan.components):
        c, blocks = frame.components[place], coefficients[place]
        if blocks.dtype != np.int16 or blocks.shape != (c.rows, c.columns, 64):
            raise ValueError("coefficients are none of this frame")
        if not blocks.flags.c_contiguous:
            raise ValueError("coefficients are not contiguous")
        structure.component[k] = _Component(
            c.horizontal, c.vertical, c.rows, c.columns, c.real_rows, c.real_columns,
            dc, ac, _address(blocks),
        )  # fmt: skip
    return structure


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{suffix}")
        if path.exists():
            try:
                return Kernel(path)
            except OSError:
                return None
    return None


@cache
def _engine() -> Kernel | None:
    return None if os.environ.get("BITSWAP_ENGINE") == "reference" else compiled()


def read(frame: Frame, scan: Scan, data: bytes, coefficients: Coefficients) -> Notes:
    """Read a scan into coefficients, which hold what the scans before it gave.

    It goes as far as it can: data that is cut short or damaged leaves the rest as it was.

    Parameters
    ----------
    frame : Frame
    scan : Scan
    data : bytes
        Its entropy-coded data.
    coefficients : list of int16 arrays (rows, columns, 64)
        Of each component of the frame, in zigzag order; changed.

    Returns
    -------
    Notes
        What `write` needs besides.
    """
    return (_engine() or reference).read(frame, scan, data, coefficients)


def write(frame: Frame, scan: Scan, coefficients: Coefficients, notes: Notes) -> bytes:
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
    return (_engine() or reference).write(frame, scan, coefficients, notes)
