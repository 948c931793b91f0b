"""Compiled kernels: where they lie, how their functions are bound, and which engine is in use.

A kernel is a shared library that knows nothing of Python, `_kernel` in the folder of the room that
it belongs to. What it computes a reference in Python computes as well. The environment variable
BITSWAP_ENGINE chooses, for all rooms: "reference", "c" (an error if there is no compiled kernel),
or empty for the kernel if it is there.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K")

_AT: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer
_TYPES: dict[str, Any] = {"p": ctypes.c_void_p, "l": ctypes.c_int64, "s": ctypes.c_char_p}


def address(array: NDArray[np.generic]) -> int:
    """Return where an array lies; raise ValueError if that is not one place."""
    if not array.flags.c_contiguous:
        raise ValueError("an array is not contiguous")
    try:
        return ctypes.addressof(_AT(array))  # several times as fast as what follows
    except (TypeError, ValueError):  # it is read-only, or empty
        return array.ctypes.data


def addresses(arrays: Sequence[NDArray[np.generic]]) -> ctypes.Array[ctypes.c_void_p]:
    """Return where some arrays lie, as a kernel is told of a structure of pointers; raises as
    `address` does. The arrays have to stay as long as it is used."""
    return (ctypes.c_void_p * len(arrays))(*map(address, arrays))


class Library:
    """A shared library; its functions run without the GIL.

    Parameters
    ----------
    path : Path
    abi : str
        The function that tells which version of the sources it was built from.
    version : int
        Which one it has to be.

    Raises
    ------
    OSError
        If it cannot be loaded, or was built from another version.
    """

    def __init__(self, path: Path, abi: str, version: int) -> None:
        self._path, self._library = path, ctypes.CDLL(str(path))
        if self.bound(abi, "")() != version:
            raise OSError(f"{path} was built from another version")

    def bound(self, name: str, signature: str, *, void: bool = False) -> Callable[..., int]:
        """Return a function.

        Parameters
        ----------
        name : str
            Less ``bitswap_``.
        signature : str
            A letter for each argument: pointer, long (64 bits), string.
        void : bool
            Whether it returns nothing, instead of a long.

        Raises
        ------
        OSError
            If there is no such function.
        """
        try:
            function: ctypes._NamedFuncPointer = getattr(self._library, f"bitswap_{name}")
        except AttributeError as error:
            raise OSError(f"{self._path} is not the kernel: {error}") from error
        function.argtypes = [_TYPES[letter] for letter in signature]
        function.restype = None if void else ctypes.c_int64
        return function

    def address(self, name: str) -> int:
        """Return where a function lies; its name as for `bound`."""
        return ctypes.cast(getattr(self._library, f"bitswap_{name}"), ctypes.c_void_p).value or 0


def find(folder: Path) -> Path | None:
    """The kernel in a folder: as setup.py names it, else as it did when names told the Python."""
    paths = (folder / f"_kernel{suffix}" for suffix in reversed(EXTENSION_SUFFIXES))
    return next((path for path in paths if path.exists()), None)


def load(folder: Path, kernel: Callable[[Path], K]) -> K | None:
    """Return the kernel in a folder, or None where there is none that loads."""
    path = find(folder)
    try:
        return kernel(path) if path else None
    except OSError:
        return None


def chosen(compiled: Callable[[], K | None], refusal: Callable[[str], Exception]) -> K | None:
    """Return the kernel, or None where the reference is to be used.

    Parameters
    ----------
    compiled : callable
        Returns the kernel, if there is one.
    refusal : callable
        Makes the error to raise if BITSWAP_ENGINE asks for an engine that is not there.
    """
    wanted = os.environ.get("BITSWAP_ENGINE", "")
    if wanted not in ("", "c", "reference"):
        raise refusal(f"BITSWAP_ENGINE={wanted}: choose c or reference")
    kernel = None if wanted == "reference" else compiled()
    if kernel is None and wanted == "c":
        raise refusal("BITSWAP_ENGINE=c: the kernel is not compiled; install with a C compiler")
    return kernel
