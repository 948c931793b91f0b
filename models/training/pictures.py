"""Files of pictures, as training reads them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitswap_cli.errors import InputError

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises of files that it cannot read."""


@contextmanager
def opened(path: Path) -> Generator[Image.Image, None, None]:
    """Open a picture; raise InputError if it cannot be read, here or in the block."""
    try:
        with Image.open(path) as image:
            yield image
    except UNREADABLE as error:
        raise InputError(f"cannot read the picture {path}: {error}") from None


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture; raise InputError if it cannot be read."""
    with opened(path) as image:
        return image.size


def pixels_of(path: Path, mode: str | None) -> NDArray[np.uint8] | None:
    """Read a picture as gray or RGB. (H, W, C) uint8; None if no mode is given and it is neither.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with opened(path) as image:
        if mode is None and image.mode not in ("L", "RGB"):
            return None
        array = np.asarray(image if mode is None else image.convert(mode))
    return array.reshape(*array.shape[:2], -1)
