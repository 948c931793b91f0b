"""The compiled decoder, where there is one, else that in numpy; and what only a kernel can do.

Both decoders give the same. BITSWAP_ENGINE chooses, as it does for the coder.
"""

from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.ans.library import Library, address, chosen, load
from bitswap_cli.errors import InputError
from bitswap_cli.images.history import reference
from bitswap_cli.images.history.reference import Plane

Blocks = NDArray[np.int16]
Steps = NDArray[np.int32]
ABI = 17


class Engine(Protocol):
    """What decodes; `reference` documents each of these."""

    def plane(self, blocks: Blocks, steps: Steps, method: int = 0) -> Plane: ...

    def wide(self, blocks: Blocks, steps: Steps, vertical: int) -> Plane: ...

    def upsample(
        self, samples: Plane, height: int, width: int, vertical: int, horizontal: int, fancy: bool
    ) -> Plane: ...

    def colour(self, y: Plane, cb: Plane, cr: Plane) -> Plane: ...

    def mapped(
        self, tables: NDArray[np.int32], shift: int, y: Plane, blue: Plane, red: Plane
    ) -> Plane: ...


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
        library = Library(path, "history_abi", ABI)
        self.bound = library.bound
        self._plane = library.bound("history_plane", "pllplp")
        self._wide = library.bound("history_wide", "pllplp")
        self._upsample = library.bound("history_upsample", "pllllllp")
        self._colour = library.bound("history_colour", "ppplp")
        self._mapped = library.bound("history_mapped", "plppplp")

    def plane(self, blocks: Blocks, steps: Steps, method: int = 0) -> Plane:
        """See `reference.plane`."""
        rows, columns, _ = blocks.shape
        out = np.empty((8 * rows, 8 * columns), np.uint8)
        self._plane(address(blocks), rows, columns, address(steps), method, address(out))
        return out

    def wide(self, blocks: Blocks, steps: Steps, vertical: int) -> Plane:
        """See `reference.wide`."""
        rows, columns, _ = blocks.shape
        out = np.empty((8 * vertical * rows, 16 * columns), np.uint8)
        self._wide(address(blocks), rows, columns, address(steps), vertical, address(out))
        return out

    def upsample(
        self, samples: Plane, height: int, width: int, vertical: int, horizontal: int, fancy: bool
    ) -> Plane:
        """See `reference.upsample`."""
        if height > samples.shape[0] or width > samples.shape[1]:
            raise ValueError("a plane is too small")
        out = np.empty((vertical * height, horizontal * width), np.uint8)
        self._upsample(
            address(samples), samples.shape[1], height, width, vertical, horizontal, fancy,
            address(out),
        )  # fmt: skip
        return out

    def colour(self, y: Plane, cb: Plane, cr: Plane) -> Plane:
        """See `reference.colour`."""
        out = np.empty((*y.shape, 3), np.uint8)
        planes = [np.ascontiguousarray(x) for x in (y, cb, cr)]
        self._colour(*map(address, planes), y.size, address(out))
        return out

    def mapped(
        self, tables: NDArray[np.int32], shift: int, y: Plane, blue: Plane, red: Plane
    ) -> Plane:
        """See `reference.mapped`."""
        if not y.shape == blue.shape == red.shape:
            raise ValueError("planes differ in shape")
        out = np.empty((*y.shape, 3), np.uint8)
        planes = [np.ascontiguousarray(x) for x in (y, blue, red)]
        self._mapped(address(tables), shift, *map(address, planes), y.size, address(out))
        return out


@cache
def compiled() -> Kernel | None:
    """The compiled engine, or None where there is none that loads."""
    return load(Path(__file__).parent, Kernel)


@cache
def engine() -> Engine:
    """The decoder in use."""
    return chosen(compiled, InputError) or reference
