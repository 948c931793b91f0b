"""Planes: pictures of one size behind each other, each channel by itself, as PyTorch and CIFAR lay
them; or gray pictures of which each is a row of an array.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitswap_cli.images.picture import is_held

_SIDES = range(8, 1 << 16)
_COLOURS = (3, 4)
_LOOKED_AT = 256  # pictures, spread over all, that tell whether they are laid so
_ROWS_OF = 1 << 20  # pixels of theirs, about

Bytes = NDArray[np.uint8]


class Planes(NamedTuple):
    """How each picture lies: row by row, channel by channel."""

    channels: int
    height: int
    width: int

    @property
    def sound(self) -> bool:
        """Whether there may be such pictures."""
        return self.channels in (1, *_COLOURS) and self.height in _SIDES and self.width in _SIDES

    @property
    def size(self) -> int:
        """Bytes of a picture."""
        return prod(self)

    def to_pixels(self, data: Bytes) -> Bytes:
        """Return all pictures one below the other, (n height, width, channels)."""
        pictures = data.reshape(-1, *self)
        return np.moveaxis(pictures, 1, 3).reshape(-1, self.width, self.channels)

    def from_pixels(self, pixels: Bytes) -> bytes:
        """Invert `to_pixels`."""
        pictures = pixels.reshape(-1, self.height, self.width, self.channels)
        return np.moveaxis(pictures, 3, 1).tobytes()

    def held(self, size: int) -> bool:
        """Tell whether pictures of so many bytes are small enough to be held as a whole."""
        return is_held(size // self.size * self.height, self.width, self.channels, large=True)

    def holds(self, data: Bytes) -> bool:
        """Tell whether bytes look like pictures that lie so.

        Of several channels, each has to tell of the next one: of how a row differs from the one
        above it. Of a single one, pixels have to tell more of those below them than of those at the
        same place of the next picture, as if this were the next row of a wide one.

        Parameters
        ----------
        data : uint8 array
            Of whole pictures.
        """
        count = len(data) // self.size
        if not self.held(len(data)):
            return False
        step = -(-count // _LOOKED_AT)
        rows = max(2, min(self.height, _ROWS_OF // (self.width * -(-count // step))))
        top = (self.height - rows) // 2
        pictures = data.reshape(count, *self)[:, :, top : top + rows]
        some = pictures[::step].astype(np.int16)
        below = np.diff(some, axis=2)
        if self.channels > 1:
            return _mean(np.diff(below[:, :3], axis=1)) < _mean(below[:, 1:3])
        after = pictures[1::step].astype(np.int16)
        return bool(len(after)) and _mean(below) < _mean(after - some[: len(after)])


def of_shape(shape: Sequence[int]) -> Planes | None:
    """Return how the pictures of an array may lie, told by its axes: (.., C, H, W), or (N, C S S),
    each picture a row of the array, and a square; None if it has no such axes."""
    if len(shape) > 2:
        planes = Planes(*shape[-3:])
        return planes if planes.channels in _COLOURS and planes.sound else None
    for channels in (1, 3):
        side = isqrt(shape[-1] // channels)
        planes = Planes(channels, side, side)
        if planes.size == shape[-1] and planes.sound:
            return planes
    return None


def of_axes(shape: Sequence[int]) -> Planes | None:
    """Return how the pictures of an array lie if its last axes are rows and columns, told by all:
    those of channels are as many as colours have; None if they are too short or too long."""
    channels = shape[-3] if len(shape) > 2 and shape[-3] in _COLOURS else 1
    planes = Planes(channels, *shape[-2:])
    return planes if planes.sound else None


def _mean(differences: NDArray[np.int16]) -> Fraction:
    return Fraction(int(np.abs(differences).sum(dtype=np.int64)), differences.size)
