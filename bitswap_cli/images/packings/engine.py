"""The engine that packs and unpacks: the compiled kernel, else the Python reference.

Both give the same; BITSWAP_ENGINE chooses, see bitswap_cli/ans/library.py.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import Library, address, chosen, load
from bitswap_cli.errors import ArchiveError, InputError
from bitswap_cli.images.packings import fax_codes, reference
from bitswap_cli.images.packings.fax_rows import Coding, Facsimile
from bitswap_cli.images.packings.filters import FILTERS, Rows
from bitswap_cli.images.packings.reference import DAMAGED, Bytes, Unpacked

ABI = 5

_NO_MEMORY = -3


class Engine(Protocol):
    """What does the work; `reference` documents each of these."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Either "c" or "reference"."""

    def lzw_read(
        self, source: bytes, tiff: bool, least: int, size: int, room: int
    ) -> Unpacked | None: ...

    def lzw_write(
        self, data: Bytes, tiff: bool, least: int, clears: Sequence[int],
        odds: Sequence[Sequence[int]], longest: int, room: int,
    ) -> tuple[bytes, int, int]: ...  # fmt: skip

    def qoi_read(self, source: bytes, count: int) -> tuple[Bytes, int] | None: ...

    def qoi_write(self, pixels: Bytes) -> bytes: ...

    def fax_read(
        self, source: bytes, height: int, width: int, coding: Coding
    ) -> Facsimile | None: ...

    def fax_write(self, black: Bytes, tags: Bytes, coding: Coding) -> tuple[Bytes, int]: ...

    def filtered(self, rows: Rows, unit: int, filters: Rows) -> Rows: ...

    def filtered_least(self, rows: Rows, unit: int, tried: Sequence[int]) -> Rows: ...

    def unfiltered(self, lines: Rows, unit: int) -> Rows | None: ...

    def sums(self, rows: Rows, unit: int) -> NDArray[np.int64]: ...


class Kernel:
    """The compiled engine: the functions of `reference`, bound by ctypes, without the GIL.

    Parameters
    ----------
    path : Path
        The shared library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was built from another version of the sources.
    """

    NAME = "c"

    def __init__(self, path: Path) -> None:
        library = Library(path, "packings_abi", ABI)
        self._lzw_read = library.bound("lzw_read", "plllplpplp")
        self._lzw_write = library.bound("lzw_write", "plllplpllplp")
        self._qoi_read = library.bound("qoi_read", "plpl")
        self._qoi_write = library.bound("qoi_write", "plp")
        self._fax_read = library.bound("fax_read", "plllppppppppp")
        self._fax_write = library.bound("fax_write", "ppllppppppp")
        self._filter = library.bound("filter", "plllppp", void=True)
        self._filter_least = library.bound("filter_least", "plllplppp", void=True)
        self._unfilter = library.bound("unfilter", "plllpp")
        self._sums = library.bound("filter_sums", "plllppp", void=True)

    def lzw_read(
        self, source: bytes, tiff: bool, least: int, size: int, room: int
    ) -> Unpacked | None:
        """Unpack LZW; see `reference.lzw_read`."""
        packed = np.frombuffer(source, np.uint8)
        data, found = np.empty(size, np.uint8), np.zeros(5, np.int64)
        clears, odds = np.empty(room, np.int32), np.empty((room, 2), np.int32)
        result = self._lzw_read(
            address(packed), len(packed), tiff, least, address(data), size, address(clears),
            address(odds), room, address(found),
        )  # fmt: skip
        if result == _NO_MEMORY:
            raise MemoryError
        if result < 0:
            return None
        bits, cleared, odd, longest, width = (int(value) for value in found)
        return Unpacked(data, bits, clears[:cleared], odds[:odd], longest, width)

    def lzw_write(
        self, data: Bytes, tiff: bool, least: int, clears: Sequence[int],
        odds: Sequence[Sequence[int]], longest: int, room: int,
    ) -> tuple[bytes, int, int]:  # fmt: skip
        """Pack LZW; see `reference.lzw_write`."""
        plain = np.ascontiguousarray(data)
        out, found = np.zeros(room, np.uint8), np.zeros(2, np.int64)
        cleared = np.ascontiguousarray(clears, np.int32)
        odd = np.ascontiguousarray(odds, np.int32).reshape(-1, 2)
        result = self._lzw_write(
            address(plain), len(plain), tiff, least, address(cleared), len(cleared),
            address(odd), len(odd), longest, address(out), room, address(found),
        )  # fmt: skip
        if result == _NO_MEMORY:
            raise MemoryError
        if result < 0:
            raise ArchiveError(DAMAGED)
        bits, width = (int(value) for value in found)
        return out[: -(-bits // 8)].tobytes(), bits, width

    def qoi_read(self, source: bytes, count: int) -> tuple[Bytes, int] | None:
        """Unpack QOI; see `reference.qoi_read`."""
        packed = np.frombuffer(source, np.uint8)
        pixels = np.empty((count, 4), np.uint8)
        read = self._qoi_read(address(packed), len(packed), address(pixels), count)
        return None if read < 0 else (pixels, read)

    def qoi_write(self, pixels: Bytes) -> bytes:
        """Pack QOI; see `reference.qoi_write`."""
        plain = np.ascontiguousarray(pixels)
        out = np.empty(5 * len(plain), np.uint8)
        return out[: self._qoi_write(address(plain), len(plain), address(out))].tobytes()

    def fax_read(self, source: bytes, height: int, width: int, coding: Coding) -> Facsimile | None:
        """Read rows of a facsimile; see `fax_rows.fax_read`."""
        packed, how = np.frombuffer(source, np.uint8), np.array(coding, np.int32)
        black, tags = np.empty((height, width), np.uint8), np.empty(height, np.uint8)
        rooms, bits = np.empty((2, width + 3), np.int32), np.zeros(1, np.int64)
        count = self._fax_read(
            address(packed), len(packed), height, width, address(how),
            *map(address, fax_codes.prefixes()), address(rooms), address(black), address(tags),
            address(bits),
        )  # fmt: skip
        return None if count < 0 else Facsimile(black[:count], tags[:count], int(bits[0]))

    def fax_write(self, black: Bytes, tags: Bytes, coding: Coding) -> tuple[Bytes, int]:
        """Write rows of a facsimile; see `fax_rows.fax_write`."""
        rows, told = np.ascontiguousarray(black), np.ascontiguousarray(tags)
        (height, width), how = rows.shape, np.array(coding, np.int32)
        rooms = np.empty((2, width + 3), np.int32)
        out = np.zeros(2 * rows.size + 16 * height, np.uint8)
        bits = self._fax_write(
            address(rows), address(told), height, width, address(how),
            *map(address, fax_codes.arrays()), address(rooms), address(out),
        )  # fmt: skip
        return out[: -(-bits // 8)], bits

    def filtered(self, rows: Rows, unit: int, filters: Rows) -> Rows:
        """Filter scanlines; see `filters.filtered`."""
        here, told = np.ascontiguousarray(rows), np.ascontiguousarray(filters)
        height, width = here.shape
        zeros, lines = np.zeros(width, np.uint8), np.empty((height, width + 1), np.uint8)
        shape = height, width, unit
        self._filter(address(here), *shape, address(told), address(zeros), address(lines))
        return lines

    def filtered_least(self, rows: Rows, unit: int, tried: Sequence[int]) -> Rows:
        """Filter scanlines by the filters of the least sums; see `filters.filtered_least`."""
        here, told = np.ascontiguousarray(rows), np.array(tried, np.uint8)
        height, width = here.shape
        room, lines = np.zeros((2, width), np.uint8), np.empty((height, width + 1), np.uint8)
        self._filter_least(
            address(here), height, width, unit, address(told), len(told), *map(address, room),
            address(lines),
        )  # fmt: skip
        return lines

    def unfiltered(self, lines: Rows, unit: int) -> Rows | None:
        """Undo filters; see `filters.unfiltered`."""
        here = np.ascontiguousarray(lines)
        height, width = here.shape[0], here.shape[1] - 1
        zeros, rows = np.zeros(width, np.uint8), np.empty((height, width), np.uint8)
        shape = height, width, unit
        failed = self._unfilter(address(here), *shape, address(zeros), address(rows))
        return None if failed else rows

    def sums(self, rows: Rows, unit: int) -> NDArray[np.int64]:
        """Sum up what filters leave; see `filters.sums`."""
        here = np.ascontiguousarray(rows)
        height, width = here.shape
        room, found = np.zeros((2, width), np.uint8), np.empty((FILTERS, height), np.int64)
        shape = height, width, unit
        self._sums(address(here), *shape, *map(address, room), address(found))
        return found


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


@cache
def engine() -> Engine:
    """The engine in use, chosen at the first call of the process.

    Raises
    ------
    InputError
        If BITSWAP_ENGINE asks for an engine that is not there.
    """
    return chosen(compiled, InputError) or reference
