"""The compiled gradient of the pixel VAE's bits, and its nouns: all that needs no torch.

gradient.py has the definition.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bitswap_models.exact import kernel
from bitswap_models.families.pixel_vae import window as window_
from bitswap_models.families.pixel_vae.config import Config

T = TypeVar("T")
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class Pixels(NamedTuple):
    """What the likelihood sees of N pixels, as many of each cell, and the pixels themselves."""

    window: Bytes  # (N, taps, C)
    border: Bytes  # (N, 3 radius)
    known: Bytes  # (N, C)
    coded: Bytes  # (N,), so many of the channels count


def in_order(layers: Mapping[str, T]) -> dict[str, T]:
    """Sort the layers of a likelihood as their parameters are laid out."""
    order = ("skip", "trunk", "splits", "coded", "mixes", "heads")
    return {n: layers[n] for part in order for n in layers if n.split(".")[0] == part}


def look(flat: Bytes, places: Places, radius: int) -> tuple[Bytes, Bytes, Bytes]:
    """Windows, borders and values of pixels, the first three of `Pixels`.

    Parameters
    ----------
    flat : uint8 array (pixels, C)
        Of all tiles.
    places : int64 array (N, 5)
        The first pixel of each one's tile, and the tile's side; row, column and valid columns.
    radius : int
        Of the window.
    """
    base, side, y, x, width = places.T
    rows, columns = window_.places(y, x, width, radius)
    seen = flat[base[:, None] + rows.clip(0) * side[:, None] + columns]
    seen[rows[:, 0] < 0] = window_.UNKNOWN
    border = window_.borders(y, x, width, radius).astype(np.uint8)
    return seen, border, flat[base + y * side + x]


class GradientKernel:
    """The compiled gradient, bound by ctypes, without the GIL."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        self._run, self._windows = library.bitswap_gradient, library.bitswap_windows
        word, pointer = ctypes.c_int64, ctypes.c_void_p
        self._windows.argtypes = [pointer, pointer, word, word, word, *[pointer] * 3]
        self._windows.restype = None
        self._run.argtypes = [*[pointer] * 5, word, word, *[pointer] * 4, ctypes.c_double]
        self._run.restype = ctypes.c_double

    def look(self, flat: Bytes, places: Places, radius: int) -> tuple[Bytes, Bytes, Bytes]:
        """Windows, borders and values of pixels; see `look`."""
        count, channels = len(places), flat.shape[1]
        window = np.empty((count, len(window_.taps(radius)), channels), np.uint8)
        border = np.empty((count, 3 * radius), np.uint8)
        known = np.empty((count, channels), np.uint8)
        self._windows(
            flat.ctypes.data, places.ctypes.data, count, radius, channels,
            *(a.ctypes.data for a in (window, border, known)),
        )  # fmt: skip
        return window, border, known

    def __call__(
        self, config: Config, parameters: Floats, film: Floats | None, pixels: Pixels, soft: float
    ) -> tuple[float, Floats, Floats | None]:
        """Bits of pixels, and their gradient to parameters and films; see `reference`.

        All arrays are in C order.
        """
        c = config
        shape = np.array((c.channels, c.components, c.radius, c.layers, c.width, c.split), np.int64)
        gradient = np.empty_like(parameters)
        films = None if film is None else np.empty_like(film)
        cells = 1 if film is None else len(film)
        bits = self._run(
            shape.ctypes.data, parameters.ctypes.data, gradient.ctypes.data,
            None if film is None else film.ctypes.data,
            None if films is None else films.ctypes.data,
            cells, len(pixels.known) // cells, *(a.ctypes.data for a in pixels), soft,
        )  # fmt: skip
        if bits < 0:
            raise MemoryError
        return bits, gradient, films


@cache
def engine() -> GradientKernel | None:
    """The compiled gradient, if it is there; None is `reference`."""
    found = kernel.chosen()
    try:
        return None if found is None else GradientKernel(str(found.path))
    except AttributeError:  # the C compiler was none that gradient.c is written for
        return None
