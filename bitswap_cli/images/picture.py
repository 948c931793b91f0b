"""What a picture is here: samples, and all else that its file holds."""

from typing import NamedTuple

from bitswap_cli.contract import Samples

MAX_PIXELS = 1 << 25
"""Of a picture that every archive can hold."""
MAX_RECIPE = 1 << 23
"""Bytes of a recipe."""
MAX_SAMPLES = 3 * MAX_PIXELS
MAX_LARGE = 1 << 27
"""Pixels of a larger one that is held as a whole, too: it takes up to 11 bytes a sample."""
MAX_LARGE_SAMPLES = 1 << 28
MAX_ROWS = 1 << 31
"""Pixels of a picture that is had by strips of rows (strips.py)."""
MAX_ROW = 1 << 18
"""Samples of a row of such a picture that is larger than `MAX_PIXELS`."""
CHANNELS = (1, 2, 3, 4, 6, 8)  # samples of a pixel, in all kinds of pictures


class Recipe(NamedTuple):
    """What a file holds besides its samples."""

    kind: str
    """The name of a kind in formats/register.py."""
    prefix: bytes
    """What stands before the samples, verbatim."""
    suffix: bytes
    """What stands after them, verbatim."""
    description: bytes = b""
    """How the samples lie in the file, where the kind is exact and prefix does not tell."""


class Picture(NamedTuple):
    """A file split into samples and recipe."""

    pixels: Samples
    """Shape (H, W, C), C = 1, 2, 3, 4, 6 or 8, in the dtype of the kind's alphabet."""
    recipe: Recipe


def is_held(height: int, width: int, channels: int, *, large: bool) -> bool:
    """Tell whether a picture is small enough to be held as a whole: as every archive can hold it,
    or, if `large`, as those can that use the feature for that."""
    pixels, samples = (MAX_LARGE, MAX_LARGE_SAMPLES) if large else (MAX_PIXELS, MAX_SAMPLES)
    return 0 < height * width <= min(pixels, samples // max(channels, 1))
